"""Money that came in or went out counts once, whichever channel tells it, and is asked for when nobody listened."""

import asyncio
from decimal import Decimal

import pytest
from tests.unit.engine.risk.desk import Desk
from tests.unit.engine.risk.test_event_driven import World

from quantum_api.gate import Gate
from quantum_engine.domain import Transferred
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import AccountUpdate, StreamDown, StreamUp
from quantum_engine.risk.transfers import PAIR_MS, REMEMBERED, TransferLog, asked_to, taken

T = 1_000_000


def told(amount: int = 100, at_ms: int = T) -> Transferred:
    return Transferred(Decimal(amount), at_ms)


def asked(amount: int = 100, at_ms: int = T) -> Transferred:
    return Transferred(Decimal(amount), at_ms, is_asked=True)


def news(*transfers: Transferred) -> list[bool]:
    log, found = TransferLog(0), []
    for transfer in transfers:
        log, is_news = taken(log, transfer)
        found.append(is_news)
    return found


def test_what_both_channels_tell_counts_once_in_either_order() -> None:
    assert news(told(), asked()) == news(asked(), told()) == [True, False]
    assert news(told(), asked(at_ms=T + PAIR_MS)) == [True, False], "the channels' times may differ a little"
    assert news(told(), asked(at_ms=T + PAIR_MS + 1)) == [True, True]


def test_two_equal_transfers_close_together_are_two() -> None:
    assert news(told(), told(at_ms=T + 1), asked(), asked(at_ms=T + 1)) == [True, True, False, False]
    assert news(told(), asked(), asked(at_ms=T + 1)) == [True, False, True], "the stream lost one"


def test_a_repeat_on_one_channel_is_no_second_transfer() -> None:
    assert news(told(), told()) == news(asked(), asked()) == [True, False]


def test_another_amount_is_another_transfer() -> None:
    assert news(told(100), asked(-100)) == [True, True]


def test_what_is_forgotten_is_not_asked_for_again() -> None:
    log = TransferLog(0)
    for number in range(REMEMBERED + 1):
        log, _ = taken(log, told(number + 1, T + number))
    assert len(log.recent) == REMEMBERED
    assert log.known_to_ms == T + PAIR_MS


def test_after_asking_only_the_newest_are_remembered_and_time_does_not_go_back() -> None:
    log, _ = taken(TransferLog(0), told())
    later = asked_to(log, T + 60_000)
    assert later == TransferLog(T + 60_000, ())
    assert asked_to(later, T) == later


def take_out(world: World, amount: int) -> None:
    """While nobody listens."""
    world.exchange.wallet += Decimal(amount)
    world.exchange.moved.append(Transferred(Decimal(amount), world.now_ms))


async def open_world(**changes: int) -> World:
    world = await World(Desk(**changes)).open()
    world.positions.transfers.known_by(world.desk.risk)
    await world.positions.reconcile()
    world.desk.clock.advance(60)
    world.quoted_at = world.desk.clock.monotonic()
    return world


@pytest.mark.parametrize("amount", [-6_000, 6_000])
async def test_money_that_moved_while_the_stream_was_away_is_neither_a_loss_nor_a_gain(amount: int) -> None:
    world = await open_world()
    world.price(95)
    assert world.desk.risk.state.drawdown_bps == 500
    world.take(StreamDown("cut"))
    take_out(world, amount)
    world.take(StreamUp())
    await world.positions.reconcile()
    state = world.desk.risk.state
    assert (state.equity_usdt, state.peak_usdt) == (9_500 + amount, 10_000 + amount), "500 USDT are lost, as before"
    assert world.desk.triggers == (["Drawdown"] if amount < 0 else []), "500 of 4 000 are more than 10 %"


async def test_the_stream_that_tells_it_after_all_does_not_count_it_twice() -> None:
    world = await open_world()
    world.take(StreamDown("cut"))
    take_out(world, -6_000)
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(AccountUpdate(Decimal(4_000), (), "WITHDRAW", world.now_ms - 3, Decimal(-6_000)))
    assert (world.desk.risk.state.peak_usdt, world.desk.triggers) == (4_000, [])


async def test_an_engine_that_was_away_asks_from_where_its_record_ends() -> None:
    world = await open_world()
    await world.desk.live()
    take_out(world, -6_000)
    world.desk.clock.advance(3_600)
    await world.desk.restart()
    again = await World(world.desk).reopened(world)
    assert (world.desk.risk.state.peak_usdt, world.desk.risk.measures.day.start_usdt, world.desk.triggers) == (4_000, 4_000, [])
    assert again.exchange is world.exchange


async def test_nothing_is_trusted_before_the_exchange_has_said_what_moved() -> None:
    world = await open_world()
    world.take(StreamDown("cut"))
    world.take(StreamUp())
    world.exchange.can_be_asked = False
    with pytest.raises(RetryableError):
        await world.positions.reconcile()
    assert world.desk.permission.gate is Gate.REDUCE_ONLY
    world.exchange.can_be_asked = True
    take_out(world, -6_000)
    await world.positions.reconcile()
    assert world.desk.risk.state.peak_usdt == 4_000, "it was still due"
    assert world.desk.triggers == []


async def test_while_the_stream_stays_up_nobody_asks() -> None:
    """30 of the weight for each question, and the stream tells."""
    world = await open_world()
    world.exchange.moved.append(Transferred(Decimal(1), world.now_ms))
    await world.positions.reconcile()
    await asyncio.sleep(0)
    assert world.desk.risk.state.peak_usdt == 10_000

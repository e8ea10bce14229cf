"""Which fills are known, which are news, and what must be asked after a gap."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange
from tests.unit.engine.positions.test_service import BTC, World

from quantum_engine.domain import Fill, OrderStatus, OrderView, Side
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import OrderUpdate, StreamDown, StreamUp, TradeSeen
from quantum_engine.positions import gaps as gaps_module
from quantum_engine.positions.gaps import Gaps, Question


def fill(number: int, symbol: str = BTC, side: Side = Side.BUY, time_ms: int = 1) -> Fill:
    return Fill(symbol, number, number, f"c{number}", side, Decimal(1), Decimal(100), Decimal(0), Decimal(0), time_ms)


def order_of(trade: Fill) -> OrderView:
    return OrderView(trade.symbol, 1, "c", trade.side, OrderStatus.FILLED, Decimal(1), Decimal(1), Decimal(0), False, trade.time_ms)


def test_a_fill_is_news_once_whatever_the_channel_and_its_number_counts_for_its_symbol_only() -> None:
    gaps = Gaps()
    assert [gaps.is_news(fill(7)), gaps.is_news(fill(7)), gaps.is_news(fill(7, "ETHUSDT"))] == [True, False, True]


def test_before_the_first_comparison_there_is_nothing_to_have_missed() -> None:
    gaps = Gaps()
    gaps.lost()
    gaps.compared(5_000, [BTC], [BTC])
    assert gaps.questions == ()


def test_after_a_loss_each_symbol_is_asked_from_the_fill_after_the_last_one_that_was_complete() -> None:
    gaps = Gaps()
    gaps.is_news(fill(7))
    gaps.compared(5_000, [BTC, "ETHUSDT"], [])
    gaps.is_news(fill(9))
    gaps.lost()
    gaps.compared(9_000, [BTC, "ETHUSDT"], [])
    assert gaps.questions == (Question(BTC, 8, 4_000), Question("ETHUSDT", None, 4_000)), "9 came, 8 may not have"


def test_a_gap_that_could_not_be_closed_keeps_its_beginning() -> None:
    gaps = Gaps()
    gaps.is_news(fill(7))
    gaps.compared(5_000, [BTC], [])
    gaps.lost()
    gaps.compared(9_000, [BTC], [])
    gaps.is_news(fill(50))
    gaps.lost()
    gaps.compared(12_000, [BTC], [BTC])
    assert gaps.questions == (Question(BTC, 8, 4_000),)
    gaps.answered(BTC)
    gaps.compared(15_000, [BTC], [BTC])
    assert gaps.questions == (Question(BTC, 8, 11_000),), "complete only at the next comparison without a doubt"
    gaps.answered(BTC)
    gaps.compared(16_000, [BTC], [])
    gaps.compared(17_000, [BTC], [BTC])
    assert gaps.questions == (Question(BTC, 51, 15_000),)


def test_a_comparison_that_found_what_nobody_told_asks_about_that_symbol_alone() -> None:
    """A stream that is silent while its pings go on makes no other sign."""
    gaps = Gaps()
    gaps.compared(5_000, [BTC, "ETHUSDT"], [])
    gaps.compared(9_000, [BTC, "ETHUSDT"], ["ETHUSDT"])
    assert gaps.questions == (Question("ETHUSDT", None, 4_000),)


def test_the_memory_of_fills_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps_module, "REMEMBERED", 2)
    gaps = Gaps()
    assert all(gaps.is_news(fill(number)) for number in (1, 2, 3))
    assert gaps.is_news(fill(1))
    assert not gaps.is_news(fill(3))


async def test_a_round_trip_while_the_stream_was_away_is_told_though_the_position_shows_nothing_of_it() -> None:
    world, told = World(), []
    world.positions._recovery._watched = lambda: [BTC]
    world.positions.on_fill(told.append)
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(StreamDown("cut"))
    world.clock.advance(5)
    await traded(world.exchange, "b", Side.BUY)
    await traded(world.exchange, "s", Side.SELL)
    world.take(StreamUp())
    await world.positions.reconcile()
    assert world.positions.positions == {}
    assert not told
    assert await world.positions._recovery.close_gaps()
    assert [(each.client_order_id, each.side) for each in told] == [("b", Side.BUY), ("s", Side.SELL)]
    assert not await world.positions._recovery.close_gaps()


async def test_a_fill_that_comes_by_request_and_on_both_channels_of_the_stream_is_told_once_and_moves_the_position_once() -> None:
    world, told = World(), []
    world.positions.on_fill(told.append)
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(StreamDown("cut"), StreamUp())
    await traded(world.exchange, "b", Side.BUY)
    await world.positions.reconcile()
    await world.positions._recovery.close_gaps()
    (trade,) = told
    world.take(TradeSeen(trade), OrderUpdate(order_of(trade), trade))
    assert told == [trade]
    assert world.positions.positions[BTC].quantity == 2


async def test_a_gap_that_cannot_be_asked_about_does_not_hold_the_gate_and_is_asked_about_again() -> None:
    """The comparison was right already; what is missing is only its story."""
    world, told = World(), []
    world.positions.on_fill(told.append)
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(StreamDown("cut"), StreamUp())
    await traded(world.exchange, "b", Side.BUY)
    await world.positions.reconcile()
    world.exchange.can_be_asked = False
    with pytest.raises(RetryableError):
        await world.positions._recovery.close_gaps()
    assert world.positions.reconciled
    world.exchange.can_be_asked = True
    assert await world.positions._recovery.close_gaps()
    assert len(told) == 1


async def test_a_fill_that_is_newer_than_the_comparison_moves_the_books_when_it_is_read() -> None:
    world = World()
    world.positions._recovery._watched = lambda: [BTC]
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(StreamDown("cut"), StreamUp())
    await world.positions.reconcile()
    world.clock.advance(5)
    await traded(world.exchange, "b", Side.BUY)
    assert await world.positions._recovery.close_gaps()
    assert world.positions._book.quantities == {BTC: Decimal(2)}


async def traded(exchange: FakeExchange, name: str, side: Side) -> None:
    from tests.unit.engine.execution.desk import entry

    await exchange.place(replace(entry(quantity="2"), symbol=BTC, side=side), name)
    await asyncio.sleep(0)


def test_what_traded_before_the_newest_comparison_is_in_its_position_already() -> None:
    """A process that had just begun read the last fill of the one before, booked it, and held a position that never was."""
    gaps = Gaps()
    assert not gaps.is_covered(fill(7, time_ms=4_900))
    gaps.compared(5_000, [BTC], [])
    assert [gaps.is_covered(fill(7, time_ms=at)) for at in (4_900, 5_000, 5_001)] == [True, True, False]

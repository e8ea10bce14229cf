"""When the engine may trust its books, and what equity it tells."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.contract.exchange.fake_exchange import FakeExchange
from tests.unit.engine.execution.desk import Desk, entry

from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.domain import EquityEvent, EquityLost, EquityRead, Fill, Quote, Side, Transferred
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import AccountUpdate, StreamDown, StreamUp, TradeSeen
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions

BTC = "BTCUSDT"


class World:
    """Positions alone, events fed by hand."""

    def __init__(self) -> None:
        self.clock, self.permission = ManualClock(), Permission()
        self.permission.lift("policy")
        self.exchange = FakeExchange(self.clock, {BTC: Decimal(100)})
        self.quote: Quote | None = Quote(BTC, Decimal(100), None, None, self.clock.monotonic())
        self.positions = Positions(self.exchange, lambda _: self.quote, self.clock, self.permission)
        self.equity: list[EquityEvent] = []
        self.positions.on_equity(self.equity.append)

    def take(self, *events: object) -> None:
        for event in events:
            self.positions._take(event)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


async def test_nothing_is_trusted_before_the_first_comparison_with_the_stream_up(world: World) -> None:
    assert world.permission.gate is Gate.HALTED
    await world.positions.reconcile()
    assert (world.permission.gate, world.positions.reconciled) == (Gate.REDUCE_ONLY, False), "compared, but the stream is not seen"
    world.take(StreamUp())
    await world.positions.reconcile()
    assert (world.permission.gate, world.positions.reconciled) == (Gate.ACTIVE, True)


async def test_a_failed_first_comparison_leaves_the_engine_halted(world: World) -> None:
    world.take(StreamUp())
    world.exchange.can_be_asked = False
    with pytest.raises(RetryableError):
        await world.positions.reconcile()
    assert world.permission.gate is Gate.HALTED
    assert "could not be asked" in world.permission.restrictions[0].detail


async def test_a_lost_stream_or_a_failed_comparison_tightens_to_reduce_only(world: World) -> None:
    world.take(StreamUp())
    await world.positions.reconcile()
    world.take(StreamDown("cut"))
    assert world.permission.gate is Gate.REDUCE_ONLY
    world.take(StreamUp())
    assert world.permission.gate is Gate.REDUCE_ONLY, "a reconnect alone proves nothing"
    await world.positions.reconcile()
    world.exchange.can_be_asked = False
    with pytest.raises(RetryableError):
        await world.positions.reconcile()
    assert (world.permission.gate, world.positions.reconciled) == (Gate.REDUCE_ONLY, False)


async def test_equity_is_lost_while_the_balance_is_not_known(world: World) -> None:
    world.take(StreamUp())
    assert isinstance(world.equity[-1], EquityLost)
    await world.positions.reconcile()
    assert world.equity[-1] == EquityRead(Decimal(10_000), world.exchange.venue_ms(), world.clock.monotonic())


async def test_every_new_mark_of_a_held_symbol_is_an_equity_reading(world: World) -> None:
    await world.exchange.place(replace(entry(quantity="2"), symbol=BTC), "id")
    await world.positions.reconcile()
    world.quote = Quote(BTC, Decimal(90), None, None, world.clock.monotonic())
    world.positions.on_quote(world.quote)
    assert isinstance(world.equity[-1], EquityRead)
    assert world.equity[-1].equity_usdt == Decimal(9_980)
    count = len(world.equity)
    world.positions.on_quote(world.quote)
    world.positions.on_quote(replace(world.quote, symbol="ETHUSDT", mark=Decimal(1)))
    assert len(world.equity) == count, "the same mark, or one of a symbol that is not held, is no news"


async def test_a_held_position_whose_mark_is_old_has_no_known_equity(world: World) -> None:
    await world.exchange.place(entry(quantity="2"), "id")
    await world.positions.reconcile()
    world.clock.advance(10.1)
    world.take(AccountUpdate(Decimal(10_000), (), "FUNDING_FEE", world.clock.wall_ms()))
    assert isinstance(world.equity[-1], EquityLost)
    assert BTC in world.equity[-1].reason
    assert world.positions.account is None


async def test_money_that_comes_in_is_told_before_the_equity_that_holds_it(world: World) -> None:
    """The peak must move first, or the deposit looks like a gain and its withdrawal like a drawdown."""
    await world.positions.reconcile()
    now_ms = world.clock.wall_ms() + 1
    world.take(AccountUpdate(Decimal(10_500), (), "DEPOSIT", now_ms, Decimal(500)))
    assert world.equity[-2] == Transferred(Decimal(500), now_ms)
    assert isinstance(world.equity[-1], EquityRead)
    assert world.equity[-1].equity_usdt == Decimal(10_500)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    opened = await Desk().open()
    yield opened
    await opened.close()


async def test_changes_and_orders_are_told_to_whoever_listens(desk: Desk) -> None:
    changes, orders = [], []
    desk.positions.on_change(lambda: changes.append(1))
    desk.positions.on_order(lambda update: orders.append(update.order.status.value))
    await desk.execution.submit(entry())
    await desk.settle()
    assert orders == ["NEW", "FILLED"]
    assert changes
    await desk.positions.refresh_account()
    assert desk.positions.account is not None


async def test_books_that_nobody_keeps_let_nothing_open(desk: Desk) -> None:
    """The stage died of something nobody foresaw; until it is back and has compared, fills go unseen."""
    assert desk.permission.gate is Gate.ACTIVE
    desk.positions.on_order(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    await desk.execution.submit(entry())
    await asyncio.gather(desk.events, return_exceptions=True)
    assert desk.permission.gate is Gate.REDUCE_ONLY
    assert not desk.positions.reconciled


async def test_a_trade_of_nothing_changes_nothing(world: World) -> None:
    nothing = Fill(BTC, 1, 1, "c", Side.BUY, Decimal(0), Decimal(1), Decimal(0), Decimal(0), 1)
    world.take(TradeSeen(nothing))
    assert world.positions.positions == {}

"""Every event that can change equity is judged in the call that brings it: positions and risk wired as in trading.py."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange
from tests.unit.engine.execution.desk import entry
from tests.unit.engine.risk.desk import Desk

from quantum_api.gate import Gate
from quantum_engine.domain import Fill, OrderStatus, OrderView, PositionView, Quote, Side
from quantum_engine.exchanges.port import AccountUpdate, OrderUpdate, StreamUp, TradeSeen, UserEvent
from quantum_engine.positions.service import Positions

BTC = "BTCUSDT"


@dataclass
class World:
    """100 BTCUSDT bought at 100, equity 10 000, drawdown limit 10 %."""

    desk: Desk = field(default_factory=Desk)
    mark: Decimal = Decimal(100)

    async def open(self) -> "World":
        clock = self.desk.clock
        self.quoted_at = clock.monotonic()
        self.exchange = FakeExchange(clock, {BTC: Decimal(100)})
        self.positions = Positions(self.exchange, lambda _: Quote(BTC, self.mark, None, None, self.quoted_at), clock, self.desk.permission)
        self.positions.on_equity(self.desk.risk.handle)
        await self.exchange.place(replace(entry(quantity="100"), symbol=BTC), "id")
        self.take(StreamUp())
        await self.positions.reconcile()
        assert self.desk.risk.state.equity_usdt == 10_000
        clock.advance(1)
        self.quoted_at = clock.monotonic()
        return self

    async def reopened(self, before: "World") -> "World":
        """A new process on the same exchange."""
        clock = self.desk.clock
        self.exchange, self.quoted_at = before.exchange, clock.monotonic()
        self.positions = Positions(self.exchange, lambda _: Quote(BTC, self.mark, None, None, self.quoted_at), clock, self.desk.permission)
        self.positions.on_equity(self.desk.risk.handle)
        self.positions.transfers.known_by(self.desk.risk)
        self.take(StreamUp())
        await self.positions.reconcile()
        return self

    def take(self, *events: UserEvent) -> None:
        for event in events:
            self.positions._take(event)

    @property
    def now_ms(self) -> int:
        return self.desk.clock.wall_ms()

    def price(self, mark: int) -> None:
        self.mark = Decimal(mark)
        self.positions.on_quote(Quote(BTC, self.mark, None, None, self.quoted_at))

    def sold(self, price: int) -> Fill:
        return Fill(BTC, 77, 9, "c", Side.SELL, Decimal(100), Decimal(price), Decimal(0), Decimal(0), self.now_ms)


def mark_price(world: World) -> None:
    world.price(90)


def balance_updated(world: World) -> None:
    world.take(AccountUpdate(Decimal(9_000), (), "FUNDING_FEE", world.now_ms))


def position_updated(world: World) -> None:
    world.take(AccountUpdate(None, (PositionView(BTC, Decimal(100), Decimal(110)),), "ORDER", world.now_ms))


def position_closed(world: World) -> None:
    order = OrderView(BTC, 9, "c", Side.SELL, OrderStatus.FILLED, Decimal(100), Decimal(100), Decimal(0), True, world.now_ms)
    world.take(OrderUpdate(order, world.sold(90)))


def position_closed_as_the_early_notice_has_it(world: World) -> None:
    world.take(TradeSeen(world.sold(90)))


LOSSES = [mark_price, balance_updated, position_updated, position_closed, position_closed_as_the_early_notice_has_it]


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_loss_trips_in_the_call_that_brings_it_whichever_event_it_is(loss: Callable[[World], None]) -> None:
    world = await World().open()
    loss(world)
    assert world.desk.triggers == ["Drawdown"]
    assert world.desk.permission.gate is Gate.EXIT_ONLY


@pytest.mark.parametrize("loss", LOSSES)
async def test_the_loss_of_a_day_and_its_speed_are_judged_with_the_same_events(loss: Callable[[World], None]) -> None:
    world = await World(Desk(max_drawdown_bps=9_000, max_daily_loss_bps=1_000)).open()
    loss(world)
    assert world.desk.triggers == ["DailyLoss"]
    world = await World(Desk(max_drawdown_bps=9_000, max_daily_loss_bps=9_000)).open()
    loss(world)
    assert world.desk.triggers == ["LossVelocity"]


async def test_money_that_is_taken_out_is_no_loss_by_any_measure() -> None:
    world = await World(Desk(max_daily_loss_bps=1, max_loss_velocity_bps=1)).open()
    world.take(AccountUpdate(Decimal(4_000), (), "WITHDRAW", world.now_ms, Decimal(-6_000)))
    assert world.desk.triggers == []
    assert world.desk.risk.state.drawdown_bps == 0


async def test_a_mark_that_grows_old_makes_equity_unknown_which_tightens_and_trips_nothing() -> None:
    world = await World().open()
    world.desk.clock.advance(11)
    world.take(AccountUpdate(Decimal(10_000), (), "FUNDING_FEE", world.now_ms))
    assert world.desk.risk.state.equity_usdt is None
    assert (world.desk.permission.gate, world.desk.triggers) == (Gate.REDUCE_ONLY, [])


async def test_equity_that_nobody_tells_any_more_is_unknown_after_max_balance_age() -> None:
    world = await World(Desk(max_balance_age_seconds=60)).open()
    world.desk.clock.advance(59)
    world.desk.risk._notice_age()
    assert world.desk.permission.gate is Gate.ACTIVE
    world.desk.clock.advance(2)
    await world.desk.live()
    assert (world.desk.permission.gate, world.desk.triggers) == (Gate.REDUCE_ONLY, [])

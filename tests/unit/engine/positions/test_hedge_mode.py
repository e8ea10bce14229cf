"""Hedge mode: two positions of one symbol, and an engine that only gets out of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange
from tests.unit.engine.gate.worlds import BTC, world

from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.domain import Fill, OrderIntent, PositionSide, PositionView, Purpose, Side
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.binance_futures.translate import order_params
from quantum_engine.gate.projection import project
from quantum_engine.permission import Permission
from quantum_engine.positions.book import PositionBook
from quantum_engine.positions.mode import ASK_AGAIN_SECONDS, SOURCE, Mode

LONG, SHORT, BOTH = PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH


def fill(number: int, side: Side, position_side: PositionSide) -> Fill:
    return Fill(BTC, number, 1, "c", side, Decimal(2), Decimal(100), Decimal(0), Decimal(0), number, position_side)


def test_fills_of_both_sides_are_counted_apart() -> None:
    book = PositionBook(is_hedged=True)
    for each in (fill(1, Side.BUY, LONG), fill(2, Side.SELL, SHORT), fill(3, Side.SELL, SHORT), fill(4, Side.SELL, LONG)):
        book.fill(each)
    assert {key: line.quantity for key, line in book.lines.items()} == {f"{BTC}:LONG": 0, f"{BTC}:SHORT": -4}


def test_a_notice_without_a_side_counts_in_one_way_mode_only() -> None:
    book = PositionBook(is_hedged=True)
    book.fill(fill(1, Side.BUY, BOTH))
    assert book.lines == {}
    book.is_hedged = False
    book.fill(fill(1, Side.BUY, BOTH))
    assert book.lines[BTC].quantity == 2


def test_both_sides_add_to_the_gross_exposure() -> None:
    """A long and a short of one symbol do not cancel each other out: each has to be got out of."""
    flat = PositionView(BTC, Decimal(2), Decimal(100), Decimal(100))
    views = (replace(flat, position_side=LONG), replace(flat, quantity=Decimal(-3), position_side=SHORT))
    before = project(world(positions={}), Decimal(100)).gross_usdt
    after = project(world(positions={view.key: view for view in views}), Decimal(100)).gross_usdt
    assert before is not None
    assert after == before + 500


@pytest.mark.parametrize(
    ("side", "position_side", "reduce_only"), [(Side.BUY, LONG, True), (Side.SELL, SHORT, True), (Side.SELL, LONG, False)]
)
def test_an_order_with_a_position_side_can_only_shrink_that_side(side: Side, position_side: PositionSide, reduce_only: bool) -> None:
    """There no flag holds it back at the exchange: a "reduce-only" buy of LONG would open."""
    with pytest.raises(ValueError, match="may only shrink"):
        OrderIntent("i", BTC, side, Decimal(1), reduce_only=reduce_only, position_side=position_side)


def test_a_position_side_goes_to_the_wire_instead_of_the_flag() -> None:
    close = OrderIntent("i", BTC, Side.SELL, Decimal(1), reduce_only=True, purpose=Purpose.EMERGENCY_EXIT, position_side=LONG)
    params = order_params(close, "c")
    assert params["positionSide"] == "LONG"
    assert "reduceOnly" not in params
    assert order_params(replace(close, position_side=BOTH), "c")["reduceOnly"] == "true"


class Account(FakeExchange):
    def __init__(self, clock: ManualClock, *, is_hedged: bool) -> None:
        super().__init__(clock, {})
        self.hedged, self.asked = is_hedged, 0

    async def is_hedged(self) -> bool:
        self.asked += 1
        await super().is_hedged()
        return self.hedged


async def test_the_mode_is_asked_once_and_in_hedge_mode_each_five_minutes() -> None:
    """Each question is weight that all engines behind one address share."""
    clock, permission = ManualClock(), Permission()
    account = Account(clock, is_hedged=False)
    mode = Mode(account, permission, clock)
    for _ in range(100):
        await mode.known()
        clock.advance(30)
    assert account.asked == 1
    account.hedged = True
    mode.doubt()
    assert await mode.known()
    assert [r.gate for r in permission.restrictions if r.source == SOURCE] == [Gate.EXIT_ONLY]
    account.hedged = False
    assert await mode.known(), "not asked again yet"
    clock.advance(ASK_AGAIN_SECONDS)
    assert not await mode.known()
    assert SOURCE not in [r.source for r in permission.restrictions]


async def test_a_mode_that_cannot_be_asked_is_not_guessed() -> None:
    account = Account(ManualClock(), is_hedged=False)
    account.can_be_asked = False
    with pytest.raises(RetryableError):
        await Mode(account, Permission(), ManualClock()).known()

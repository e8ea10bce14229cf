"""What belongs to no commit of a stage is told once: the exchange repeats fills, and most changes change nothing."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from quantum_api.bus_envelope import EventClass
from quantum_api.refusals import Refusal
from quantum_engine.domain import Fill, OrderIntent, OrderStatus, OrderView, PositionView, Side
from quantum_engine.exchanges.port import OrderUpdate
from quantum_engine.journal import Publish
from quantum_engine.telling import StrategyTeller, TradingTeller
from quantum_engine.verdicts import Accepted, Refused

INTENT = OrderIntent("i", "BTCUSDT", Side.BUY, Decimal("0.010"))
ORDER = OrderView("BTCUSDT", 1, "c", Side.BUY, OrderStatus.FILLED, Decimal(1), Decimal(1), Decimal(5), False, 0)


class Stages:
    """What the teller looks at."""

    def __init__(self) -> None:
        self.held: dict[str, PositionView] = {}
        self.recorded: set[str] = set()
        self.positions = SimpleNamespace(positions=self.held)
        self.execution = SimpleNamespace(became_of=lambda name: "record" if name in self.recorded else None)


@pytest.fixture
def said() -> list[Publish]:
    return []


@pytest.fixture
def stages() -> Stages:
    return Stages()


@pytest.fixture
def teller(said: list[Publish], stages: Any) -> TradingTeller:
    return TradingTeller(said.append, stages)


def fill(trade_id: int) -> OrderUpdate:
    return OrderUpdate(ORDER, Fill("BTCUSDT", trade_id, 1, "c", Side.BUY, Decimal("0.010"), Decimal(5), Decimal("0.1"), Decimal(0), 7))


def test_a_fill_is_told_once_however_often_the_exchange_says_it(teller: TradingTeller, said: list[Publish]) -> None:
    for trade_id in (1, 2, 1, 2):
        teller.order(fill(trade_id))
    teller.order(OrderUpdate(ORDER, None))
    assert [(event.event_class, event.kind, event.payload["tradeId"]) for event in said] == [
        (EventClass.FILL, "fill.trade", 1), (EventClass.FILL, "fill.trade", 2),
    ]  # fmt: skip


def test_a_position_is_told_when_its_quantity_changes_and_when_it_is_gone(
    teller: TradingTeller, said: list[Publish], stages: Stages
) -> None:
    stages.held["BTCUSDT"] = PositionView("BTCUSDT", Decimal("0.010"), Decimal(5))
    teller.positions()
    stages.held["BTCUSDT"] = PositionView("BTCUSDT", Decimal("0.010"), Decimal(5), mark_price=Decimal(6))
    teller.positions()
    del stages.held["BTCUSDT"]
    teller.positions()
    assert [event.payload["quantity"] for event in said] == ["0.010", "0"]


def test_only_refusals_without_a_record_are_told_apart(teller: TradingTeller, said: list[Publish], stages: Stages) -> None:
    """A recorded intent's end is told with its row."""
    refused = Refused(Refusal.NO_POLICY, {"limit": Decimal(5)})
    teller.outcome(INTENT, refused)
    stages.recorded.add("i")
    teller.outcome(INTENT, refused)
    teller.outcome(INTENT, Accepted("c", None))
    assert [(event.kind, event.payload["numbers"]) for event in said] == [("order.gate_refused", {"limit": "5"})]
    assert said[0].event_class.is_droppable


def test_a_mode_is_told_when_it_is_another(said: list[Publish]) -> None:
    policy: Any = SimpleNamespace(strategy=None)
    teller = StrategyTeller(said.append, policy)
    teller.look()
    policy.strategy = SimpleNamespace(mode=SimpleNamespace(value="defensive"))
    teller.look()
    teller.look()
    policy.strategy = None
    teller.look()
    assert [event.payload["mode"] for event in said] == ["defensive", None]

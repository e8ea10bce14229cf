"""What counts as an order that reached the exchange, and as one that it refused."""

from dataclasses import replace
from decimal import Decimal

from quantum_api.refusals import Refusal
from quantum_engine.domain import OrderIntent, Purpose, Side
from quantum_engine.risk.tally import Tally
from quantum_engine.verdicts import Accepted, Declined, Refused, Verdict

ENTRY = OrderIntent("one", "BTCUSDT", Side.BUY, Decimal(1))
TAKEN, UNSURE = Accepted("c", None), Accepted("c", None, certain=False)
DECLINED, NEVER_ARRIVED = Declined("c", -2019, "margin"), Declined("c", 0, "away")


def counted(*verdicts: Verdict, intent: OrderIntent = ENTRY) -> tuple[int, int]:
    """(orders, rejects)"""
    tally = Tally()
    for verdict in verdicts:
        tally.saw(intent, verdict, 100.0)
    return tally.orders(100.0), tally.rejects(100.0)


def test_what_the_exchange_took_or_refused_has_reached_it() -> None:
    assert counted(TAKEN) == (1, 0)
    assert counted(DECLINED) == (1, 1)


def test_a_strategy_that_the_gate_holds_back_does_not_stop_itself() -> None:
    assert counted(*[Refused(Refusal.NOTIONAL_ABOVE_LIMIT)] * 100) == (0, 0)


def test_an_exchange_that_is_away_is_not_an_engine_out_of_control() -> None:
    assert counted(*[NEVER_ARRIVED] * 100) == (0, 0)


def test_an_order_of_unknown_outcome_counts_once_whatever_is_heard_later() -> None:
    assert counted(UNSURE) == counted(UNSURE, TAKEN) == counted(UNSURE, NEVER_ARRIVED) == (1, 0)
    assert counted(UNSURE, DECLINED) == (1, 1)
    assert counted(UNSURE, TAKEN, TAKEN) == (2, 0), "two orders, two counts"


def test_the_stops_own_closing_orders_do_not_count_and_the_strategys_exits_do() -> None:
    exit_ = replace(ENTRY, reduce_only=True, purpose=Purpose.EMERGENCY_EXIT)
    assert counted(TAKEN, DECLINED, intent=exit_) == (0, 0)
    assert counted(TAKEN, intent=replace(exit_, purpose=Purpose.REDUCE)) == (1, 0)


def test_a_minute_later_it_is_forgotten_and_not_before() -> None:
    tally = Tally()
    tally.saw(ENTRY, DECLINED, 100.0)
    assert (tally.orders(159.9), tally.rejects(159.9)) == (1, 1)
    assert (tally.orders(160.0), tally.rejects(160.0)) == (0, 0)

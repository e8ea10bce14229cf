"""What is tried next when the same again would be no way out."""

from decimal import Decimal

import pytest

from quantum_api.refusals import Refusal
from quantum_engine.domain import OrderStatus, OrderView, Side
from quantum_engine.emergency.troubles import MOST_PARTS, PLAINLY, How, Met, Trouble, how, trouble_of
from quantum_engine.verdicts import Accepted, Declined, Refused, Verdict


def answered(status: OrderStatus, executed: int) -> Accepted:
    return Accepted("c", OrderView("B", 1, "c", Side.SELL, status, Decimal(5), Decimal(executed), Decimal(0), True, 0))


@pytest.mark.parametrize(
    ("verdict", "trouble"),
    [
        (answered(OrderStatus.FILLED, 5), None),
        (answered(OrderStatus.EXPIRED, 2), None),
        (answered(OrderStatus.EXPIRED, 0), Trouble.THIN),
        (answered(OrderStatus.NEW, 0), None),
        (Accepted("c", None, certain=False), None),
        (Declined("c", -4118, "covered"), Trouble.COVERED),
        (Declined("c", -2022, "flat"), Trouble.NOTHING_HELD),
        (Declined("c", -4131, "thin"), Trouble.THIN),
        (Declined("c", -4005, "too large"), Trouble.REFUSED),
        (Declined("c", 0, "429", 7.0), Trouble.THROTTLED),
        (Declined("c", 0, "503"), Trouble.UNANSWERED),
        (Refused(Refusal.DUPLICATE_INTENT), Trouble.REFUSED),
    ],
)
def test_a_verdict_says_what_stands_in_the_way(verdict: Verdict, trouble: Trouble | None) -> None:
    assert trouble_of(verdict) is trouble


def test_nothing_met_is_done_plainly() -> None:
    assert how({}, is_overdue=False) == PLAINLY


def test_cancelling_all_that_failed_twice_is_done_one_by_one_and_at_once_when_overdue() -> None:
    assert not how({Trouble.CANCEL_FAILED: 1}, is_overdue=False).one_by_one
    assert how({Trouble.CANCEL_FAILED: 1, Trouble.COVERED: 1}, is_overdue=False).one_by_one
    assert how({Trouble.CANCEL_FAILED: 1}, is_overdue=True).one_by_one
    assert not how({}, is_overdue=True).one_by_one


def test_market_and_limit_take_turns_in_a_thin_book() -> None:
    assert [how({Trouble.THIN: times}, is_overdue=False).by_limit for times in range(4)] == [False, True, False, True]


def test_refused_orders_get_smaller_and_not_without_end() -> None:
    assert [how({Trouble.REFUSED: times}, is_overdue=False).parts for times in (1, 2, 4, 1_000)] == [1, 2, 4, MOST_PARTS]


def test_an_order_that_executes_ends_the_detour() -> None:
    met = Met()
    met.learn("B", [Trouble.THIN, Trouble.REFUSED, Trouble.REFUSED], gave_way=False)
    assert met.how("B", is_overdue=False) == How(by_limit=True, parts=2)
    assert met.how("E", is_overdue=False) == PLAINLY
    met.learn("B", [], gave_way=True)
    assert met.how("B", is_overdue=False) == PLAINLY

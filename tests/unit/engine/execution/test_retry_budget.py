"""An exchange in distress is not asked again and again: three retries at most, and only of what was surely not done."""

import random
from collections import Counter

import pytest
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import Desk, close_all, entry

from quantum_engine import metrics
from quantum_engine.domain import OrderIntent
from quantum_engine.execution import asking, service
from quantum_engine.execution.retries import FIRST_WAIT_SECONDS, LONGEST_ENTRY_WAIT_SECONDS, MOST_RETRIES, wait_before_retry
from quantum_engine.verdicts import Declined

SURELY_NOT_DONE = (Trouble.NOT_DONE, Trouble.THROTTLED)
WEIGHTS = {Trouble.NOT_DONE: 60, Trouble.THROTTLED: 15, Trouble.LOST: 5, Trouble.DONE_BUT_SILENT: 5, Trouble.REFUSED: 5, Trouble.NONE: 10}
INTENTS = 300


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real schedule decides whether to send again; only the waiting is left out."""

    def no_wait(attempts: int, is_exit: bool, retry_after_seconds: float) -> float | None:
        return None if wait_before_retry(attempts, is_exit, retry_after_seconds) is None else 0.0

    monkeypatch.setattr(asking, "ASK_AFTER_SECONDS", (0.0,))
    monkeypatch.setattr(service, "wait_before_retry", no_wait)


def sends(kind: str) -> tuple[float, float]:
    """(first, again) so far, as the metric says."""
    first, again = (metrics.ORDER_SENDS.labels(kind, attempt)._value.get() for attempt in ("first", "again"))
    return first, again


def intents(is_exit: bool) -> list[OrderIntent]:
    return [close_all(f"out-{n}", "0.001") if is_exit else entry(f"in-{n}", "0.010") for n in range(INTENTS)]


@pytest.mark.parametrize("is_exit", [False, True])
async def test_over_many_faults_an_intent_is_retried_three_times_at_most_and_only_where_nothing_was_done(is_exit: bool) -> None:
    desk = await Desk(max_position_notional_usdt=1_000_000, max_gross_exposure_usdt=1_000_000, max_leverage_bps=1_000_000).open()
    if is_exit:
        await desk.execution.submit(entry("held", "0.150"))
        await desk.settle()
    chance = random.Random(7)
    troubles = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=INTENTS * (MOST_RETRIES + 1))
    desk.trouble(*troubles)
    kind, begun = ("exit", sends("exit")) if is_exit else ("entry", sends("entry"))
    asked, before = intents(is_exit), len(desk.sent)
    for number, intent in enumerate(asked):
        await desk.execution.submit(intent)
        if number % 50 == 0:
            desk.clock.advance(60)
            await desk.positions.reconcile()
            await desk.execution._settle_open()
    sent = desk.sent[before:]
    counted = Counter(sent)
    first, again = (now - then for now, then in zip(sends(kind), begun, strict=True))
    await desk.close()
    assert max(counted.values()) == 1 + MOST_RETRIES, "the bound was reached, so it was tested"
    assert (first, again) == (len(counted), len(sent) - len(counted))
    assert 0 < again / first <= MOST_RETRIES
    for name, following, answer in zip(sent, [*sent[1:], ""], troubles, strict=False):
        if following == name:
            assert answer in SURELY_NOT_DONE, f"{name} was sent again after {answer}"


async def test_what_may_have_been_done_is_sent_once() -> None:
    desk = await Desk().open()
    desk.trouble(Trouble.LOST, Trouble.DONE_BUT_SILENT, Trouble.LATE)
    for name in ("one", "two", "three"):
        await desk.execution.submit(entry(name, "0.010"))
    await desk.close()
    assert desk.sent == ["one", "two", "three"]


@pytest.mark.parametrize(("is_exit", "times"), [(False, 1), (True, 1 + MOST_RETRIES)])
async def test_an_exchange_that_asks_for_patience_is_left_alone_by_entries_and_not_by_exits(
    is_exit: bool, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 7: exits have reserved room there; an entry is worth nothing when it may come."""
    desk = await Desk().open()
    await desk.execution.submit(entry("held"))
    await desk.settle()
    monkeypatch.setattr(service, "_retry_after", lambda _: LONGEST_ENTRY_WAIT_SECONDS + 0.1)
    desk.trouble(*[Trouble.THROTTLED] * 9)
    verdict = await desk.execution.submit(close_all() if is_exit else entry("asked", "0.010"))
    await desk.close()
    assert isinstance(verdict, Declined)
    assert len(desk.sent) - 1 == times


def test_all_waits_of_an_intent_together_are_shorter_than_a_second() -> None:
    """An entry that could not be sent by then is an entry into another market."""
    waits = [wait_before_retry(attempt, False, 0.0) for attempt in range(1, MOST_RETRIES + 2)]
    assert waits == [FIRST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2, FIRST_WAIT_SECONDS * 4, None]

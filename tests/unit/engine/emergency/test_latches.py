"""What a latch forbids, how its phases advance, when it may go."""

import pytest

from quantum_api.engine_status import EmergencyState, Latch, LatchOrigin
from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_engine.emergency.latches import Sight, new_id, overdue, progressed, releasable, restrictions, state_of, strengthened, waiting

T = 1_800_000_000_000


def latch(action: StopAction = StopAction.FLATTEN, **fields: object) -> Latch:
    base = {"id": "a", "action": action, "origin": LatchOrigin.ENGINE, "trigger": "Drawdown", "reason": "r", "tripped_at_ms": T}
    return Latch.model_validate(base | {"gate_closed_at_ms": T + 1} | fields)


CLEAN = Sight(0, 0)


@pytest.mark.parametrize(
    ("action", "sight", "state"),
    [
        (StopAction.HALT_ENTRIES, Sight(3, 3), EmergencyState.COOLDOWN),
        (StopAction.CANCEL_ORDERS, Sight(1, 0), EmergencyState.TRIPPED),
        (StopAction.CANCEL_ORDERS, Sight(0, 3), EmergencyState.COOLDOWN),
        (StopAction.FLATTEN, Sight(0, 1), EmergencyState.TRIPPED),
        (StopAction.FLATTEN, Sight(1, 0), EmergencyState.TRIPPED),
        (StopAction.FLATTEN, CLEAN, EmergencyState.COOLDOWN),
        (StopAction.FLATTEN, Sight(0, 0, ("XUSDT",)), EmergencyState.COOLDOWN),
    ],
)
def test_work_is_done_when_the_exchange_shows_what_the_action_asks(action: StopAction, sight: Sight, state: EmergencyState) -> None:
    assert state_of(progressed(latch(action), sight, T + 5, 300)) is state


def test_work_is_not_done_before_the_latch_is_on_disk() -> None:
    assert state_of(progressed(latch(gate_closed_at_ms=None), CLEAN, T + 5, 300)) is EmergencyState.TRIPPED


def test_phases_keep_the_time_they_were_first_proven() -> None:
    first = progressed(latch(), Sight(0, 1), T + 5, 300)
    second = progressed(first, CLEAN, T + 9, 300)
    third = progressed(second, CLEAN, T + 99, 300)
    assert (first.orders_cancelled_at_ms, first.positions_flat_at_ms) == (T + 5, None)
    assert (third.orders_cancelled_at_ms, third.positions_flat_at_ms, third.cooldown_until_ms) == (T + 5, T + 9, T + 300_000)


def test_a_late_fill_opens_the_work_again() -> None:
    flat = progressed(latch(), CLEAN, T + 5, 0)
    undone = progressed(flat, Sight(0, 1), T + 6, 0)
    assert (state_of(undone), undone.positions_flat_at_ms) == (EmergencyState.TRIPPED, None)
    assert not releasable(undone, T + 10**9)


def test_dust_is_named() -> None:
    assert "XUSDT" in progressed(latch(), Sight(0, 0, ("XUSDT",)), T + 5, 300).message


def test_a_release_needs_proven_work_and_the_cooldown() -> None:
    flat = progressed(latch(), CLEAN, T + 5, 300)
    assert not releasable(latch(), T + 10**9)
    assert not releasable(flat, T + 299_999)
    assert releasable(flat, T + 300_000)


def test_a_stronger_action_opens_the_work_again_and_a_weaker_one_changes_nothing() -> None:
    done = progressed(latch(StopAction.HALT_ENTRIES), CLEAN, T + 5, 300)
    assert state_of(strengthened(done, StopAction.FLATTEN, [])) is EmergencyState.TRIPPED
    assert strengthened(done, StopAction.HALT_ENTRIES, []) is done


def test_the_strongest_latch_holds_the_gate_and_symbols_are_scoped() -> None:
    found = {r.source: r for r in restrictions([latch(StopAction.HALT_ENTRIES), latch(id="b"), latch(id="c", symbols=["BTCUSDT"])])}
    assert found["stop"].gate is Gate.EXIT_ONLY
    assert found["stop:c"].symbols == frozenset({"BTCUSDT"})


@pytest.mark.parametrize(("at_ms", "late"), [(T + 59_999, False), (T + 60_000, True)])
def test_a_stop_is_overdue_from_its_deadline_on(at_ms: int, late: bool) -> None:
    assert overdue(latch(), at_ms, 60) is late


def test_a_stop_that_is_done_or_grows_is_no_longer_overdue() -> None:
    late = waiting(latch(), Sight(1, 1), "HTTP 503", is_overdue=True)
    assert late.overdue
    assert "HTTP 503" in late.message
    assert not progressed(late, CLEAN, T + 5, 300).overdue
    assert progressed(late, Sight(0, 1), T + 5, 300).overdue
    assert not strengthened(late.model_copy(update={"symbols": ["B"]}), StopAction.FLATTEN, ["C"]).overdue


def test_what_could_not_be_seen_is_neither_proven_nor_taken_back() -> None:
    half = progressed(latch(), Sight(0, 1), T + 5, 300)
    unseen = progressed(half, Sight(None, None), T + 6, 300)
    assert (unseen.orders_cancelled_at_ms, unseen.positions_flat_at_ms, state_of(unseen)) == (T + 5, None, EmergencyState.TRIPPED)
    flat = progressed(latch(), CLEAN, T + 5, 300)
    assert progressed(flat, Sight(None, 0), T + 6, 300) == flat
    assert state_of(progressed(flat, Sight(None, 1), T + 6, 300)) is EmergencyState.TRIPPED
    assert "orders" not in waiting(latch(), Sight(None, 2), "", is_overdue=False).message


@pytest.mark.parametrize("pod", ["engine-0", "a" * 253, "x" * 37 + "-.-.-y"])
def test_an_id_is_a_kubernetes_name(pod: str) -> None:
    found = new_id(pod, T, "abcdef")
    assert len(found) <= 63
    assert found.startswith(pod[:30])
    assert found.endswith("-20270115080000-abcd")
    assert "--" not in found.replace("-20270115", "#")


def test_the_same_id_with_more_symbols_stops_more_and_with_fewer_changes_nothing() -> None:
    narrow = latch(StopAction.FLATTEN).model_copy(update={"symbols": ["BTCUSDT"]})
    done = progressed(narrow, CLEAN, T + 5, 300)
    wider = strengthened(done, StopAction.FLATTEN, ["ETHUSDT"])
    assert (wider.symbols, wider.positions_flat_at_ms, state_of(wider)) == (["BTCUSDT", "ETHUSDT"], None, EmergencyState.TRIPPED)
    assert strengthened(wider, StopAction.HALT_ENTRIES, []).symbols == []
    assert strengthened(wider, StopAction.FLATTEN, ["BTCUSDT"]) is wider

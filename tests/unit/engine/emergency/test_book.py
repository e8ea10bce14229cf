"""Closing the gate is one synchronous call; a latch goes by its id alone."""

import json

from quantum_api.engine_status import EmergencyState, Latch
from quantum_api.gate import Gate
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import ManualClock
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.latches import Sight, progressed
from quantum_engine.journal import Delete, Put, Table
from quantum_engine.permission import Permission

STOP = StopOrder(id="uid-1", name="storm", action=StopAction.FLATTEN, reason="r")


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.permission = Permission()
        self.permission.lift("policy")
        self.permission.lift("reconciliation")
        self.book = LatchBook(self.permission, self.clock)

    def engage(self, stop: StopOrder = STOP, released: tuple[str, ...] = ()) -> Latch | None:
        self.book.engage([stop], released)
        self.book.committed()
        return self.book.get(stop.id)

    def finish(self, cooldown_seconds: int = 300) -> None:
        latch = self.book.get(STOP.id)
        assert latch is not None
        self.book.update(progressed(latch, Sight(0, 0), self.clock.wall_ms(), cooldown_seconds), cooldown_seconds)


def test_the_gate_is_closed_before_the_journal_is_asked() -> None:
    desk = Desk()
    writes = desk.book.engage([STOP], [])
    assert desk.permission.gate is Gate.EXIT_ONLY
    assert [write for write in writes if isinstance(write, Put) and write.table is Table.LATCH]
    assert desk.book.latches[0].gate_closed_at_ms is None
    desk.book.committed()
    assert desk.book.latches[0].gate_closed_at_ms == desk.clock.wall_ms()


def test_a_document_without_the_stop_changes_nothing() -> None:
    desk = Desk()
    desk.engage()
    desk.finish()
    desk.clock.advance(1_000)
    desk.book.engage([], [])
    desk.book.release([])
    assert desk.book.state is EmergencyState.COOLDOWN


def test_a_release_is_remembered_until_it_is_due() -> None:
    desk = Desk()
    desk.engage()
    desk.book.release([STOP.id])
    assert desk.book.state is EmergencyState.TRIPPED
    desk.finish()
    desk.book.clear_released()
    assert desk.book.state is EmergencyState.COOLDOWN
    desk.clock.advance(300)
    desk.book.clear_released()
    assert (desk.book.state, desk.permission.gate) == (EmergencyState.ARMED, Gate.ACTIVE)
    _, writes = desk.book.owed()
    assert Delete(Table.LATCH, STOP.id) in writes


def test_a_wall_clock_set_ahead_does_not_shorten_the_cooldown() -> None:
    desk = Desk()
    desk.engage()
    desk.finish()
    desk.book.release([STOP.id])
    desk.clock.jump_wall(86_400)
    desk.book.clear_released()
    assert desk.book.state is EmergencyState.COOLDOWN
    desk.clock.advance(300)
    desk.book.clear_released()
    assert desk.book.state is EmergencyState.ARMED


def test_a_withdrawn_release_no_longer_counts() -> None:
    desk = Desk()
    desk.engage()
    desk.book.release([STOP.id])
    desk.book.release([])
    desk.finish(0)
    desk.book.clear_released()
    assert desk.book.state is EmergencyState.COOLDOWN


def test_a_released_id_is_not_latched_again_by_the_same_document() -> None:
    assert Desk().engage(released=(STOP.id,)) is None


def test_the_mirror_brings_back_a_lost_latch_but_not_a_released_one() -> None:
    first, second = Desk(), Desk()
    first.engage()
    rows = first.book.rows()
    second.book.import_mirrored(rows)
    assert second.permission.gate is Gate.EXIT_ONLY
    first.finish(0)
    first.book.release([STOP.id])
    first.book.release([])
    first.book.import_mirrored(rows)
    assert first.book.latches == ()


def test_rubbish_in_the_mirror_is_passed_over() -> None:
    desk = Desk()
    desk.book.import_mirrored({"x": b"rubbish"})
    assert desk.book.latches == ()


def test_what_is_latched_on_disk_is_latched() -> None:
    first, second = Desk(), Desk()
    first.engage()
    second.book.restore(first.book.rows(), b"[]")
    assert (second.permission.gate, second.book.state) == (Gate.EXIT_ONLY, EmergencyState.TRIPPED)
    assert not second.book.owes


def test_a_write_that_is_overtaken_stays_owed() -> None:
    desk = Desk()
    desk.book.engage([STOP.model_copy(update={"action": StopAction.HALT_ENTRIES})], [])
    snapshot, _ = desk.book.owed()
    desk.book.engage([STOP], [])
    desk.book.written(snapshot)
    assert desk.book.owes
    assert desk.book.latches[0].action is StopAction.FLATTEN


def mirrored(id_: str = STOP.id, **over: object) -> bytes:
    base = {"id": id_, "action": "HaltEntries", "origin": "Manual", "trigger": "Manual", "reason": "r", "trippedAtMs": 1}
    return json.dumps({**base, **over}).encode()


def test_a_mirrored_row_cannot_weaken_a_latch_by_bearing_its_id_under_another_key() -> None:
    desk = Desk()
    desk.engage()
    desk.book.import_mirrored({"another": mirrored(symbols=["NOSUCH"])})
    assert desk.permission.gate is Gate.EXIT_ONLY
    assert [(latch.id, latch.action, latch.symbols) for latch in desk.book.latches] == [(STOP.id, StopAction.FLATTEN, [])]


def test_a_mirrored_row_cannot_bring_back_what_people_released_by_bearing_its_id_under_another_key() -> None:
    desk = Desk()
    desk.engage()
    desk.finish()
    desk.clock.advance(301)
    desk.book.release([STOP.id])
    desk.book.import_mirrored({"another": mirrored()})
    assert desk.book.latches == ()


def test_a_narrow_mirrored_latch_is_widened_by_the_object_that_bears_its_id() -> None:
    desk = Desk()
    desk.book.import_mirrored({STOP.id: mirrored(symbols=["NOSUCH"], positionsFlatAtMs=1, ordersCancelledAtMs=1)})
    latch = desk.engage()
    assert latch is not None
    assert (latch.action, latch.symbols) == (StopAction.FLATTEN, [])
    assert (latch.positions_flat_at_ms, latch.orders_cancelled_at_ms) == (None, None)
    assert desk.permission.gate is Gate.EXIT_ONLY


def test_a_stronger_stop_is_not_said_to_be_stored_before_it_is() -> None:
    desk = Desk()
    desk.engage(STOP.model_copy(update={"action": StopAction.HALT_ENTRIES}))
    desk.book.engage([STOP], [])
    assert desk.permission.gate is Gate.EXIT_ONLY
    assert desk.book.latches[0].gate_closed_at_ms is None
    desk.book.committed()
    assert desk.book.latches[0].gate_closed_at_ms is not None


def test_a_removal_on_disk_does_not_vouch_for_a_latch_tripped_again_meanwhile() -> None:
    desk = Desk()
    desk.engage()
    desk.finish()
    desk.clock.advance(301)
    desk.book.release([STOP.id])
    removal, _ = desk.book.owed()
    desk.book.engage([STOP], [])
    desk.book.written(removal)
    assert desk.book.latches[0].gate_closed_at_ms is None
    assert desk.book.owes


def test_a_mirrored_row_that_no_calendar_can_show_is_not_taken() -> None:
    desk = Desk()
    desk.book.import_mirrored({"a": mirrored("a", trippedAtMs=10**20), "b" * 200: mirrored("b" * 200), "c": mirrored("c")})
    assert [latch.id for latch in desk.book.latches] == ["c"]


def test_an_id_that_the_document_has_released_is_not_free_for_a_new_stop() -> None:
    """The journal that knew of the clearing may be gone: the old release would let the new stop go, and nobody had approved that."""
    desk = Desk()
    desk.book.release([STOP.id])
    assert desk.book.was_cleared(STOP.id)


def test_a_stop_in_force_is_not_taken_for_cleared_because_its_release_has_come() -> None:
    desk = Desk()
    desk.engage()
    desk.book.release([STOP.id])
    assert not desk.book.was_cleared(STOP.id)

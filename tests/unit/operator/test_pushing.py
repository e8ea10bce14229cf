"""When an engine is sent a document, and when it is left alone."""

from dataclasses import replace

from tests.unit.operator.worlds import ENGINE, NOW_MS, held, policy, report, snapshot, status

from quantum_api.engine_status import Acknowledgement
from quantum_api.gate import Gate
from quantum_api.policy_document import Seen
from quantum_operator.pushing import PushReason, Sent, push_reason, renewal_at_ms
from quantum_operator.reports import EngineReport, after_acknowledgement, after_status
from quantum_operator.resolve import document, resolve

WORLD = snapshot(policies=[policy()])
WANTED = resolve(WORLD, ENGINE, 2)
REQUIRED = WORLD.required_of("engine-0")
SENT = Sent("d", WANTED)


def reason(
    found: EngineReport, sent: Sent | None = SENT, required: Seen = REQUIRED, now_ms: int = NOW_MS, confirmed_ms: int | None = None
) -> PushReason | None:
    return push_reason(WANTED, required, found, sent, "ns/engine-0", now_ms, now_ms if confirmed_ms is None else confirmed_ms)


def test_an_engine_that_holds_the_wanted_document_is_left_alone() -> None:
    assert reason(report(held(("uid-base", 1)))) is None


def test_an_engine_without_a_document_gets_one() -> None:
    assert reason(report(None)) is PushReason.NOTHING_HELD


def test_the_first_contact_of_a_new_operator_is_a_document() -> None:
    assert reason(report(held(("uid-base", 1))), sent=None) is PushReason.FIRST_CONTACT


def test_other_content_is_sent() -> None:
    assert reason(report(held(("uid-base", 1))), Sent("d", replace(WANTED, gate=Gate.HALTED))) is PushReason.CHANGED


def test_another_operators_document_from_the_same_sources_is_left_alone() -> None:
    """Else two operators would push against each other for ever."""
    assert reason(report(held(("uid-base", 1))), Sent("mine", WANTED)) is None
    assert reason(report(held(("uid-base", 0))), Sent("mine", WANTED)) is PushReason.CHANGED


def test_the_fence_is_sent_though_nothing_changes_for_the_engine() -> None:
    moved = REQUIRED.model_copy(update={"emergency_stops": 101})
    assert reason(report(held(("uid-base", 1))), required=moved) is PushReason.FENCE_MOVED


def test_a_lease_is_renewed_before_its_last_third() -> None:
    found = report(held(("uid-base", 1), lease_ms=60_000))
    assert found.held is not None
    due = renewal_at_ms(found.held, "ns/engine-0")
    assert NOW_MS + 30_000 <= due <= NOW_MS + 40_000
    assert reason(found, now_ms=due) is PushReason.RENEWAL
    assert reason(found, now_ms=due - 1) is None


def test_an_operator_that_has_seen_nothing_since_renews_nothing() -> None:
    """A stop may have been applied that it cannot see."""
    found = report(held(("uid-base", 1), lease_ms=60_000))
    assert found.held is not None
    due, last_look = renewal_at_ms(found.held, "ns/engine-0"), found.held.expires_at_ms - 60_000
    assert reason(found, now_ms=due, confirmed_ms=last_look) is None
    assert reason(found, now_ms=due, confirmed_ms=last_look + 1) is PushReason.RENEWAL


def test_what_is_new_is_sent_by_an_operator_that_cannot_list() -> None:
    """A watch may still bring a stop; tightening is never held back."""
    changed = Sent("d", replace(WANTED, gate=Gate.HALTED))
    assert reason(report(held(("uid-base", 1))), changed, confirmed_ms=0) is PushReason.CHANGED


def test_a_fleet_does_not_renew_in_one_moment() -> None:
    found = report(held(lease_ms=60_000)).held
    assert found is not None
    assert len({renewal_at_ms(found, f"ns/engine-{n}") for n in range(100)}) > 80


def acknowledged(found: EngineReport, version: int = 7) -> EngineReport:
    sent = document(WANTED, "ns/engine-0", WORLD.seen_for("engine-0"), NOW_MS + 5, NOW_MS + 5)
    ack = Acknowledgement(
        engine="ns/engine-0", instance="i1", epoch=sent.epoch, digest="new", gate=Gate.ACTIVE, applied_at_ms=NOW_MS, status_version=version
    )
    return after_acknowledgement(found, ack, sent, "new")


def test_an_older_status_does_not_undo_an_acknowledgement() -> None:
    found = after_status(acknowledged(report(None)), status(None, version=6))
    assert found.held is not None
    assert found.held.digest == "new"
    assert not found.status_is_current


def test_a_status_at_the_acknowledged_version_that_still_shows_the_lease_before_does_not_undo_it() -> None:
    found = after_status(acknowledged(report(None)), status(held(("uid-base", 1)), version=7))
    assert found.held is not None
    assert found.held.digest == "new"


def test_a_restarted_engine_is_believed_at_once() -> None:
    found = after_status(acknowledged(report(None)), status(None, version=1, instance="i2"))
    assert found.held is None
    assert found.status_is_current

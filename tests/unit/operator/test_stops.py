"""Every stop is one object; a deleted object never releases anything (DESIGN 3)."""

import pytest
from tests.unit.operator.worlds import ENGINE, NOW_MS, held, latch, report, snapshot, stop

from quantum_api.emergency_stop import EmergencyStopSpec
from quantum_api.engine_status import LatchOrigin
from quantum_api.policy_document import Seen
from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_operator.reports import after_failure
from quantum_operator.stops import missing_stops, stop_name

SEEN = Seen(emergency_stops=100)


def test_an_engines_own_latch_gets_an_object_that_the_contract_accepts() -> None:
    (missing,) = missing_stops(ENGINE, report(held(), [latch()]), [], SEEN)
    spec = EmergencyStopSpec.model_validate(missing.manifest["spec"])
    assert missing.name == stop_name("engine-0", "latch-1")
    assert spec.selector.matches(dict(ENGINE.labels))
    assert spec.origin is not None
    assert (spec.origin.engine, spec.origin.latch_id, spec.origin.measured) == ("engine-0", "latch-1", "1200 bps")


def test_a_halt_by_hand_names_who_it_was_and_a_stop_of_an_evaluator_nobody() -> None:
    by_hand = latch("latch-2", origin=LatchOrigin.MANUAL, trigger="Manual", by="alice")
    pulled, halted = missing_stops(ENGINE, report(held(), [latch(), by_hand]), [], SEEN)
    origins = [EmergencyStopSpec.model_validate(each.manifest["spec"]).origin for each in (pulled, halted)]
    assert [origin.by for origin in origins if origin] == ["", "alice"]


TRIPS = {
    Trigger.DAILY_LOSS: ("612 bps", "500 bps", StopAction.FLATTEN),
    Trigger.LOSS_VELOCITY: ("1003 bps in 60 s", "1000 bps in 60 s", StopAction.FLATTEN),
    Trigger.ORDER_RUNAWAY: ("61 orders/min", "60 orders/min", StopAction.CANCEL_ORDERS),
    Trigger.REJECT_RATE: ("31 rejects/min", "30 rejects/min", StopAction.CANCEL_ORDERS),
    Trigger.DATA_SILENCE: ("301 s", "300 s", StopAction.HALT_ENTRIES),
    Trigger.STREAM_SILENCE: ("301 s", "300 s", StopAction.HALT_ENTRIES),
    Trigger.RECONCILIATION_BREAK: ("301 s", "300 s", StopAction.HALT_ENTRIES),
}


@pytest.mark.parametrize("trigger", TRIPS)
def test_every_evaluators_trip_becomes_an_object_that_says_what_was_measured_against_which_limit(trigger: Trigger) -> None:
    measured, limit, action = TRIPS[trigger]
    tripped = latch(trigger=trigger, measured=measured, limit=limit, action=action)
    (missing,) = missing_stops(ENGINE, report(held(), [tripped]), [], SEEN)
    spec = EmergencyStopSpec.model_validate(missing.manifest["spec"])
    assert spec.origin is not None
    assert (spec.action, spec.origin.trigger, spec.origin.measured, spec.origin.limit) == (action, trigger, measured, limit)


def test_the_name_is_the_same_every_time_and_differs_by_engine_and_latch() -> None:
    assert stop_name("a", "x") == stop_name("a", "x")
    assert len({stop_name("a", "x"), stop_name("b", "x"), stop_name("a", "y")}) == 3


def test_a_latch_with_an_object_gets_no_other() -> None:
    stops = snapshot(stops=[stop("own", origin={"engine": "engine-0", "latchId": "latch-1", "trigger": "Drawdown"}), stop("by-hand")]).stops
    both = [latch(), latch("uid-by-hand", origin=LatchOrigin.OBJECT)]
    assert missing_stops(ENGINE, report(held(), both), stops, SEEN) == []


def test_a_stop_whose_object_was_deleted_comes_back() -> None:
    (missing,) = missing_stops(ENGINE, report(held(), [latch("uid-gone", origin=LatchOrigin.OBJECT, trigger="Object")]), [], SEEN)
    assert missing.manifest["spec"]["origin"]["latchId"] == "uid-gone"
    assert "its object is gone" in missing.manifest["spec"]["reason"]


def test_a_latch_under_release_needs_no_object() -> None:
    assert missing_stops(ENGINE, report(held(released=["latch-1"]), [latch()]), [], SEEN) == []


def test_an_operator_that_lags_behind_the_engine_makes_nothing() -> None:
    ahead = report(held(seen=Seen(emergency_stops=101)), [latch("uid-new", origin=LatchOrigin.OBJECT)])
    assert missing_stops(ENGINE, ahead, [], SEEN) == []


def test_an_engine_that_cannot_be_reached_is_not_spoken_for() -> None:
    assert missing_stops(ENGINE, after_failure(report(held(), [latch()]), NOW_MS, "gone"), [], SEEN) == []


def test_long_texts_are_cut_to_what_the_schema_takes() -> None:
    long = latch("l" * 128, reason="r" * 2000, measured="m" * 100, limit="l" * 100, trigger="t" * 100)
    (missing,) = missing_stops(ENGINE, report(held(), [long]), [], SEEN)
    EmergencyStopSpec.model_validate(missing.manifest["spec"])


def test_promise_3_a_latch_whose_object_no_longer_selects_its_engine_gets_one_that_does() -> None:
    """The pod's labels changed: without an object of its own, disk and Redis would be all that remembers."""
    elsewhere = snapshot(stops=[stop("by-hand", selector={"matchLabels": {"desk": "rates"}})]).stops
    (missing,) = missing_stops(ENGINE, report(held(), [latch("uid-by-hand", origin=LatchOrigin.OBJECT)]), elsewhere, SEEN)
    assert (missing.manifest["spec"]["origin"]["engine"], missing.manifest["spec"]["origin"]["latchId"]) == ("engine-0", "uid-by-hand")


def test_promise_3_one_engines_object_does_not_stand_for_anothers_latch_of_the_same_id() -> None:
    """A stop of the whole fleet was deleted by force while engine-0 was away; engine-1 has its object back already."""
    spec = {"selector": {"matchLabels": {"statefulset.kubernetes.io/pod-name": "engine-1"}}}
    others = snapshot(stops=[stop("engine-1-x", **spec, origin={"engine": "engine-1", "latchId": "uid-gone", "trigger": "Object"})]).stops
    assert len(missing_stops(ENGINE, report(held(), [latch("uid-gone", origin=LatchOrigin.OBJECT)]), others, SEEN)) == 1

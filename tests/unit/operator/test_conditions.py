"""What `kubectl wait` and `kubectl get` show is what the engines said, and no more (DESIGN 3, promise 4)."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.operator.worlds import NOW_MS, held, latch, mode, pod, policy, report, snapshot, stop

from quantum_api.engine_status import Drawdown
from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_operator.conditions import conditions
from quantum_operator.reports import EngineReport, after_failure

POLICY = ("TradingPolicy", "ns", "base")
STOP = ("EmergencyStop", "ns", "stop")
ENFORCED = ("uid-base", 1)


def status_of(
    key: tuple[str, str, str],
    *,
    reports: dict[str, EngineReport] | None = None,
    previous: dict[str, Any] | None = None,
    now_ms: int = NOW_MS,
    **resources: list[dict],
) -> dict[str, Any]:
    found = conditions(snapshot(**resources), {key: previous or {}}, reports or {}, now_ms, 2)[key].wire()
    return found | {c["type"]: (c["status"], c["reason"]) for c in found["conditions"]}


def time_of(status: dict[str, Any], type_: str) -> str:
    return next(c["lastTransitionTime"] for c in status["conditions"] if c["type"] == type_)


def test_acknowledged_is_true_only_at_this_generation_under_a_running_lease() -> None:
    enforcing = {"engine-0": report(held(ENFORCED))}
    status = status_of(POLICY, policies=[policy()], reports=enforcing)
    assert status["EnginesAcknowledged"] == ("True", "AllEnginesEnforce")
    assert status["Ready"] == ("True", "Succeeded")
    assert status["engines"]["summary"] == "1/1"
    assert status_of(POLICY, policies=[policy(generation=2)], reports=enforcing)["EnginesAcknowledged"][0] == "False"
    late = status_of(POLICY, policies=[policy()], reports=enforcing, now_ms=NOW_MS + 60_000)
    assert late["EnginesAcknowledged"] == ("False", "LeaseExpired")


def test_one_engine_of_two_is_not_acknowledged() -> None:
    status = status_of(POLICY, policies=[policy()], pods=[pod(), pod("engine-1")], reports={"engine-0": report(held(ENFORCED))})
    assert status["EnginesAcknowledged"] == ("False", "WaitingForEngines")
    assert status["Reconciling"][0] == "True"
    assert status["engines"] == {"selected": 2, "acknowledged": 1, "summary": "1/2", "waitingFor": ["engine-1"]}


def test_no_engine_acknowledges_nothing() -> None:
    status = status_of(POLICY, policies=[policy()], pods=[])
    assert status["EnginesAcknowledged"] == ("False", "NoEnginesSelected")
    assert status["Reconciling"][0] == "False"
    assert status["DrawdownBreached"][0] == "False"


def test_an_unreachable_engine_counts_until_its_lease_has_run_out() -> None:
    lost = {"engine-0": after_failure(report(held(ENFORCED)), NOW_MS, "connection refused")}
    assert status_of(POLICY, policies=[policy()], reports=lost)["EnginesAcknowledged"][0] == "True"
    late = status_of(POLICY, policies=[policy()], reports=lost, now_ms=NOW_MS + 60_000)
    assert late["EnginesAcknowledged"] == ("False", "EngineUnreachable")
    assert late["DrawdownBreached"] == late["EmergencyStopActive"] == ("Unknown", "EngineUnreachable")


def test_last_transition_time_moves_only_when_status_flips() -> None:
    enforcing = {"engine-0": report(held(ENFORCED, ("uid-base", 2), lease_ms=600_000))}
    first = status_of(POLICY, policies=[policy()], reports=enforcing)
    again = status_of(POLICY, policies=[policy(generation=2)], reports=enforcing, previous=first, now_ms=NOW_MS + 5_000)
    assert time_of(again, "EnginesAcknowledged") == time_of(first, "EnginesAcknowledged")
    lost = status_of(POLICY, policies=[policy(generation=3)], reports=enforcing, previous=again, now_ms=NOW_MS + 9_000)
    assert time_of(lost, "EnginesAcknowledged") != time_of(first, "EnginesAcknowledged")
    assert time_of(lost, "Suspended") == time_of(first, "Suspended")


def test_unknown_equity_is_not_no_drawdown() -> None:
    blind = report(held(ENFORCED), drawdown=Drawdown(equity_usdt=None, peak_usdt="1000", drawdown_bps=None))
    assert status_of(POLICY, policies=[policy()], reports={"engine-0": blind})["DrawdownBreached"] == ("Unknown", "EquityUnknown")


def test_a_breach_stands_until_its_latch_is_released_though_equity_recovers() -> None:
    recovered = report(held(ENFORCED), [latch()])
    status = status_of(POLICY, policies=[policy()], reports={"engine-0": recovered})
    assert status["DrawdownBreached"] == ("True", "AboveLimit")
    assert status["EmergencyStopActive"] == ("True", "StopInForce")
    assert status_of(POLICY, policies=[policy()], reports={"engine-0": report(held(ENFORCED))})["DrawdownBreached"][0] == "False"


@pytest.mark.parametrize("trigger", [t for t in Trigger if t is not Trigger.DRAWDOWN])
def test_drawdown_breached_is_said_of_a_drawdown_alone_and_stop_active_of_every_trip(trigger: Trigger) -> None:
    tripped = report(held(ENFORCED), [latch(trigger=trigger)])
    own = stop(origin={"engine": "engine-0", "latchId": "latch-1", "trigger": trigger.value})
    for status in (
        status_of(POLICY, policies=[policy()], reports={"engine-0": tripped}),
        status_of(POLICY, policies=[policy()], stops=[own], reports={"engine-0": tripped}),
    ):
        assert status["DrawdownBreached"] == ("False", "WithinLimit")
        assert status["EmergencyStopActive"] == ("True", "StopInForce")


def test_a_breach_is_remembered_by_its_object_while_the_engine_is_replaced() -> None:
    own = stop(origin={"engine": "engine-0", "latchId": "latch-1", "trigger": "Drawdown"})
    status = status_of(POLICY, policies=[policy()], stops=[own])
    assert status["DrawdownBreached"] == ("True", "AboveLimit")
    assert status["EmergencyStopActive"][0] == "True"


def test_a_suspended_policy_is_not_ready_and_says_so() -> None:
    status = status_of(POLICY, policies=[policy(suspend=True)], reports={"engine-0": report(held(ENFORCED))})
    assert status["Suspended"] == ("True", "Suspended")
    assert status["Ready"] == ("False", "Suspended")
    assert status["Reconciling"][0] == "False"


def test_an_unreadable_policy_is_stalled() -> None:
    status = status_of(POLICY, policies=[policy(maxOrderNotionalUsdt="many")])
    assert status["Stalled"] == ("True", "InvalidSpec")
    assert status["Ready"][0] == "False"


def test_a_mode_counts_its_engines() -> None:
    key = ("StrategyMode", "ns", "calm")
    status = status_of(key, modes=[mode("calm", "conservative")], reports={"engine-0": report(held(("uid-calm", 1)))})
    assert status["EnginesAcknowledged"][0] == "True"


def test_the_requested_at_annotation_is_echoed() -> None:
    asked = policy(meta={"annotations": {"quantumtrader.io/requestedAt": "now"}})
    assert status_of(POLICY, policies=[asked])["lastHandledReconcileAt"] == "now"


def engaged(**phases: int) -> EngineReport:
    return report(held(("uid-stop", 1)), [latch("uid-stop", trigger="Object", **phases)])


def test_a_phase_whose_engine_is_past_its_deadline_is_overdue_and_not_merely_engaging() -> None:
    late = status_of(STOP, stops=[stop()], reports={"engine-0": engaged(orders_cancelled_at_ms=NOW_MS, overdue=True)})
    assert late["OrdersCancelled"] == ("True", "Engaged")
    assert late["PositionsFlat"] == ("False", "Overdue")
    assert late["Ready"] == ("False", "Overdue")


def test_each_phase_is_true_when_every_engine_reports_it() -> None:
    half = status_of(STOP, stops=[stop()], reports={"engine-0": engaged()})
    assert half["GateClosed"] == ("True", "Engaged")
    assert half["OrdersCancelled"] == half["PositionsFlat"] == ("False", "Engaging")
    assert half["Ready"][0] == "False"
    whole = status_of(STOP, stops=[stop()], reports={"engine-0": engaged(orders_cancelled_at_ms=NOW_MS, positions_flat_at_ms=NOW_MS)})
    assert whole["PositionsFlat"][0] == whole["Ready"][0] == "True"
    assert whole["progress"][0]["positionsFlatAt"].endswith(".000Z")


def test_a_phase_the_action_does_not_ask_for_is_never_true() -> None:
    done = engaged(action=StopAction.HALT_ENTRIES, orders_cancelled_at_ms=NOW_MS, positions_flat_at_ms=NOW_MS)
    status = status_of(STOP, stops=[stop(action="HaltEntries")], reports={"engine-0": done})
    assert status["GateClosed"][0] == "True"
    assert status["OrdersCancelled"] == status["PositionsFlat"] == ("False", "NotAskedFor")
    assert status["Ready"][0] == "True"


def test_released_needs_the_approvals_and_every_engines_word() -> None:
    still = {"engine-0": report(held(("uid-stop", 1), released=["uid-stop"]), [latch("uid-stop")])}
    one = status_of(STOP, stops=[stop(approvals=1)], reports=still)
    assert (one["Released"], one["approvals"], one["releasedBy"]) == (("False", "AwaitingApprovals"), "1/2", [])
    two = status_of(STOP, stops=[stop(approvals=2)], reports=still)
    assert (two["Released"], two["releasedBy"]) == (("False", "AwaitingCooldown"), ["person-0", "person-1"])
    cleared = {"engine-0": report(held(("uid-stop", 1), released=["uid-stop"]))}
    assert status_of(STOP, stops=[stop(approvals=2)], reports=cleared)["Released"] == ("True", "Released")


def test_an_engine_that_has_not_latched_yet_has_not_cleared_the_latch() -> None:
    unaware = {"engine-0": report(held(("uid-base", 1)))}
    assert status_of(STOP, stops=[stop(approvals=2)], reports=unaware)["Released"] == ("False", "WaitingForEngines")


def test_a_status_older_than_the_acknowledgement_proves_nothing() -> None:
    stale = replace(report(held(("uid-stop", 1), released=["uid-stop"])), acknowledged_version=9)
    assert status_of(STOP, stops=[stop(approvals=2)], reports={"engine-0": stale})["Released"][0] == "False"


def test_released_does_not_come_and_go_with_acknowledgements_and_outages_but_an_engine_that_is_latched_takes_it_back() -> None:
    """Between an acknowledgement and the status behind it the word flickered, and a delete that had waited for it was refused."""
    policy_held = held(("uid-stop", 1), released=["uid-stop"])
    row = {"name": "engine-0", "releasedAt": "2027-01-15T08:00:00.000Z"}
    released = {"conditions": [{"type": "Released", "status": "True"}], "progress": [row]}
    silent = {"stale": replace(report(policy_held), acknowledged_version=9), "new": report(None), "never heard of": EngineReport()}
    for what, said in silent.items():
        shown = status_of(STOP, stops=[stop(approvals=2)], reports={"engine-0": said}, previous=released)
        assert (shown["Released"][0], shown["progress"][0]["releasedAt"]) == ("True", row["releasedAt"]), what
    again = {"engine-0": report(policy_held, [latch("uid-stop")])}
    assert status_of(STOP, stops=[stop(approvals=2)], reports=again, previous=released)["Released"] == ("False", "AwaitingCooldown")
    assert status_of(STOP, stops=[stop(approvals=1)], reports=silent, previous=released)["Released"] == ("False", "AwaitingApprovals")


def test_the_times_of_a_stop_outlive_its_latch() -> None:
    before = status_of(STOP, stops=[stop()], reports={"engine-0": engaged(orders_cancelled_at_ms=NOW_MS, positions_flat_at_ms=NOW_MS)})
    cleared = {"engine-0": report(held(("uid-stop", 1), released=["uid-stop"]))}
    after = status_of(STOP, stops=[stop(approvals=2)], reports=cleared, previous=before)
    assert after["progress"][0]["gateClosedAt"] == before["progress"][0]["gateClosedAt"]
    assert after["progress"][0]["releasedAt"]
    assert after["GateClosed"] == ("False", "Released")


def test_a_replacement_that_has_not_latched_yet_opens_the_condition_again() -> None:
    before = status_of(STOP, stops=[stop()], reports={"engine-0": engaged()})
    after = status_of(STOP, stops=[stop()], reports={"engine-0": report(None)}, previous=before)
    assert after["GateClosed"] == ("False", "Engaging")


def test_a_released_stop_whose_engines_are_gone_counts_as_released() -> None:
    assert status_of(STOP, stops=[stop(approvals=2)], pods=[])["Released"][0] == "True"
    assert status_of(STOP, stops=[stop()], pods=[])["GateClosed"] == ("False", "NoEnginesSelected")


def test_promise_4_a_position_that_came_back_is_not_shown_as_flat() -> None:
    """A late fill after the last look: the engine takes its word back, and so must the object."""
    flat = status_of(STOP, stops=[stop()], reports={"engine-0": engaged(orders_cancelled_at_ms=NOW_MS, positions_flat_at_ms=NOW_MS)})
    assert flat["PositionsFlat"][0] == "True"
    after = status_of(STOP, stops=[stop()], reports={"engine-0": engaged(orders_cancelled_at_ms=NOW_MS)}, previous=flat)
    assert after["PositionsFlat"] == ("False", "Engaging")
    assert "positionsFlatAt" not in after["progress"][0] or not after["progress"][0]["positionsFlatAt"]
    assert after["Ready"][0] == "False"


def test_promise_4_a_replacement_whose_latch_is_not_on_disk_has_not_closed_its_gate() -> None:
    before = status_of(STOP, stops=[stop()], reports={"engine-0": engaged()})
    in_memory = {"engine-0": report(held(("uid-stop", 1)), [latch("uid-stop", trigger="Object", gate_closed_at_ms=None)])}
    assert status_of(STOP, stops=[stop()], reports=in_memory, previous=before)["GateClosed"] == ("False", "Engaging")


def test_promise_4_a_stronger_action_is_not_engaged_before_an_engine_has_latched_it() -> None:
    weaker = {"engine-0": engaged(action=StopAction.HALT_ENTRIES)}
    assert status_of(STOP, stops=[stop(action="HaltEntries")], reports=weaker)["GateClosed"][0] == "True"
    assert status_of(STOP, stops=[stop(action="Flatten")], reports=weaker)["GateClosed"] == ("False", "Engaging")

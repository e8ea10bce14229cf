"""Most restrictive wins, and what is missing or unreadable counts on the tight side (DESIGN 3)."""

import pytest
from tests.unit.operator.worlds import ENGINE, mode, pod, policy, raw, snapshot, stop

from quantum_api.gate import Gate
from quantum_api.strategy_mode import MODE_DEFAULTS, Mode
from quantum_api.trading_policy import StopAction
from quantum_operator.objects import parse_engine
from quantum_operator.resolve import LEASE_WITHOUT_POLICY_SECONDS, Resolved, document, resolve

ELSEWHERE = {"matchLabels": {"tier": "other"}}
SELF = {"engine": "engine-0", "latchId": "latch-1", "trigger": "Drawdown"}


def resolved(**resources: list[dict]) -> Resolved:
    return resolve(snapshot(**resources), ENGINE, 2)


def test_without_a_policy_the_engine_is_halted() -> None:
    made = resolved()
    assert (made.gate, made.limits, made.lease_seconds) == (Gate.HALTED, None, LEASE_WITHOUT_POLICY_SECONDS)


def test_each_limit_is_the_tightest_of_all_policies() -> None:
    a = policy("a", maxOrderNotionalUsdt=500, stopCooldownSeconds=60, onDrawdown="HaltEntries", instruments=["BTCUSDT", "SOLUSDT"])
    b = policy("b", maxOrderNotionalUsdt=900, stopCooldownSeconds=600, onDrawdown="Flatten", instruments=["BTCUSDT", "ETHUSDT"])
    limits = resolved(policies=[a, b]).limits
    assert limits is not None
    assert limits.max_order_notional_usdt == 500
    assert limits.stop_cooldown_seconds == 600
    assert limits.on_drawdown is StopAction.FLATTEN
    assert limits.instruments == ["BTCUSDT"]


def test_no_instrument_in_common_halts() -> None:
    made = resolved(policies=[policy("a", instruments=["BTCUSDT"]), policy("b", instruments=["ETHUSDT"])])
    assert (made.gate, made.limits) == (Gate.HALTED, None)
    assert "no instrument" in made.notes[0]


def test_a_suspended_policy_is_out_of_force_but_a_source() -> None:
    made = resolved(policies=[policy("a"), policy("b", maxOrderNotionalUsdt=1, suspend=True)])
    assert made.limits is not None
    assert made.limits.max_order_notional_usdt == 1000
    assert [s.name for s in made.sources] == ["a", "b"]


def test_a_policy_that_selects_others_does_not_count() -> None:
    made = resolved(policies=[policy("a"), policy("b", maxOrderNotionalUsdt=1, selector=ELSEWHERE)])
    assert [s.name for s in made.sources] == ["a"]


def test_a_policy_being_deleted_stays_in_force() -> None:
    made = resolved(policies=[policy(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})])
    assert made.gate is Gate.ACTIVE


def test_an_unreadable_policy_lets_nothing_open_under_the_readable_ones() -> None:
    broken = policy("broken", maxOrderNotionalUsdt="many")
    assert resolved(policies=[policy("a"), broken]).gate is Gate.REDUCE_ONLY
    assert resolved(policies=[broken]).gate is Gate.HALTED
    assert "broken" in resolved(policies=[broken]).notes[0]


def test_an_unreadable_policy_for_other_engines_leaves_this_one_alone() -> None:
    broken = policy("broken", maxOrderNotionalUsdt="many", selector=ELSEWHERE)
    assert resolved(policies=[policy("a"), broken]).gate is Gate.ACTIVE


def test_the_most_defensive_mode_wins() -> None:
    made = resolved(modes=[mode("a", "aggressive"), mode("b", "conservative")]).strategy
    assert made == MODE_DEFAULTS[Mode.CONSERVATIVE]


def test_a_defensive_mode_with_a_bold_parameter_does_not_loosen() -> None:
    made = resolved(modes=[mode("a", "aggressive", cooldownSeconds=7200), mode("b", "defensive", riskPerTradeBps=1000)]).strategy
    assert made is not None
    assert made.mode is Mode.DEFENSIVE
    assert made.risk_per_trade_bps == MODE_DEFAULTS[Mode.AGGRESSIVE].risk_per_trade_bps
    assert made.cooldown_seconds == 7200


def test_between_equal_modes_lengths_go_by_name() -> None:
    made = resolved(modes=[mode("b", "moderate", fastBars=3), mode("a", "moderate", fastBars=8)]).strategy
    assert made is not None
    assert made.fast_bars == 8


def test_lengths_that_contradict_once_settled_fall_back_to_the_modes_own_and_say_so() -> None:
    made = resolved(modes=[mode("a", "moderate", fastBars=15), mode("b", "moderate", slowBars=10)])
    assert made.strategy == MODE_DEFAULTS[Mode.MODERATE]
    assert "fastBars 15" in made.notes[0]


def test_an_unreadable_mode_means_no_new_signals() -> None:
    assert resolved(modes=[mode("a", "moderate"), mode("b", "reckless")]).strategy is None


@pytest.mark.parametrize(
    ("action", "gate"), [("HaltEntries", Gate.REDUCE_ONLY), ("CancelOrders", Gate.EXIT_ONLY), ("Flatten", Gate.EXIT_ONLY)]
)
def test_a_stop_closes_the_gate(action: str, gate: Gate) -> None:
    made = resolved(policies=[policy()], stops=[stop(action=action)])
    assert made.gate is gate
    assert [(o.id, o.action) for o in made.stops] == [("uid-stop", StopAction(action))]


def test_a_stop_for_some_symbols_leaves_the_engines_gate_open() -> None:
    made = resolved(policies=[policy()], stops=[stop(symbols=["ETHUSDT"])])
    assert made.gate is Gate.ACTIVE
    assert made.stops[0].symbols == ["ETHUSDT"]


def test_one_approval_does_not_release_and_two_do() -> None:
    assert resolved(stops=[stop(approvals=1)]).released == ()
    made = resolved(stops=[stop(approvals=2)])
    assert (made.stops, made.released) == ((), ("uid-stop",))


def test_the_same_person_twice_is_one_approval() -> None:
    twice = [{"by": "ann"}, {"by": "ann", "comment": "again"}]
    assert resolved(stops=[stop(approvals=0) | {"spec": {"action": "Flatten", "reason": "r", "approvals": twice}}]).released == ()


def test_an_engines_own_stop_is_ordered_under_the_engines_latch_id() -> None:
    own = stop("own", origin=SELF, selector={"matchLabels": {"statefulset.kubernetes.io/pod-name": "engine-0"}})
    assert [o.id for o in resolved(stops=[own]).stops] == ["latch-1"]


def test_an_engines_own_stop_is_for_that_engine_whatever_labels_its_pod_bears() -> None:
    unlabelled = pod()
    unlabelled["metadata"]["labels"].pop("statefulset.kubernetes.io/pod-name")
    own = stop("own", origin=SELF, selector={"matchLabels": {"statefulset.kubernetes.io/pod-name": "engine-0"}})
    assert resolve(snapshot(stops=[own], pods=[unlabelled]), parse_engine(unlabelled), 2).stops[0].id == "latch-1"


def test_a_latch_that_two_objects_name_is_released_only_by_both() -> None:
    made = resolved(stops=[stop("a", "HaltEntries", approvals=2, origin=SELF), stop("b", "Flatten", origin=SELF)])
    assert made.released == ()
    assert [(o.id, o.action) for o in made.stops] == [("latch-1", StopAction.FLATTEN)]


def test_an_unreadable_stop_is_in_force_with_what_can_be_read_of_it() -> None:
    made = resolved(policies=[policy()], stops=[stop(symbols="all", approvals=2)])
    assert [o.action for o in made.stops] == [StopAction.FLATTEN]
    assert made.released == ()
    assert resolved(stops=[raw("odd", {"action": 3})]).stops[0].action is StopAction.HALT_ENTRIES


def test_an_unreadable_selector_selects_every_engine() -> None:
    assert resolved(stops=[stop(selector={"matchLabels": ["tier"]})]).stops


def test_an_ended_pod_is_no_engine() -> None:
    ended = pod()
    ended["status"]["phase"] = "Failed"
    assert resolve(snapshot(policies=[policy()], pods=[ended]), parse_engine(ended), 2).sources == ()


def test_the_document_says_until_when_and_from_which_state_of_the_world() -> None:
    world = snapshot(policies=[policy(leaseSeconds=30)])
    made = document(resolve(world, ENGINE, 2), "ns/engine-0", world.seen_for("engine-0"), 1_000, 1_000)
    assert (made.issued_at_ms, made.expires_at_ms, made.epoch, made.seen.engine) == (1_000, 31_000, 100, 10)

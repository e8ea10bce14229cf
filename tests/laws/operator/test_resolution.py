"""Laws of resolution, for any objects: order never matters, adding never loosens, only approvals release."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.operator.worlds import ENGINE, mode, pod, policy, stop

from quantum_api.model import Tightens
from quantum_api.strategy_mode import StrategyParameters
from quantum_api.trading_policy import Limits
from quantum_operator.merge import _LIMIT_MARKS, _PARAMETER_MARKS
from quantum_operator.resolve import Resolved, resolve
from quantum_operator.world import Resource, World

Raw = dict[str, Any]
SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
selectors = st.sampled_from([{}, {"matchLabels": {"tier": "other"}}, {"matchLabels": {"app.kubernetes.io/component": "engine"}}])


@st.composite
def policies(draw: st.DrawFn, name: str = "p") -> Raw:
    order, position, gross = sorted(draw(st.lists(st.integers(1, 10_000), min_size=3, max_size=3)))
    return policy(
        f"{name}{draw(st.integers(0, 9))}",
        instruments=draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True)),
        maxOrderNotionalUsdt=order, maxPositionNotionalUsdt=position, maxGrossExposureUsdt=gross,
        maxDrawdownBps=draw(st.integers(600, 2000)), stopCooldownSeconds=draw(st.integers(0, 1000)),
        leaseSeconds=draw(st.integers(5, 100)), onLeaseExpiry=draw(st.sampled_from(["ReduceOnly", "ExitOnly", "Halted"])),
        onDrawdown=draw(st.sampled_from(["HaltEntries", "CancelOrders", "Flatten"])),
        selector=draw(selectors), suspend=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def modes(draw: st.DrawFn) -> Raw:
    chosen = {
        "fastBars": draw(st.none() | st.integers(2, 12)),
        "slowBars": draw(st.none() | st.integers(13, 60)),
        "riskPerTradeBps": draw(st.none() | st.integers(1, 500)),
        "cooldownSeconds": draw(st.none() | st.integers(0, 9000)),
    }
    kind = draw(st.sampled_from(["aggressive", "moderate", "conservative", "defensive"]))
    given_ = {k: v for k, v in chosen.items() if v is not None}
    return mode(f"m{draw(st.integers(0, 9))}", kind, selector=draw(selectors), suspend=draw(st.booleans()), **given_)


@st.composite
def stops(draw: st.DrawFn) -> Raw:
    origin = draw(st.none() | st.sampled_from(["latch-a", "latch-b"]))
    extra: Raw = {"origin": {"engine": "engine-0", "latchId": origin, "trigger": "Drawdown"}} if origin else {}
    if not origin:
        extra["symbols"] = draw(st.lists(st.sampled_from(SYMBOLS), max_size=2, unique=True))
    action = draw(st.sampled_from(["HaltEntries", "CancelOrders", "Flatten"]))
    return stop(f"s{draw(st.integers(0, 9))}", action, draw(st.integers(0, 3)), selector=draw(selectors), **extra)


def unique(objects: st.SearchStrategy[Raw], max_size: int = 4) -> st.SearchStrategy[list[Raw]]:
    return st.lists(objects, max_size=max_size, unique_by=lambda o: o["metadata"]["name"])


def made(p: list[Raw], m: list[Raw], s: list[Raw]) -> Resolved:
    world = World()
    world.replace(Resource.TRADING_POLICIES, 100, p)
    world.replace(Resource.STRATEGY_MODES, 100, m)
    world.replace(Resource.EMERGENCY_STOPS, 100, s)
    world.replace(Resource.ENGINES, 100, [pod()])
    return resolve(world.snapshot(), ENGINE, 2)


def at_least_as_tight(mark: Tightens, new: Any, old: Any) -> bool:
    match mark:
        case Tightens.SMALLER:
            return bool(new <= old)
        case Tightens.LARGER:
            return bool(new >= old)
        case Tightens.SUBSET:
            return set(new) <= set(old)
        case Tightens.STRONGER:
            order = list(type(new).__members__.values())
            return order.index(new) >= order.index(old)


def assert_not_looser(new: Resolved, old: Resolved) -> None:
    assert new.gate.restriction >= old.gate.restriction
    if old.limits is None:
        assert new.limits is None
    elif new.limits is not None:
        for name, mark in _LIMIT_MARKS.items():
            assert at_least_as_tight(mark, getattr(new.limits, name), getattr(old.limits, name)), name
    if old.strategy is not None and new.strategy is not None:
        assert new.strategy.mode.defensiveness >= old.strategy.mode.defensiveness
        for name, mark in _PARAMETER_MARKS.items():
            assert at_least_as_tight(mark, getattr(new.strategy, name), getattr(old.strategy, name)), name
    stronger = {order.id: order.action.strength for order in new.stops}
    assert all(stronger.get(order.id, -1) >= order.action.strength for order in old.stops)


@given(unique(policies()), unique(modes()), unique(stops()), st.randoms())
def test_the_order_of_objects_never_matters(p: list[Raw], m: list[Raw], s: list[Raw], random: Any) -> None:
    shuffled = [random.sample(each, len(each)) for each in (p, m, s)]
    assert made(*shuffled) == made(p, m, s)


@given(unique(policies()), unique(modes()), unique(stops()), policies(name="added"))
def test_adding_a_policy_to_an_engine_that_has_one_never_loosens(p: list[Raw], m: list[Raw], s: list[Raw], added: Raw) -> None:
    whole = policy("whole")
    assert_not_looser(made([whole, *p, added], m, s), made([whole, *p], m, s))


@given(unique(policies()), unique(modes(), 3), modes())
def test_adding_a_mode_to_an_engine_that_has_one_never_loosens(p: list[Raw], m: list[Raw], added: Raw) -> None:
    first = mode("a-first", "aggressive")
    added["metadata"]["name"] = "z-added"
    assert_not_looser(made(p, [first, *m, added], []), made(p, [first, *m], []))


@given(unique(policies()), unique(stops()), stops())
def test_adding_a_stop_that_nobody_approved_never_loosens(p: list[Raw], s: list[Raw], added: Raw) -> None:
    added["metadata"] |= {"name": "added", "uid": "uid-added"}
    added["spec"]["approvals"] = []
    old, new = made(p, [], s), made(p, [], [*s, added])
    assert_not_looser(new, old)
    assert set(new.released) <= set(old.released)


@given(unique(policies()), unique(stops(), 5), st.data())
def test_removing_a_stop_never_releases_its_latch(p: list[Raw], s: list[Raw], data: st.DataObject) -> None:
    if not s:
        return
    removed = data.draw(st.sampled_from(s))
    rest = [each for each in s if each is not removed]
    in_force = {order.id for order in made(p, [], s).stops}
    approved_elsewhere = {each["spec"].get("origin", {}).get("latchId") for each in rest if len(each["spec"]["approvals"]) >= 2}
    freed = set(made(p, [], rest).released) & in_force
    assert freed <= approved_elsewhere
    assert removed["metadata"]["uid"] not in made(p, [], rest).released


@given(unique(policies()), unique(modes()), unique(stops()))
def test_the_result_always_keeps_the_contracts_own_rules(p: list[Raw], m: list[Raw], s: list[Raw]) -> None:
    result = made(p, m, s)
    if result.limits is not None:
        Limits.model_validate(result.limits.model_dump())
    if result.strategy is not None:
        StrategyParameters(fast_bars=result.strategy.fast_bars, slow_bars=result.strategy.slow_bars)
    assert not {order.id for order in result.stops} & set(result.released)

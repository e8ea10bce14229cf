"""Laws of the world: whatever is late, doubled or out of order, nothing that was seen is forgotten and no component goes back."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.operator.worlds import pod, policy

from quantum_operator.world import Resource, World

TP = Resource.TRADING_POLICIES
NAMES = ["a", "b", "c"]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """What really happened to three objects, in order of resourceVersion."""
    alive: set[str] = set()
    events = []
    for step in range(draw(st.integers(1, 15))):
        version, name = 200 + step, draw(st.sampled_from(NAMES))
        if name in alive and draw(st.booleans()):
            alive.remove(name)
            events.append(("DELETED", policy(name, version=version)))
        else:
            events.append(("MODIFIED" if name in alive else "ADDED", policy(name, version=version, generation=version)))
            alive.add(name)
    return events


def truth(events: list[tuple[str, dict[str, Any]]], version: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind, raw in events:
        name, at = raw["metadata"]["name"], int(raw["metadata"]["resourceVersion"])
        if at <= version:
            found.pop(name, None)
            if kind != "DELETED":
                found[name] = raw
    return found


def fresh() -> World:
    world = World()
    for resource in Resource:
        world.replace(resource, 100, [pod()] if resource is Resource.ENGINES else [])
    return world


@given(histories(), st.randoms(), st.lists(st.integers(100, 220), max_size=3))
def test_any_delivery_order_ends_in_the_truth(events: list[tuple[str, dict[str, Any]]], random: Any, lists: list[int]) -> None:
    """Events doubled and shuffled, LISTs of any moment thrown in between; then one LIST of the end."""
    world, last = fresh(), 200 + len(events)
    deliveries: list[Any] = [*events, *events, *lists]
    random.shuffle(deliveries)
    seen = world.snapshot().seen
    for delivery in deliveries:
        if isinstance(delivery, int):
            world.replace(TP, delivery, list(truth(events, delivery).values()))
        else:
            world.observe(TP, *delivery)
        now = world.snapshot().seen
        assert now.covers(seen)
        seen = now
    world.replace(TP, last, list(truth(events, last).values()))
    assert {p.meta.name: p.meta.generation for p in world.snapshot().policies} == {
        name: raw["metadata"]["generation"] for name, raw in truth(events, last).items()
    }


@given(histories(), st.integers(0, 15))
def test_what_is_claimed_as_seen_is_reflected(events: list[tuple[str, dict[str, Any]]], count: int) -> None:
    """Events in order, as one watch brings them."""
    world = fresh()
    for event in events[:count]:
        world.observe(TP, *event)
    snapshot = world.snapshot()
    expected = truth(events, snapshot.seen.trading_policies)
    assert {p.meta.name: p.meta.resource_version for p in snapshot.policies} == {
        name: raw["metadata"]["resourceVersion"] for name, raw in expected.items()
    }
    assert snapshot.seen.covers(snapshot.moved)

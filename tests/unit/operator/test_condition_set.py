"""One event per transition, and none for how everything starts."""

from tests.unit.operator.worlds import stop

from quantum_api.kinds import EMERGENCY_STOP
from quantum_operator.condition_set import transitions
from quantum_operator.event_poster import event
from quantum_operator.objects import parse_object
from quantum_operator.status_writer import same_status


def row(type_: str, status: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": "R"}


def test_a_flip_is_a_transition_and_a_new_generation_is_not() -> None:
    assert [t.type for t in transitions([row("Ready", "True")], [row("Ready", "False")])] == ["Ready"]
    assert transitions([row("Ready", "True")], [row("Ready", "True")]) == []


def test_a_condition_that_appears_counts_only_as_true() -> None:
    assert [t.type for t in transitions([], [row("Ready", "True"), row("Stalled", "False")])] == ["Ready"]


def test_a_stop_that_becomes_overdue_is_told_once() -> None:
    """Its condition does not flip: it was False before.  A person has to hear of it all the same."""
    late = {"type": "PositionsFlat", "status": "False", "reason": "Overdue"}
    (told,) = transitions([{**late, "reason": "Engaging"}, row("Ready", "False")], [late, {**row("Ready", "False"), "reason": "Overdue"}])
    assert (told.type, told.reason) == ("PositionsFlat", "Overdue")
    assert transitions([late], [late]) == []
    posted = event(parse_object(EMERGENCY_STOP, stop()), told, "operator-0")
    assert (posted["reason"], posted["type"]) == ("PositionsFlatOverdue", "Warning")


def test_the_order_of_keyed_lists_is_no_difference() -> None:
    one = {"conditions": [row("A", "True"), row("B", "True")], "progress": [{"name": "x"}, {"name": "y"}]}
    other = {"progress": [{"name": "y"}, {"name": "x"}], "conditions": [row("B", "True"), row("A", "True")]}
    assert same_status(one, other)
    assert not same_status(one, {"conditions": [row("A", "False"), row("B", "True")]})

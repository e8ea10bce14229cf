"""When a verdict moves, and when a container comes back."""

import pytest

from quantum_cluster.node.backoff import Backoff, restarts
from quantum_cluster.node.probes import ProbeSpec, ProbeState, step

SPEC = ProbeSpec(success_threshold=2, failure_threshold=3)


def verdicts(start: ProbeState, results: str) -> str:
    said = ""
    for result in results:
        start = step(start, SPEC, result == "+")
        said += "P" if start.passing else "F" if start.failed else "."
    return said


@pytest.mark.parametrize(
    ("results", "expected"),
    [("++", ".P"), ("+-++", "...P"), ("---", "..F"), ("--+---", ".....F"), ("++--+", ".PPPP"), ("++---++", ".PPPFFP")],
)
def test_readiness_moves_after_as_many_results_in_a_row_as_its_threshold(results: str, expected: str) -> None:
    assert verdicts(ProbeState(passing=False), results) == expected


def test_liveness_counts_as_passing_until_it_failed() -> None:
    assert verdicts(ProbeState(passing=True), "--+--") == "PPPPP"
    assert verdicts(ProbeState(passing=True), "---") == "PPF"


def test_the_first_restart_is_at_once_and_the_others_wait_up_to_thirty_seconds() -> None:
    backoff, delays = Backoff(), []
    for _ in range(8):
        backoff = backoff.after(0.5)
        delays.append(backoff.delay_seconds)
    assert delays == [0, 1, 2, 4, 8, 16, 30, 30]


def test_a_container_that_ran_well_is_forgiven() -> None:
    assert Backoff(7).after(60.0).delay_seconds == 0
    assert Backoff(7).after(59.9).delay_seconds == 30


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides(policy: str, code: int, again: bool) -> None:
    assert restarts(policy, code) is again

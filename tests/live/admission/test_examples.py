"""The commands of examples/README.md do what it says, against the API server with the guards up."""

import json
from pathlib import Path

import pytest
import yaml
from tests.live.admission.desk import ALICE, BOB, PAUL, WALT, Desk

from quantum_api.kinds import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.mark.parametrize(("file", "who"), [("policy.yaml", PAUL), ("strategy-mode.yaml", None), ("emergency-stop.yaml", ALICE)])
async def test_an_example_is_accepted_as_it_stands(desk: Desk, file: str, who: object) -> None:
    (await desk("apply", "--dry-run=server", "--validate=strict", "-f", str(EXAMPLES / file), who=who)).check()
    body = yaml.safe_load((EXAMPLES / file).read_text())
    next(kind for kind in KINDS if kind.kind == body["kind"]).spec.model_validate(body["spec"])


async def test_the_policy_example_is_tightened_by_one_and_loosened_by_another(desk: Desk) -> None:
    (await desk("apply", "-f", str(EXAMPLES / "policy.yaml"), who=PAUL)).check()
    (await desk.patch("tp", "desk-limits", {"maxDrawdownBps": 500}, WALT)).check()
    assert "maxDrawdownBps 500 -> 900" in (await desk.patch("tp", "desk-limits", {"maxDrawdownBps": 900}, WALT)).stderr
    (await desk("apply", "-f", str(EXAMPLES / "policy.yaml"), who=PAUL)).check()
    assert (await desk.spec("tp", "desk-limits"))["maxDrawdownBps"] == 800


async def test_the_stop_example_is_approved_both_ways_and_tidied_away(desk: Desk) -> None:
    (await desk("apply", "-f", str(EXAMPLES / "emergency-stop.yaml"), who=ALICE)).check()
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": {"by": "alice", "comment": "cause found, positions flat"}}])
    (await desk("patch", "estop", "desk-stop", "--type=json", "-p", patch, who=ALICE)).check()
    (await desk("apply", "--server-side", "--field-manager=bob", "-f", str(EXAMPLES / "approval-by-bob.yaml"), who=BOB)).check()
    assert await desk.approvers("desk-stop") == ["alice", "bob"]
    (await desk("apply", "-f", str(EXAMPLES / "emergency-stop.yaml"), who=ALICE)).check()
    assert await desk.approvers("desk-stop") == ["alice", "bob"], "applying the stop again must not touch its approvals"
    await desk.release("desk-stop")
    (await desk("delete", "estop", "desk-stop", who=ALICE)).check()

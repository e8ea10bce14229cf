"""Step 9: bad input is refused by the API server, each with a message that names field, rule and fix."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from quantum_demo.fleet import EXAMPLES, Stage
from quantum_demo.timeline import StepFailedError


@dataclass(frozen=True)
class Bad:
    """One wrong change of the demo's policy, and a word that the refusal must contain."""

    what: str
    change: dict[str, Any]
    names: str


BAD_POLICIES = (
    Bad("a wrong field", {"maxDrawdown": 500}, "maxDrawdown"),
    Bad("an out-of-range value", {"maxDrawdownBps": 20_000}, "maxDrawdownBps"),
    Bad("a contradiction", {"warnDrawdownBps": 900, "maxDrawdownBps": 500}, "warnDrawdownBps"),
)


async def refuse_bad_input(stage: Stage) -> None:
    """Three bad policies and one weakened stop."""
    for bad in BAD_POLICIES:
        policy = yaml.safe_load((EXAMPLES / "policy.yaml").read_text())
        policy["metadata"]["name"] = "bad"
        policy["spec"].update(bad.change)
        stage.timeline.typed(f"kubectl apply -f -    # {bad.what}: {json.dumps(bad.change)}")
        ran = await stage.kubectl.run("apply", "-f", "-", stdin=yaml.safe_dump(policy))
        _must_name(stage, ran.code, ran.err, bad.names, bad.what)
    patch = json.dumps({"spec": {"action": "HaltEntries"}})
    stage.timeline.typed(f"kubectl patch emergencystop drill --type=merge -p '{patch}'    # weaken a stop")
    ran = await stage.kubectl.run("patch", "emergencystop", "drill", "--type=merge", "-p", patch)
    _must_name(stage, ran.code, ran.err, "action may only grow stronger", "a weakened stop")
    if (await stage.kubectl.run("get", "tradingpolicy", "bad")).code == 0:
        raise StepFailedError("a refused policy was stored")


def _must_name(stage: Stage, code: int, message: str, word: str, what: str) -> None:
    if code == 0:
        raise StepFailedError(f"the API server accepted {what}")
    if word not in message:
        raise StepFailedError(f"the refusal of {what} does not name {word}: {message}")
    stage.timeline.refused(message.strip())

"""Step 7: one person's approval does not release; another's does."""

import json
from typing import Any

import aiohttp

from quantum_demo.fleet import Stage, condition, engine_pods
from quantum_demo.timeline import StepFailedError
from quantum_demo.venue import VenueControl, describe
from quantum_demo.waiting import until

OFFICERS = ("risk-officers",)


async def release_by_two_people(stage: Stage) -> None:
    """alice alone is not enough; bob completes it; then the engines trade again."""
    stops = [str(s["metadata"]["name"]) for s in (await stage.kubectl.get("emergencystops"))["items"]]
    await refuse_a_forged_approval(stage, stops[0])
    for stop in stops:
        await approve(stage, stop, "alice")
    for stop in stops:
        seen = await stage.kubectl.get("emergencystop", stop)
        if condition(seen, "Released")["status"] == "True":
            raise StepFailedError(f"{stop} was released by one person")
    await stage.show("get", "emergencystops")
    for stop in stops:
        await approve(stage, stop, "bob")
    await stage.show("wait", "--for=condition=Released", "emergencystops", "--all", "--timeout=60s")
    await show_that_engines_are_armed(stage)
    async with await VenueControl.find(stage.kubectl) as venue:
        for name in sorted({str(s["spec"]["origin"]["engine"]) for s in (await stage.kubectl.get("emergencystops"))["items"]}):

            async def trades_again(name: str = name) -> dict[str, Any] | None:
                account = await venue.account(name)
                return None if account["isFlat"] else account

            account, seconds = await until(trades_again, f"{name} trades again", within_seconds=90)
            stage.timeline.saw(f"{name} trades again: {describe(account)}", seconds=seconds)
    await stage.show("get", "tradingpolicies")


async def show_that_engines_are_armed(stage: Stage) -> None:
    """Each engine is asked itself."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        for pod in await engine_pods(stage.kubectl):
            url = f"http://{pod['status']['podIP']}:8080/v1/status"

            async def armed(url: str = url) -> dict[str, Any] | None:
                async with session.get(url) as answer:
                    status: dict[str, Any] = await answer.json()
                return status if status["emergency"] == "ARMED" and status["gate"] == "ACTIVE" else None

            status, seconds = await until(armed, f"{pod['metadata']['name']} armed and active", within_seconds=30)
            stage.timeline.saw(f"{pod['metadata']['name']}: {status['emergency']}, gate {status['gate']}", seconds=seconds)


async def approve(stage: Stage, stop: str, person: str) -> None:
    """What a person types to approve."""
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": {"by": person, "comment": "reviewed"}}])
    await stage.show("patch", "emergencystop", stop, "--type=json", "-p", patch, as_user=person, groups=OFFICERS)


async def refuse_a_forged_approval(stage: Stage, stop: str) -> None:
    """alice cannot sign as bob."""
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": {"by": "bob"}}])
    stage.timeline.typed(f"kubectl patch emergencystop {stop} --type=json -p '{patch}' --as=alice")
    ran = await stage.kubectl.run("patch", "emergencystop", stop, "--type=json", "-p", patch, as_user="alice", groups=OFFICERS)
    if ran.code == 0:
        raise StepFailedError("the API server let alice approve in bob's name")
    stage.timeline.refused(ran.err)

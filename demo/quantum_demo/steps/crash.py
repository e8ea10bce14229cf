"""Steps 5 and 6: the market falls, every breached engine stops itself; a deleted pod comes back stopped."""

from typing import Any

from quantum_demo.fleet import Stage, condition, engine_pods, is_ready
from quantum_demo.timeline import StepFailedError
from quantum_demo.venue import VenueControl, describe, is_flat
from quantum_demo.waiting import until

FALL_BPS = -1_500
FALL_SECONDS = 4.0


async def let_the_market_fall(stage: Stage) -> None:
    """15 % down: drawdown passes 5 %, the engines close their gates, cancel and flatten."""
    names = [str(pod["metadata"]["name"]) for pod in await engine_pods(stage.kubectl)]
    async with await VenueControl.find(stage.kubectl) as venue:
        stage.timeline.typed(f'curl -X POST {venue.url}/control/shock -d \'{{"symbol":"all","bps":{FALL_BPS},"seconds":{FALL_SECONDS}}}\'')
        await venue.drift(0)
        await venue.shock(FALL_BPS, FALL_SECONDS)
        await stage.show("wait", "--for=condition=DrawdownBreached", "tradingpolicy/house", "--timeout=30s")
        await stage.show("wait", "--for=condition=EmergencyStopActive", "tradingpolicy/house", "--timeout=30s")

        async def one_stop_per_engine() -> list[dict[str, Any]] | None:
            stops = [s for s in (await stage.kubectl.get("emergencystops"))["items"] if s["spec"].get("origin")]
            return stops if {s["spec"]["origin"]["engine"] for s in stops} >= set(names) else None

        stops, seconds = await until(one_stop_per_engine, "an EmergencyStop object per engine", within_seconds=30)
        stage.timeline.saw("an EmergencyStop object per engine, made by the operator", seconds=seconds)
        for stop in stops:
            origin = stop["spec"]["origin"]
            stage.timeline.saw(f"{origin['engine']}: {origin['trigger']}, measured {origin['measured']}, limit {origin['limit']}")
        await stage.show("wait", "--for=condition=PositionsFlat", "emergencystops", "--all", "--timeout=60s")
        await stage.show("get", "emergencystops")
        for name in names:
            account = await venue.account(name)
            if not is_flat(account):
                raise StepFailedError(f"the venue says {name} is not flat: {describe(account)}")
            stage.timeline.saw(f"{name}, says the venue: {describe(account)}")


async def delete_a_stopped_engine(stage: Stage) -> None:
    """The StatefulSet makes a new pod; it reads its journal and is still stopped."""
    pod = (await engine_pods(stage.kubectl))[0]
    name, uid = str(pod["metadata"]["name"]), pod["metadata"]["uid"]
    await stage.show("delete", "pod", name, "--wait=false")

    async def replaced() -> dict[str, Any] | None:
        pods = [p for p in await engine_pods(stage.kubectl) if p["metadata"]["name"] == name and p["metadata"]["uid"] != uid]
        return pods[0] if pods and is_ready(pods[0]) else None

    _, seconds = await until(replaced, f"a replacement of {name} Ready", within_seconds=60)
    stage.timeline.saw(f"replacement of {name} Ready", seconds=seconds)

    async def still_stopped() -> dict[str, Any] | None:
        stops = (await stage.kubectl.get("emergencystops"))["items"]
        mine = [s for s in stops if (s["spec"].get("origin") or {}).get("engine") == name]
        held = [s for s in mine if condition(s, "GateClosed")["status"] == "True" and condition(s, "Released")["status"] == "False"]
        rows = [row for s in held for row in s["status"].get("progress", []) if row["name"] == name and row["gate"] != "ACTIVE"]
        return rows[0] if rows else None

    row, seconds = await until(still_stopped, f"{name} still stopped", within_seconds=30)
    stage.timeline.saw(f"{name} is still stopped: gate {row['gate']}", seconds=seconds)

"""Step 8: a person stops everything; each engine's phases are shown with their times."""

from datetime import datetime
from typing import Any

from quantum_demo.fleet import EXAMPLES, Stage, engine_pods
from quantum_demo.timeline import StepFailedError
from quantum_demo.venue import VenueControl, describe, is_flat

PHASES = (("gate closed", "gateClosedAt"), ("orders cancelled", "ordersCancelledAt"), ("flat", "positionsFlatAt"))


async def stop_by_hand(stage: Stage) -> None:
    """Apply, wait for each phase, show the times that the engines stamped."""
    began = datetime.now().astimezone()
    await stage.show("apply", "-f", str(EXAMPLES / "emergency-stop.yaml"))
    for kind in ("GateClosed", "OrdersCancelled", "PositionsFlat"):
        await stage.show("wait", f"--for=condition={kind}", "emergencystop/drill", "--timeout=60s")
    stop = await stage.kubectl.get("emergencystop", "drill")
    for row in stop["status"]["progress"]:
        stage.timeline.saw(f"{row['name']}: {phase_times(row, began)}")
    if len(stop["status"]["progress"]) != len(await engine_pods(stage.kubectl)):
        raise StepFailedError("not every engine is in the stop's progress")
    async with await VenueControl.find(stage.kubectl) as venue:
        for row in stop["status"]["progress"]:
            account = await venue.account(row["name"])
            if not is_flat(account):
                raise StepFailedError(f"the venue says {row['name']} is not flat: {describe(account)}")
            stage.timeline.saw(f"{row['name']}, says the venue: {describe(account)}")


def phase_times(row: dict[str, Any], began: datetime) -> str:
    """Milliseconds from the moment the command was typed to each phase."""
    parts = []
    for label, key in PHASES:
        at = datetime.fromisoformat(row[key])
        parts.append(f"{label} after {(at - began).total_seconds() * 1000:.0f} ms")
    return ", ".join(parts)

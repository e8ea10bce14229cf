"""Installs the chart and reads the fleet: engine pods, their conditions, the objects' conditions."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantum_demo.kubectl import Kubectl
from quantum_demo.timeline import Timeline
from quantum_demo.waiting import until

RELEASE = "quantum-trader"
ENGINES = "app.kubernetes.io/component=engine"
ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "quantum-trader"
EMBEDDED_VALUES = CHART / "values-embedded.yaml"
EXAMPLES = ROOT / "examples" / "demo"


@dataclass(frozen=True)
class Stage:
    """What every step of the story works with."""

    kubectl: Kubectl
    timeline: Timeline

    async def show(self, *arguments: str, as_user: str | None = None, groups: tuple[str, ...] = ()) -> str:
        """Type a kubectl command for the reader, run it, show its answer."""
        who = f" --as={as_user}" if as_user else ""
        who += "".join(f" --as-group={group}" for group in groups)
        self.timeline.typed(f"kubectl {' '.join(readable(a) for a in arguments)}{who}")
        ran = await self.kubectl.must(*arguments, as_user=as_user, groups=groups)
        self.timeline.saw(ran.out.strip() or "(no output)", seconds=ran.seconds)
        return ran.out


def readable(argument: str) -> str:
    """As a person would type it: files by their short path, spaces quoted."""
    prefix = f"{ROOT}{os.sep}"
    short = argument.removeprefix(prefix)
    return f"'{short}'" if any(c in short for c in ' {}[]"') else short


async def install(kubectl: Kubectl, *extra: str) -> float:
    """helm upgrade --install with the embedded cluster's values; seconds it took."""
    arguments = ["upgrade", "--install", RELEASE, str(CHART), "--values", str(EMBEDDED_VALUES), *extra]
    seconds = (await kubectl.helm(*arguments)).seconds
    kubectl.forget_discovery()
    return seconds


async def engine_pods(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Engine pods by name."""
    items: list[dict[str, Any]] = (await kubectl.get("pods", "-l", ENGINES))["items"]
    return sorted(items, key=lambda pod: str(pod["metadata"]["name"]))


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the pod's Ready condition is True and it is not on its way out."""
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")


async def ready_engines(kubectl: Kubectl, count: int, within_seconds: float = 60) -> tuple[list[dict[str, Any]], float]:
    """Wait until ``count`` engine pods are Ready."""

    async def look() -> list[dict[str, Any]] | None:
        pods = [pod for pod in await engine_pods(kubectl) if is_ready(pod)]
        return pods if len(pods) == count else None

    return await until(look, f"{count} engine pods Ready", within_seconds=within_seconds)


async def ready_control_plane(kubectl: Kubectl, within_seconds: float = 60) -> float:
    """Wait until operator, Redis and venue pods are Ready too; seconds it took."""

    async def look() -> bool | None:
        pods = (await kubectl.get("pods"))["items"]
        return True if pods and all(is_ready(pod) for pod in pods) else None

    return (await until(look, "every pod Ready", within_seconds=within_seconds))[1]


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    """One condition of an object, or an empty one."""
    found = [c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind]
    return found[0] if found else {"type": kind, "status": "Unknown", "reason": "Absent", "message": ""}

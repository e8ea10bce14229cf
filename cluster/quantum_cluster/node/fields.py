"""Reads a pod's own fields for environment variables and downward-API files.  Pure.

In    the pod, its addresses, a fieldPath or a resource name
Out   the text that the program sees
Flow  pod -> HERE -> environment, volumes
Why   one meaning for a fieldPath, wherever it appears
"""

import re
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]

_SUBSCRIPT: Final = re.compile(r"^metadata\.(labels|annotations)\['([^']+)'\]$")


class NotYetError(Exception):
    """A container cannot start now; ``reason`` and ``message`` become its waiting state."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class PodPlace:
    """What the node decided about a pod."""

    pod_ip: str
    host_ip: str


def field_text(pod: Object, place: PodPlace, path: str) -> str:
    """The value of one fieldPath; what does not exist is empty, as on any node."""
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        return str(pod["metadata"].get(subscript[1], {}).get(subscript[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        entries = pod["metadata"].get(path.removeprefix("metadata."), {})
        return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(entries.items()))
    placed = {"status.podIP": place.pod_ip, "status.podIPs": place.pod_ip, "status.hostIP": place.host_ip, "status.hostIPs": place.host_ip}
    if path in placed:
        return placed[path]
    value: Any = pod
    for step in path.split("."):
        value = value.get(step, "") if isinstance(value, dict) else ""
    return str(value)


def resource_text(container: Object, resource: str, divisor: str) -> str:
    """``limits.cpu`` or ``requests.memory`` in units of the divisor, rounded up; 0 when the container sets none."""
    kind, _, name = resource.partition(".")
    quantity = container.get("resources", {}).get(kind, {}).get(name, "0")
    unit = parse_quantity(divisor) if divisor not in {"", "0"} else 1.0
    return str(-int(-parse_quantity(quantity) // unit))


def parse_quantity(text: str) -> float:
    """A Kubernetes quantity as a number: 100m, 1.5, 64Mi, 1G."""
    suffixes = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
    for suffix in sorted(suffixes, key=len, reverse=True):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * suffixes[suffix]
    return float(text)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

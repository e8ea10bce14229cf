"""Decides which EmergencyStop objects must be made for latches that have none.  Pure.

In    engine reports, the stop objects that exist, up to where they have been seen
Out   manifests with deterministic names
Flow  engine links, world -> HERE -> API server
Why   every stop, human or machine, is one object with one way to be released; deleting an object never releases anything (DESIGN 3)

A latch is skipped while the engine holds a document from a newer view of the stops than ours: its object may simply not have arrived.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from quantum_api import names
from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.policy_document import Seen
from quantum_operator.clock import rfc3339_millis
from quantum_operator.objects import Engine, Known, selects
from quantum_operator.reports import EngineReport
from quantum_operator.resolve import latch_id

_MAX_POD_IN_NAME: Final = 240
_MAX_LABEL_VALUE: Final = 63


@dataclass(frozen=True)
class MissingStop:
    """One object to create; that it exists already is success."""

    engine: str
    latch_id: str
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])


def missing_stops(engine: Engine, report: EngineReport, stops: Iterable[Known], seen: Seen) -> list[MissingStop]:
    """One per latch of this engine that no object of this engine names: one that does not select it would neither hold nor release it."""
    if engine.terminal or not report.latches or not report.reachable or not report.status_is_current or _is_ahead(report, seen):
        return []
    named = {latch_id(stop) for stop in stops if selects(stop, engine)}
    released = report.held.released if report.held else frozenset()
    return [MissingStop(engine.name, latch.id, manifest(engine, latch)) for latch in report.latches if latch.id not in named | released]


def stop_name(pod: str, latch: str) -> str:
    """``<pod>-<short hash of the latch id>``."""
    return f"{pod[:_MAX_POD_IN_NAME]}-{hashlib.sha256(latch.encode()).hexdigest()[:10]}"


def manifest(engine: Engine, latch: Latch) -> dict[str, Any]:
    """The object for one engine's latch."""
    prefix = {LatchOrigin.OBJECT: "its object is gone: ", LatchOrigin.MANUAL: "", LatchOrigin.ENGINE: ""}[latch.origin]
    return {
        "apiVersion": names.API_VERSION,
        "kind": "EmergencyStop",
        "metadata": {
            "name": stop_name(engine.name, latch.id),
            "namespace": engine.namespace,
            "labels": {"app.kubernetes.io/part-of": "quantum-trader", "app.kubernetes.io/managed-by": names.FIELD_MANAGER},
        },
        "spec": {
            "selector": {"matchLabels": {names.POD_NAME_LABEL: engine.name[:_MAX_LABEL_VALUE]}},
            "action": str(latch.action),
            "reason": f"{prefix}{latch.reason or latch.trigger}"[:1024],
            "origin": {
                "engine": engine.name,
                "latchId": latch.id,
                "trigger": latch.trigger[:64] or str(latch.origin),
                "measured": latch.measured[:64],
                "limit": latch.limit[:64],
                **({"by": latch.by[:256]} if latch.by else {}),
                "trippedAt": rfc3339_millis(latch.tripped_at_ms),
            },
        },
    }


def _is_ahead(report: EngineReport, seen: Seen) -> bool:
    return report.held is not None and report.held.seen.emergency_stops > seen.emergency_stops

"""Posts one Kubernetes event per condition transition, beside the work and never in its way.

In    an object, a transition
Out   v1 Event
Flow  status writer -> HERE -> API server
Why   an event tells the story that a status forgets; losing one is not worth a moment's delay, so the queue is bounded and drops
"""

import asyncio
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from quantum_api import names
from quantum_api.conditions import ConditionType, Reason
from quantum_operator import metrics
from quantum_operator.condition_set import Transition
from quantum_operator.errors import OperatorError
from quantum_operator.kube import Json, Kube
from quantum_operator.objects import Known

_CAPACITY: Final = 1000
_MAX_NOTE: Final = 1000
_BAD_WHEN_TRUE: Final = (ConditionType.STALLED, ConditionType.EMERGENCY_STOP_ACTIVE, ConditionType.DRAWDOWN_BREACHED)
_BAD_WHEN_LOST: Final = (ConditionType.READY, ConditionType.ENGINES_ACKNOWLEDGED)
_HARMLESS: Final = (Reason.SUSPENDED, Reason.RELEASED, Reason.PROGRESSING, Reason.WAITING_FOR_ENGINES, Reason.ENGAGING)


@dataclass(frozen=True)
class Post:
    known: Known
    transition: Transition


class EventPoster:
    """One background task."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._queue: asyncio.Queue[Post] = asyncio.Queue(_CAPACITY)
        self._instance = os.environ.get("POD_NAME") or socket.gethostname()

    def offer(self, known: Known, transition: Transition) -> None:
        try:
            self._queue.put_nowait(Post(known, transition))
        except asyncio.QueueFull:
            metrics.EVENTS_POSTED.labels("dropped").inc()

    async def run(self) -> None:
        while True:
            post = await self._queue.get()
            try:
                await self._kube.create(self._kube.events(), event(post.known, post.transition, self._instance))
                metrics.EVENTS_POSTED.labels("posted").inc()
            except OperatorError:
                metrics.EVENTS_POSTED.labels("failed").inc()


def event(known: Known, transition: Transition, instance: str) -> Json:
    """The Event object."""
    now, component = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), f"{names.GROUP}/{names.FIELD_MANAGER}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{known.meta.name[:200]}.{uuid4().hex[:16]}", "namespace": known.meta.namespace},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "source": {"component": names.FIELD_MANAGER, "host": instance},
        "reportingComponent": component,
        "reportingInstance": instance[:128],
        "reason": f"{transition.type}{_what(transition)}"[:128],
        "type": "Warning" if _is_bad(transition) else "Normal",
        "message": f"{transition.type} is {transition.status}: {transition.message or transition.reason}"[:_MAX_NOTE],
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": known.kind.kind,
            "name": known.meta.name,
            "namespace": known.meta.namespace,
            "uid": known.meta.uid,
            "resourceVersion": known.meta.resource_version,
        },
    }


def _what(transition: Transition) -> str:
    return transition.reason if transition.reason == Reason.OVERDUE else transition.status


def _is_bad(transition: Transition) -> bool:
    if transition.reason == Reason.OVERDUE:
        return True
    if transition.type in _BAD_WHEN_TRUE:
        return transition.status != "False"
    return transition.type in _BAD_WHEN_LOST and transition.status != "True" and transition.reason not in _HARMLESS

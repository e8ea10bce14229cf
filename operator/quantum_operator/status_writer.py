"""Writes statuses: only on change, one write per object at a time, the newest wins.

In    the status each object should have, and the one it has
Out   server-side apply of the status subresource; one event per transition that was written
Flow  reconciler -> HERE -> API server
Why   what piles up while a write is on its way is written as one, so a fleet that answers in a burst costs two writes, not a thousand
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.condition_set import transitions
from quantum_operator.conditions import Key
from quantum_operator.errors import RefusedError, RetryableError
from quantum_operator.event_poster import EventPoster
from quantum_operator.kube import Kube
from quantum_operator.logs import logger
from quantum_operator.objects import Known, Raw

_FIRST_DELAY_SECONDS: Final = 0.2
_LAST_DELAY_SECONDS: Final = 5.0
_LISTS_BY: Final = {"conditions": "type", "progress": "name"}
_log = logger("status")


@dataclass(frozen=True)
class Wanted:
    known: Known
    status: dict[str, Any]


class StatusWriter:
    """One task per object that has something to write."""

    def __init__(self, kube: Kube, events: EventPoster, clock: Clock) -> None:
        self._kube = kube
        self._events = events
        self._clock = clock
        self._wanted: dict[Key, Wanted] = {}
        self._written: dict[Key, tuple[str, int, Raw]] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def standing(self, known: Known, version: int, status: Raw) -> Raw:
        """What stands on the object now: as watched, or as written by us if that is newer."""
        uid, written_version, written = self._written.get(known.key, ("", 0, {}))
        return written if uid == known.meta.uid and written_version > version else status

    def offer(self, known: Known, status: dict[str, Any], standing: Raw) -> None:
        """Write ``status`` unless it stands already."""
        key = known.key
        if key not in self._tasks and same_status(status, standing):
            return
        self._wanted[key] = Wanted(known, status)
        if key not in self._tasks:
            task = asyncio.create_task(self._write_all(key, standing), name=f"status {key}")
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def forget_all_but(self, keys: set[Key]) -> None:
        """Objects that are gone need no memory."""
        for key in self._written.keys() - keys:
            del self._written[key]

    async def close(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _write_all(self, key: Key, standing: Raw) -> None:
        delay = _FIRST_DELAY_SECONDS
        while (wanted := self._wanted.pop(key, None)) is not None:
            if same_status(wanted.status, standing):
                continue
            try:
                await self._write(wanted, standing)
            except RetryableError as error:
                _log.warning("status_write_failed", object=key, error=str(error))
                self._wanted.setdefault(key, wanted)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LAST_DELAY_SECONDS)
            except RefusedError as error:
                self._refused(key, wanted, error)
            else:
                standing = wanted.status

    async def _write(self, wanted: Wanted, standing: Raw) -> None:
        known, began = wanted.known, self._clock.monotonic()
        answer = await self._kube.apply_status(known.kind, known.meta.name, known.meta.uid, wanted.status)
        metrics.STATUS_WRITE_SECONDS.observe(self._clock.monotonic() - began)
        metrics.STATUS_WRITES.labels(known.kind.kind, "written").inc()
        self._written[known.key] = (known.meta.uid, int(answer["metadata"]["resourceVersion"]), wanted.status)
        for transition in transitions(standing.get("conditions", []), wanted.status.get("conditions", [])):
            self._events.offer(known, transition)

    def _refused(self, key: Key, wanted: Wanted, error: RefusedError) -> None:
        gone = error.is_gone or error.is_conflict
        metrics.STATUS_WRITES.labels(wanted.known.kind.kind, "gone" if gone else "refused").inc()
        if not gone:
            _log.error("status_write_refused", object=key, error=str(error))


def same_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal but for the order of keyed lists, which the API server keeps as it likes."""
    return _ordered(one) == _ordered(other)


def _ordered(status: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(status)
    for name, by in _LISTS_BY.items():
        if name in found:
            found[name] = sorted(found[name], key=lambda row: str(row.get(by, "")))
    return found

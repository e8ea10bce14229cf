"""The port to the engine's durable state: one file, written in whole transactions.

A stage commits its new state and its outgoing effects as one ``commit``; it is on disk (fsync) when the call returns, or
JournalUnavailableError was raised and nothing of it is.  Implementation: adapters/sqlite_journal.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from quantum_api.bus_envelope import EventClass


class Table(StrEnum):
    """Rooms of the journal."""

    META = "meta"
    DOCUMENT = "document"
    LATCH = "latch"
    PEAK = "peak"
    INTENT = "intent"
    OUTBOX = "outbox"
    """Events, by their number: written by ``Publish`` only."""


@dataclass(frozen=True, slots=True)
class Put:
    """Insert or replace one row; ``value`` is JSON or signed bytes."""

    table: Table
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one row, if it is there."""

    table: Table
    key: str


@dataclass(frozen=True, slots=True)
class DeleteThrough:
    """Remove every row whose key is ``key`` or orders before it."""

    table: Table
    key: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Say that something happened, in the same transaction: the bus numbers it and brings it to Redis in order.

    ``payload`` becomes a JSON object; ``kind`` is dotted.  A journal that no bus wraps has nobody to tell, and leaves it out.
    """

    event_class: EventClass
    kind: str
    payload: Mapping[str, Any]


Stored = Put | Delete | DeleteThrough
Write = Stored | Publish


class Journal(Protocol):
    """All-or-nothing writes, whole-table reads at start."""

    async def commit(self, *writes: Write) -> None:
        """Raises JournalUnavailableError when the disk is full or read-only, CorruptStateError when the file is broken."""
        ...

    async def load(self, table: Table) -> dict[str, bytes]:
        """Every row of ``table`` in insertion order."""
        ...

    async def close(self) -> None: ...

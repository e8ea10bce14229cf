"""Gives each event its number, and knows which numbers are on disk.  Pure.

In    events to be committed; what became of their commit
Out   rows for the journal; the newest rows, for a sender that keeps up; how far the numbers are settled without a hole
Flow  journal.py (numbers, then settles) -> HERE -> service.py (sends)
Why   a number is given once and in commit order, so the highest number on disk is all that a restart needs to go on

A number whose commit failed stays unused: a hole between two rows on disk was never an event, or was dropped on purpose.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from quantum_api.bus_envelope import EventClass, stored
from quantum_engine.journal import Publish

TAIL_ROWS: Final = 20_000
TAIL_BYTES: Final = 8_000_000
"""What is kept in memory for a sender that keeps up; the rest waits on disk only."""
_LETTERS: Final = {EventClass.RISK: "r", EventClass.ORDER: "o", EventClass.FILL: "f", EventClass.TELEMETRY: "t"}
_CLASSES: Final = {letter: event_class for event_class, letter in _LETTERS.items()}
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the outbox."""

    sequence: int
    event_class: EventClass
    value: bytes

    @property
    def key(self) -> str:
        return f"{self.sequence:0{_DIGITS}d}{_LETTERS[self.event_class]}"


def row_of(key: str, value: bytes) -> Row:
    """Raises ValueError or KeyError for a key that ``Row.key`` does not make."""
    return Row(int(key[:_DIGITS]), _CLASSES[key[_DIGITS:]], value)


def key_through(sequence: int) -> str:
    """Orders after the row of ``sequence`` and before the next."""
    return f"{sequence:0{_DIGITS}d}~"


class _Fate(Enum):
    ASKED = 0
    ON_DISK = 1
    FAILED = 2


@dataclass(slots=True)
class Asked:
    """Numbers handed out together, in one commit."""

    rows: Sequence[Row]
    fate: _Fate = _Fate.ASKED


class Outbox:
    """Numbers, and the newest rows."""

    def __init__(self) -> None:
        self.settled_through = 0
        """Every number up to here is on disk, or never will be."""
        self._next = 1
        self._asked: deque[Asked] = deque()
        self._tail: deque[Row] = deque()
        self._tail_from = 1
        self._tail_bytes = 0

    def resume(self, highest: int) -> None:
        """After a start: ``highest`` number ever given, as far as the disk knows.  Before any ``number``."""
        self._next = highest + 1
        self.settled_through = highest
        self._tail_from = highest + 1

    @property
    def highest(self) -> int:
        """The highest number given."""
        return self._next - 1

    def number(self, events: Iterable[Publish], at_ms: int) -> Asked:
        """Call in the same turn in which the commit is handed to the journal: numbers are in commit order."""
        rows = []
        for event in events:
            value = stored(self._next, event.kind, event.event_class, at_ms, event.payload)
            rows.append(Row(self._next, event.event_class, value))
            self._next += 1
        asked = Asked(rows)
        self._asked.append(asked)
        return asked

    def settle(self, asked: Asked, *, on_disk: bool) -> None:
        """The commit's outcome.  Rows become visible to the sender in order, once no number before them is open."""
        asked.fate = _Fate.ON_DISK if on_disk else _Fate.FAILED
        while self._asked and self._asked[0].fate is not _Fate.ASKED:
            done = self._asked.popleft()
            if done.fate is _Fate.ON_DISK:
                self._remember(done.rows)
            if done.rows:
                self.settled_through = done.rows[-1].sequence

    def tail(self, after: int, count: int, most_bytes: int) -> list[Row] | None:
        """Settled rows above ``after``, at most ``count`` and about ``most_bytes``; None when older ones are on disk only."""
        if after + 1 < self._tail_from:
            return None
        rows: list[Row] = []
        size = 0
        for row in self._tail:
            if row.sequence <= after:
                continue
            size += len(row.value)
            if rows and (len(rows) == count or size > most_bytes):
                break
            rows.append(row)
        return rows

    def forget(self, through: int) -> None:
        """The sender has done with them; what is on disk is another matter."""
        while self._tail and self._tail[0].sequence <= through:
            self._shorten()

    def drop(self, gone: Iterable[Row]) -> None:
        """They are not on disk any more, and not to be sent."""
        numbers = {row.sequence for row in gone}
        self._tail = deque(row for row in self._tail if row.sequence not in numbers)
        self._tail_bytes = sum(len(row.value) for row in self._tail)

    def _remember(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._tail.append(row)
            self._tail_bytes += len(row.value)
        while len(self._tail) > TAIL_ROWS or self._tail_bytes > TAIL_BYTES:
            self._shorten()

    def _shorten(self) -> None:
        row = self._tail.popleft()
        self._tail_bytes -= len(row.value)
        self._tail_from = row.sequence + 1

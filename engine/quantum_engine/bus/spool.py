"""What the outbox holds on disk, and what has to leave it.  Pure.

In    rows as they are committed; how far Redis keeps them, how far every consumer group has acknowledged them
Out   Chores: forget a stretch, drop telemetry from some shelves, close the gate because nothing more may leave
Flow  service.py -> HERE -> journal
Why   forgotten is what Redis surely has; dropped is telemetry only, and counted; risk, order and fill events are never dropped: when they
      alone fill the spool, the engine may not go on as if it were heard

Rows are counted by the shelf of some hundred, so that a spool of 100 MB costs a few hundred small records of memory.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quantum_engine.bus.outbox import Row

SHELF_ROWS: Final = 500
SHELF_BYTES: Final = 256_000
RELIEF: Final = 0.9
ROW_OVERHEAD_BYTES: Final = 80
"""Key and index of one row in the file."""
_STAMP_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait."""

    most_bytes: int = 100_000_000
    most_rows: int = 500_000
    telemetry_age_ms: int = 3_600_000
    """Telemetry older than this tells nobody anything."""


@dataclass(slots=True)
class Shelf:
    """A stretch of rows above number ``after``."""

    after: int
    last: int = 0
    rows: int = 0
    size: int = 0
    droppable_rows: int = 0
    droppable_size: int = 0
    newest_ms: int = 0

    def count(self, rows: int, size: int, *, droppable: bool) -> None:
        self.rows += rows
        self.size += size
        if droppable:
            self.droppable_rows += rows
            self.droppable_size += size


@dataclass(frozen=True, slots=True)
class Chores:
    """What the service is to do now."""

    forget_through: int | None
    drop_from: tuple[Shelf, ...]
    is_full: bool
    """Events that may not be dropped fill the spool alone."""


class Spool:
    """Shelves, oldest first; the newest is still being filled."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.rows = 0
        self.size = 0
        self._shelves: deque[Shelf] = deque()
        self._stamps: deque[tuple[int, int]] = deque()

    def add(self, rows: Iterable[Row], at_ms: int) -> None:
        """They are on disk, in the order of their numbers."""
        for row in rows:
            shelf, size = self._open_shelf(row.sequence), len(row.value) + ROW_OVERHEAD_BYTES
            shelf.last, shelf.newest_ms = row.sequence, max(shelf.newest_ms, at_ms)
            shelf.count(1, size, droppable=row.event_class.is_droppable)
            self.rows, self.size = self.rows + 1, self.size + size
            self._stamp(row.sequence, at_ms)

    def begin_shelf(self) -> None:
        """What is added from now on is counted apart from what is there."""
        if self._shelves:
            self._shelves.append(Shelf(after=self._shelves[-1].last, last=self._shelves[-1].last))

    def forgotten(self, through: int) -> None:
        """The rows up to ``through``, the end of a shelf, were removed."""
        while self._shelves and self._shelves[0].last <= through:
            shelf = self._shelves.popleft()
            self.rows, self.size = self.rows - shelf.rows, self.size - shelf.size

    def dropped(self, shelf: Shelf) -> None:
        """Its telemetry was removed."""
        self.rows, self.size = self.rows - shelf.droppable_rows, self.size - shelf.droppable_size
        shelf.count(-shelf.droppable_rows, -shelf.droppable_size, droppable=True)

    def age_ms(self, confirmed: int, now_ms: int) -> int:
        """Of the oldest row that Redis has not confirmed, to about a second; 0 when there is none."""
        while self._stamps and self._stamps[0][0] <= confirmed:
            self._stamps.popleft()
        return max(0, now_ms - self._stamps[0][1]) if self._stamps else 0

    @property
    def is_over(self) -> bool:
        """Over a bound: new telemetry would only be dropped again."""
        return self._exceeds(self.rows, self.size, 1.0)

    def chores(self, safe_through: int, acknowledged_through: int, now_ms: int) -> Chores:
        """Forget what everybody has; over the bounds also what only Redis has; then drop telemetry, oldest first, down to nine tenths."""
        rows, size, goal = self.rows, self.size, RELIEF if self.is_over else 1.0
        closed = deque(list(self._shelves)[:-1])
        forget = None
        while closed and closed[0].last <= safe_through:
            if closed[0].last > acknowledged_through and not self._exceeds(rows, size, goal):
                break
            shelf = closed.popleft()
            forget, rows, size = shelf.last, rows - shelf.rows, size - shelf.size
        drop = []
        for shelf in closed:
            is_old = now_ms - shelf.newest_ms > self.bounds.telemetry_age_ms
            if shelf.droppable_rows and (is_old or self._exceeds(rows, size, goal)):
                drop.append(shelf)
                rows, size = rows - shelf.droppable_rows, size - shelf.droppable_size
        return Chores(forget, tuple(drop), self._exceeds(rows, size, 1.0))

    def _exceeds(self, rows: int, size: int, share: float) -> bool:
        return size >= share * self.bounds.most_bytes or rows >= share * self.bounds.most_rows

    def _open_shelf(self, sequence: int) -> Shelf:
        newest = self._shelves[-1] if self._shelves else None
        if newest is None or newest.rows >= SHELF_ROWS or newest.size >= SHELF_BYTES:
            self._shelves.append(Shelf(after=sequence - 1))
        return self._shelves[-1]

    def _stamp(self, sequence: int, at_ms: int) -> None:
        if self._stamps and at_ms - self._stamps[-1][1] < _STAMP_MS:
            self._stamps[-1] = (sequence, self._stamps[-1][1])
        else:
            self._stamps.append((sequence, at_ms))

"""The outbox as a file of JSON lines, and back.

In    the engine's file while its engine is stopped; a file that was exported
Out   one header, one event a line as it would be in the stream, one trailer with count and SHA-256; rows in another journal's outbox
Flow  `quantum-engine spool export` -> HERE -> file -> `quantum-engine spool import` -> HERE -> outbox
Why   what was not yet heard must survive a disk that is given up, and a person must be able to read it

A file that is cut off, changed or of another engine is refused whole.  Importing twice adds nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from quantum_api.bus_envelope import BadEnvelopeError, Envelope, letterhead, on_the_wire, opened, stored
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.books import KEY, Remembered, remembered
from quantum_engine.bus.outbox import Row, key_through, row_of
from quantum_engine.errors import PermanentError
from quantum_engine.journal import Put, Table

FORMAT: Final = "quantum-spool/1"
_PAGE_ROWS: Final = 1_000
_COMMIT_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Spooled:
    """What a file holds."""

    source: str
    epoch: str
    forgotten_through: int
    events: tuple[Envelope, ...]


async def exported(journal: SqliteJournal, source: str) -> list[bytes]:
    """The lines, without their ends."""
    row = (await journal.load(Table.META)).get(KEY)
    if row is None:
        raise PermanentError("this journal has no outbox: its engine never ran with a Redis")
    kept = remembered(row)
    head = letterhead(source, kept.epoch)
    header = {"format": FORMAT, "source": source, "epoch": kept.epoch, "forgottenThrough": kept.forgotten_through}
    lines = [json.dumps(header).encode()]
    after = 0
    while page := await journal.load_page(Table.OUTBOX, key_through(after), _PAGE_ROWS):
        rows = [row_of(key, value) for key, value in page.items()]
        lines += [on_the_wire(head, row.value) for row in rows]
        after = rows[-1].sequence
    return [*lines, json.dumps({"end": True, "events": len(lines) - 1, "sha256": _digest(lines)}).encode()]


def parsed(lines: list[bytes]) -> Spooled:
    """Raises PermanentError, naming the line, for a file that is not whole."""
    if len(lines) < 2:
        raise PermanentError("the file has no header and trailer: it is not a spool, or was cut off")
    header, trailer = _object(lines, 0), _object(lines, len(lines) - 1)
    if header.get("format") != FORMAT:
        raise PermanentError(f"line 1: format is {header.get('format')!r}, this engine reads {FORMAT!r}")
    if trailer.get("end") is not True or trailer.get("events") != len(lines) - 2 or trailer.get("sha256") != _digest(lines[:-1]):
        raise PermanentError("the trailer does not match what stands before it: the file was cut off or changed; export again")
    source, epoch = header["source"], header["epoch"]
    return Spooled(source, epoch, int(header["forgottenThrough"]), tuple(_events(lines, source, epoch)))


async def imported(journal: SqliteJournal, source: str, spooled: Spooled) -> int:
    """Rows that were not there.  Raises PermanentError when the events belong to another engine, or the outbox to another numbering."""
    if spooled.source != source:
        raise PermanentError(f"the events are of {spooled.source}, this engine is {source}; set POD_NAMESPACE and POD_NAME to import them")
    row = (await journal.load(Table.META)).get(KEY)
    there = set(await journal.load(Table.OUTBOX))
    if row is not None and (kept := remembered(row)).epoch != spooled.epoch:
        if there or kept.forgotten_through:
            raise PermanentError(f"this outbox has events of its own (epoch {kept.epoch}): import before the engine's first start")
        row = None
    if row is None:
        await journal.commit(Remembered(spooled.epoch, spooled.forgotten_through).put)
    rows = [new for new in map(_row, spooled.events) if new.key not in there]
    for start in range(0, len(rows), _COMMIT_ROWS):
        await journal.commit(*(Put(Table.OUTBOX, new.key, new.value) for new in rows[start : start + _COMMIT_ROWS]))
    return len(rows)


def _events(lines: list[bytes], source: str, epoch: str) -> Iterator[Envelope]:
    before = 0
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            envelope = opened(line)
        except BadEnvelopeError as error:
            raise PermanentError(f"line {number}: {error}") from error
        if (envelope.source, envelope.epoch) != (source, epoch) or envelope.sequence <= before:
            raise PermanentError(f"line {number}: it is not the next event of {source}, epoch {epoch}")
        before = envelope.sequence
        yield envelope


def _row(envelope: Envelope) -> Row:
    value = stored(envelope.sequence, envelope.kind, envelope.event_class, envelope.at_ms, envelope.payload)
    return Row(envelope.sequence, envelope.event_class, value)


def _object(lines: list[bytes], index: int) -> dict[str, Any]:
    try:
        found = json.loads(lines[index])
    except ValueError as error:
        raise PermanentError(f"line {index + 1} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise PermanentError(f"line {index + 1} is not a JSON object")
    return found


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()

"""What was not heard survives a disk that is given up: whole, readable, and once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quantum_api.bus_envelope import EventClass
from quantum_engine.adapters import spool_file
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.books import KEY, Remembered
from quantum_engine.bus.journal import OutboxJournal
from quantum_engine.bus.outbox import Outbox
from quantum_engine.clock import ManualClock
from quantum_engine.errors import PermanentError
from quantum_engine.journal import Publish, Table

SOURCE = "trading/engine-0"


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    """An outbox with three events of epoch e."""
    disk = SqliteJournal(tmp_path / "full.db")
    await disk.open()
    await disk.commit(Remembered("e", forgotten_through=4).put)
    outbox = Outbox()
    outbox.resume(4)
    events = [Publish(event_class, "test.event", {"é\n": n}) for n, event_class in enumerate(list(EventClass)[:3])]
    await OutboxJournal(disk, outbox, ManualClock()).commit(*events)
    yield disk
    await disk.close()


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    disk = SqliteJournal(tmp_path / "empty.db")
    await disk.open()
    yield disk
    await disk.close()


async def test_an_export_is_plain_json_lines_that_anyone_can_read(full: SqliteJournal) -> None:
    header, *events, trailer = [json.loads(line) for line in await spool_file.exported(full, SOURCE)]
    assert header == {"format": "quantum-spool/1", "source": SOURCE, "epoch": "e", "forgottenThrough": 4}
    assert [(e["source"], e["epoch"], e["sequence"], e["class"]) for e in events] == [
        (SOURCE, "e", 5, "risk"), (SOURCE, "e", 6, "order"), (SOURCE, "e", 7, "fill"),
    ]  # fmt: skip
    assert trailer["events"] == 3


async def test_an_import_makes_the_outbox_that_was_exported_and_twice_is_once(full: SqliteJournal, empty: SqliteJournal) -> None:
    spooled = spool_file.parsed(await spool_file.exported(full, SOURCE))
    assert await spool_file.imported(empty, SOURCE, spooled) == 3
    assert await empty.load(Table.OUTBOX) == await full.load(Table.OUTBOX)
    assert (await empty.load(Table.META))[KEY] == (await full.load(Table.META))[KEY]
    assert await spool_file.imported(empty, SOURCE, spooled) == 0
    assert await spool_file.imported(full, SOURCE, spooled) == 0


@pytest.mark.parametrize("spoil", ["cut", "changed", "dropped line", "no trailer", "empty"])
async def test_a_file_that_is_not_whole_is_refused(full: SqliteJournal, spoil: str) -> None:
    """Half of the truth is not imported."""
    lines = await spool_file.exported(full, SOURCE)
    spoilt = {
        "cut": [*lines[:-1], lines[-1][:20]], "changed": [lines[0], lines[1].replace(b"risk", b"fill"), *lines[2:]],
        "dropped line": [lines[0], *lines[2:]], "no trailer": lines[:-1], "empty": [],
    }[spoil]  # fmt: skip
    with pytest.raises(PermanentError, match=r"cut off|not JSON"):
        spool_file.parsed(spoilt)


async def test_events_of_another_engine_or_numbering_are_refused(full: SqliteJournal, empty: SqliteJournal) -> None:
    spooled = spool_file.parsed(await spool_file.exported(full, SOURCE))
    with pytest.raises(PermanentError, match="POD_NAME"):
        await spool_file.imported(empty, "trading/engine-1", spooled)
    await empty.commit(Remembered("another", forgotten_through=9).put)
    with pytest.raises(PermanentError, match="events of its own"):
        await spool_file.imported(empty, SOURCE, spooled)
    assert await empty.load(Table.OUTBOX) == {}


async def test_an_outbox_that_has_told_nothing_takes_over_the_numbering(full: SqliteJournal, empty: SqliteJournal) -> None:
    await empty.commit(Remembered("fresh").put)
    assert await spool_file.imported(empty, SOURCE, spool_file.parsed(await spool_file.exported(full, SOURCE))) == 3
    assert (await empty.load(Table.META))[KEY] == (await full.load(Table.META))[KEY]


async def test_a_journal_without_a_bus_says_so(empty: SqliteJournal) -> None:
    with pytest.raises(PermanentError, match="never ran with a Redis"):
        await spool_file.exported(empty, SOURCE)


def test_lines_that_are_no_events_are_named_by_their_number() -> None:
    lines = [json.dumps({"format": spool_file.FORMAT, "source": SOURCE, "epoch": "e", "forgottenThrough": 0}).encode(), b"{}"]
    lines.append(json.dumps({"end": True, "events": 1, "sha256": spool_file._digest(lines)}).encode())
    with pytest.raises(PermanentError, match="line 2: not an envelope"):
        spool_file.parsed(lines)

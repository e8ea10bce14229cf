"""Commits that share a transaction are each all or nothing, and in their order."""

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.errors import PermanentError
from quantum_engine.journal import Delete, Put, Table, Write

KEYS = st.sampled_from("abc")
WRITES = st.one_of(
    st.tuples(st.just("put"), KEYS, st.integers(0, 9)),
    st.tuples(st.just("delete"), KEYS, st.just(0)),
    st.tuples(st.just("poison"), KEYS, st.integers(0, 1)),
)
COMMITS = st.lists(st.lists(WRITES, min_size=1, max_size=4), min_size=1, max_size=12)
POISON: tuple[Any, ...] = (object(), "\ud800")
"""What the binding refuses, and what no database ever sees: the encoder refuses it first."""


class Held(SqliteJournal):
    """Its writer waits before its first transaction, so that commits gather behind it; counts the transactions that were tried."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()
        self.tried = 0

    def _write(self, writes: list[Any]) -> None:
        self.go.wait(10)
        self.tried += 1
        super()._write(writes)


def write_of(kind: str, key: str, number: int) -> Write:
    if kind == "delete":
        return Delete(Table.META, key)
    if kind == "poison":
        return Put(Table.META, key, POISON[number])
    return Put(Table.META, key, str(number).encode())


def model(commits: list[list[tuple[str, str, int]]]) -> dict[str, bytes]:
    """One after the other; a poisoned commit does nothing."""
    rows: dict[str, bytes] = {}
    for commit in commits:
        if any(kind == "poison" for kind, _, _ in commit):
            continue
        for kind, key, number in commit:
            if kind == "delete":
                rows.pop(key, None)
            else:
                rows[key] = str(number).encode()
    return rows


async def live_through(commits: list[list[tuple[str, str, int]]]) -> tuple[list[Any], dict[str, bytes], int]:
    with tempfile.TemporaryDirectory() as folder:
        journal = Held(Path(folder) / "journal.db")
        await journal.open()
        asked = [asyncio.create_task(journal.commit(*(write_of(*write) for write in commit))) for commit in commits]
        await asyncio.sleep(0)
        journal.go.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        rows = await journal.load(Table.META)
        await journal.close()
        return answers, rows, journal.tried


@settings(max_examples=60, deadline=None)
@given(commits=COMMITS)
def test_each_commit_is_whole_or_not_there_whatever_its_neighbours_are(commits: list[list[tuple[str, str, int]]]) -> None:
    """A stop is not lost because a row beside it could not be stored, and nobody waits for ever."""
    answers, rows, tried = asyncio.run(live_through(commits))
    for commit, answer in zip(commits, answers, strict=True):
        is_poisoned = any(kind == "poison" for kind, _, _ in commit)
        assert isinstance(answer, PermanentError) if is_poisoned else answer is None
    assert list(rows.items()) == list(model(commits).items())
    if all(answer is None for answer in answers):
        assert tried <= 2, "what waited together was written together"

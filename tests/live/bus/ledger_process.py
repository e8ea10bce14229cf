"""A consumer as others will be: writes each event's number into its own file, with the mark, in one transaction."""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from quantum_api.bus_envelope import Envelope
from quantum_bus.consumer import Consumer
from quantum_bus.marks import Gap, Notice
from quantum_bus.redis_feed import RedisFeed
from quantum_bus.sqlite_inbox import SqliteInbox


def effect(connection: sqlite3.Connection, source: str, events: Sequence[Envelope]) -> None:
    if any(event.kind == "test.poison" for event in events):
        raise ValueError("it makes no sense")
    connection.executemany("INSERT INTO applied VALUES (?)", [(event.payload["n"],) for event in events])


def main() -> None:
    url, file, member = sys.argv[1:]
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS applied (n INTEGER NOT NULL)")
        connection.execute("CREATE TABLE IF NOT EXISTS gaps (n INTEGER NOT NULL)")

    def note(source: str, notice: Notice) -> None:
        if isinstance(notice, Gap):
            with sqlite3.connect(file) as connection:
                connection.execute("INSERT INTO gaps VALUES (?)", (notice.first,))

    feed = RedisFeed(url, "ledger", member, count=200, block_ms=50, abandoned_after_ms=1_000)
    asyncio.run(Consumer(feed, SqliteInbox(Path(file), effect), note).run())


if __name__ == "__main__":
    main()

"""What was latched is latched again before the engine says or does anything, however long its disk takes; and who senses what."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.live.engine.rig import free_port

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.journal import Put, Table
from quantum_engine.node import Node
from quantum_engine.risk.snapshot import Senses
from quantum_engine.settings import Settings

LATCH = Latch(
    id="engine-0-before", action=StopAction.FLATTEN, origin=LatchOrigin.MANUAL, trigger="Manual", reason="last night", by="alice",
    tripped_at_ms=1,
)  # fmt: skip


class Ear:
    """A port on which nobody answers, and that notes who knocks: stands where the exchange would be."""

    def __init__(self) -> None:
        self.knocks = 0
        self.port = 0
        self.heard = asyncio.Event()

    async def knocked(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.knocks += 1
        self.heard.set()
        writer.close()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    ear = Ear()
    server = await asyncio.start_server(ear.knocked, "127.0.0.1", 0)
    ear.port = server.sockets[0].getsockname()[1]
    async with server:
        yield ear


@pytest.fixture
async def disk(tmp_path: Path) -> Path:
    """A journal with a latch in it."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    await journal.commit(Put(Table.LATCH, LATCH.id, LATCH.model_dump_json(by_alias=True).encode()))
    await journal.close()
    return tmp_path


def settings(disk: Path, ear: Ear) -> Settings:
    (disk / "jwks.json").write_text('{"keys": []}')
    (disk / "account.json").write_text(json.dumps({"apiKey": "k", "apiSecret": "s"}))
    return Settings(
        pod_name="engine-0", control_host="127.0.0.1", control_port=free_port(),
        journal_path=disk / "journal.db", jwks_file=disk / "jwks.json", account_file=disk / "account.json",
        rest_url=f"http://127.0.0.1:{ear.port}", stream_url=f"ws://127.0.0.1:{ear.port}",
    )  # fmt: skip


@pytest.mark.parametrize("step", ["open", "load"])
async def test_promise_3_nothing_is_sent_before_the_latches_are_restored_though_the_journal_hangs(
    disk: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Not to the exchange, and no answer to anybody: an engine that does not know yet whether it is stopped is silent."""
    original, hanging, answers = getattr(SqliteJournal, step), asyncio.Event(), asyncio.Event()

    async def hang(self: SqliteJournal, *arguments: Any) -> Any:
        hanging.set()
        await answers.wait()
        return await original(self, *arguments)

    monkeypatch.setattr(SqliteJournal, step, hang)
    node = Node(settings(disk, ear))
    running = asyncio.create_task(node.run())
    await hanging.wait()
    for _ in range(500):
        await asyncio.sleep(0)
    assert ear.knocks == 0
    assert node._supervisor.running == [], "no stage runs yet"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", node._settings.control_port)
    latched_at_first_knock: list[list[str]] = []
    first = asyncio.create_task(ear.heard.wait())
    first.add_done_callback(lambda _: latched_at_first_knock.append([latch.id for latch in node._book.latches]))
    answers.set()
    async with asyncio.timeout(10):
        await first
    await asyncio.sleep(0)
    assert latched_at_first_knock == [[LATCH.id]]
    (latch,) = node._book.latches
    assert (latch.reason, latch.by, latch.tripped_at_ms) == ("last night", "alice", 1)
    node._stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_each_sense_of_the_risk_stage_is_wired_to_the_stage_that_has_it(
    disk: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    trading = Node(settings(disk, ear))._trading
    assert trading is not None
    monkeypatch.setattr(type(trading.market), "silent_seconds", 1.0)
    monkeypatch.setattr(type(trading.positions), "stream_deaf_seconds", 2.0)
    monkeypatch.setattr(type(trading.positions), "unreconciled_seconds", 3.0)
    assert trading._senses() == Senses(False, 1.0, 2.0, 3.0)
    await trading.close()

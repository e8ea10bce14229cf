"""An engine that cannot remember must not open, and comes back by itself when it can."""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.engine.rig import EngineRig, Pen

from quantum_api.gate import Gate
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import StopAction

STOP = StopOrder(id="uid-1", name="storm", action=StopAction.FLATTEN, reason="storm warning")


@pytest.fixture
def small_disk(engine: EngineRig) -> Iterator[Path]:
    """The journal on a file system of eight megabytes of its own."""
    folder = engine.folder / "journal"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("this machine lets nobody mount a tmpfs; the file-size test covers the failure")
    yield folder
    engine.kill()
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert shutil.disk_usage(folder).free == 0
    return filler


async def test_a_full_disk_closes_the_gate_refuses_documents_and_heals_when_there_is_room(
    engine: EngineRig, small_disk: Path, pen: Pen
) -> None:
    await engine.start()
    assert (await engine.put(pen.document(7)))[0] == 200
    filler = fill(small_disk)
    seen = 8
    while (answer := await engine.put(pen.document(seen)))[0] == 200:
        seen += 1
        assert seen < 200, "the disk never got full"
    status = await engine.status()
    assert (answer[0], answer[1]["reason"], answer[1]["heldEpoch"]) == (503, "JournalUnavailable", seen - 1)
    assert {r["source"]: r["gate"] for r in status["gateReasons"]}["journal"] == "REDUCE_ONLY"
    filler.unlink()
    await engine.until_status(lambda s: s["dependencies"]["journal"] == "up", "the journal is tried again by itself")
    assert (await engine.put(pen.document(seen)))[0] == 200


def forbid_growth(engine: EngineRig) -> None:
    assert engine.process is not None
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))


def permit_growth(engine: EngineRig) -> None:
    assert engine.process is not None
    resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def test_a_stop_closes_the_gate_though_it_cannot_be_written_and_is_written_when_it_can(engine: EngineRig, pen: Pen) -> None:
    """Tightening never waits for a disk, and what was tightened is not undone by the failure."""
    await engine.start()
    await engine.put(pen.document(7))
    forbid_growth(engine)
    code, _ = await engine.put(pen.document(8, gate=Gate.EXIT_ONLY, stops=[STOP]))
    stopped = await engine.status()
    assert code == 503
    gates = {r["source"]: r["gate"] for r in stopped["gateReasons"]}
    assert (gates["stop"], gates["policy"], gates["journal"]) == ("EXIT_ONLY", "EXIT_ONLY", "REDUCE_ONLY")
    assert "gateClosedAtMs" not in stopped["latches"][0]
    permit_growth(engine)
    await engine.until_status(lambda s: "gateClosedAtMs" in s["latches"][0], "the latch reaches the disk")
    engine.kill()
    await engine.start()
    assert (await engine.status())["latches"][0]["id"] == STOP.id


def spoil(journal: Path) -> None:
    for extra in ("-wal", "-shm"):
        Path(f"{journal}{extra}").unlink(missing_ok=True)
    journal.write_bytes(b"this is not a journal" * 500)


async def test_a_broken_journal_is_not_traded_upon(engine: EngineRig) -> None:
    await engine.start()
    engine.kill()
    spoil(engine.folder / "journal" / "journal.db")
    with pytest.raises(AssertionError, match="must not start on this journal"):
        await engine.start()

"""`quantum-engine halt` stops the engine of its pod with the network down, and even when the process hangs or is dead."""

import asyncio
import getpass
import shutil
import signal
import subprocess
import sys

import pytest
from tests.live.engine.rig import EngineRig, Pen

HALT = [sys.executable, "-m", "quantum_engine", "halt"]


@pytest.fixture
def without_network() -> tuple[str, ...]:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    return (unshare, "-n")


async def halt(engine: EngineRig, *more: str, around: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    command = [*around, *HALT, "--reason", "by hand at night", *more]
    return await asyncio.to_thread(subprocess.run, command, env=engine.environment, capture_output=True, text=True, check=False)


async def test_the_halt_command_is_confirmed_from_the_disk(engine: EngineRig) -> None:
    await engine.start()
    said = await halt(engine, "--action", "CancelOrders")
    (latch,) = (await engine.status())["latches"]
    assert (said.returncode, latch["id"] in said.stdout) == (0, True), said
    assert (latch["origin"], latch["action"], latch["reason"]) == ("Manual", "CancelOrders", "by hand at night")
    assert latch["by"] == getpass.getuser(), "who has the shell, unless they say otherwise"
    await engine.until(lambda: _no_requests(engine), "the request's file goes once the latch is on disk")


async def _no_requests(engine: EngineRig) -> bool:
    return not list((engine.folder / "journal").glob("*.halt"))


async def test_the_halt_command_needs_no_network(engine: EngineRig, without_network: tuple[str, ...]) -> None:
    """Run in a network namespace without any interface up, not even loopback."""
    await engine.start()
    said = await halt(engine, around=without_network)
    assert said.returncode == 0, said
    assert len((await engine.status())["latches"]) == 1


async def test_who_halted_is_latched_and_outlives_a_restart(engine: EngineRig) -> None:
    """The kill switch: state, reason, by, since."""
    await engine.start()
    await engine.halt("market is mad", by="tess")
    engine.env["KUBERNETES_USER"] = "alice"
    await halt(engine)
    engine.kill()
    await engine.start()
    status = await engine.status()
    assert status["emergency"] != "ARMED"
    assert [(latch["reason"], latch["by"]) for latch in status["latches"]] == [("market is mad", "tess"), ("by hand at night", "alice")]
    assert all(latch["trippedAtMs"] < status["startedAtMs"] for latch in status["latches"])


async def test_a_halt_of_a_hung_engine_says_so_and_is_taken_at_the_next_start(engine: EngineRig) -> None:
    await engine.start()
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    said = await halt(engine, "--wait", "0.5")
    assert (said.returncode, "next start" in said.stderr) == (5, True), said
    engine.kill()
    await engine.start()
    status = await engine.until_status(lambda s: bool(s["latches"]), "the request was found")
    assert status["latches"][0]["reason"] == "by hand at night"


async def test_a_half_written_request_still_stops(engine: EngineRig) -> None:
    """What cannot be read is taken as the strongest stop: the safe reading of a torn file."""
    await engine.start()
    (engine.folder / "journal" / "engine-0-20260101000000-abcd.halt").write_bytes(b'{"id": "engine-0-2026')
    status = await engine.until_status(lambda s: bool(s["latches"]), "it is latched")
    assert (status["latches"][0]["id"], status["latches"][0]["action"]) == ("engine-0-20260101000000-abcd", "Flatten")


async def test_a_file_of_the_same_name_stops_again_after_its_release(engine: EngineRig, pen: Pen) -> None:
    """Whoever writes ``stop.halt`` a second time means it: a name that was released once must not be deaf for ever."""
    file = engine.folder / "journal" / "stop.halt"
    await engine.start()
    await engine.put(pen.document(1))
    for round_number in (1, 2):
        file.write_text('{"id": "stop", "action": "HaltEntries", "reason": "by hand"}')
        status = await engine.until_status(lambda s: bool(s["latches"]), "it is latched")
        await engine.until(lambda: _no_requests(engine), "the request is done with")
        await engine.put(pen.document(1 + round_number, released=[status["latches"][0]["id"]]))
        await engine.until_status(lambda s: not s["latches"], "people released it")

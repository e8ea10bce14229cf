"""The control surface is a stage like others: it comes back, and it ends by answering."""

import asyncio
import socket

import aiohttp
import pytest
from fastapi import FastAPI

from quantum_engine.clock import SystemClock
from quantum_engine.control import service
from quantum_engine.control.service import ControlServer
from quantum_engine.healing.service import Supervisor
from quantum_engine.permission import Permission


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def app(asked: asyncio.Event | None = None, answer: asyncio.Event | None = None) -> FastAPI:
    made = FastAPI()

    @made.get("/slow")
    async def slow() -> str:
        if asked and answer:
            asked.set()
            await answer.wait()
        return "answered"

    return made


async def up(server: ControlServer) -> None:
    async with asyncio.timeout(10):
        while not server.up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_control_surface_that_died_is_started_again_on_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    serve, died = service._Server.serve, asyncio.Event()

    async def dies_once(self: service._Server, *arguments: object) -> None:
        if not died.is_set():
            died.set()
            raise OSError("a socket broke")
        await serve(self)

    monkeypatch.setattr(service._Server, "serve", dies_once)
    port = free_port()
    server, supervisor = ControlServer(app(), "127.0.0.1", port), Supervisor(Permission(), SystemClock(), lambda: 0.0)
    supervisor.start("control", server.run, is_vital=True)
    await up(server)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/slow") as answer:
        assert await answer.json() == "answered"
    assert [crash.error for crash in supervisor.history] == ["OSError('a socket broke')"]
    await server.stop()
    await supervisor.stop()


async def test_who_is_being_answered_when_the_engine_ends_is_answered() -> None:
    port, asked, answer = free_port(), asyncio.Event(), asyncio.Event()
    server, supervisor = ControlServer(app(asked, answer), "127.0.0.1", port), Supervisor(Permission(), SystemClock(), lambda: 0.0)
    supervisor.start("control", server.run, is_vital=True)
    await up(server)
    async with aiohttp.ClientSession() as session:
        question = asyncio.create_task(session.get(f"http://127.0.0.1:{port}/slow"))
        await asked.wait()
        stopping = asyncio.create_task(server.stop())
        answer.set()
        await stopping
        assert await (await question).json() == "answered"
    assert list(supervisor.history) == [], "an end that was asked for is no crash"
    await supervisor.stop()


async def test_a_port_that_is_taken_is_an_error_of_the_stage_and_not_the_end_of_the_process() -> None:
    """An engine whose surface cannot listen still holds its stops and gets out; the supervisor tries again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = ControlServer(app(), "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(OSError, match="cannot listen"):
            await server.run()
    assert not server.up

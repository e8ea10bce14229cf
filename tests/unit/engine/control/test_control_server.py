"""The control surface is a stage like any other: what ends it must not end the engine."""

import socket

import pytest
from fastapi import FastAPI

from quantum_engine.control.service import ControlServer


async def test_a_port_that_is_taken_is_an_error_of_the_stage_and_not_the_end_of_the_process() -> None:
    """An engine whose surface cannot listen still holds its stops and gets out; the supervisor tries again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = ControlServer(FastAPI(), "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(OSError, match="cannot listen"):
            await server.run()
    assert not server.up

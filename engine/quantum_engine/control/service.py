"""Serves the control surface in the engine's own event loop, and says whether it is up."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from quantum_engine.logs import logger

_log = logger("control")


class _Server(uvicorn.Server):
    """Leaves the process's signals to node.py."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ControlServer:
    """One listening socket."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server = _Server(
            uvicorn.Config(
                app, host=host, port=port, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1,
                timeout_keep_alive=75, server_header=False, date_header=False,
            )
        )  # fmt: skip

    @property
    def up(self) -> bool:
        return self._server.started

    async def run(self) -> None:
        """Serve until ``stop``."""
        _log.info("control_listening", host=self._host, port=self._port)
        await self._server.serve()

    def stop(self) -> None:
        self._server.should_exit = True

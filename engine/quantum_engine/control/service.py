"""Serves the control surface in the engine's own event loop, and says whether it is up."""

import asyncio
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
        self._app, self._host, self._port = app, host, port
        self._server: _Server | None = None
        self._is_stopping = False
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def up(self) -> bool:
        return self._server is not None and self._server.started

    async def run(self) -> None:
        """Serve until ``stop``.  Each run is a server of its own, so that one that died can be started again.

        Raises OSError when it cannot listen: the library would end the whole engine, latches and all, over a port.
        """
        self._server = _Server(self._config())
        self._ended.clear()
        _log.info("control_listening", host=self._host, port=self._port)
        try:
            await self._server.serve()
        except SystemExit as ended:
            raise OSError(f"cannot listen on {self._host}:{self._port}; is another process on that port?") from ended
        finally:
            self._server = None
            self._ended.set()
        if self._is_stopping:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        """Answer who is being answered, then take no more."""
        self._is_stopping = True
        if self._server is not None:
            self._server.should_exit = True
        await self._ended.wait()

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app, host=self._host, port=self._port, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1,
            timeout_keep_alive=75, server_header=False, date_header=False,
        )  # fmt: skip

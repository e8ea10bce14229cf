"""Keeps exactly one link per engine pod.

In    the engines known now
Out   links, their reports
Flow  reconciler -> HERE -> engine links
Why   one shared session without limits: a thousand links are two thousand idle sockets, not two thousand sessions
"""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType

import aiohttp

from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.engine_link import EngineLink
from quantum_operator.objects import Engine
from quantum_operator.reports import NOTHING_HEARD, EngineReport
from quantum_operator.signing import Issued


class Fleet:
    """Use as an async context manager."""

    def __init__(self, issue: Callable[[str], Issued | None], changed: Callable[[str], None], clock: Clock) -> None:
        self._issue = issue
        self._changed = changed
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.links: dict[str, EngineLink] = {}

    async def __aenter__(self) -> "Fleet":
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=90.0, use_dns_cache=False)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.gather(*(link.close() for link in self.links.values()), *self._closing)
        if self._session is not None:
            await self._session.close()

    def follow(self, engines: Mapping[str, Engine]) -> list[str]:
        """Open, retarget and close links so that they match ``engines``; answers which went away."""
        for name, engine in engines.items():
            link = self.links.get(name)
            if link is None:
                self.links[name] = EngineLink(engine, self._opened, self._issue, self._changed, self._clock)
            elif link.engine != engine:
                link.retarget(engine)
        gone = [name for name in self.links if name not in engines]
        for name in gone:
            task = asyncio.create_task(self.links.pop(name).close(), name=f"close {name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return gone

    @property
    def reports(self) -> dict[str, EngineReport]:
        return {name: link.report for name, link in self.links.items()}

    @property
    def busy(self) -> bool:
        """Some document is on its way and will be answered soon."""
        return any(link.busy for link in self.links.values())

    @property
    def silent(self) -> bool:
        """Some engine that could answer has neither answered nor failed to."""
        return any(link.engine.endpoint and link.report == NOTHING_HEARD for link in self.links.values())

    def measure(self, now_ms: int) -> None:
        metrics.ENGINES.set(len(self.links))
        metrics.ENGINES_REACHABLE.set(sum(link.report.reachable for link in self.links.values()))
        metrics.ENGINES_ENFORCING.set(sum(link.report.lease_runs(now_ms) for link in self.links.values()))

    @property
    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Fleet is used outside its context")
        return self._session

"""Keeps one engine informed and listens to it: pushes documents, long-polls its status.

In    where the engine listens; what to issue, asked for at the moment of sending; a wake-up when a document is wanted
Out   the engine's report; a call to ``changed`` after each change of it
Flow  reconciler -> HERE -> engine; engine -> HERE -> reconciler
Why   the newest document wins by construction: nothing is queued, a document is made when it is sent, and never two are in flight

Failing calls are repeated after 50 ms, doubling up to 2 s.  A wake-up with something new to say cuts the wait short, and so does a pod that
was replaced.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final, TypeVar

import aiohttp
from pydantic import ValidationError

from quantum_api import names
from quantum_api.engine_status import Acknowledgement, DocumentRefused, EngineStatus
from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.logs import logger
from quantum_operator.objects import Engine
from quantum_operator.pushing import PushReason, Sent
from quantum_operator.reports import NOTHING_HEARD, EngineReport, after_acknowledgement, after_failure, after_refusal, after_status
from quantum_operator.resolve import Resolved
from quantum_operator.signing import Issued

POLL_WAIT_SECONDS: Final = 25
_PUSH_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0, sock_connect=2.0)
_POLL_TIMEOUT: Final = aiohttp.ClientTimeout(total=POLL_WAIT_SECONDS + 10.0, sock_connect=2.0)
_FIRST_DELAY_SECONDS: Final = 0.05
_LAST_DELAY_SECONDS: Final = 2.0
_UNREACHABLE: Final = (aiohttp.ClientError, TimeoutError, OSError, ValidationError)
_log = logger("link")
Word = TypeVar("Word", Acknowledgement, EngineStatus)


class Backoff:
    """50 ms, doubling to 2 s, with 10 % jitter."""

    def __init__(self) -> None:
        self._delay = 0.0

    def reset(self) -> None:
        self._delay = 0.0

    def next_delay_seconds(self) -> float:
        self._delay = min(max(self._delay * 2, _FIRST_DELAY_SECONDS), _LAST_DELAY_SECONDS)
        return self._delay * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries, guards nothing


class EngineLink:
    """Two tasks for one engine pod."""

    def __init__(
        self,
        engine: Engine,
        session: aiohttp.ClientSession,
        issue: Callable[[str], Issued | None],
        changed: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self.engine = engine
        self.report = EngineReport()
        self.sent: Sent | None = None
        self.offered: Resolved | None = None
        self._session = session
        self._issue = issue
        self._changed = changed
        self._clock = clock
        self._reason: PushReason | None = None
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failing = False
        self._in_flight = False
        self._tasks: list[asyncio.Task[None]] = []
        self._start()

    @property
    def busy(self) -> bool:
        """A document is on its way to an engine that has not failed lately: its answer is worth waiting for."""
        return self._reason is not None and not self._failing and self.engine.endpoint is not None

    def want(self, reason: PushReason, *, fresh: bool) -> None:
        """A document should be sent.  ``fresh`` = there is something new to say, so do not sit out a back-off.

        While one is on its way, only news count: its answer makes the reconciler ask again.
        """
        if self._in_flight and not fresh:
            return
        self._reason = reason
        self._wanted.set()
        if fresh:
            self._hurry.set()

    def retarget(self, engine: Engine) -> None:
        """The pod changed.  A new address is a new engine: nothing that the old one said, or may still answer, is about this one."""
        moved = engine.endpoint != self.engine.endpoint or engine.uid != self.engine.uid
        self.engine = engine
        if moved:
            self.report, self.sent, self.offered = NOTHING_HEARD, None, None
            self._reason, self._failing, self._in_flight = None, False, False
            self._cancel()
            self._start()

    async def close(self) -> None:
        self._cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self) -> None:
        self._tasks = [asyncio.create_task(work, name=f"link {self.engine.name}") for work in (self._push_forever(), self._poll_forever())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Neither task ends by itself while the pod has an address; an error that nobody foresaw must not leave the engine alone."""
        if task.cancelled() or task.exception() is None:
            return
        _log.error("link_died", engine=self.engine.id, exc_info=task.exception())
        self._cancel()
        asyncio.get_running_loop().call_later(_LAST_DELAY_SECONDS, self._start)

    async def _push_forever(self) -> None:
        backoff = Backoff()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._hurry.clear()
            reason, issued = self._reason, self._issue(self.engine.name)
            if reason is None or issued is None:
                continue
            self._in_flight = True
            done = await self._push(reason, issued)
            self._in_flight = False
            if done:
                backoff.reset()
                continue
            self._wanted.set()
            await self._pause(backoff)

    async def _pause(self, backoff: Backoff) -> None:
        try:
            async with asyncio.timeout(backoff.next_delay_seconds() if self.engine.endpoint else None):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _push(self, reason: PushReason, issued: Issued) -> bool:
        endpoint, began = self.engine.endpoint, self._clock.monotonic()
        if endpoint is None:
            return False
        try:
            async with self._session.put(
                endpoint + names.POLICY_PATH, data=issued.token, headers={"Content-Type": names.JOSE_MEDIA_TYPE}, timeout=_PUSH_TIMEOUT
            ) as response:
                body = await response.read()
                if response.status == 200:
                    self._acknowledged(issued, self._own(Acknowledgement.model_validate_json(body)))
                elif response.status in (409, 422):
                    self._refused(DocumentRefused.model_validate_json(body))
                else:
                    raise aiohttp.ClientError(f"PUT {names.POLICY_PATH} answered {response.status}")
        except _UNREACHABLE as error:
            self._failed(error)
            metrics.PUSHES.labels(reason, "unreachable").inc()
            return False
        metrics.PUSH_SECONDS.observe(self._clock.monotonic() - began)
        metrics.PUSHES.labels(reason, "acknowledged" if self.report.refusal is None else "refused").inc()
        return self.report.refusal is None

    def _acknowledged(self, issued: Issued, ack: Acknowledgement) -> None:
        self.report = after_acknowledgement(self.report, ack, issued.document, issued.sent.digest)
        if ack.digest == issued.sent.digest:
            self.sent = issued.sent
        self._failing = False
        if not self._wanted.is_set():
            self._reason = None
        self._changed(self.engine.name)

    def _refused(self, refusal: DocumentRefused) -> None:
        if self.report.refusal is None or self.report.refusal.reason != refusal.reason:
            _log.warning("document_refused", engine=self.engine.id, reason=str(refusal.reason), message=refusal.message)
        self.report = after_refusal(self.report, refusal)
        self._failing = True
        self._changed(self.engine.name)

    def _failed(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"[:200]
        if self.report.unreachable_since_ms is None:
            _log.warning("engine_unreachable", engine=self.engine.id, error=text)
        known = self._failing and self.report.unreachable_since_ms is not None
        self.report = after_failure(self.report, self._clock.wall_ms(), text)
        self._failing = True
        if not known:
            self._changed(self.engine.name)

    async def _poll_forever(self) -> None:
        backoff = Backoff()
        endpoint = self.engine.endpoint
        while endpoint is not None:
            try:
                await self._poll(endpoint)
            except _UNREACHABLE as error:
                self._failed(error)
                await asyncio.sleep(backoff.next_delay_seconds())
            else:
                backoff.reset()

    async def _poll(self, endpoint: str) -> None:
        status = self.report.status
        known = {"instance": status.instance, "since": str(status.version)} if status else {"since": "0"}
        query = {**known, "wait": str(POLL_WAIT_SECONDS)}
        async with self._session.get(endpoint + names.STATUS_PATH, params=query, timeout=_POLL_TIMEOUT) as response:
            body = await response.read()
            if response.status == 204:
                return
            if response.status != 200:
                raise aiohttp.ClientError(f"GET {names.STATUS_PATH} answered {response.status}")
        self._take(self._own(EngineStatus.model_validate_json(body)))

    def _own(self, word: Word) -> Word:
        """A pod's address may already be another's before its removal is heard of: nobody speaks for another engine."""
        if word.engine != self.engine.id:
            raise aiohttp.ClientError(f"{word.engine} answered in its place")
        return word

    def _take(self, status: EngineStatus) -> None:
        back = self.report.unreachable_since_ms is not None
        same = not back and self.report.status is not None and _mark(status) == _mark(self.report.status)
        self.report = after_status(self.report, status)
        if back:
            self._failing = False
            self._hurry.set()
        if not same:
            self._changed(self.engine.name)


def _mark(status: EngineStatus) -> tuple[str, int]:
    return (status.instance, status.version)

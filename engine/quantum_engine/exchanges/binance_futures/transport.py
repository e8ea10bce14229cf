"""One HTTP request: ask the guard, stamp, sign, send, and turn what came back into the exchange port's errors.

In    method, path, parameters
Out   the body, or ThrottledError / RetryableError (surely nothing done), UnknownOutcomeError, VenueRefusedError
Flow  client -> HERE -> venue; guard.py decides what may be sent, outcome.py what an answer means
Why   the stamp follows the venue's clock through our monotonic one, so a jump of the wall clock cannot make every order late
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from quantum_engine.alerts import Alert, log_alert
from quantum_engine.clock import Clock
from quantum_engine.errors import EngineError, RetryableError, ThrottledError
from quantum_engine.exchanges.binance_futures import wire
from quantum_engine.exchanges.binance_futures.breaker import Kind
from quantum_engine.exchanges.binance_futures.codes import STAMP_REFUSED, Outcome
from quantum_engine.exchanges.binance_futures.deadlines import Deadlines
from quantum_engine.exchanges.binance_futures.door import PASSAGE, LateDoor, Passage
from quantum_engine.exchanges.binance_futures.failures import error_of, is_illness
from quantum_engine.exchanges.binance_futures.guard import Guard
from quantum_engine.exchanges.binance_futures.outcome import Answer, Judged, judge, judge_failure, read_answer
from quantum_engine.exchanges.binance_futures.rate.mirror import RESYNC_COST
from quantum_engine.exchanges.binance_futures.rate.room import SharedRoom
from quantum_engine.exchanges.binance_futures.rate.weights import cost_of
from quantum_engine.exchanges.binance_futures.signing import Params, Signer, query_of, signed_query
from quantum_engine.exchanges.port import VenueRefusedError

EXIT_WAITS_FOR_TIME_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the venue is, and how long to wait for it."""

    rest_url: str
    stream_url: str
    recv_window_ms: int = 5_000
    connect_timeout_seconds: float = 2.0
    answer_timeout_seconds: float = 5.0
    keep_alive_seconds: float = 1_500.0
    """A listen key lives 60 min."""
    silence_seconds: float = 10.0
    """Mark prices come each second: a market socket this long without one is dead."""


class Transport:
    """Signed requests of one account."""

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer,
        clock: Clock,
        room: SharedRoom | None = None,
        sharers: int | None = None,
        alert: Alert = log_alert,
    ) -> None:
        self.endpoint = endpoint
        self._base = URL(endpoint.rest_url)
        self._deadlines = Deadlines(endpoint.answer_timeout_seconds)
        self.guard = Guard(clock, self.venue_ms, room, sharers, alert)
        self._signer, self._clock = signer, clock
        self._session: aiohttp.ClientSession | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._synced = False
        self._venue_ahead_ms = clock.wall_ms() - clock.monotonic() * 1000

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=LateDoor(self.endpoint.connect_timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
                headers={"X-MBX-APIKEY": self._signer.api_key},
            )
        return self._session

    def venue_ms(self) -> int:
        return round(self._clock.monotonic() * 1000 + self._venue_ahead_ms)

    async def sync_clock(self) -> None:
        """Half of the round trip is taken as the way there."""
        sent = self._clock.monotonic()
        self.guard.count(RESYNC_COST)
        body = await self._exchange("GET", "/fapi/v1/time", "")
        received = self._clock.monotonic()
        try:
            server_ms = msgspec.json.decode(body, type=wire.ServerTime).server_time
        except msgspec.MsgspecError as error:
            raise RetryableError(f"the exchange's time cannot be read: {error}") from error
        self._venue_ahead_ms = server_ms - (sent + received) / 2 * 1000
        self._synced = True

    async def public(self, method: str, path: str, params: Params, *, is_exit: bool = False) -> bytes:
        """Without signature; the listen key's endpoints want only the API key's header."""
        await self._admit(method, path, params, is_exit=is_exit)
        return await self._exchange(method, path, query_of(params))

    async def signed(
        self, method: str, path: str, params: Params, *, is_exit: bool = False, may_leave: Callable[[], bool] | None = None
    ) -> bytes:
        """``is_exit``: cancels and closes are sent even while the venue throttles us (promise 7).

        What was refused for its stamp is asked again here, but not an order: a stop may have closed the gate meanwhile.
        """
        await self._admit(method, path, params, is_exit=is_exit)
        if not self._synced:
            await self._sync_once(is_exit=is_exit)
        try:
            return await self._exchange(method, path, self._sign(params), may_leave)
        except VenueRefusedError as refused:
            if refused.code not in STAMP_REFUSED:
                raise
            await self.sync_clock()
            if method == "POST":
                raise RetryableError(f"{method} {path}: {refused}") from refused
        await self._admit(method, path, params, is_exit=is_exit)
        return await self._exchange(method, path, self._sign(params))

    async def close(self) -> None:
        self._deadlines.close()
        if self._session is not None:
            await self._session.close()

    def _admit(self, method: str, path: str, params: Params, *, is_exit: bool) -> Awaitable[None]:
        cost = cost_of(method, path, params)
        kind = Kind.EXIT if is_exit else Kind.ENTRY if cost.orders else Kind.READ
        return self.guard.admit(method, path, cost, kind)

    def _sign(self, params: Params) -> str:
        return signed_query(params, self._signer, self.venue_ms(), self.endpoint.recv_window_ms)

    async def _sync_once(self, *, is_exit: bool) -> None:
        """One question for all that wait.  Without its answer an exit leaves by our own clock: at worst the exchange refuses its stamp."""
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self.sync_clock(), name="venue clock")
        try:
            async with asyncio.timeout(EXIT_WAITS_FOR_TIME_SECONDS if is_exit else None):
                await asyncio.shield(self._syncing)
        except ThrottledError:
            raise
        except (EngineError, TimeoutError):
            if not is_exit:
                raise

    async def _exchange(self, method: str, path: str, query: str, may_leave: Callable[[], bool] | None = None) -> bytes:
        what, sent_ms, passage = f"{method} {path}", self.venue_ms(), Passage(may_leave)
        before, watch = PASSAGE.set(passage), self._deadlines.begin()
        try:
            async with self.session.request(method, self._url(path, query), allow_redirects=False) as response:
                body = await response.read()
        except asyncio.CancelledError as error:
            if not watch.was_it():
                raise
            said = f"no answer within {self.endpoint.answer_timeout_seconds:g} s"
            raise self._failed(what, judge_failure(bytes_were_sent=passage.is_through), Answer(0, 0, said)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            judged = judge_failure(bytes_were_sent=passage.is_through)
            raise self._failed(what, judged, Answer(0, 0, str(error) or repr(error))) from error
        finally:
            self._deadlines.end(watch)
            PASSAGE.reset(before)
        self.guard.heard(response.headers, sent_ms)
        if 200 <= response.status < 300:
            self.guard.is_there()
            return body
        answer = read_answer(response.status, body, response.headers.get("Retry-After"))
        raise self._failed(what, judge(answer, self.venue_ms()), answer)

    def _url(self, path: str, query: str) -> URL:
        """The base was read once; parsing a text anew costs as much as signing it."""
        base = self._base
        return URL.build(scheme=base.scheme, authority=base.authority, path=base.path.rstrip("/") + path, query_string=query, encoded=True)

    def _failed(self, what: str, judged: Judged, answer: Answer) -> Exception:
        error = error_of(what, judged, answer)
        if is_illness(answer):
            self.guard.failed(str(error))
            return error
        if judged.outcome is Outcome.THROTTLED and answer.code != -1015:
            self.guard.throttled(what, judged.retry_after_seconds, is_ban=judged.is_ban)
        self.guard.is_there()
        return error

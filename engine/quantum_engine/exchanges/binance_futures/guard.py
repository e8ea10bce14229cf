"""Stands before every request: may it be sent now, and what does its answer say about the next?

In    a request's cost and kind; answers, failures, throttles and bans
Out   nothing, or ThrottledError with the seconds and the numbers: surely not sent
Flow  transport -> HERE (breaker, rate/mirror: what decides; rate/room: what engines behind one address share) -> transport
Why   one place in which "later" is said, always with how much later
"""

import asyncio
from collections.abc import Callable, Mapping
from random import random
from typing import Final

from quantum_engine import metrics
from quantum_engine.alerts import DEPENDENCY_FAILED, DEPENDENCY_RECOVERED, Alert, log_alert
from quantum_engine.clock import Clock
from quantum_engine.errors import ThrottledError
from quantum_engine.exchanges.binance_futures.breaker import Back, Breaker, Kind, Lost
from quantum_engine.exchanges.binance_futures.failures import TAG
from quantum_engine.exchanges.binance_futures.rate.mirror import Go, Lease, Limits, RateMirror, Wait
from quantum_engine.exchanges.binance_futures.rate.room import SharedRoom
from quantum_engine.exchanges.binance_futures.rate.weights import Cost
from quantum_engine.logs import logger

MOST_LEASES: Final = 4
USED_WEIGHT: Final = "X-MBX-USED-WEIGHT-1M"
ORDER_COUNTS: Final = ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1M")
_log = logger("exchange")


class Guard:
    """Of one client."""

    def __init__(
        self,
        clock: Clock,
        venue_ms: Callable[[], int],
        room: SharedRoom | None = None,
        sharers: int | None = None,
        alert: Alert = log_alert,
    ) -> None:
        self.mirror = RateMirror(sharers)
        self.breaker = Breaker(random)
        self._clock, self._venue_ms, self._room, self._alert = clock, venue_ms, room, alert
        self._throttled_until = 0.0
        self._leasing = asyncio.Lock()

    async def admit(self, method: str, path: str, cost: Cost, kind: Kind) -> None:
        """Returns when it may be sent, and has counted it.  Waits for nothing but a lease, and an exit not even for that unless the venue
        throttles us."""
        now = self._clock.monotonic()
        wait = self.breaker.ask(kind, now)
        if wait is not None:
            raise self._refuse(f"{method} {path}", wait, "breaker")
        is_exit, throttled_seconds = kind is Kind.EXIT, self._throttled_until - now
        if throttled_seconds > 0 and not is_exit:
            raise self._refuse(f"{method} {path}", Wait(throttled_seconds, "the exchange throttles us"), "venue")
        verdict = self.mirror.ask(cost, self._venue_ms(), is_exit=is_exit, is_throttled=throttled_seconds > 0)
        if isinstance(verdict, Lease):
            verdict = await self._leased(cost, is_exit=is_exit, is_throttled=throttled_seconds > 0)
        if isinstance(verdict, Wait):
            raise self._refuse(f"{method} {path}", verdict, "mirror")

    async def _leased(self, cost: Cost, *, is_exit: bool, is_throttled: bool) -> Go | Wait:
        """One request asks the pool for all that wait."""
        async with self._leasing:
            for _ in range(MOST_LEASES):
                verdict = self.mirror.ask(cost, self._venue_ms(), is_exit=is_exit, is_throttled=is_throttled)
                if not isinstance(verdict, Lease):
                    return verdict
                amount = None
                if self._room is not None:
                    amount = await self._room.lease(verdict.lane, verdict.window, verdict.wanted, verdict.used, verdict.room)
                self.mirror.granted(verdict, amount, self._venue_ms())
        return Wait(1.0, "what was leased went to others")

    def count(self, cost: Cost) -> None:
        """What is sent in any case: the clock is set for exits too."""
        self.mirror.ask(cost, self._venue_ms(), is_exit=True)

    def take_limits(self, limits: Limits) -> None:
        if limits != self.mirror.limits:
            _log.info(f"{TAG} limits", **limits._asdict())
        self.mirror.take_limits(limits)

    def heard(self, headers: Mapping[str, str], sent_ms: int) -> None:
        """The venue spoke, whatever it said."""
        weight = _count(headers.get(USED_WEIGHT))
        orders = (_count(headers.get(ORDER_COUNTS[0])), _count(headers.get(ORDER_COUNTS[1])))
        self.mirror.heard(weight, orders, sent_ms, self._venue_ms())

    def is_there(self) -> None:
        if self.breaker.failures or self.breaker.problem:
            self._tell(self.breaker.answered(self._clock.monotonic()))

    def failed(self, problem: str) -> None:
        self._tell(self.breaker.failed(problem, self._clock.monotonic()))

    def throttled(self, what: str, seconds: float, *, is_ban: bool) -> None:
        """By the venue: 429, 403, 418."""
        now = self._clock.monotonic()
        self._throttled_until = max(self._throttled_until, now + seconds)
        metrics.THROTTLED.labels("venue").inc()
        _log.warning(f"{TAG} throttled", request=what, seconds=round(seconds, 1), is_ban=is_ban)
        if is_ban:
            until_ms = self._venue_ms() + round(seconds * 1_000)
            metrics.BAN_UNTIL.set(until_ms / 1_000)
            self._tell(self.breaker.banned(f"our address is banned until {until_ms} (Unix ms)", seconds, now))

    def measure(self) -> None:
        """Set the gauges: now and then, not with each request."""
        mirror = self.mirror
        metrics.DEPENDENCY_UP.labels("exchange").set(not self.breaker.problem)
        metrics.RATE_USED.labels("weight_1m").set(mirror.weight.used)
        metrics.RATE_USED.labels("orders_10s").set(mirror.orders[0].used)
        metrics.RATE_USED.labels("orders_1m").set(mirror.orders[1].used)

    def _refuse(self, what: str, wait: Wait, by: str) -> ThrottledError:
        metrics.THROTTLED.labels(by).inc()
        return ThrottledError(f"{TAG} {what} was not sent: {wait.why}; in {wait.seconds:.1f} s", retry_after_seconds=wait.seconds)

    def _tell(self, change: Lost | Back | None) -> None:
        """Once for each loss and each return."""
        if isinstance(change, Lost):
            metrics.DEPENDENCY_UP.labels("exchange").set(0)
            self._alert(DEPENDENCY_FAILED, {"dependency": "exchange", **change._asdict()})
        elif isinstance(change, Back):
            metrics.DEPENDENCY_UP.labels("exchange").set(1)
            metrics.BAN_UNTIL.set(0)
            self._alert(DEPENDENCY_RECOVERED, {"dependency": "exchange", **change._asdict()})


def _count(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdecimal() else None

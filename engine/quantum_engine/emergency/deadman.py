"""Keeps a countdown running at the exchange that cancels what rests if this engine no longer does anything.

In    the engine's own books, the gate
Out   countdownCancelAll of 120 s per symbol with resting orders, refreshed each 30 s; source "deadman" restricts when that fails for long
Flow  positions -> HERE -> exchange
Why   a process that hangs, a node that is gone, a network that is cut: nobody is left to cancel, and its entries would fill all the same

It covers regular orders; conditional ones, the protective stops, live on.  While the gate is HALTED nothing is refreshed: nobody is in
charge of those orders, and the exchange cancels them when the time is over.  A process that ends leaves its countdowns running, and its
successor refreshes them or they strike.  Failing alone stops no trading; after 120 s of it, when the last countdown has run out, nothing
may open.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from quantum_api.gate import Gate
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.domain import OrderView
from quantum_engine.emergency.countdowns import COUNTDOWN_SECONDS, Call, Countdowns
from quantum_engine.errors import EngineError
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "deadman"
LOOK_SECONDS: Final = 1.0
"""An order that rests shorter than this needs no countdown."""
_log = logger("emergency")


class Countdown(Protocol):
    """The exchange, as far as this needs it."""

    async def arm_countdown(self, symbol: str, seconds: int) -> None: ...


class Resting(Protocol):
    """The engine's own books, as far as this needs them."""

    @property
    def open_orders(self) -> Mapping[str, OrderView]: ...


class DeadMan:
    """One engine's hand on the exchange's switch."""

    def __init__(self, venue: Countdown, books: Resting, permission: Permission, clock: Clock) -> None:
        self._venue, self._books, self._permission, self._clock = venue, books, permission, clock
        self._countdowns = Countdowns()
        self.problem = ""
        """Why arming failed last; empty once it succeeds."""

    @property
    def armed(self) -> tuple[str, ...]:
        """Symbols whose countdown runs, as far as is known here."""
        return tuple(sorted(self._countdowns.armed_at))

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Arm, refresh and disarm what is due."""
        calls = self._countdowns.due(self._resting(), self._clock.monotonic())
        await asyncio.gather(*(self._make(call) for call in calls))
        failing_seconds = self._countdowns.failing_seconds(self._clock.monotonic())
        metrics.DEADMAN_ARMED.set(len(self._countdowns.armed_at))
        metrics.DEADMAN_FAILING_SECONDS.set(failing_seconds)
        if not failing_seconds:
            self.problem = ""
        if failing_seconds > COUNTDOWN_SECONDS:
            self._permission.restrict(Restriction(SOURCE, Gate.REDUCE_ONLY, f"orders rest without a countdown: {self.problem}"))
        else:
            self._permission.lift(SOURCE)

    async def _make(self, call: Call) -> None:
        asked_at = self._clock.monotonic()
        try:
            await self._venue.arm_countdown(call.symbol, call.seconds)
        except EngineError as error:
            self.problem = f"{call.symbol}: {error}"
            self._countdowns.failed(call, self._clock.monotonic())
            _log.warning("countdown_not_armed", symbol=call.symbol, seconds=call.seconds, error=str(error))
        else:
            self._countdowns.done(call, asked_at)

    def _resting(self) -> dict[str, bool]:
        symbols = {order.symbol for order in self._books.open_orders.values() if not order.is_algo}
        return {symbol: self._permission.gate_for(symbol) is not Gate.HALTED for symbol in symbols}

"""Asks the exchange for the balance before an entry is judged on one that nobody has confirmed.

In    what became due, the exchange's answer
Out   a balance fit to judge with, or BALANCE_STALE with the reason; one request for all entries that wait for it
Flow  service -> HERE -> positions -> gate (snapshot)
Why   an entry on an unknown balance is no entry; an exit is never held up by one
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import structlog

from quantum_api.refusals import Refusal
from quantum_api.trading_policy import Limits
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.errors import EngineError, ThrottledError
from quantum_engine.exchanges.port import OrderUpdate
from quantum_engine.execution.due import MARGIN_CODES, Due, reason_to_ask
from quantum_engine.execution.ports import Holdings
from quantum_engine.verdicts import Declined, Refused, Verdict

log = structlog.get_logger("quantum_engine.execution")
LONGEST_WAIT_SECONDS: Final = 2.0
"""A signal that has waited longer is a signal of another market."""
PAUSE_AFTER_FAILURE_SECONDS: Final = 1.0
"""Until then the answer stands: a hundred waiting entries are no reason to ask a hundred times."""


class Balance:
    """Single flight: whoever comes while the exchange is being asked waits for the same answer."""

    def __init__(self, holdings: Holdings, clock: Clock, limits: Callable[[], Limits | None]) -> None:
        self._holdings, self._clock, self._limits = holdings, clock, limits
        self._fills = 0
        self._counted_since = float("-inf")
        self._was_refused = False
        self._asking: asyncio.Task[str] | None = None
        self._not_before = float("-inf")
        self._problem = ""
        holdings.on_order(self._count)

    def due(self) -> Due | None:
        """Why the exchange must be asked first; None when the balance is fit to judge with."""
        limits = self._limits()
        if limits is None:
            return None
        self._forget_what_was_read_since()
        age_seconds = self._clock.monotonic() - self._holdings.account_received_at
        return reason_to_ask(age_seconds, limits.max_balance_age_seconds, self._fills, was_refused=self._was_refused)

    async def refresh(self, due: Due) -> Refused | None:
        """Ask, or wait for the answer that is already on its way."""
        if self._clock.monotonic() >= self._not_before:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(due), name="balance")
            self._problem = await asyncio.shield(self._asking)
        if not self._problem or due.can_wait:
            return None
        word = Refusal.EQUITY_UNKNOWN if due is Due.NEVER_READ else Refusal.BALANCE_STALE
        return Refused(word, {"due": due.value, "detail": self._problem})

    def heard(self, verdict: Verdict) -> None:
        """What the exchange says of an order says something of the balance."""
        if isinstance(verdict, Declined) and verdict.code in MARGIN_CODES:
            self._forget_what_was_read_since()
            self._was_refused = True

    async def _ask(self, due: Due) -> str:
        """The problem, or nothing."""
        old = _equity(self._holdings)
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._holdings.refresh_account()
        except (EngineError, TimeoutError) as error:
            pause = max(PAUSE_AFTER_FAILURE_SECONDS, error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0)
            self._not_before = self._clock.monotonic() + pause
            problem = str(error) or f"the exchange has not told the balance within {LONGEST_WAIT_SECONDS:g} s"
            log.warning("balance_not_refreshed", due=due.value, error=problem, retry_seconds=round(pause, 1))
            metrics.BALANCE_REFRESHES.labels(due.value, "failed").inc()
            return problem
        self._was_refused, self._fills = False, 0
        new = _equity(self._holdings)
        log.info("balance_refreshed", due=due.value, old_equity_usdt=_text(old), new_equity_usdt=_text(new))
        metrics.BALANCE_REFRESHES.labels(due.value, "done").inc()
        return ""

    def _count(self, update: OrderUpdate) -> None:
        if update.fill is not None:
            self._forget_what_was_read_since()
            self._fills += 1

    def _forget_what_was_read_since(self) -> None:
        """A comparison with the exchange has asked for the balance too: what went before it counts no more."""
        if self._holdings.account_asked_at != self._counted_since:
            self._counted_since = self._holdings.account_asked_at
            self._was_refused, self._fills = False, 0


def _equity(holdings: Holdings) -> Decimal | None:
    account = holdings.account
    return None if account is None else account.equity_usdt


def _text(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:f}"

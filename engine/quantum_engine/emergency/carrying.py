"""Cancels and closes what a plan says, every symbol at once, and says what became of it.

In    one round's work
Out   per symbol: troubles, sentences for people, whether anything was executed
Flow  worker -> HERE -> exchange, execution -> troubles
Why   one symbol's trouble holds up no other, and a cancel that failed does not keep the position: at worst the exchange refuses the close
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Final

from quantum_engine.clock import IdSource
from quantum_engine.emergency.plan import Close, SymbolWork, closing_intent
from quantum_engine.emergency.ports import Submit, Venue
from quantum_engine.emergency.troubles import Trouble, trouble_of
from quantum_engine.errors import EngineError, ThrottledError
from quantum_engine.logs import logger
from quantum_engine.verdicts import Accepted, Declined, Verdict

ONE_BY_ONE_AT_ONCE: Final = 10
_log = logger("emergency")


@dataclass(slots=True)
class Carried:
    """What became of one symbol's work."""

    symbol: str
    troubles: list[Trouble] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    closed: bool = False
    """A closing order was taken."""
    throttled_seconds: float = 0.0

    @property
    def gave_way(self) -> bool:
        """Or there was nothing to close, and the cancels went well."""
        return self.closed or not self.troubles

    def failed(self, trouble: Trouble, problem: object, patience_seconds: float = 0.0) -> None:
        self.troubles.append(trouble)
        self.problems.append(f"{self.symbol}: {problem}")
        self.throttled_seconds = max(self.throttled_seconds, patience_seconds)


class Carrier:
    """Sends one round's cancels and closes."""

    def __init__(self, venue: Venue, submit: Submit, ids: IdSource) -> None:
        self._venue, self._submit, self._ids = venue, submit, ids

    async def carry_out(self, work: Iterable[SymbolWork], remembered: Awaitable[None]) -> list[Carried]:
        """Cancels leave at once; closes wait for ``remembered``, when the latch is on disk or the disk will not take it."""
        on_disk = asyncio.ensure_future(remembered)
        try:
            carried = await asyncio.gather(*(self._work_on(item, on_disk) for item in work))
            await on_disk
            return carried
        finally:
            on_disk.cancel()

    async def _work_on(self, item: SymbolWork, on_disk: "asyncio.Future[None]") -> Carried:
        carried = Carried(item.symbol)
        await self._cancel(item, carried)
        await asyncio.wait({on_disk})
        await asyncio.gather(*(self._close(item.symbol, close, carried) for close in item.closes))
        for problem in carried.problems:
            _log.warning("stop_work_failed", problem=problem)
        return carried

    async def _cancel(self, item: SymbolWork, carried: Carried) -> None:
        try:
            await self._venue.cancel_all(item.symbol)
        except EngineError as error:
            carried.failed(Trouble.CANCEL_FAILED, error, _patience(error))
        some = asyncio.Semaphore(ONE_BY_ONE_AT_ONCE)

        async def cancel(number: int) -> None:
            async with some:
                try:
                    await self._venue.cancel_order(item.one_by_one[number])
                except EngineError as error:
                    carried.failed(Trouble.CANCEL_FAILED, f"order {item.one_by_one[number].order_id}: {error}", _patience(error))

        await asyncio.gather(*(cancel(number) for number in range(len(item.one_by_one))))

    async def _close(self, symbol: str, close: Close, carried: Carried) -> None:
        try:
            verdict = await self._submit(closing_intent(symbol, close, f"exit-{self._ids()}", "emergency stop"))
        except EngineError as error:
            carried.failed(Trouble.UNANSWERED, error, _patience(error))
            return
        trouble = trouble_of(verdict)
        if trouble is None:
            carried.closed = True
        elif trouble is Trouble.NOTHING_HELD:
            carried.troubles.append(trouble)
        else:
            patience = verdict.retry_after_seconds if isinstance(verdict, Declined) else 0.0
            carried.failed(trouble, _said(close, verdict), patience)


def _said(close: Close, verdict: Verdict) -> str:
    order = "market order" if close.price is None else f"limit at {close.price}"
    if isinstance(verdict, Accepted):
        return f"closing {order} found no taker within the exchange's price band"
    return f"closing {order} not taken: {verdict.message if isinstance(verdict, Declined) else verdict}"


def _patience(error: EngineError) -> float:
    return error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0

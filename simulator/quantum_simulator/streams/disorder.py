"""What ordered stream faults do to an account's events on their way: late, swapped, twice.  Pure.

In    the events of one command, the faults, the time
Out   the events that leave now; later those that were held back
Flow  publisher -> HERE -> hub
Why   a client that trusts the order, the moment or the uniqueness of events loses money on the day when one of them fails
"""

from collections import deque
from typing import Any, NamedTuple

from quantum_simulator.faults import FaultKind, Faults

Json = dict[str, Any]
PRIVATE = "/private"


class Held(NamedTuple):
    due_ms: int
    event: Json


class Disorder:
    """Holds what is late, per account, first in first out: an event never overtakes one that was delayed before it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: dict[str, deque[Held]] = {}

    def through(self, account: str, events: list[Json], now_ms: int) -> list[Json]:
        """What leaves now of the events of one command."""
        if not self._faults.ordered and not self._held:
            return events
        told = [again for each in self._swapped(account, events, now_ms) for again in self._repeated(account, each, now_ms)]
        return [each for each in told if not self._holds(account, each, now_ms)]

    def _swapped(self, account: str, events: list[Json], now_ms: int) -> list[Json]:
        """ACCOUNT_UPDATE before ORDER_TRADE_UPDATE, where one command caused both."""
        first = [each for each in events if each["e"] == "ACCOUNT_UPDATE"]
        others = [each for each in events if each["e"] != "ACCOUNT_UPDATE"]
        if not first or not others or self._faults.struck_stream(FaultKind.STREAM_SWAP, account, PRIVATE, now_ms) is None:
            return events
        return first + others

    def _repeated(self, account: str, event: Json, now_ms: int) -> list[Json]:
        fault = self._faults.struck_stream(FaultKind.STREAM_DUPLICATE, account, PRIVATE, now_ms, event["e"])
        return [event] if fault is None else [event, event]

    def _holds(self, account: str, event: Json, now_ms: int) -> bool:
        fault = self._faults.struck_stream(FaultKind.STREAM_DELAY, account, PRIVATE, now_ms, event["e"])
        waiting = self._held.get(account)
        if fault is None and not waiting:
            return False
        due_ms = now_ms + (fault.delay_ms if fault else 0)
        self._held.setdefault(account, deque()).append(Held(due_ms, event))
        return True

    def next_due_ms(self) -> int | None:
        return min((each[0].due_ms for each in self._held.values()), default=None)

    def release(self, now_ms: int) -> list[tuple[str, Json]]:
        """(account, event) whose time has come."""
        due: list[tuple[str, Json]] = []
        for account in list(self._held):
            waiting = self._held[account]
            while waiting and waiting[0].due_ms <= now_ms:
                due.append((account, waiting.popleft().event))
            if not waiting:
                del self._held[account]
        return due

"""What stands in the way out of one symbol, and how to try instead.  Pure.

In    what became of each cancel and closing order since the symbol last gave way
Out   how its next round is done
Flow  carrying -> HERE -> plan
Why   the same again is no way out: an empty book takes no market order, a broken "cancel all" may still cancel one
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quantum_engine.verdicts import Accepted, Declined, Verdict


class Trouble(StrEnum):
    CANCEL_FAILED = "CANCEL_FAILED"
    COVERED = "COVERED"
    """Resting reduce-only orders cover the position: the exchange takes no second close."""
    NOTHING_HELD = "NOTHING_HELD"
    """There is no such position any more: look again."""
    THIN = "THIN"
    """Nobody within the price band takes the order."""
    REFUSED = "REFUSED"
    THROTTLED = "THROTTLED"
    UNANSWERED = "UNANSWERED"


# https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code
OF_CODE: Final = {
    -4118: Trouble.COVERED,        # "ReduceOnly Order Failed. Please check your existing position and open orders"
    -2022: Trouble.NOTHING_HELD,   # "ReduceOnly Order is rejected."
    -4131: Trouble.THIN,           # MARKET_ORDER_REJECT: the counterparty's best price does not meet PERCENT_PRICE
    -4016: Trouble.THIN,           # the limit is above the band: the mark has moved on
    -4024: Trouble.THIN,           # the limit is below the band
}  # fmt: skip
PATIENCE: Final = 2
"""Failures of one kind before something else is tried."""
MOST_PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class How:
    """One symbol's next round."""

    one_by_one: bool = False
    """Cancel every order that is seen by its own number as well."""
    by_limit: bool = False
    """Close by a limit at the edge of the price band instead of a market order."""
    rests: bool = False
    """Such a limit waits for takers until the next round instead of expiring at once."""
    parts: int = 1
    """Close only this fraction of the position."""


PLAINLY: Final = How()


def how(met: Mapping[Trouble, int], *, is_overdue: bool) -> How:
    """Market and limit take turns in a thin book: the one that failed last is not tried next."""
    stuck = met.get(Trouble.CANCEL_FAILED, 0) + met.get(Trouble.COVERED, 0)
    return How(
        one_by_one=stuck >= (1 if is_overdue else PATIENCE),
        by_limit=met.get(Trouble.THIN, 0) % 2 == 1,
        rests=is_overdue,
        parts=min(2 ** (met.get(Trouble.REFUSED, 0) // PATIENCE), MOST_PARTS),
    )


def trouble_of(verdict: Verdict) -> Trouble | None:
    """None when it went well, or when its outcome is still being asked about."""
    match verdict:
        case Accepted(order=order):
            is_spent = order is not None and not order.status.is_open and not order.executed
            return Trouble.THIN if is_spent else None
        case Declined(code=code, retry_after_seconds=seconds):
            if seconds > 0:
                return Trouble.THROTTLED
            return OF_CODE.get(code, Trouble.REFUSED if code else Trouble.UNANSWERED)
        case _:
            return Trouble.REFUSED


class Met:
    """Per symbol, what was met since it last gave way."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, Counter[Trouble]] = {}

    def how(self, symbol: str, *, is_overdue: bool) -> How:
        met = self._by_symbol.get(symbol)
        return PLAINLY if met is None else how(met, is_overdue=is_overdue)

    def learn(self, symbol: str, troubles: Iterable[Trouble], *, gave_way: bool) -> None:
        """An order that executed ends the detour: what is left is tried plainly again."""
        if gave_way:
            self._by_symbol.pop(symbol, None)
        self._by_symbol.setdefault(symbol, Counter()).update(troubles)

    def forget(self) -> None:
        self._by_symbol.clear()

"""When the balance must be asked for again before an entry may be judged.  Pure; times and counts are handed in.

In    age of the newest word on the balance, fills since the exchange was last asked, whether it has refused for want of margin
Out   the reason to ask, or None
Flow  service -> HERE -> balance
Why   leverage is judged against equity: an entry on a balance that nobody has confirmed for minutes, or through a burst of fills, is judged
      against money that may be gone
"""

from enum import StrEnum
from typing import Final

REFRESH_AT_SHARE: Final = 0.8
"""Of maxBalanceAgeSeconds: somewhat before the gate would refuse, so that an order does not wait for the limit itself."""
FILLS_BEFORE_REFRESH: Final = 10
"""The stream tells each fill's profit, but not what margin and fees have left free."""
MARGIN_CODES: Final = frozenset({-2010, -2018, -2019, -2027})
"""New order rejected, balance not sufficient, margin insufficient, above the leverage's position: the exchange counts otherwise than we do.
https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code"""


class Due(StrEnum):
    """Why the balance is asked for."""

    NEVER_READ = "never read"
    AGE = "age"
    FILLS = "fills"
    MARGIN = "margin refused"

    @property
    def can_wait(self) -> bool:
        """When it cannot be asked: an age is judged by the gate, with the policy's number; the others leave the balance unknown."""
        return self is Due.AGE


def reason_to_ask(age_seconds: float, limit_seconds: float, fills: int, *, was_refused: bool) -> Due | None:
    """``age_seconds`` infinite = never read."""
    if age_seconds == float("inf"):
        return Due.NEVER_READ
    if was_refused:
        return Due.MARGIN
    if fills >= FILLS_BEFORE_REFRESH:
        return Due.FILLS
    return Due.AGE if age_seconds >= limit_seconds * REFRESH_AT_SHARE else None

"""Was it done?  Reads the venue's answer, or its absence.  Pure.

In    HTTP status, the venue's code and message, Retry-After; or a failure of the transport and whether bytes were sent
Out   one Outcome
Flow  transport -> HERE -> errors of the exchange port -> execution
Why   "Unknown error" and "Service Unavailable" are both 503 but mean opposite things; treating the first as a failure doubles orders
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """Understood and surely not done."""
    THROTTLED = "THROTTLED"
    """Surely not done, and not to be repeated before ``retry_after_seconds``."""
    NOT_DONE = "NOT_DONE"
    """Surely not done, for no fault of the request: never sent, or the venue shed load."""
    UNKNOWN = "UNKNOWN"
    """It may have been done."""
    DUPLICATE_ID = "DUPLICATE_ID"
    """An order with this client id is open: probably ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.  ``code`` 0 when the body bore none."""

    status: int
    code: int = 0
    message: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    outcome: Outcome
    retry_after_seconds: float = 0.0


# https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code
BY_CODE: Final[dict[int, Outcome]] = {
    -1000: Outcome.UNKNOWN,        # UNKNOWN: "an unknown error occurred while processing the request"
    -1001: Outcome.UNKNOWN,        # DISCONNECTED: "internal error; unable to process your request"
    -1006: Outcome.UNKNOWN,        # UNEXPECTED_RESP: "execution status unknown"
    -1007: Outcome.UNKNOWN,        # TIMEOUT: "send status unknown; execution status unknown"
    -1003: Outcome.THROTTLED,      # TOO_MANY_REQUESTS, also "IP banned until"
    -1015: Outcome.THROTTLED,      # TOO_MANY_ORDERS: an order-count window, not a ban
    -1008: Outcome.NOT_DONE,       # "request throttled by system-level protection"; reduce-only orders are exempt
    -4116: Outcome.DUPLICATE_ID,   # DUPLICATED_CLIENT_TRAN_ID
}  # fmt: skip

BY_STATUS: Final[dict[int, Outcome]] = {
    403: Outcome.THROTTLED,        # web application firewall
    408: Outcome.UNKNOWN,          # timeout waiting for the backend
    418: Outcome.THROTTLED,        # banned
    429: Outcome.THROTTLED,        # weight exceeded
}  # fmt: skip

PAUSE_SECONDS: Final[dict[int, float]] = {403: 30.0, 418: 120.0, 429: 10.0}
"""When the venue names no time; 418: bans begin at two minutes."""
ORDER_WINDOW_SECONDS: Final = 10.0
_SHED: Final = re.compile(r"service unavailable", re.IGNORECASE)
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{12,})")


def judge(answer: Answer, now_ms: int) -> Judged:
    """Most specific first: success, the message that turns a 503 around, the code, the status."""
    if 200 <= answer.status < 300:
        return Judged(Outcome.ACCEPTED)
    if answer.status == 503 and _SHED.search(answer.message):
        return Judged(Outcome.NOT_DONE, answer.retry_after_seconds or 0.0)
    outcome = BY_STATUS.get(answer.status) or BY_CODE.get(answer.code)
    if outcome is None:
        outcome = Outcome.REFUSED if 400 <= answer.status < 500 and answer.code else Outcome.UNKNOWN
    if outcome is Outcome.THROTTLED:
        return Judged(outcome, _pause_seconds(answer, now_ms))
    return Judged(outcome, answer.retry_after_seconds or 0.0)


def judge_failure(*, bytes_were_sent: bool) -> Judged:
    """No answer at all.  What never left was surely not done."""
    return Judged(Outcome.UNKNOWN if bytes_were_sent else Outcome.NOT_DONE)


def _pause_seconds(answer: Answer, now_ms: int) -> float:
    banned = _BANNED_UNTIL.search(answer.message)
    if banned:
        return max((int(banned.group(1)) - now_ms) / 1000, 1.0)
    if answer.retry_after_seconds is not None:
        return answer.retry_after_seconds
    return ORDER_WINDOW_SECONDS if answer.code == -1015 else PAUSE_SECONDS.get(answer.status, 10.0)

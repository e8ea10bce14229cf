"""Was it done?  Reads the venue's answer, or its absence.  Pure.

In    HTTP status, the venue's code and message, Retry-After; or a failure of the transport and whether bytes were sent
Out   one Outcome, with how long to wait and whether the address is banned
Flow  transport -> HERE (codes: the table) -> errors of the exchange port -> execution
Why   "Unknown error" and "Service Unavailable" are both 503 but mean opposite things; treating the first as a failure doubles orders
"""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from quantum_engine.exchanges.binance_futures import wire
from quantum_engine.exchanges.binance_futures.codes import CODES, Outcome

__all__ = ["Answer", "Judged", "Outcome", "judge", "judge_failure", "read_answer"]


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
    is_ban: bool = False
    """Of the whole address, until then: asking on makes it longer."""


BY_STATUS: Final[dict[int, Outcome]] = {
    403: Outcome.THROTTLED,        # web application firewall
    408: Outcome.UNKNOWN,          # timeout waiting for the backend
    418: Outcome.THROTTLED,        # banned
    429: Outcome.THROTTLED,        # weight exceeded
}  # fmt: skip
"""Before the code: a firewall's or a gateway's page may bear any text."""

PAUSE_SECONDS: Final[dict[int, float]] = {403: 30.0, 418: 120.0, 429: 10.0}
"""When the venue names no time; 418: bans begin at two minutes."""
ORDER_WINDOW_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 3 * 86_400.0
"""Bans end after three days at most; a time beyond that is a mistake of somebody's."""
_NEEDS_4XX: Final = frozenset({Outcome.REFUSED, Outcome.CANNOT_TRADE, Outcome.THROTTLED})
_SHED: Final = re.compile(r"\s*service unavailable[^<]*", re.IGNORECASE)
"""The venue's own sentence.  A proxy's page with these words says nothing of what happened behind the proxy."""
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{12,15})\b")


def read_answer(status: int, body: bytes, retry_after: str | None) -> Answer:
    """Whatever the body is: the venue's JSON, a proxy's page, half a message, nothing."""
    try:
        failure = msgspec.json.decode(body, type=wire.Failure)
    except (msgspec.MsgspecError, ValueError):
        failure = wire.Failure(0, body[:200].decode(errors="replace"))
    wait = float(retry_after) if retry_after is not None and retry_after.isascii() and retry_after.isdecimal() else None
    return Answer(status, failure.code, failure.msg, wait)


def judge(answer: Answer, now_ms: int) -> Judged:
    """Most specific first: success, the message that turns a 503 around, the status, the code."""
    if 200 <= answer.status < 300:
        return Judged(Outcome.ACCEPTED)
    if answer.status == 503 and _SHED.fullmatch(answer.message):
        return Judged(Outcome.NOT_DONE, answer.retry_after_seconds or 0.0)
    outcome = BY_STATUS.get(answer.status) or _by_code(answer)
    if outcome is Outcome.THROTTLED:
        banned = _BANNED_UNTIL.search(answer.message)
        return Judged(outcome, _pause_seconds(answer, banned, now_ms), is_ban=answer.status == 418 or banned is not None)
    return Judged(outcome, answer.retry_after_seconds or 0.0)


def judge_failure(*, bytes_were_sent: bool) -> Judged:
    """No answer at all.  What never left was surely not done."""
    return Judged(Outcome.UNKNOWN if bytes_were_sent else Outcome.NOT_DONE)


def _by_code(answer: Answer) -> Outcome:
    """A refusal is believed only with a 4xx and a code: any other answer may come from before or behind the venue."""
    is_refusal = 400 <= answer.status < 500 and answer.code != 0
    row = CODES.get(answer.code)
    outcome = row.outcome if row else Outcome.REFUSED
    if outcome in _NEEDS_4XX and not is_refusal:
        return Outcome.UNKNOWN
    return outcome


def _pause_seconds(answer: Answer, banned: re.Match[str] | None, now_ms: int) -> float:
    if banned:
        seconds = max((int(banned.group(1)) - now_ms) / 1000, 1.0)
    elif answer.retry_after_seconds is not None:
        seconds = answer.retry_after_seconds
    else:
        seconds = ORDER_WINDOW_SECONDS if answer.code == -1015 else PAUSE_SECONDS.get(answer.status, 10.0)
    return min(seconds, LONGEST_PAUSE_SECONDS)

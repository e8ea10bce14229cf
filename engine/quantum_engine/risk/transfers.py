"""Which transfers of money are in the peak and in the day's start already.  Pure.

In    transfers, told by the user stream or found by asking, in any order and with repeats
Out   whether one is news; from when on must be asked
Flow  measures -> HERE -> breaker, day, velocity; record
Why   a withdrawal that nobody saw looks like a loss, and a deposit that nobody saw hides one: after a time without the stream the exchange
      is asked, and what both channels tell counts once

The two channels name no common id, and their times may differ a little: one entry of each with the same amount within PAIR_MS is the same.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from quantum_engine.domain import Transferred

PAIR_MS: Final = 5_000
REMEMBERED: Final = 32


@dataclass(frozen=True, slots=True)
class Told:
    """One transfer, and when it was by each channel's word; None = that channel has not told it."""

    amount_usdt: Decimal
    streamed_ms: int | None
    asked_ms: int | None

    @property
    def newest_ms(self) -> int:
        return max(time_ms for time_ms in (self.streamed_ms, self.asked_ms) if time_ms is not None)


@dataclass(frozen=True, slots=True)
class TransferLog:
    """``known_to_ms``: on the exchange's clock; every transfer before it is in the numbers.  None = nothing was measured yet."""

    known_to_ms: int | None = None
    recent: tuple[Told, ...] = ()


def taken(log: TransferLog, transfer: Transferred) -> tuple[TransferLog, bool]:
    """The log with it, and whether it was news."""
    if any(_is_repeat(told, transfer) for told in log.recent):
        return log, False
    for number, told in enumerate(log.recent):
        if _is_pair(told, transfer):
            return replace(log, recent=(*log.recent[:number], _paired(told, transfer), *log.recent[number + 1 :])), False
    return _bounded(replace(log, recent=(*log.recent, _paired(Told(transfer.amount_usdt, None, None), transfer)))), True


def asked_to(log: TransferLog, known_to_ms: int) -> TransferLog:
    """The exchange was asked for everything up to then, and all of it was taken."""
    if log.known_to_ms is not None and known_to_ms <= log.known_to_ms:
        return log
    return TransferLog(known_to_ms, tuple(each for each in log.recent if each.newest_ms >= known_to_ms - 2 * PAIR_MS))


def _is_repeat(told: Told, transfer: Transferred) -> bool:
    known_ms = told.asked_ms if transfer.is_asked else told.streamed_ms
    return told.amount_usdt == transfer.amount_usdt and known_ms == transfer.time_ms


def _is_pair(told: Told, transfer: Transferred) -> bool:
    own_ms, other_ms = (told.asked_ms, told.streamed_ms) if transfer.is_asked else (told.streamed_ms, told.asked_ms)
    if told.amount_usdt != transfer.amount_usdt or own_ms is not None or other_ms is None:
        return False
    return abs(other_ms - transfer.time_ms) <= PAIR_MS


def _paired(told: Told, transfer: Transferred) -> Told:
    return replace(told, asked_ms=transfer.time_ms) if transfer.is_asked else replace(told, streamed_ms=transfer.time_ms)


def _bounded(log: TransferLog) -> TransferLog:
    """What is forgotten must not be asked for again."""
    if len(log.recent) <= REMEMBERED:
        return log
    gone = min(log.recent, key=lambda each: each.newest_ms)
    known_to_ms = None if log.known_to_ms is None else max(log.known_to_ms, gone.newest_ms + PAIR_MS)
    return TransferLog(known_to_ms, tuple(each for each in log.recent if each is not gone))

"""The row in which the peak, the day's start and the transfers in them outlive the engine.  Pure.

In    a Record, or the bytes of one
Out   the bytes, or the Record; CorruptStateError when they cannot be read
Flow  keeping -> HERE -> journal, mirror
Why   one row: peak and day are on disk together or not at all
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from quantum_engine.errors import CorruptStateError
from quantum_engine.risk.day import DayState
from quantum_engine.risk.transfers import Told, TransferLog

MOST_USDT: Final = Decimal("1E+15")
MOST_MS: Final = 2**53


@dataclass(frozen=True, slots=True)
class Record:
    """``begun_anew``: written by an engine that had lost its journal and could not ask the mirror yet.

    ``peak_usdt`` None: people released a drawdown stop while equity was not known; the next reading is the peak.
    """

    peak_usdt: Decimal | None
    day: DayState = field(default_factory=DayState)
    transfers: TransferLog = field(default_factory=TransferLog)
    begun_anew: bool = False


def encode(record: Record, now_ms: int) -> bytes:
    peak = None if record.peak_usdt is None else str(record.peak_usdt)
    row: dict[str, Any] = {"peakUsdt": peak, "asOfMs": now_ms, "begunAnew": record.begun_anew}
    if record.day.number is not None:
        row["day"] = {"number": record.day.number, "startUsdt": str(record.day.start_usdt), "lastUsdt": str(record.day.last_usdt)}
    row["transfersKnownToMs"] = record.transfers.known_to_ms
    row["transfers"] = [_row_of(told) for told in record.transfers.recent]
    return json.dumps(row).encode()


def decode(row: bytes) -> Record:
    """Rows of engines that knew no day have none."""
    try:
        found = json.loads(row)
        peak, day = found["peakUsdt"], found.get("day")
        return Record(
            None if peak is None else _amount(peak),
            DayState() if day is None else _day(day),
            TransferLog(_time(found.get("transfersKnownToMs")), tuple(_told(each) for each in found.get("transfers", []))),
            found.get("begunAnew") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise CorruptStateError(f"the stored equity peak cannot be read: {error}") from error


def _row_of(told: Told) -> dict[str, Any]:
    return {"usdt": str(told.amount_usdt), "streamedMs": told.streamed_ms, "askedMs": told.asked_ms}


def _told(row: Any) -> Told:
    told = Told(_amount(row["usdt"]), _time(row["streamedMs"]), _time(row["askedMs"]))
    if told.streamed_ms is None and told.asked_ms is None:
        raise ValueError("a transfer without a time")
    return told


def _day(day: Any) -> DayState:
    return DayState(int(day["number"]), _amount(day["startUsdt"]), _amount(day["lastUsdt"]))


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite() or amount.copy_abs() > MOST_USDT:
        raise ValueError(f"no amount of money: {text}")
    return amount


def _time(found: Any) -> int | None:
    if found is None or (type(found) is int and abs(found) <= MOST_MS):
        return found
    raise ValueError(f"no time: {found!r}")

"""The position in one symbol, from fills and from what the exchange says it is, in any order and with repeats.  Pure.

In    fills (identity: trade id), statements ("the position is q", true at some moment of a known stretch of the exchange's time)
Out   the quantity, which is the sum of all fills once everything has arrived
Flow  user stream, reconciliation -> HERE -> book
Why   the same trade comes as TRADE_LITE, as order update, inside an account update and inside a REST answer; counting it by arrival
      doubles or loses it, and a position that is wrong for a moment lets a "reduce" order flip it
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_engine.domain import Fill

ZERO = Decimal(0)
REMEMBERED_FILLS = 2_000
OUT_OF_ORDER_MS = 60_000
"""No channel brings a fill later than this after a newer one."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The exchange's word on a position.

    It holds every fill before ``from_ms`` and none after ``to_ms``; of those between, some.  A listed position with its own update time
    leaves no doubt, an account update that millisecond, a symbol that is absent from an answer the whole time of the request.
    """

    quantity: Decimal
    entry_price: Decimal
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class PositionLine:
    """Mutable accumulator of one symbol; no clock, no I/O."""

    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    stated_from_ms: int = -1
    stated_to_ms: int = -1
    _awaited: list[Decimal] = field(default_factory=list)
    """What each statement of the newest stretch holds of fills that the stream has yet to bring."""
    _seen: OrderedDict[int, Fill] = field(default_factory=OrderedDict)

    def fill(self, fill: Fill) -> Decimal | None:
        """Count it once.  The profit it realised, in USDT before fees; None when it had been counted already."""
        if fill.trade_id in self._seen or not fill.quantity:
            return None
        self._remember(fill)
        signed = fill.quantity * fill.side.sign
        if fill.time_ms < self.stated_from_ms or (fill.time_ms <= self.stated_to_ms and self._was_awaited(signed)):
            return None
        return self._trade(signed, fill.price)

    def state(self, statement: Statement) -> None:
        """Take the exchange's word.  One older than the newest is passed over."""
        if statement.to_ms < self.stated_from_ms:
            return
        before = self.quantity
        if statement.from_ms > self.stated_to_ms:
            self._awaited.clear()
        quantity = statement.quantity + self._sum(statement.to_ms + 1, None)
        if statement.from_ms < statement.to_ms and quantity + self._sum(statement.from_ms, statement.to_ms) == self.quantity:
            quantity = self.quantity
        if quantity == statement.quantity:
            self.entry_price = statement.entry_price
        self.quantity = quantity
        if quantity != before:
            self._awaited.append(quantity - before)
        self.stated_from_ms, self.stated_to_ms = statement.from_ms, statement.to_ms

    def _was_awaited(self, signed: Decimal) -> bool:
        """Whether a statement already holds this fill: the first that awaits as much on its side."""
        for number, awaited in enumerate(self._awaited):
            if awaited * signed > 0 and abs(awaited) >= abs(signed):
                self._awaited[number] = awaited - signed
                return True
        return False

    def _sum(self, from_ms: int, to_ms: int | None) -> Decimal:
        total = ZERO
        for fill in reversed(self._seen.values()):
            if fill.time_ms < from_ms - OUT_OF_ORDER_MS:
                break
            if fill.time_ms >= from_ms and (to_ms is None or fill.time_ms <= to_ms):
                total += fill.quantity * fill.side.sign
        return total

    def _trade(self, signed: Decimal, price: Decimal) -> Decimal:
        before, after = self.quantity, self.quantity + signed
        closed = ZERO if before * signed >= 0 else min(abs(before), abs(signed)).copy_sign(before)
        realised_usdt = closed * (price - self.entry_price)
        if before * signed >= 0:
            self.entry_price = (abs(before) * self.entry_price + abs(signed) * price) / abs(after)
        elif after * before < 0:
            self.entry_price = price
        elif not after:
            self.entry_price = ZERO
        self.quantity = after
        return realised_usdt

    def _remember(self, fill: Fill) -> None:
        self._seen[fill.trade_id] = fill
        if len(self._seen) > REMEMBERED_FILLS:
            self._seen.popitem(last=False)

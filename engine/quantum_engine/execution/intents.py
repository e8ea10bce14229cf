"""What becomes of each intent: states, their table, and the memory of them.  Pure.

In    intents, what happened to them
Out   records to be written to the journal; which intents are still open questions
Flow  service -> HERE -> journal (before the order is sent), gate (duplicates, orders in flight)
Why   an intent that might be live is never sent again; only SURELY_NOT_DONE leads back to where it may be sent
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Final

import msgspec

from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, PositionSide, Purpose, Side
from quantum_engine.errors import CorruptStateError


class IntentState(StrEnum):
    RECORDED = "RECORDED"
    """In the journal; surely not at the exchange."""
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    """Sent, and the answer did not say whether it was done."""
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """Surely not live: refused by the exchange, never sent, or asked about and not there."""

    @property
    def is_final(self) -> bool:
        return self in (IntentState.ACCEPTED, IntentState.REFUSED)


class Happened(StrEnum):
    SENDING = "SENDING"
    SURELY_NOT_DONE = "SURELY_NOT_DONE"
    CANNOT_TELL = "CANNOT_TELL"
    FOUND = "FOUND"
    """The exchange has it: it answered so, was asked, or its stream said so."""
    NOT_THERE = "NOT_THERE"
    """The exchange refused it, or does not know it and no request of ours can still be on its way."""


_S, _H = IntentState, Happened
TRANSITIONS: Final[dict[tuple[IntentState, Happened], IntentState]] = {
    (_S.RECORDED, _H.SENDING): _S.SENT,
    (_S.RECORDED, _H.NOT_THERE): _S.REFUSED,       # the gate closed while the journal was written
    (_S.RECORDED, _H.FOUND): _S.ACCEPTED,          # after a restart: it had been sent after all
    (_S.RECORDED, _H.CANNOT_TELL): _S.UNKNOWN,     # after a restart: ask
    (_S.SENT, _H.SURELY_NOT_DONE): _S.RECORDED,    # the only way back
    (_S.SENT, _H.CANNOT_TELL): _S.UNKNOWN,
    (_S.SENT, _H.FOUND): _S.ACCEPTED,
    (_S.SENT, _H.NOT_THERE): _S.REFUSED,
    (_S.UNKNOWN, _H.FOUND): _S.ACCEPTED,
    (_S.UNKNOWN, _H.NOT_THERE): _S.REFUSED,
    (_S.UNKNOWN, _H.CANNOT_TELL): _S.UNKNOWN,
    (_S.ACCEPTED, _H.FOUND): _S.ACCEPTED,          # the stream repeats what the answer said
}  # fmt: skip

KEPT_SECONDS: Final = 24 * 3_600
MOST_KEPT: Final = 20_000


class IntentRecord(msgspec.Struct, kw_only=True):
    """One row of the journal."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    purpose: Purpose
    time_in_force: str
    reason: str
    recorded_ms: int
    position_side: PositionSide = PositionSide.BOTH
    state: IntentState = IntentState.RECORDED
    last_sent_ms: int = 0
    """On the exchange's clock, as is ``recorded_ms``."""
    sent_times: int = 0
    note: str = ""
    code: int = 0
    """The exchange's own word, when it refused."""
    refusal: str = ""
    """The gate's word, when it refused after the record was written."""
    stamp: str = ""

    @property
    def intent(self) -> OrderIntent:
        return OrderIntent(
            self.id, self.symbol, self.side, self.quantity, self.price, self.reduce_only, self.purpose, self.time_in_force, self.reason,
            self.position_side, self.stamp,
        )  # fmt: skip

    @property
    def is_live(self) -> bool | None:
        """Whether the exchange took it; None while that is not known."""
        return self.state is IntentState.ACCEPTED if self.state.is_final else None

    @property
    def as_order(self) -> OrderView:
        """As it may rest at the exchange, for whoever counts what could fill."""
        return OrderView(
            symbol=self.symbol,
            order_id=0,
            client_order_id=self.client_order_id,
            side=self.side,
            status=OrderStatus.NEW,
            quantity=self.quantity,
            executed=Decimal(0),
            price=self.price or Decimal(0),
            reduce_only=self.reduce_only,
            update_time_ms=self.last_sent_ms,
        )


def client_order_id(intent_id: str) -> str:
    """The same for the same intent, within ``^[.A-Z:/a-z0-9_-]{1,36}$``."""
    return f"qt-{blake2b(intent_id.encode(), digest_size=16).hexdigest()}"


def encode(record: IntentRecord) -> bytes:
    return msgspec.json.encode(record)


def decode(key: str, row: bytes) -> IntentRecord:
    try:
        return msgspec.json.decode(row, type=IntentRecord)
    except msgspec.MsgspecError as error:
        raise CorruptStateError(f"the journal's intent {key} cannot be read: {error}") from error


class IntentTable:
    """Every intent of the last day, by its id and by its client order id."""

    def __init__(self) -> None:
        self._by_id: dict[str, IntentRecord] = {}
        self._by_client_id: dict[str, IntentRecord] = {}
        self._open: dict[str, IntentRecord] = {}

    def __contains__(self, intent_id: str) -> bool:
        return intent_id in self._by_id

    def record(self, intent: OrderIntent, now_ms: int) -> IntentRecord:
        record = IntentRecord(
            id=intent.id,
            client_order_id=client_order_id(intent.id),
            symbol=intent.symbol,
            side=intent.side,
            quantity=intent.quantity,
            price=intent.price,
            reduce_only=intent.reduce_only,
            purpose=intent.purpose,
            time_in_force=intent.time_in_force,
            reason=intent.reason,
            recorded_ms=now_ms,
            position_side=intent.position_side,
            stamp=intent.stamp,
        )
        self.restore(record)
        return record

    def restore(self, record: IntentRecord) -> None:
        self._by_id[record.id] = self._by_client_id[record.client_order_id] = record
        if not record.state.is_final:
            self._open[record.id] = record

    def move(self, record: IntentRecord, happened: Happened, now_ms: int, note: str = "") -> None:
        """Raises KeyError for an arrow that is not in the table, and changes nothing."""
        record.state = TRANSITIONS[record.state, happened]
        if happened is Happened.SENDING:
            record.last_sent_ms = now_ms
            record.sent_times += 1
        if note:
            record.note = note
        if record.state.is_final:
            self._open.pop(record.id, None)

    def forget(self, record: IntentRecord) -> None:
        """It was never written down and never sent."""
        self._by_id.pop(record.id, None)
        self._by_client_id.pop(record.client_order_id, None)
        self._open.pop(record.id, None)

    def of_id(self, intent_id: str) -> IntentRecord | None:
        return self._by_id.get(intent_id)

    def of_client_id(self, client_id: str) -> IntentRecord | None:
        return self._by_client_id.get(client_id)

    @property
    def records(self) -> tuple[IntentRecord, ...]:
        """Every one, in the order in which they were recorded or read."""
        return tuple(self._by_id.values())

    @property
    def open(self) -> tuple[IntentRecord, ...]:
        """Without a final state, oldest first."""
        return tuple(self._open.values())

    def prune(self, now_ms: int) -> list[IntentRecord]:
        """Take out final intents past their age, and the oldest beyond the bound."""
        excess = len(self._by_id) - MOST_KEPT
        before_ms = now_ms - KEPT_SECONDS * 1_000
        finals: Iterable[IntentRecord] = (r for r in self._by_id.values() if r.state.is_final)
        gone = [record for number, record in enumerate(finals) if number < excess or record.recorded_ms < before_ms]
        for record in gone:
            self.forget(record)
        return gone

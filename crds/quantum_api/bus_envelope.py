"""The event as it travels: who says it, its place in what they say, and the fact itself.  Pure.

Flow  engine stage -> outbox row (``stored``) -> Redis stream entry (``on_the_wire``) -> consumer (``opened``)
Why   (source, epoch, sequence) is the event's identity: consumers apply it once, in order, and notice what is missing

An entry *covers* the numbers ``first`` … ``sequence``.  Normally that is its own alone; a wider one says that the numbers before its own
were given up by the source itself (telemetry dropped over the bound, a commit that failed), so nobody needs to look for them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

STREAM_FIELD: Final = b"e"
"""The one field of a stream entry; its value is the envelope as JSON."""


class EventClass(StrEnum):
    """What losing it would mean.  Only telemetry is ever dropped."""

    RISK = "risk"
    """Breakers, stops, latches, changes of what is permitted."""
    ORDER = "order"
    """Intents and what became of them."""
    FILL = "fill"
    TELEMETRY = "telemetry"
    """Readings that the next reading replaces."""

    @property
    def is_droppable(self) -> bool:
        return self is EventClass.TELEMETRY


class BadEnvelopeError(ValueError):
    """A stream entry that no engine of this version wrote."""


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename={"event_class": "class"}):
    """One entry of a stream, decoded."""

    source: Name
    """``namespace/pod`` of the engine."""
    epoch: Name
    """One numbering; a new one begins with a new (or an older, restored) journal."""
    sequence: Number
    first: Annotated[int, msgspec.Meta(ge=0)] = 0
    """First number that the entry covers; 0 = its own."""
    kind: Name
    """What happened, dotted: ``risk.circuit_breaker.triggered``, ``order.accepted``, …"""
    event_class: EventClass
    at_ms: int
    """When it was committed, Unix milliseconds on the engine's wall clock."""
    payload: dict[str, Any]

    @property
    def covers_from(self) -> int:
        return self.first or self.sequence


class StoredEvent(msgspec.Struct, frozen=True, rename={"event_class": "class"}):
    """A row of the outbox."""

    sequence: int
    kind: str
    event_class: EventClass
    at_ms: int
    payload: dict[str, Any]


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Envelope)
_row_decoder = msgspec.json.Decoder(StoredEvent)


def stored(sequence: int, kind: str, event_class: EventClass, at_ms: int, payload: Mapping[str, Any]) -> bytes:
    """The outbox row.  Who says it is added on the way out: it is the same for every row."""
    return _encode(StoredEvent(sequence, kind, event_class, at_ms, dict(payload)))


def opened_row(row: bytes) -> StoredEvent:
    """Raises BadEnvelopeError, naming what is wrong."""
    try:
        return _row_decoder.decode(row)
    except msgspec.MsgspecError as error:
        raise BadEnvelopeError(f"not a row of an outbox: {error}") from error


def letterhead(source: str, epoch: str) -> bytes:
    """What every entry of one numbering begins with."""
    return b'{"source":' + _encode(source) + b',"epoch":' + _encode(epoch) + b","


def on_the_wire(letterhead_: bytes, row: bytes, first: int | None = None) -> bytes:
    """The stream entry of one row; ``first`` when it covers more than its own number."""
    return letterhead_ + row[1:] if first is None else b'%b"first":%d,%b' % (letterhead_, first, row[1:])


def opened(entry: bytes) -> Envelope:
    """Raises BadEnvelopeError, naming what is wrong."""
    try:
        envelope = _decoder.decode(entry)
    except msgspec.MsgspecError as error:
        raise BadEnvelopeError(f"not an envelope: {error}") from error
    if envelope.first > envelope.sequence:
        raise BadEnvelopeError(f"not an envelope: it covers {envelope.first} … {envelope.sequence}")
    return envelope

"""How far a consumer has applied each source, and what the next entry is to it.  Pure.

In    the mark of one source, one envelope
Out   Duplicate, Next (with the mark to store beside the effect) or Missing (what must be looked for first)
Why   one number per numbering is all the memory that exactly-once needs, because a source's numbers are gapless and in order: what is not
      the next one is a repetition or a hole.  Holes are looked up in the stream itself, so nothing is held back in memory
"""

from typing import Final

import msgspec

from quantum_api.bus_envelope import Envelope

OLDER_EPOCHS: Final = 16
"""Earlier numberings of a source that are still known: a source that lost its journal begins a new one."""


class Mark(msgspec.Struct, frozen=True):
    """Everything up to ``through`` of ``epoch`` was applied; ``older`` are earlier epochs, oldest first."""

    epoch: str
    through: int
    older: tuple[tuple[str, int], ...] = ()


class Replaced(msgspec.Struct, frozen=True):
    """The source numbers anew: its journal was lost or restored.  What it had not yet sent of the old numbering will not come."""

    old_epoch: str
    last_seen: int
    new_epoch: str


class Gap(msgspec.Struct, frozen=True):
    """Numbers that were sent, are not in the stream, and were not given up by their source: lost."""

    epoch: str
    first: int
    last: int


class GivenUp(msgspec.Struct, frozen=True):
    """Numbers that the source says nobody will see: telemetry dropped over its bound, commits that failed."""

    epoch: str
    first: int
    last: int


Notice = Replaced | Gap | GivenUp


class Duplicate(msgspec.Struct, frozen=True):
    """Applied before."""


class Next(msgspec.Struct, frozen=True):
    """To be applied now; ``mark`` is stored with the effect."""

    mark: Mark
    notices: tuple[Notice, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """Not yet: these numbers come before it, as does whatever else the stream holds before it, when its numbering is new (last < first)."""

    epoch: str
    first: int
    last: int


def judge(mark: Mark | None, envelope: Envelope) -> Duplicate | Next | Missing:
    """A numbering never heard before is taken up only when all that stands before it in the stream was seen: hence Missing."""
    through = through_of(mark, envelope.epoch)
    if through is None:
        return Missing(envelope.epoch, 1, envelope.covers_from - 1)
    if envelope.sequence <= through:
        return Duplicate()
    if envelope.covers_from > through + 1:
        return Missing(envelope.epoch, through + 1, envelope.covers_from - 1)
    return accept(mark, envelope)


def accept(mark: Mark | None, envelope: Envelope) -> Next:
    """Take it as the next one, whatever is missing; the notices say what.

    A source never heard before may begin anywhere: what left the stream before this consumer existed was not for it.
    """
    if mark is None:
        return Next(Mark(envelope.epoch, envelope.sequence))
    through = through_of(mark, envelope.epoch)
    notices: list[Notice] = []
    if through is None:
        notices.append(Replaced(mark.epoch, mark.through, envelope.epoch))
    expected = (through or 0) + 1
    if envelope.covers_from > expected:
        notices.append(Gap(envelope.epoch, expected, envelope.covers_from - 1))
    first_given_up = max(expected, envelope.covers_from)
    if first_given_up < envelope.sequence:
        notices.append(GivenUp(envelope.epoch, first_given_up, envelope.sequence - 1))
    return Next(_advanced(mark, envelope), tuple(notices))


def through_of(mark: Mark | None, epoch: str) -> int | None:
    """How far ``epoch`` was applied; None when it is not known."""
    if mark is None:
        return None
    return mark.through if mark.epoch == epoch else dict(mark.older).get(epoch)


def _advanced(mark: Mark, envelope: Envelope) -> Mark:
    if mark.epoch == envelope.epoch:
        return Mark(mark.epoch, envelope.sequence, mark.older)
    older = [(epoch, through) for epoch, through in mark.older if epoch != envelope.epoch]
    return Mark(envelope.epoch, envelope.sequence, (*older, (mark.epoch, mark.through))[-OLDER_EPOCHS:])


def encode(mark: Mark) -> bytes:
    return msgspec.json.encode(mark)


def decode(row: bytes) -> Mark:
    """Raises msgspec.MsgspecError for a row that ``encode`` did not write."""
    return msgspec.json.decode(row, type=Mark)

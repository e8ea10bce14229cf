"""Numbers are given once, in commit order, and shown to the sender only when nothing before them is open."""

import pytest

from quantum_api.bus_envelope import EventClass
from quantum_engine.bus import outbox as module
from quantum_engine.bus.outbox import Asked, Outbox, Row, key_through, row_of
from quantum_engine.journal import Publish

EVENT = Publish(EventClass.ORDER, "order.accepted", {"n": 1})
ALL = 10**9


def asked(outbox: Outbox, count: int) -> Asked:
    return outbox.number([EVENT] * count, at_ms=5)


def seen(outbox: Outbox, after: int = 0, count: int = 1_000, most_bytes: int = ALL) -> list[int] | None:
    rows = outbox.tail(after, count, most_bytes)
    return None if rows is None else [row.sequence for row in rows]


def test_keys_order_as_numbers_do_and_tell_the_class() -> None:
    rows = [Row(n, EventClass.FILL, b"{}") for n in (1, 9, 10, 123_456_789)]
    assert sorted(row.key for row in rows) == [row.key for row in rows]
    assert [row_of(row.key, row.value) for row in rows] == rows
    assert rows[1].key < key_through(9) < rows[2].key


def test_a_row_is_not_shown_before_those_ahead_of_it_are_settled() -> None:
    """The sender would pass over a number that is about to be on disk."""
    outbox = Outbox()
    first, second = asked(outbox, 2), asked(outbox, 1)
    outbox.settle(second, on_disk=True)
    assert (seen(outbox), outbox.settled_through) == ([], 0)
    outbox.settle(first, on_disk=True)
    assert (seen(outbox), outbox.settled_through) == ([1, 2, 3], 3)


def test_numbers_of_a_failed_commit_stay_unused() -> None:
    outbox = Outbox()
    failed, kept = asked(outbox, 2), asked(outbox, 1)
    outbox.settle(failed, on_disk=False)
    outbox.settle(kept, on_disk=True)
    assert (seen(outbox), outbox.settled_through) == ([3], 3)


def test_numbering_goes_on_where_the_disk_ends() -> None:
    outbox = Outbox()
    outbox.resume(41)
    outbox.settle(asked(outbox, 1), on_disk=True)
    assert seen(outbox, after=41) == [42]
    assert seen(outbox, after=40) is None


def test_older_rows_than_memory_holds_are_left_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAIL_ROWS", 3)
    outbox = Outbox()
    outbox.settle(asked(outbox, 5), on_disk=True)
    assert (seen(outbox, after=1), seen(outbox, after=2)) == (None, [3, 4, 5])
    monkeypatch.setattr(module, "TAIL_BYTES", 1)
    outbox.settle(asked(outbox, 1), on_disk=True)
    assert (seen(outbox, after=2), seen(outbox, after=6)) == (None, [])


def test_a_batch_is_bounded_by_rows_and_bytes_but_never_empty() -> None:
    """One event larger than a batch must not stop the bus."""
    outbox = Outbox()
    outbox.settle(asked(outbox, 5), on_disk=True)
    assert seen(outbox, count=2) == [1, 2]
    assert seen(outbox, most_bytes=1) == [1]


def test_what_was_sent_leaves_memory() -> None:
    outbox = Outbox()
    outbox.settle(asked(outbox, 5), on_disk=True)
    outbox.forget(3)
    assert (seen(outbox, after=3), seen(outbox, after=2)) == ([4, 5], None)

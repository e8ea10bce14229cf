"""An event reads the same on the other side, and what no engine wrote is told apart."""

import json

import pytest

from quantum_api.bus_envelope import BadEnvelopeError, Envelope, EventClass, letterhead, on_the_wire, opened, stored

LETTERHEAD = letterhead('trading/"odd" engine', "e1")


def test_what_was_said_is_what_is_read() -> None:
    row = stored(7, "order.accepted", EventClass.ORDER, 1_800_000_000_000, {"id": "a", "numbers": [1, 2]})
    assert opened(on_the_wire(LETTERHEAD, row)) == Envelope(
        source='trading/"odd" engine', epoch="e1", sequence=7, kind="order.accepted", event_class=EventClass.ORDER,
        at_ms=1_800_000_000_000, payload={"id": "a", "numbers": [1, 2]},
    )  # fmt: skip


def test_an_entry_says_which_numbers_before_it_were_given_up() -> None:
    row = stored(7, "fill", EventClass.FILL, 0, {})
    assert opened(on_the_wire(LETTERHEAD, row)).covers_from == 7
    assert opened(on_the_wire(LETTERHEAD, row, first=4)).covers_from == 4


def test_row_and_entry_are_plain_json_objects() -> None:
    """Anybody can read a spool or a stream without this code."""
    row = stored(7, "fill", EventClass.FILL, 0, {"é": "\n"})
    assert json.loads(row)["class"] == "fill"
    assert b"\n" not in row
    assert json.loads(on_the_wire(LETTERHEAD, row, first=2))["first"] == 2


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"[]",
        b"{}",
        b'{"source":"s","epoch":"e","sequence":0,"kind":"k","class":"risk","at_ms":0,"payload":{}}',
        b'{"source":"s","epoch":"e","sequence":"1","kind":"k","class":"risk","at_ms":0,"payload":{}}',
        b'{"source":"s","epoch":"e","sequence":1,"kind":"k","class":"gossip","at_ms":0,"payload":{}}',
        b'{"source":"s","epoch":"e","sequence":1,"kind":"k","class":"risk","at_ms":0,"payload":[]}',
        b'{"source":"s","epoch":"e","sequence":1,"first":2,"kind":"k","class":"risk","at_ms":0,"payload":{}}',
        b'{"source":"","epoch":"e","sequence":1,"kind":"k","class":"risk","at_ms":0,"payload":{}}',
    ],
)
def test_what_no_engine_wrote_is_refused(entry: bytes) -> None:
    with pytest.raises(BadEnvelopeError, match="not an envelope"):
        opened(entry)

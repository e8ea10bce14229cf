"""One number per numbering is enough to know: applied, next, or something is missing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_api.bus_envelope import Envelope, EventClass
from quantum_bus.marks import OLDER_EPOCHS, Duplicate, Gap, GivenUp, Mark, Missing, Next, Replaced, accept, decode, encode, judge


def event(sequence: int, epoch: str = "e", first: int = 0) -> Envelope:
    return Envelope(source="s", epoch=epoch, sequence=sequence, first=first, kind="k", event_class=EventClass.ORDER, at_ms=0, payload={})


AT_5 = Mark("e", 5)


@pytest.mark.parametrize("sequence", [1, 4, 5])
def test_what_was_applied_is_known(sequence: int) -> None:
    assert judge(AT_5, event(sequence)) == Duplicate()


def test_the_next_number_is_next() -> None:
    assert judge(AT_5, event(6)) == Next(Mark("e", 6))


def test_a_hole_is_missing_until_it_is_accepted_and_then_it_is_a_gap() -> None:
    assert judge(AT_5, event(8)) == Missing("e", 6, 7)
    assert accept(AT_5, event(8)) == Next(Mark("e", 8), (Gap("e", 6, 7),))


def test_numbers_that_the_source_gave_up_are_not_missing() -> None:
    assert judge(AT_5, event(8, first=6)) == Next(Mark("e", 8), (GivenUp("e", 6, 7),))


def test_numbers_given_up_that_were_seen_all_the_same_are_not_told_again() -> None:
    """Telemetry that was sent, dropped from the outbox, and covered when Redis had to be filled again."""
    assert judge(AT_5, event(6, first=2)) == Next(Mark("e", 6))


def test_a_hole_before_numbers_given_up_is_told_apart() -> None:
    assert judge(AT_5, event(9, first=8)) == Missing("e", 6, 7)
    assert accept(AT_5, event(9, first=8)) == Next(Mark("e", 9), (Gap("e", 6, 7), GivenUp("e", 8, 8)))


def test_a_source_never_heard_before_is_looked_up_and_may_begin_anywhere() -> None:
    assert isinstance(judge(None, event(9)), Missing)
    assert accept(None, event(9)) == Next(Mark("e", 9))


def test_a_new_numbering_is_told_with_how_far_the_old_one_was_seen() -> None:
    assert isinstance(judge(AT_5, event(1, "f")), Missing)
    assert accept(AT_5, event(1, "f")) == Next(Mark("f", 1, (("e", 5),)), (Replaced("e", 5, "f"),))
    assert accept(AT_5, event(3, "f")) == Next(Mark("f", 3, (("e", 5),)), (Replaced("e", 5, "f"), Gap("f", 1, 2)))


def test_an_old_numbering_is_still_known() -> None:
    at = Mark("f", 2, (("e", 5),))
    assert judge(at, event(5, "e")) == Duplicate()
    assert judge(at, event(6, "e")) == Next(Mark("e", 6, (("f", 2),)))


def test_marks_stay_small_however_often_a_source_begins_anew() -> None:
    mark = Mark("0", 1)
    for number in range(1, 100):
        mark = accept(mark, event(1, str(number))).mark
    assert len(mark.older) == OLDER_EPOCHS
    assert mark.older[-1] == ("98", 1)


@given(st.lists(st.tuples(st.sampled_from("ef"), st.integers(1, 6)), max_size=30))
def test_no_history_applies_a_number_twice_or_goes_back(history: list[tuple[str, int]]) -> None:
    mark, applied = None, set()
    for epoch, sequence in history:
        verdict = judge(mark, event(sequence, epoch))
        if isinstance(verdict, Duplicate):
            assert mark is not None
            continue
        assert (epoch, sequence) not in applied
        applied.add((epoch, sequence))
        mark = accept(mark, event(sequence, epoch)).mark
        assert decode(encode(mark)) == mark


def test_a_mark_that_nobody_wrote_is_not_taken_for_the_beginning() -> None:
    """Or everything would be applied again."""
    with pytest.raises(msgspec.MsgspecError):
        decode(b"{}")

"""What leaves the outbox, and in which order: what all have, what Redis has, telemetry, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from quantum_api.bus_envelope import EventClass
from quantum_engine.bus.grace import GRACE_SECONDS, Grace
from quantum_engine.bus.outbox import Row
from quantum_engine.bus.spool import ROW_OVERHEAD_BYTES, SHELF_ROWS, Bounds, Spool

NONE = 0


def rows(count: int, event_class: EventClass = EventClass.ORDER, after: int = 0, size: int = 20) -> list[Row]:
    return [Row(after + n, event_class, b"x" * size) for n in range(1, count + 1)]


def spool(*parts: list[Row], **bounds: int) -> Spool:
    made = Spool(Bounds(**bounds))
    for part in parts:
        made.add(part, at_ms=0)
    return made


def test_only_whole_shelves_that_redis_keeps_and_all_have_read_are_forgotten() -> None:
    made = spool(rows(SHELF_ROWS * 3))
    full = SHELF_ROWS * 3
    assert made.chores(full, SHELF_ROWS * 2 - 1, 0).forget_through == SHELF_ROWS
    assert made.chores(SHELF_ROWS, full, 0).forget_through == SHELF_ROWS
    assert made.chores(SHELF_ROWS - 1, full, 0).forget_through is None
    assert made.chores(full, NONE, 0).forget_through is None


def test_the_shelf_that_is_being_filled_stays() -> None:
    """The highest number on disk is where a restart goes on."""
    made = spool(rows(SHELF_ROWS))
    assert made.chores(SHELF_ROWS, SHELF_ROWS, 0).forget_through is None


def test_over_the_bound_what_redis_keeps_goes_though_nobody_has_read_it() -> None:
    made = spool(rows(SHELF_ROWS * 4), most_rows=SHELF_ROWS * 3)
    chores = made.chores(SHELF_ROWS * 4, NONE, 0)
    assert (chores.forget_through, chores.drop_from, chores.is_full) == (SHELF_ROWS * 2, (), False)


def test_over_the_bound_telemetry_goes_before_the_gate_closes() -> None:
    made = spool(rows(SHELF_ROWS, EventClass.TELEMETRY), rows(SHELF_ROWS * 2, after=SHELF_ROWS), most_rows=SHELF_ROWS * 3)
    chores = made.chores(NONE, NONE, 0)
    assert ([shelf.last for shelf in chores.drop_from], chores.is_full) == ([SHELF_ROWS], False)


def test_without_telemetry_the_bound_closes_the_gate() -> None:
    made = spool(rows(SHELF_ROWS * 3), most_rows=SHELF_ROWS * 3)
    chores = made.chores(NONE, NONE, 0)
    assert (chores.forget_through, chores.drop_from, chores.is_full) == (None, (), True)


def test_bytes_are_a_bound_of_their_own() -> None:
    made = spool(rows(10, size=1_000), most_bytes=10 * (1_000 + ROW_OVERHEAD_BYTES))
    assert made.is_over
    assert made.chores(NONE, NONE, 0).is_full


def test_telemetry_goes_when_it_is_old_though_there_is_room() -> None:
    made = spool(rows(SHELF_ROWS, EventClass.TELEMETRY), rows(1, after=SHELF_ROWS), telemetry_age_ms=1_000)
    assert made.chores(NONE, NONE, 1_000).drop_from == ()
    assert len(made.chores(NONE, NONE, 1_001).drop_from) == 1


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from(EventClass), st.integers(0, 300)), min_size=1, max_size=40),
    st.integers(1, 600), st.integers(100, 60_000), st.integers(0, 2_000), st.integers(0, 2_000),
)  # fmt: skip
def test_no_spool_lets_go_of_what_redis_may_lose_or_drops_what_is_not_telemetry(
    parts: list[tuple[int, EventClass, int]], most_rows: int, most_bytes: int, safe: int, read: int
) -> None:
    made, last = Spool(Bounds(most_bytes=most_bytes, most_rows=most_rows)), 0
    kinds: dict[int, EventClass] = {}
    for count, event_class, size in parts:
        part = rows(count, event_class, last, size)
        kinds |= {row.sequence: event_class for row in part}
        made.add(part, at_ms=0)
        last += count
    chores = made.chores(min(safe, last), min(read, last), 0)
    assert (chores.forget_through or 0) <= min(safe, last)
    if not made.is_over:
        assert (chores.forget_through or 0) <= min(safe, read, last)
        assert chores.drop_from == ()
    forgotten = chores.forget_through or 0
    made.forgotten(forgotten)
    assert made.rows == last - forgotten
    for shelf in chores.drop_from:
        droppable = sum(kinds[n].is_droppable for n in range(shelf.after + 1, shelf.last + 1))
        assert shelf.droppable_rows == droppable
        made.dropped(shelf)
    assert chores.is_full == made.is_over


def test_grace_needs_a_look_after_three_seconds() -> None:
    grace = Grace()
    grace.confirmed(5, 0.0, 0.5)
    grace.confirmed(5, 0.5 + GRACE_SECONDS - 0.1, 4.0)
    assert (grace.safe_through, grace.is_waiting) == (0, True)
    grace.confirmed(7, 0.5 + GRACE_SECONDS, 4.0)
    assert grace.safe_through == 5
    grace.forgot(6)
    grace.confirmed(6, 100.0, 100.0)
    assert grace.safe_through == 5
    grace.confirmed(6, 104.0, 104.0)
    assert grace.safe_through == 6
    grace.forgot(3)
    assert grace.safe_through == 3

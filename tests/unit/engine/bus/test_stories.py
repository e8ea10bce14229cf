"""The bus through one trouble at a time: what is sent again, what is forgotten, what is dropped, and what consumers are told."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
from tests.laws.bus.world import World

from quantum_api.bus_envelope import EventClass
from quantum_api.gate import Gate
from quantum_bus.marks import Gap, GivenUp, Replaced
from quantum_engine.bus import spool
from quantum_engine.bus.keeper import SOURCE as RESTRICTION
from quantum_engine.bus.spool import Bounds
from quantum_engine.journal import Table


@pytest.fixture
def new_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """With shelves of two rows."""
    monkeypatch.setattr(spool, "SHELF_ROWS", 2)
    made: list[World] = []

    def make(**bounds: int) -> World:
        made.append(World(Bounds(**bounds)))
        return made[-1]

    yield make
    for world in made:
        world.close()


def on_disk(world: World) -> list[int]:
    return [int(key[:-1]) for key in sorted(world.disk.rows[Table.OUTBOX])]


def gate(world: World) -> Gate | None:
    return next((r.gate for r in world.permission.restrictions if r.source == RESTRICTION), None)


def test_an_event_goes_all_the_way(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.publish(3)
    world.calm()
    assert world.inbox.applied == [0, 1, 2]
    assert world.bus.state.waiting == 0


def test_a_redis_that_comes_back_empty_is_filled_with_what_no_group_has_acknowledged(new_world: Callable[..., World]) -> None:
    """Long after Redis's own disk had it: the outbox has room, and Redis's volume may be lost as a whole."""
    world = new_world()
    world.publish(8)
    world.calm(consuming=False)
    world.redis.wipe()
    world.heal()
    assert (world.inbox.applied, world.gaps) == (world.committed, [])


def test_what_every_group_has_acknowledged_leaves_the_disk(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.publish(7)
    world.calm()
    world.calm()
    assert on_disk(world) == [7]
    world.crash()
    world.publish(1)
    world.calm()
    assert world.inbox.applied == list(range(8))


def test_a_confirmation_is_not_trusted_before_redis_has_had_time_to_write_it(new_world: Callable[..., World]) -> None:
    """Over its bound the outbox lets go of what Redis holds, but of nothing that a power cut could still take from there."""
    world = new_world(most_rows=4)
    world.publish(8)
    world.send()
    world.send()
    world.tidy()
    assert on_disk(world) == list(range(1, 9))
    world.redis.crash()
    world.heal()
    assert (world.inbox.applied, world.gaps) == (world.committed, [])


def test_events_that_were_let_go_and_that_redis_then_lost_are_named_as_a_gap(new_world: Callable[..., World]) -> None:
    """Never as given up: somebody has to look for them at the exchange."""
    world = new_world(most_rows=4)
    world.publish(8)
    world.calm(consuming=False)
    kept = on_disk(world)
    assert kept[0] > 1
    world.redis.wipe()
    world.heal()
    assert world.gaps == [Gap("epoch-0", 1, kept[0] - 1)] or world.inbox.applied == [n - 1 for n in kept]
    assert [n for n in world.notices if isinstance(n, GivenUp)] == []


def test_telemetry_is_dropped_first_and_counted_and_consumers_know(new_world: Callable[..., World]) -> None:
    world = new_world(most_rows=10)
    world.publish(1)
    world.calm()
    world.redis.down_calls = 10**6
    for _ in range(4):
        world.publish(1, EventClass.FILL)
        world.publish(2, EventClass.TELEMETRY)
    world.tidy()
    assert gate(world) is None
    world.heal()
    lost = set(range(13)) - set(world.inbox.applied)
    assert lost == {2, 3, 5, 11, 12}
    assert world.bus.state.dropped == len(lost)
    assert world.gaps == []
    assert {n for gone in world.notices if isinstance(gone, GivenUp) for n in range(gone.first, gone.last + 1)} == {3, 4, 6}


def test_a_spool_full_of_what_may_not_be_dropped_closes_the_gate_until_redis_is_back(new_world: Callable[..., World]) -> None:
    """Fills are kept beyond the bound rather than lost; what must stop is the making of more."""
    world = new_world(most_rows=6)
    world.redis.down_calls = 10**6
    world.publish(9, EventClass.FILL)
    world.tidy()
    assert gate(world) is Gate.REDUCE_ONLY
    world.publish(2, EventClass.TELEMETRY)
    world.publish(1, EventClass.RISK)
    assert world.bus.state.dropped == 2
    world.heal()
    assert gate(world) is None
    assert world.inbox.applied == [*range(9), 11]


def test_old_telemetry_is_not_kept(new_world: Callable[..., World]) -> None:
    world = new_world(telemetry_age_ms=60_000)
    world.redis.down_calls = 10**6
    world.publish(4, EventClass.TELEMETRY)
    world.publish(2, EventClass.ORDER)
    world.clock.advance(61)
    world.publish(2, EventClass.TELEMETRY)
    world.tidy()
    world.heal()
    assert world.inbox.applied == [4, 5, 6, 7]


def test_a_journal_older_than_what_was_sent_begins_a_new_numbering(new_world: Callable[..., World]) -> None:
    """A restored volume would give its new events numbers that Redis has seen, and passes over."""
    world = new_world()
    world.publish(3)
    backup = deepcopy(world.disk.rows)
    world.publish(3)
    world.calm()
    world.disk.rows = backup
    world.crash()
    world.publish(4)
    world.heal()
    assert world.inbox.applied == list(range(10))
    assert (world.gaps, world.notices) == ([], [Replaced("epoch-0", 6, "epoch-1"), GivenUp("epoch-1", 1, 3)])


def test_a_lost_journal_is_told(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.publish(3)
    world.calm()
    world.disk.rows = {table: {} for table in Table}
    world.crash()
    world.publish(2)
    world.heal()
    assert world.inbox.applied == list(range(5))
    assert world.notices == [Replaced("epoch-0", 3, "epoch-1")]


def test_two_members_of_a_group_keep_one_order(new_world: Callable[..., World]) -> None:
    """One hangs with the first entries in its hands; the other finds them in the stream before it goes on."""
    world = new_world()
    world.publish(6)
    world.send()
    world.read_and_hang(0)
    world.consume(1)
    assert world.inbox.applied == list(range(6))
    world.heal()
    assert world.inbox.applied == list(range(6))


def test_what_an_inbox_could_not_take_is_read_again(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.publish(2)
    world.send()
    world.inbox.is_down = True
    world.consume()
    world.inbox.is_down = False
    assert world.consume() == 2
    assert world.inbox.applied == [0, 1]


def test_status_says_how_much_waits_and_how_old_it_is(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.publish(1)
    world.clock.advance(10)
    world.publish(2)
    assert (world.bus.state.waiting, world.bus.state.oldest_ms) == (3, 10_000)
    world.send()
    assert (world.bus.state.waiting, world.bus.state.oldest_ms) == (0, 0)

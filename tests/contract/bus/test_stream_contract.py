"""What the engine's stream keeps, in memory as in Redis: the laws of the bus are proven on the one, and hold on the other."""

from tests.contract.bus.conftest import SOURCE, Streams

from quantum_api.bus_envelope import EventClass, letterhead, on_the_wire, opened, stored
from quantum_bus.ports import Entry
from quantum_engine.bus.ports import Answer


def entries(*numbers: int, epoch: str = "e") -> list[tuple[int, bytes]]:
    head = letterhead(SOURCE, epoch)
    return [(n, on_the_wire(head, stored(n, "test.event", EventClass.ORDER, 0, {}))) for n in numbers]


def numbers(found: list[Entry]) -> list[int]:
    return [opened(entry.data).sequence for entry in found]


async def whole(streams: Streams) -> list[int]:
    """Read to the end by a group of its own."""
    feed = streams.feed("reader", "r")
    found: list[int] = []
    while page := await feed.read():
        found += numbers(page)
        await feed.acknowledge(SOURCE, [entry.id for entry in page])
    return found


async def test_entries_are_appended_in_order_and_a_repetition_adds_nothing(streams: Streams) -> None:
    """The answer to the first call may have been lost."""
    assert await streams.link.add("e", -1, entries(1, 2, 3)) == Answer(accepted=True, through=3)
    assert await streams.link.add("e", -1, entries(1, 2, 3)) == Answer(accepted=True, through=3)
    assert await streams.link.add("e", 1, entries(2, 3, 5)) == Answer(accepted=True, through=5)
    assert await whole(streams) == [1, 2, 3, 5]


async def test_a_large_batch_is_appended_whole_and_once(streams: Streams) -> None:
    batch = entries(*range(1, 1_801))
    await streams.link.add("e", -1, batch)
    assert await streams.link.add("e", -1, batch) == Answer(accepted=True, through=1_800)
    assert await whole(streams) == list(range(1, 1_801))


async def test_a_redis_that_forgot_takes_nothing_behind_the_hole(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2, 3))
    await streams.wipe()
    assert await streams.link.add("e", 3, entries(*range(4, 1_500))) == Answer(accepted=False, through=-1)
    assert await whole(streams) == []


async def test_a_stream_that_somebody_deleted_counts_as_forgotten(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2, 3))
    await streams.delete_stream()
    assert await streams.link.add("e", 3, entries(4)) == Answer(accepted=False, through=-1)
    assert await streams.link.add("e", -1, entries(1, 2, 3, 4)) == Answer(accepted=True, through=4)
    assert await whole(streams) == [1, 2, 3, 4]


async def test_a_redis_that_forgot_an_empty_stream_is_noticed_too(streams: Streams) -> None:
    """Its groups are gone as well, and somebody has to make them again."""
    assert await streams.link.add("e", -1, []) == Answer(accepted=True, through=0)
    assert await streams.link.add("e", 0, []) == Answer(accepted=True, through=0)
    await streams.wipe()
    assert await streams.link.add("e", 0, entries(1)) == Answer(accepted=False, through=-1)


async def test_each_epoch_has_numbers_of_its_own(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2))
    assert await streams.link.add("f", -1, []) == Answer(accepted=True, through=0)
    await streams.link.add("f", -1, entries(1, epoch="f"))
    assert await whole(streams) == [1, 2, 1]


async def test_the_stream_is_cut_behind_its_slowest_group_only(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2, 3, 4))
    fast, slow = streams.feed("fast", "m"), streams.feed("slow", "m")
    got = await fast.read()
    await fast.acknowledge(SOURCE, [entry.id for entry in got])
    got = await slow.read()
    await slow.acknowledge(SOURCE, [got[0].id, got[2].id])
    tended = await streams.link.tend("e", 4)
    assert tended is not None
    assert (tended.groups, tended.acknowledged_through, tended.length) == ({"fast", "slow"}, 1, 3)
    assert numbers(await slow.page(SOURCE, "", "9999999999999-0" if "-" in got[0].id else "9999999999999", 10)) == [2, 3, 4]


async def test_what_every_group_has_acknowledged_goes_and_is_told(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2))
    await whole(streams)
    tended = await streams.link.tend("e", 2)
    assert tended is not None
    assert (tended.acknowledged_through, tended.length) == (2, 0)
    assert await streams.link.add("e", 2, entries(3)) == Answer(accepted=True, through=3)


async def test_an_unread_stream_is_not_cut_and_counts_as_acknowledged_by_nobody_in_particular(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2))
    tended = await streams.link.tend("e", 2)
    assert tended is not None
    assert (tended.groups, tended.acknowledged_through, tended.length) == (frozenset(), 2, 2)


async def test_a_group_that_never_read_holds_everything(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2))
    await streams.link.create_groups(["late"])
    tended = await streams.link.tend("e", 2)
    assert tended is not None
    assert (tended.acknowledged_through, tended.length) == (0, 2)


async def test_a_redis_that_forgot_is_not_tended(streams: Streams) -> None:
    """It shows no groups: taken for the truth, everything unread would be let go."""
    await streams.link.add("e", -1, entries(1))
    await streams.wipe()
    assert await streams.link.tend("e", 1) is None


async def test_groups_are_made_once_and_begin_with_the_oldest_entry(streams: Streams) -> None:
    await streams.link.create_groups(["reader"])
    await streams.link.add("e", -1, entries(1, 2))
    await streams.link.create_groups(["reader"])
    assert await whole(streams) == [1, 2]


async def test_a_member_that_comes_back_is_given_what_it_left(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2, 3))
    first = await streams.feed("g", "m").read()
    again = streams.feed("g", "m")
    await again.acknowledge(SOURCE, [first[0].id])
    left = await again.read()
    assert numbers(left) == [2, 3]
    assert all(entry.deliveries >= 2 for entry in left)
    await again.acknowledge(SOURCE, [entry.id for entry in left])
    assert await again.read() == []


async def test_a_buried_entry_is_not_delivered_again(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1, 2))
    feed = streams.feed("g", "m")
    got = await feed.read()
    await feed.bury(got[0], "no use")
    assert numbers(await streams.feed("g", "m").read()) == [2]


async def test_a_group_that_redis_forgot_is_made_again(streams: Streams) -> None:
    await streams.link.add("e", -1, entries(1))
    feed = streams.feed("g", "m")
    assert numbers(await feed.read()) == [1]
    await streams.wipe()
    await streams.link.add("e", -1, entries(1, 2))
    assert numbers(await feed.read() or await feed.read() or await feed.read()) == [1, 2]

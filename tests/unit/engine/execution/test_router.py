"""One path in, bounded, and nobody's to cancel."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import Desk, close_all, entry, is_certain

from quantum_api.gate import Gate
from quantum_engine.domain import OrderIntent, Purpose
from quantum_engine.execution import asking
from quantum_engine.execution.router import MOST_ENTRIES_AT_ONCE, MOST_EXITS_AT_ONCE, MOST_EXITS_PER_SECOND, Router
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Refused, Verdict


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(asking, "ASK_AFTER_SECONDS", (0.0,))
    opened = await Desk(max_position_notional_usdt=10_000_000, max_gross_exposure_usdt=10_000_000, max_leverage_bps=1_000_000).open()
    yield opened
    await opened.close()


@pytest.fixture
def router(desk: Desk) -> Router:
    return Router(desk.execution, desk.clock)


def taken(router: Router, intent: OrderIntent) -> "asyncio.Task[Verdict]":
    task = router.take(intent)
    assert task is not None
    return task


async def test_an_intent_whose_sender_goes_away_is_carried_to_its_end_once(desk: Desk, router: Router) -> None:
    """Half-way is the worst place to stop: the order would be live and nobody would know."""

    async def sender() -> None:
        await asyncio.wait({taken(router, entry())})

    gone = asyncio.create_task(sender())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await desk.settle()
    record = router.became_of("one")
    assert record is not None
    assert (record.is_live, desk.sent) == (True, ["one"])


async def test_entries_beyond_the_bound_are_not_taken_and_leave_nothing_behind(desk: Desk, router: Router) -> None:
    never = desk.journal.answers = asyncio.Event()
    tasks = [taken(router, entry(str(number), "0.010")) for number in range(MOST_ENTRIES_AT_ONCE)]
    await desk.settle()
    assert [router.take(entry(f"more-{number}")) for number in range(1_000)] == [None] * 1_000
    assert (router.in_progress, router.became_of("more-1")) == (MOST_ENTRIES_AT_ONCE, None)
    never.set()
    assert all(is_certain(verdict) for verdict in await asyncio.gather(*tasks))
    assert router.in_progress == 0
    assert is_certain(await taken(router, entry("more-1", "0.010"))), "its id is free"


async def test_promise_7_a_flood_of_entries_leaves_room_to_get_out(desk: Desk, router: Router) -> None:
    await desk.execution.submit(entry())
    await desk.settle()
    never = desk.journal.answers = asyncio.Event()
    while router.take(entry(f"flood-{router.in_progress}", "0.010")) is not None:
        pass
    out = taken(router, close_all())
    async with asyncio.timeout(3):
        assert is_certain(await out)
    never.set()


async def test_a_program_that_loops_over_exits_is_held_back_and_the_stop_is_not(desk: Desk, router: Router) -> None:
    tasks = [router.take(close_all(f"loop-{number}")) for number in range(100)]
    assert sum(task is not None for task in tasks) == MOST_EXITS_PER_SECOND <= MOST_EXITS_AT_ONCE
    await asyncio.gather(*filter(None, tasks))
    assert router.take(close_all("now")) is None
    stop = await desk.execution.submit(close_all("stop", purpose=Purpose.EMERGENCY_EXIT))
    assert not isinstance(stop, Refused)
    desk.clock.advance(1)
    await taken(router, close_all("later"))


async def test_an_emergency_exit_cannot_be_claimed(router: Router) -> None:
    with pytest.raises(ValueError, match="comes from a stop"):
        router.take(close_all(purpose=Purpose.EMERGENCY_EXIT))


async def test_a_repetition_while_the_first_is_on_its_way_is_one_order(desk: Desk, router: Router) -> None:
    desk.trouble(Trouble.LOST)
    first, second = taken(router, entry()), taken(router, entry())
    assert await first == Accepted(desk.exchange.placed[0][0], None, certain=False)
    assert isinstance(await second, Refused)
    assert desk.sent == ["one"]
    known = router.became_of("one")
    assert known is not None
    assert known.is_live is None


async def test_what_the_gate_refuses_leaves_nothing_and_may_be_asked_again(desk: Desk, router: Router) -> None:
    desk.permission.restrict(Restriction("drawdown", Gate.REDUCE_ONLY, "down"))
    assert isinstance(await taken(router, entry()), Refused)
    assert router.became_of("one") is None
    desk.permission.lift("drawdown")
    assert is_certain(await taken(router, entry()))


async def test_what_the_exchange_refused_is_known_with_its_code(desk: Desk, router: Router) -> None:
    desk.trouble(Trouble.REFUSED)
    await taken(router, entry())
    known = router.became_of("one")
    assert known is not None
    assert (known.is_live, known.code) == (False, -2019)
    await desk.restart()
    again = desk.execution.became_of("one")
    assert again is not None
    assert again.code == -2019, "also after a restart"


async def test_what_a_stop_withdrew_while_it_was_written_is_known_with_its_word(desk: Desk, router: Router) -> None:
    desk.journal.while_writing = lambda: desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    await taken(router, entry())
    known = router.became_of("one")
    assert known is not None
    assert (known.is_live, known.refusal) == (False, "STOP_LATCHED")


async def test_what_has_begun_is_given_a_moment_when_the_engine_ends(desk: Desk, router: Router) -> None:
    """Its outcome is then known and written; what takes longer is in the journal and asked about at the next start."""
    disk = desk.journal.answers = asyncio.Event()
    task = taken(router, entry())
    await desk.settle()
    await router.finish(0.01)
    assert not task.done()
    assert router.take(entry("more")) is None
    disk.set()
    await router.finish(1.0)
    assert is_certain(task.result())


async def test_a_stage_that_is_cancelled_does_not_take_its_order_with_it(desk: Desk, router: Router) -> None:
    stage = asyncio.create_task(router.submit(entry()))
    await asyncio.sleep(0)
    stage.cancel()
    await asyncio.gather(stage, return_exceptions=True)
    await desk.settle()
    known = router.became_of("one")
    assert known is not None
    assert (known.is_live, desk.sent) == (True, ["one"])

"""What lies between a request, its answer and the stream's word: nothing is counted twice, forgotten or ended there."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import MARK, Desk, close_all, entry, is_certain
from tests.unit.engine.gate.worlds import BTC

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import UserEvent
from quantum_engine.execution import service
from quantum_engine.execution.asking import LATEST_ARRIVAL_MS
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Refused


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    opened = await Desk().open()
    yield opened
    await opened.close()


async def test_an_answered_order_counts_until_the_stream_shows_it(desk: Desk) -> None:
    """The answer has come, the books know nothing yet: forgetting it in between lets the next order pass the limit."""
    late: list[UserEvent] = []
    tell, desk.exchange.tell = desk.exchange.tell, late.append  # type: ignore[method-assign]
    for name in ("one", "two"):
        assert is_certain(await desk.execution.submit(entry(name, "0.190")))
    assert desk.positions.positions == {}
    refused = await desk.execution.submit(entry("three"))
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.POSITION_ABOVE_LIMIT
    for event in late:
        tell(event)
    await desk.settle()
    again = await desk.execution.submit(entry("three"))
    assert isinstance(again, Refused)
    assert again.numbers["position_usdt"] == Decimal("0.480") * (MARK + 1), "and not twice once both know it"


async def test_what_could_not_be_written_takes_up_no_room(desk: Desk) -> None:
    desk.journal.is_full = True
    for number in range(5):
        assert isinstance(await desk.execution.submit(entry(str(number), "0.190")), Refused)
    desk.journal.is_full = False
    assert is_certain(await desk.execution.submit(entry("one", "0.190")))
    assert is_certain(await desk.execution.submit(entry("two", "0.190")))


async def test_an_order_on_its_way_is_not_ended_by_those_who_ask_about_the_open_ones(desk: Desk) -> None:
    """The request takes longer than any request may arrive: who sends it still waits for its answer."""
    answers, original = asyncio.Event(), desk.exchange.place

    async def slow(*args: object) -> object:
        await answers.wait()
        return await original(*args)  # type: ignore[arg-type]

    desk.exchange.place = slow  # type: ignore[method-assign, assignment]
    waiting = asyncio.create_task(desk.execution.submit(entry()))
    await desk.settle()
    desk.clock.advance(LATEST_ARRIVAL_MS / 1_000 + 1)
    await desk.execution._settle_open()
    assert desk.outcomes == []
    answers.set()
    assert is_certain(await waiting)


async def test_what_the_stream_shows_is_not_sent_again_though_the_exchange_said_it_was_not_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is a witness too: where it contradicts "nothing was done", nothing is done a second time."""
    monkeypatch.setattr(service, "wait_before_retry", lambda *_: 0.01)
    original = desk.exchange.place

    async def lying(*args: object) -> object:
        await original(*args)  # type: ignore[arg-type]
        raise RetryableError("connection refused")

    desk.exchange.place = lying  # type: ignore[method-assign, assignment]
    verdict = await desk.execution.submit(entry())
    assert isinstance(verdict, Accepted)
    assert verdict.certain
    assert desk.sent == ["one"]


async def test_exits_use_up_no_rate_of_the_entries(desk: Desk) -> None:
    await desk.execution.submit(entry("held"))
    await desk.settle()
    desk.limits = desk.limits.model_copy(update={"max_orders_per_second": 2, "max_intents_per_minute": 2})
    for number in range(5):
        await desk.execution.submit(close_all(f"out-{number}", "0.001"))
    assert is_certain(await desk.execution.submit(entry("next", "0.010")))


async def test_an_order_that_is_tried_again_is_looked_at_again_in_any_case(desk: Desk) -> None:
    """Between two attempts the market may have gone: that neither gate nor limits changed says nothing of the price."""
    desk.trouble(Trouble.NOT_DONE)
    original = desk.exchange.place

    async def place(*args: object) -> object:
        try:
            return await original(*args)  # type: ignore[arg-type]
        finally:
            desk.quotes.changed[BTC] = {"ask": MARK * 2}

    desk.exchange.place = place  # type: ignore[method-assign, assignment]
    refused = await desk.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.PRICE_OUTSIDE_COLLAR
    assert desk.sent == ["one"]


async def test_a_stop_that_comes_while_the_intent_is_written_keeps_it_from_the_exchange_altogether(desk: Desk) -> None:
    """Not even a connection is asked for: two looks stand between a slow disk and the wire, and each is enough."""
    calls: list[object] = []

    async def place(*args: object) -> None:
        calls.append(args)

    desk.exchange.place = place  # type: ignore[method-assign, assignment]
    desk.journal.while_writing = lambda: desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    refused = await desk.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.STOP_LATCHED
    assert calls == []

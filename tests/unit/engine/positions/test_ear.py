"""A user stream that stays open and says nothing is found out by what requests show."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange
from tests.unit.engine.execution.desk import entry

from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.domain import Quote
from quantum_engine.exchanges.port import AccountUpdate, StreamDown, StreamUp, UserEvent
from quantum_engine.permission import Permission
from quantum_engine.positions import service
from quantum_engine.positions.ear import AGAIN_SECONDS, GRACE_SECONDS, PROVEN_SECONDS, StreamEar
from quantum_engine.positions.service import Positions

BTC = "BTCUSDT"


def listening() -> StreamEar:
    """Up, and compared once."""
    ear = StreamEar()
    ear.came_up(100.0)
    ear.compared(100.0, found_news=True)
    return ear


def test_the_first_comparison_after_the_stream_came_up_is_all_news() -> None:
    assert listening().deaf_seconds(200.0) == 0.0


def test_news_that_the_stream_did_not_tell_make_it_deaf_from_the_first_time_on() -> None:
    ear = listening()
    ear.compared(130.0, found_news=True)
    ear.compared(160.0, found_news=True)
    assert ear.deaf_seconds(170.0) == 40.0


def test_an_event_that_comes_after_all_takes_it_back() -> None:
    """A comparison is often some milliseconds ahead of the stream."""
    ear = listening()
    ear.compared(130.0, found_news=True)
    ear.heard()
    assert ear.deaf_seconds(200.0) == 0.0


def test_a_new_subscription_proves_nothing_until_a_later_comparison_finds_nothing_untold() -> None:
    ear = listening()
    ear.compared(130.0, found_news=True)
    ear.went_down()
    ear.came_up(140.0)
    ear.compared(140.0, found_news=False)
    assert ear.deaf_seconds(150.0) == 20.0
    ear.compared(140.0 + PROVEN_SECONDS, found_news=False)
    assert ear.deaf_seconds(200.0) == 0.0


def test_a_stream_that_is_down_is_no_deaf_one() -> None:
    ear = listening()
    ear.went_down()
    ear.compared(130.0, found_news=True)
    assert ear.deaf_seconds(200.0) == 0.0


def test_it_is_subscribed_anew_once_past_the_grace_and_not_at_every_look() -> None:
    ear = listening()
    ear.compared(190.0, found_news=True)
    assert not ear.is_due_anew(190.0 + GRACE_SECONDS)
    assert ear.is_due_anew(190.1 + GRACE_SECONDS)
    ear.went_down()
    assert not ear.is_due_anew(200.0)
    ear.came_up(200.0)
    assert not ear.is_due_anew(199.9 + AGAIN_SECONDS)
    assert ear.is_due_anew(200.0 + AGAIN_SECONDS)


def test_each_subscription_has_had_a_comparison_that_could_prove_it_before_the_next() -> None:
    """Else a stream that was healed at once would be cut for ever."""
    assert PROVEN_SECONDS < service.RECONCILE_SECONDS < AGAIN_SECONDS


class World:
    """Positions on an exchange whose user stream is open and silent."""

    def __init__(self) -> None:
        self.clock, self.permission = ManualClock(), Permission()
        self.permission.lift("policy")
        self.exchange = FakeExchange(self.clock, {BTC: Decimal(100)})
        self.exchange.user_stream = self.silence  # type: ignore[method-assign]
        quote = Quote(BTC, Decimal(100), None, None, 0.0)
        self.positions = Positions(self.exchange, lambda _: replace(quote, received_at=self.clock.monotonic()), self.clock, self.permission)
        self.subscribed = 0

    async def silence(self) -> AsyncIterator[UserEvent]:
        self.subscribed += 1
        yield StreamUp()
        await asyncio.Event().wait()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_deaf_stream_lets_nothing_open_is_subscribed_anew_and_reopens_once_it_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WATCH_SECONDS", 0.001)
    monkeypatch.setattr(service, "RECONCILE_SECONDS", 0.01)
    world = World()
    running = asyncio.create_task(world.positions.run())
    try:
        await until(lambda: world.permission.gate is Gate.ACTIVE)
        world.clock.advance(AGAIN_SECONDS)
        await world.exchange.place(entry(quantity="1"), "somebody-elses")
        await until(lambda: bool(world.positions.positions))
        world.clock.advance(GRACE_SECONDS + 0.1)
        await until(lambda: "stream" in {r.source for r in world.permission.restrictions})
        assert world.positions.stream_deaf_seconds > GRACE_SECONDS
        await until(lambda: world.subscribed == 2)
        await until(lambda: {r.source for r in world.permission.restrictions} == {"stream"})
        assert world.permission.gate is Gate.REDUCE_ONLY, "compared, and the stream not proven yet"
        world.clock.advance(PROVEN_SECONDS)
        await until(lambda: world.permission.gate is Gate.ACTIVE)
        assert world.positions.stream_deaf_seconds == 0.0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_comparison_that_was_lost_is_timed_and_one_that_was_never_made_is_not() -> None:
    """A fresh engine is HALTED until it has compared: there is nothing yet to break."""
    world = World()
    world.positions._take(StreamDown("at start"))
    world.clock.advance(100)
    assert world.positions.unreconciled_seconds == 0.0
    world.positions._take(StreamUp())
    await world.positions.reconcile()
    world.positions._take(StreamDown("cut"))
    world.clock.advance(60)
    world.positions._take(StreamDown("still"))
    world.clock.advance(1)
    assert world.positions.unreconciled_seconds == 61.0
    world.positions._take(StreamUp())
    await world.positions.reconcile()
    assert world.positions.unreconciled_seconds == 0.0


async def test_any_event_of_the_account_is_heard() -> None:
    world = World()
    world.positions._take(StreamUp())
    await world.positions.reconcile()
    await world.exchange.place(entry(quantity="1"), "somebody-elses")
    await world.positions.reconcile()
    world.clock.advance(1)
    assert world.positions.stream_deaf_seconds == 1.0
    world.positions._take(AccountUpdate(Decimal(1), (), "ORDER", world.clock.wall_ms()))
    assert world.positions.stream_deaf_seconds == 0.0

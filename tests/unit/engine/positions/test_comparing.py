"""What is compared with the exchange, and how often all of it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange

from quantum_engine.clock import ManualClock
from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, PositionView, Side
from quantum_engine.errors import RetryableError
from quantum_engine.permission import Permission
from quantum_engine.positions.book import PositionBook
from quantum_engine.positions.comparing import MOST_SYMBOLS, WHOLE_SECONDS, Comparer
from quantum_engine.positions.mode import Mode

MARKS = {symbol: Decimal(100) for symbol in ("A", "B", "C")}
FAR = Decimal(50)


class Account(FakeExchange):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, MARKS)
        self.asked: list[str | None] = []
        self.tells_positions = True

    async def positions(self, *, is_exit: bool = True) -> list[PositionView]:
        if not self.tells_positions:
            raise RetryableError("not now")
        return await super().positions(is_exit=is_exit)

    async def open_orders(self, *, is_exit: bool = True) -> list[OrderView]:
        assert not is_exit, "a comparison has no part in what is reserved for exits"
        self.asked.append(None)
        return await super().open_orders()

    async def regular_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        assert not is_exit
        self.asked.append(symbol)
        return [order for order in await super().open_orders() if order.symbol == symbol]


class Desk:
    def __init__(self, watched: Callable[[], Any] = lambda: ["A"]) -> None:
        self.clock, self.book = ManualClock(), PositionBook()
        self.exchange = Account(self.clock)
        self.comparer = Comparer(self.exchange, Mode(self.exchange, Permission(), self.clock), self.clock, watched)

    async def compare(self) -> list[str | None]:
        self.exchange.asked.clear()
        self.clock.advance(30)
        self.book.reconcile(await self.comparer.ask(self.book))
        return self.exchange.asked

    def rest(self, symbol: str) -> None:
        self.exchange._enter(OrderIntent(symbol, symbol, Side.BUY, Decimal(1), FAR), symbol)


async def test_everything_is_asked_first_then_only_what_is_watched_or_touched_and_everything_again_in_five_minutes() -> None:
    desk = Desk()
    desk.rest("B")
    assert await desk.compare() == [None]
    assert await desk.compare() == ["A", "B"]
    for _ in range(8):
        assert None not in await desk.compare()
    assert await desk.compare() == [None]
    assert WHOLE_SECONDS == 300


async def test_after_the_stream_was_away_everything_is_asked() -> None:
    desk = Desk()
    await desk.compare()
    desk.comparer.ask_for_all()
    assert await desk.compare() == [None]


async def test_an_order_that_was_not_asked_about_is_not_taken_for_ended() -> None:
    desk = Desk(watched=list)
    await desk.compare()
    desk.book.orders.see(OrderView("B", 7, "late", Side.BUY, OrderStatus.NEW, Decimal(1), Decimal(0), FAR, False, 0))
    answers = await desk.comparer.ask(PositionBook())
    desk.book.reconcile(answers)
    assert "late" in desk.book.orders.open
    await desk.compare()
    assert "late" not in desk.book.orders.open


async def test_many_symbols_are_asked_about_in_one_list() -> None:
    """Beyond thirty, asking of each would weigh more than the list of all."""
    desk = Desk(watched=lambda: [f"S{number}" for number in range(MOST_SYMBOLS + 1)])
    await desk.compare()
    assert await desk.compare() == [None]


async def test_a_failed_look_at_everything_is_not_counted_as_one() -> None:
    desk = Desk()
    desk.exchange.can_be_asked = False
    try:
        await desk.compare()
    except Exception:  # noqa: BLE001  whatever the exchange raises
        desk.exchange.can_be_asked = True
    assert await desk.compare() == [None]


async def test_while_the_exchange_does_not_say_what_is_held_nobody_pays_for_the_lists_of_orders() -> None:
    """They weigh 80 of the 2 400 a minute that all engines behind one address share, and the question is repeated each second."""
    desk = Desk()
    desk.exchange.tells_positions = False
    with pytest.raises(RetryableError):
        await desk.compare()
    assert desk.exchange.asked == []
    desk.exchange.tells_positions = True
    assert await desk.compare() == [None]

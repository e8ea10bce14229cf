"""Getting out is never blocked: not by what cannot be read, cancelled or listed, and not by a venue that talks nonsense."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.unit.engine.execution.desk import MemoryJournal
from tests.unit.engine.gate.worlds import limits

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import Limits, StopAction
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, PositionView, Side, SymbolRules
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.ports import Known, no_rules
from quantum_engine.emergency.service import StopWorker
from quantum_engine.errors import RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.permission import Permission
from quantum_engine.verdicts import Accepted, Declined, Verdict

BTC, ETH = "BTCUSDT", "ETHUSDT"
HALF = Decimal("0.5")
DOWN = RetryableError("the service is down")


def resting(symbol: str = BTC, *, is_algo: bool = False, number: int = 1) -> OrderView:
    return OrderView(symbol, number, f"o{number}", Side.BUY, OrderStatus.NEW, Decimal(1), Decimal(0), Decimal(1), False, 0, is_algo)


class Venue:
    """One long position; what is named in ``broken`` raises.  ``said`` is what it was asked and told, in order."""

    def __init__(self, **broken: Exception) -> None:
        self.broken = broken
        self.held = {BTC: HALF}
        self.orders: list[OrderView] = []
        self.said: list[str] = []
        self.verdicts: list[Verdict] = []
        self.intents: list[OrderIntent] = []
        self.percent = Decimal(0)

    def count(self, what: str) -> int:
        return sum(each.startswith(what) for each in self.said)

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        self._ask("symbol_rules")
        step = Decimal("0.001")
        up, down = 1 + self.percent, (1 - self.percent) if self.percent else Decimal(0)
        return {s: SymbolRules(s, True, step, step, step, step, Decimal(9), Decimal(9), step, up, down) for s in (BTC, ETH)}

    async def positions(self) -> list[PositionView]:
        self._ask("positions")
        return [PositionView(symbol, held, Decimal(50_000), Decimal(50_000)) for symbol, held in self.held.items() if held]

    async def regular_orders(self, symbol: str | None = None) -> list[OrderView]:
        self._ask("regular_orders", symbol)
        return [order for order in self.orders if not order.is_algo and symbol in (None, order.symbol)]

    async def algo_orders(self, symbol: str | None = None) -> list[OrderView]:
        self._ask("algo_orders", symbol)
        return [order for order in self.orders if order.is_algo and symbol in (None, order.symbol)]

    async def cancel_order(self, order: OrderView) -> None:
        self._ask("cancel_order", order.order_id)
        self.orders = [each for each in self.orders if each != order]

    async def cancel_all(self, symbol: str) -> None:
        self._ask("cancel_all", symbol)
        self.orders = [order for order in self.orders if order.symbol != symbol]

    async def submit(self, intent: OrderIntent) -> Verdict:
        assert intent.reduce_only
        self.said.append(f"close {intent.symbol}")
        self.intents.append(intent)
        if self.verdicts:
            return self.verdicts.pop(0)
        held = self.held[intent.symbol]
        self.held[intent.symbol] = held - min(intent.quantity, abs(held)) * (1 if held > 0 else -1)
        return Accepted("c", None)

    def _ask(self, what: str, about: object = None) -> None:
        self.said.append(f"{what} {about or 'all'}")
        if what in self.broken:
            raise self.broken[what]


class Books:
    """As the engine believes."""

    def __init__(self, *orders: OrderView, reconciled: bool = True, **held: Decimal) -> None:
        self.reconciled = reconciled
        self.positions = {symbol: PositionView(symbol, quantity, Decimal(50_000), Decimal(50_000)) for symbol, quantity in held.items()}
        self.open_orders = {order.client_order_id: order for order in orders}


class Stop:
    """A stop at work."""

    def __init__(self, venue: Venue, books: Books | None = None, limits: Limits | None = None) -> None:
        self.venue, self.books, self.journal, self.clock = venue, books or Books(reconciled=False), MemoryJournal(), SystemClock()
        self.book = LatchBook(Permission(), self.clock)
        keeper = LatchKeeper(self.book, self.journal, self.clock)
        self.worker = StopWorker(self.book, keeper, venue, venue.submit, lambda: limits, self.clock, random_id, Known(self.books, no_rules))
        self.runs = [keeper.run, self.worker.run]

    def trip(self, action: StopAction = StopAction.FLATTEN, latch_id: str = "l", age_seconds: int = 0) -> None:
        now_ms = self.clock.wall_ms() - age_seconds * 1_000
        self.book.trip(Latch(id=latch_id, action=action, origin=LatchOrigin.MANUAL, trigger="Manual", reason="r", tripped_at_ms=now_ms))

    @property
    def latch(self) -> Latch:
        return self.book.latches[0]

    @property
    def is_done(self) -> bool:
        return self.latch.cooldown_until_ms is not None

    async def until(self, holds: Callable[[], bool], seconds: float = 3.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.002)


@asynccontextmanager
async def stopping(stop: Stop, action: StopAction = StopAction.FLATTEN, age_seconds: int = 0) -> AsyncIterator[Stop]:
    tasks = [asyncio.create_task(run()) for run in stop.runs]
    await asyncio.sleep(0)
    stop.trip(action, age_seconds=age_seconds)
    try:
        yield stop
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("symbol_rules", ThrottledError("paused", retry_after_seconds=120.0)),
        ("regular_orders", DOWN),
        ("algo_orders", DOWN),
        ("cancel_all", UnknownOutcomeError("HTTP 500")),
    ],
)
async def test_a_position_is_closed_although_something_beside_it_cannot_be_done(what: str, error: Exception) -> None:
    venue = Venue(**{what: error})
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: not venue.held[BTC])


async def test_a_position_that_cannot_be_listed_is_closed_as_the_books_have_it() -> None:
    venue = Venue(positions=DOWN)
    async with stopping(Stop(venue, Books(reconciled=False, BTCUSDT=HALF))) as stop:
        await stop.until(lambda: not venue.held[BTC] and "positions: the service is down" in stop.latch.message)
        assert stop.latch.positions_flat_at_ms is None


@pytest.mark.parametrize("part", ["regular_orders", "algo_orders"])
async def test_flat_is_not_claimed_while_orders_cannot_be_listed(part: str) -> None:
    venue = Venue(**{part: DOWN})
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: not venue.held[BTC] and "the service is down" in stop.latch.message)
        await stop.until(lambda: venue.count(part) >= 3)
        assert (stop.latch.orders_cancelled_at_ms, stop.latch.positions_flat_at_ms, stop.is_done) == (None, None, False)
        venue.broken.clear()
        await stop.until(lambda: stop.is_done)


async def test_orders_are_cancelled_although_one_of_the_two_services_does_not_answer() -> None:
    """A stop that only cancels once stood still while the conditional orders' service alone was away."""
    venue = Venue(algo_orders=DOWN)
    venue.orders = [resting(), resting(ETH, is_algo=True, number=2)]
    async with stopping(Stop(venue, limits=limits(instruments=[ETH])), StopAction.CANCEL_ORDERS) as stop:
        await stop.until(lambda: not venue.orders)
        assert not stop.is_done
        assert venue.intents == []
        venue.broken.clear()
        await stop.until(lambda: stop.is_done)


async def test_while_nothing_answers_only_what_is_known_to_rest_is_cancelled_and_nothing_is_closed() -> None:
    """A closing order of unknown outcome each few seconds would be a heap of questions when the exchange is back."""
    venue = Venue(positions=DOWN, regular_orders=DOWN, algo_orders=DOWN, cancel_all=DOWN)
    venue.orders = [resting()]
    async with stopping(Stop(venue, Books(resting(), BTCUSDT=HALF, ETHUSDT=HALF), limits(instruments=[BTC, ETH, "SOLUSDT"]))) as stop:
        venue.verdicts = [Declined("c", 0, "HTTP 503")] * 2
        await stop.until(lambda: venue.count("positions") >= 4)
        at_once, later = venue.said[:4], venue.said[venue.said.index("positions all") :]
        assert {each for each in at_once if each.startswith("close")} == {f"close {BTC}", f"close {ETH}"}
        assert {each for each in later if each.startswith(("close", "cancel"))} == {f"cancel_all {BTC}"}
        venue.broken.clear()
        await stop.until(lambda: stop.is_done)
    assert venue.held[BTC] == 0
    assert venue.count("cancel_order") == 0, "that an absent exchange cancelled nothing says nothing about how to cancel"


async def test_a_stop_that_only_cancels_is_done_though_positions_cannot_be_listed() -> None:
    venue = Venue(positions=DOWN)
    venue.orders = [resting()]
    async with stopping(Stop(venue), StopAction.CANCEL_ORDERS) as stop:
        await stop.until(lambda: stop.is_done)
    assert venue.orders == []


async def test_a_cancel_that_failed_is_said_and_done_again_one_by_one() -> None:
    venue = Venue(cancel_all=UnknownOutcomeError("HTTP 500"))
    venue.orders = [resting(), resting(number=2, is_algo=True)]
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: "HTTP 500" in stop.latch.message)
        await stop.until(lambda: stop.is_done)
    assert {"cancel_order 1", "cancel_order 2"} <= set(venue.said)


async def test_the_books_are_worked_on_before_the_exchange_was_asked_anything() -> None:
    """Trip to first cancel is one turn of the event loop, not two round trips."""
    venue = Venue()
    venue.orders = [resting()]
    async with stopping(Stop(venue, Books(resting(), BTCUSDT=HALF))) as stop:
        await stop.until(lambda: stop.is_done)
    assert venue.said[:2] == [f"cancel_all {BTC}", f"close {BTC}"]
    assert venue.count("regular_orders all") == 1, "one whole look: the proof"


async def test_cancels_leave_before_the_latch_is_on_disk_and_closes_after_it() -> None:
    """A position that is closed and a stop that is forgotten would let the engine open it again."""
    venue = Venue()
    stop = Stop(venue, Books(resting(), BTCUSDT=HALF))
    stop.journal.answers = asyncio.Event()
    async with stopping(stop):
        await stop.until(lambda: venue.count("cancel_all") == 1)
        for _ in range(20):
            await asyncio.sleep(0)
        assert venue.count("close") == 0
        stop.journal.answers.set()
        await stop.until(lambda: venue.count("close") == 1)
        assert stop.latch.gate_closed_at_ms is not None


async def test_a_disk_that_hangs_does_not_hold_up_the_way_out() -> None:
    venue = Venue()
    stop = Stop(venue, Books(BTCUSDT=HALF))
    stop.journal.answers = asyncio.Event()
    async with stopping(stop):
        await stop.until(lambda: not venue.held[BTC])
        assert not stop.is_done
        stop.journal.answers.set()
        await stop.until(lambda: stop.is_done)


async def test_books_that_are_wrong_do_no_harm_and_what_they_miss_is_found_by_asking() -> None:
    venue = Venue()
    venue.held = {BTC: Decimal("0.2"), ETH: Decimal(-1)}
    venue.orders = [resting(ETH, number=7)]
    async with stopping(Stop(venue, Books(resting(), BTCUSDT=HALF))) as stop:
        await stop.until(lambda: stop.is_done)
    assert venue.held == {BTC: 0, ETH: 0}
    assert venue.orders == []


async def test_between_the_rounds_only_what_is_worked_on_is_asked_about() -> None:
    """A whole look weighs 85, one of a symbol 7: engines behind one address share 2 400 a minute."""
    venue = Venue()
    venue.verdicts = [Declined("c", -4005, "too large")] * 3
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: stop.is_done)
    assert venue.count("regular_orders all") == 2, "one to find the work, one to prove its end"
    assert venue.count(f"regular_orders {BTC}") >= 3


async def test_a_finished_stop_does_not_ask_while_compared_books_show_nothing_and_wakes_when_they_show_something() -> None:
    venue, books = Venue(), Books(BTCUSDT=HALF)
    async with stopping(Stop(venue, books)) as stop:
        await stop.until(lambda: stop.is_done)
        books.positions.clear()
        asked = len(venue.said)
        stop.worker.look_again()
        await asyncio.sleep(0.7)
        assert len(venue.said) == asked
        venue.held[BTC] = HALF
        books.positions[BTC] = PositionView(BTC, HALF, Decimal(50_000))
        stop.worker.look_again()
        await stop.until(lambda: not venue.held[BTC])
        await stop.until(lambda: stop.is_done)


async def test_an_exchange_that_asks_for_patience_is_asked_once_and_left_alone_until_then_even_when_something_moves() -> None:
    """Three engines behind one address that asked on had it banned within a minute, and with it every way out."""
    throttled = ThrottledError("429", retry_after_seconds=0.5)
    venue = Venue(positions=throttled, regular_orders=throttled, algo_orders=throttled)
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: venue.count("positions") > 0)
        began, asked = asyncio.get_running_loop().time(), len(venue.said)
        venue.broken.clear()
        stop.trip(latch_id="another")
        stop.worker.look_again()
        await stop.until(lambda: not venue.held[BTC])
        assert asyncio.get_running_loop().time() - began > 0.4
        await stop.until(lambda: stop.is_done)
    assert asked == 3
    assert venue.said[3].startswith(("cancel_all", "regular_orders", "positions"))


async def test_patience_is_given_too_when_a_cancel_or_a_close_was_throttled() -> None:
    venue = Venue()
    venue.verdicts = [Declined("c", 0, "[BINANCE][RATE_LIMIT] 429", 0.4)]
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: venue.count("close") == 1)
        asked = len(venue.said)
        await asyncio.sleep(0.3)
        assert len(venue.said) == asked
        await stop.until(lambda: stop.is_done)


async def test_nothing_to_close_is_no_problem_but_a_reason_to_look_again() -> None:
    """-2022: the position went while the order was on its way."""
    venue = Venue()
    venue.verdicts = [Declined("c", -2022, "ReduceOnly Order is rejected.")]
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: stop.is_done)
        assert stop.latch.message == ""
    assert len(venue.intents) == 2


async def test_resting_orders_that_still_cover_the_position_are_cancelled_one_by_one() -> None:
    """-4118 stays while a close-all rests that "cancel all" does not reach."""

    class Deaf(Venue):
        async def cancel_all(self, symbol: str) -> None:
            self._ask("cancel_all", symbol)

        async def submit(self, intent: OrderIntent) -> Verdict:
            if self.orders:
                self.said.append(f"close {intent.symbol}")
                return Declined("c", -4118, "ReduceOnly Order Failed. (exchange code -4118)")
            return await super().submit(intent)

    venue = Deaf()
    venue.orders = [resting(is_algo=True, number=9)]
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: "-4118" in stop.latch.message)
        await stop.until(lambda: stop.is_done)
    assert "cancel_order 9" in venue.said


async def test_a_book_without_takers_is_met_by_a_limit_at_the_edge_of_the_band_and_then_by_a_market_order_again() -> None:
    venue = Venue()
    venue.percent = Decimal("0.05")
    thin = Declined("c", -4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    venue.verdicts = [thin, thin]
    async with stopping(Stop(venue)) as stop:
        await stop.until(lambda: "-4131" in stop.latch.message or "PERCENT_PRICE" in stop.latch.message)
        await stop.until(lambda: stop.is_done)
    assert [intent.price for intent in venue.intents] == [None, Decimal(47_500), None]
    assert venue.intents[1].time_in_force == "IOC"


async def test_past_its_deadline_a_stop_says_so_lets_its_limits_rest_and_goes_on() -> None:
    """Never gives up: what helps is tried harder, and the word is on the latch."""
    venue = Venue()
    venue.percent = Decimal("0.05")
    venue.verdicts = [Declined("c", -4131, "thin")] * 3
    stop = Stop(venue, limits=limits(instruments=[BTC], flatten_deadline_seconds=1))
    async with stopping(stop, age_seconds=2):
        await stop.until(lambda: stop.latch.message.startswith("overdue"))
        await stop.until(lambda: stop.is_done)
    assert [(intent.price is not None, intent.time_in_force) for intent in venue.intents[:2]] == [(False, "IOC"), (True, "GTC")]

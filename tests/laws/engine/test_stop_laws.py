"""A stop reaches flat whenever the exchange lets it, says so only when it is true, and never asks the address into a ban.

Histories of hours in virtual time: services of the exchange fail and come back, alone and together, orders are refused in every way, fills
and orders of somebody else come late, the engine's own books are right, wrong or empty.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import looptime
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.execution.desk import MemoryJournal
from tests.unit.engine.gate.worlds import limits

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import random_id
from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, PositionView, Side, SymbolRules
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.ports import Known, no_rules
from quantum_engine.emergency.service import StopWorker
from quantum_engine.errors import EngineError, RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.permission import Permission
from quantum_engine.verdicts import Accepted, Declined, Verdict

SYMBOLS = ("AAUSDT", "BBUSDT", "CCUSDT")
PARTS = ("positions", "regular_orders", "algo_orders", "cancel_all", "cancel_order", "symbol_rules", "submit")
WEIGHTS = {"positions": 5, "cancel_all": 2, "cancel_order": 1, "symbol_rules": 1, "submit": 0}
STEP = Decimal("0.01")
LOT = Decimal("0.10")
BEGAN_AT = 1_000.0
COMPARED_AFTER_SECONDS = 30.0
HEAL_SECONDS = 90.0
"""No pause and no patience is longer."""
WEIGHT_A_MINUTE = 1_300
"""Of one stop at its worst, of the 2 400 that the venue grants an address."""


class LoopClock:
    """The loop's own virtual time, for monotonic and wall alike."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + round(self.monotonic() * 1_000)


@dataclass
class Exchange:
    """What is named in ``broken`` fails; orders and positions are what they are, whatever anybody believes."""

    held: dict[str, Decimal] = field(default_factory=dict)
    orders: list[OrderView] = field(default_factory=list)
    broken: dict[str, EngineError] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    weights: list[tuple[float, int]] = field(default_factory=list)
    numbers: int = 0

    @property
    def is_flat(self) -> bool:
        return not any(abs(held) >= LOT for held in self.held.values())

    def rest(self, symbol: str, *, is_algo: bool) -> None:
        self.numbers += 1
        self.orders.append(
            OrderView(symbol, self.numbers, f"o{self.numbers}", Side.SELL, OrderStatus.NEW, LOT, Decimal(0), LOT, True, 0, is_algo)
        )

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        await self._ask("symbol_rules", 1)
        up, down = Decimal("1.05"), Decimal("0.95")
        return {s: SymbolRules(s, True, STEP, STEP, STEP, LOT, Decimal(3), Decimal(2), Decimal(5), up, down) for s in SYMBOLS}

    async def positions(self) -> list[PositionView]:
        await self._ask("positions", 5)
        return [PositionView(symbol, held, Decimal(100), Decimal(100)) for symbol, held in self.held.items() if held]

    async def regular_orders(self, symbol: str | None = None) -> list[OrderView]:
        await self._ask("regular_orders", 1 if symbol else 40)
        return [order for order in self.orders if not order.is_algo and symbol in (None, order.symbol)]

    async def algo_orders(self, symbol: str | None = None) -> list[OrderView]:
        await self._ask("algo_orders", 1 if symbol else 40)
        return [order for order in self.orders if order.is_algo and symbol in (None, order.symbol)]

    async def cancel_all(self, symbol: str) -> None:
        await self._ask("cancel_all", 2)
        self.orders = [order for order in self.orders if order.symbol != symbol]

    async def cancel_order(self, order: OrderView) -> None:
        await self._ask("cancel_order", 1)
        self.orders = [each for each in self.orders if each.order_id != order.order_id]

    async def submit(self, intent: OrderIntent) -> Verdict:
        """As execution does it: an exchange that does not answer is a verdict, not an error."""
        assert intent.reduce_only
        self._weigh(0)
        await asyncio.sleep(0.002)
        if (error := self.broken.get("submit")) is not None:
            patience = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
            return Declined("c", 0, str(error), patience)
        if self.verdicts:
            return self.verdicts.pop()
        held = self.held.get(intent.symbol, Decimal(0))
        if held * intent.side.sign >= 0:
            return Declined("c", -2022, "ReduceOnly Order is rejected.")
        if sum(order.remaining for order in self.orders if order.symbol == intent.symbol and not order.is_algo) >= abs(held):
            return Declined("c", -4118, "ReduceOnly Order Failed.")
        done = min(intent.quantity, abs(held))
        self.held[intent.symbol] = held + done * intent.side.sign
        view = OrderView(intent.symbol, 1, "c", intent.side, OrderStatus.FILLED, intent.quantity, done, Decimal(0), True, 0)
        return Accepted("c", view)

    async def _ask(self, what: str, weight: int) -> None:
        self._weigh(weight)
        await asyncio.sleep(0.002)
        if what in self.broken:
            raise self.broken[what]

    def _weigh(self, weight: int) -> None:
        self.weights.append((asyncio.get_running_loop().time(), weight))

    def most_weight_in_a_minute(self) -> int:
        return max((sum(w for at, w in self.weights if began <= at < began + 60) for began, _ in self.weights), default=0)


@dataclass
class Books:
    """What the engine believes at the trip; once ``reconciled`` books were compared again, what is true."""

    exchange: Exchange
    believed: dict[str, Decimal]
    reconciled: bool

    @property
    def _are_true(self) -> bool:
        return self.reconciled and asyncio.get_running_loop().time() >= BEGAN_AT + COMPARED_AFTER_SECONDS

    @property
    def positions(self) -> dict[str, PositionView]:
        held = self.exchange.held if self._are_true else self.believed
        return {symbol: PositionView(symbol, quantity, Decimal(100), Decimal(100)) for symbol, quantity in held.items() if quantity}

    @property
    def open_orders(self) -> dict[str, OrderView]:
        return {order.client_order_id: order for order in self.exchange.orders} if self._are_true else {}


quantities = st.integers(-1_000, 1_000).map(lambda number: Decimal(number) / 100)
holdings = st.dictionaries(st.sampled_from(SYMBOLS), quantities, max_size=3)
errors = st.sampled_from(
    [RetryableError("HTTP 503"), UnknownOutcomeError("no answer"), ThrottledError("429", retry_after_seconds=3.0),
     ThrottledError("banned", retry_after_seconds=120.0)]
)  # fmt: skip
outages = st.dictionaries(st.sampled_from(PARTS), errors, max_size=4)
refusals = st.lists(
    st.sampled_from([Declined("c", code, "no") for code in (-4118, -2022, -4131, -4005, -1111)] + [Accepted("c", None, certain=False)]),
    max_size=4,
)
resting = st.lists(st.tuples(st.sampled_from(SYMBOLS), st.booleans()), max_size=4)
Step = tuple[dict[str, EngineError], list[Verdict], list[tuple[str, bool]], dict[str, Decimal], float]
seconds = st.sampled_from([0.01, 0.5, 3.0, 31.0, 90.0])
steps = st.lists(st.tuples(outages, refusals, resting, st.one_of(st.just({}), holdings), seconds), max_size=3)


class Run:
    """One stop, from its trip to the end of the history."""

    def __init__(self, exchange: Exchange, books: Books, action: StopAction) -> None:
        self.exchange, self.action, clock = exchange, action, LoopClock()
        self.book = LatchBook(Permission(), clock)
        keeper = LatchKeeper(self.book, MemoryJournal(), clock)
        self.worker = StopWorker(
            self.book, keeper, exchange, exchange.submit, lambda: limits(instruments=list(SYMBOLS), flatten_deadline_seconds=20), clock,
            random_id, Known(books, no_rules),
        )  # fmt: skip
        self.stages = (keeper.run, self.worker.run)
        self.claimed: tuple[int | None, int | None] = (None, None)
        self.lies: list[str] = []
        self.book.on_change(self._judge)

    def _judge(self) -> None:
        """A claim is judged at the moment it is made; what cannot be seen later takes none back."""
        for latch in self.book.latches:
            before, self.claimed = self.claimed, (latch.orders_cancelled_at_ms, latch.positions_flat_at_ms)
            if self.claimed[0] not in (None, before[0]) and self.exchange.orders:
                self.lies.append(f"cancelled, but {self.exchange.orders} rest")
            if self.claimed[1] not in (None, before[1]) and not self.exchange.is_flat:
                self.lies.append(f"flat, but {self.exchange.held} is held")

    async def live(self, history: list[Step]) -> Latch:
        tasks = [asyncio.create_task(run()) for run in self.stages]
        await asyncio.sleep(0)
        self.book.trip(
            Latch(id="l", action=self.action, origin=LatchOrigin.MANUAL, trigger="Manual", reason="r", tripped_at_ms=LoopClock().wall_ms())
        )
        for broken, verdicts, orders, late, seconds in history:
            self.exchange.broken, self.exchange.verdicts = dict(broken), list(verdicts)
            self.exchange.held |= late
            for symbol, is_algo in orders:
                self.exchange.rest(symbol, is_algo=is_algo)
            self.worker.look_again()
            await asyncio.sleep(seconds)
        self.exchange.broken, self.exchange.verdicts = {}, []
        self.worker.look_again()
        await asyncio.sleep(HEAL_SECONDS)
        for task in tasks:
            assert not task.done(), task
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.book.latches[0]


def in_virtual_time(work: Callable[[], Any]) -> Any:
    loop = looptime.new_event_loop(start=BEGAN_AT, idle_step=None)
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


@given(
    held=holdings, orders=resting, books=st.one_of(st.none(), holdings), reconciled=st.booleans(),
    action=st.sampled_from([StopAction.CANCEL_ORDERS, StopAction.FLATTEN]), history=steps,
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_a_stop_ends_flat_when_the_exchange_lets_it_and_claims_nothing_that_is_not_so(
    held: dict[str, Decimal],
    orders: list[tuple[str, bool]],
    books: dict[str, Decimal] | None,
    reconciled: bool,
    action: StopAction,
    history: list[Step],
) -> None:
    exchange = Exchange(held=dict(held))
    for symbol, is_algo in orders:
        exchange.rest(symbol, is_algo=is_algo)
    run = Run(exchange, Books(exchange, dict(held) if books is None else books, reconciled), action)
    latch = in_virtual_time(lambda: run.live(history))
    assert run.lies == []
    assert exchange.orders == []
    assert latch.cooldown_until_ms is not None, latch.message
    if action is StopAction.FLATTEN:
        assert exchange.is_flat
        assert latch.positions_flat_at_ms is not None
    else:
        assert all(exchange.held.get(symbol, Decimal(0)) == held.get(symbol, Decimal(0)) for symbol in held) or history
    assert exchange.most_weight_in_a_minute() <= WEIGHT_A_MINUTE


def test_blind_cancels_are_no_progress() -> None:
    """Found by the law above: each cancel in the dark went well, so the stop came back twice a second and used up half of the address."""
    exchange = Exchange()
    run = Run(exchange, Books(exchange, {}, reconciled=False), StopAction.CANCEL_ORDERS)
    away: Step = ({"algo_orders": RetryableError("HTTP 503")}, [], [], {}, 90.0)
    latch = in_virtual_time(lambda: run.live([away]))
    assert latch.cooldown_until_ms is not None
    assert exchange.most_weight_in_a_minute() <= 600


def test_what_comes_after_the_proof_is_found_by_the_books_that_are_compared() -> None:
    """Nobody asks the exchange meanwhile; an order of somebody else, then a position, must open the work again at once."""
    exchange = Exchange(held={SYMBOLS[0]: Decimal(1)})
    run = Run(exchange, Books(exchange, {}, reconciled=True), StopAction.FLATTEN)
    calm: Step = ({}, [], [], {}, 31.0)
    late: Step = ({}, [], [(SYMBOLS[1], True)], {SYMBOLS[2]: Decimal(-2)}, 3.0)
    in_virtual_time(lambda: run.live([calm, late, calm]))
    assert (exchange.orders, exchange.is_flat, run.lies) == ([], True, [])

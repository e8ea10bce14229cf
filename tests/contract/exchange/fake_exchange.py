"""An exchange in memory, for pure stages; the contract suite runs on it and on the real client against the simulated venue.

Market orders fill at the mark; a limit that does not cross rests until ``trade_through``.  ``troubles`` are used up one per placed order.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from enum import Enum, auto

from quantum_engine.clock import Clock
from quantum_engine.domain import (
    AccountView,
    Bar,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderView,
    PositionView,
    Quote,
    Side,
    SymbolRules,
    Transferred,
)
from quantum_engine.errors import RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.exchanges.port import (
    AccountUpdate,
    DuplicateOrderIdError,
    OrderUpdate,
    StreamUp,
    UserEvent,
    VenueRefusedError,
    always,
)

ZERO = Decimal(0)


class Trouble(Enum):
    NONE = auto()
    DONE_BUT_SILENT = auto()
    """Carried out, and the answer is lost."""
    LOST = auto()
    """Not carried out, and the client cannot know."""
    LATE = auto()
    """Arrives when ``deliver_late`` is called."""
    NOT_DONE = auto()
    THROTTLED = auto()
    REFUSED = auto()


LATEST_MS = 9_000


def rules_of(symbol: str) -> SymbolRules:
    step = Decimal("0.001")
    return SymbolRules(symbol, True, Decimal("0.1"), step, step, step, Decimal(1_000), Decimal(120), Decimal(20))


class FakeExchange:
    """Implements quantum_engine.exchanges.port.Exchange."""

    def __init__(self, clock: Clock, marks: dict[str, Decimal], wallet: Decimal = Decimal(10_000)) -> None:
        self.marks, self.wallet = marks, wallet
        self.troubles: deque[Trouble] = deque()
        self.placed: list[tuple[str, OrderIntent]] = []
        """Every request that came as far as the exchange."""
        self.can_be_asked = True
        self.countdowns: dict[str, int] = {}
        self._clock = clock
        self._orders: dict[str, OrderView] = {}
        self._late: list[tuple[OrderIntent, str, int]] = []
        self._positions: dict[str, PositionView] = {}
        self._fills: list[Fill] = []
        self.moved: list[Transferred] = []
        """Money that a test moved while nobody looked."""
        self._events: asyncio.Queue[UserEvent] = asyncio.Queue()
        self._numbers = 0

    def venue_ms(self) -> int:
        return self._clock.wall_ms()

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        self._reachable()
        return {symbol: rules_of(symbol) for symbol in self.marks}

    async def account(self) -> AccountView:
        self._reachable()
        unrealised = sum((p.quantity * (self.marks[p.symbol] - p.entry_price) for p in self._positions.values()), ZERO)
        return AccountView(self.wallet, unrealised, self.wallet + unrealised, self.venue_ms())

    async def positions(self, *, is_exit: bool = True) -> list[PositionView]:
        self._reachable()
        return [replace(p, mark_price=self.marks[p.symbol]) for p in self._positions.values() if p.quantity]

    async def open_orders(self, *, is_exit: bool = True) -> list[OrderView]:
        self._reachable()
        return [order for order in self._orders.values() if order.status.is_open]

    async def regular_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        return [order for order in await self.open_orders() if symbol in (None, order.symbol)]

    async def algo_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        self._reachable()
        return []

    async def cancel_order(self, order: OrderView) -> None:
        await self.cancel(order.symbol, order.client_order_id)

    async def is_hedged(self) -> bool:
        self._reachable()
        return False

    async def arm_countdown(self, symbol: str, seconds: int) -> None:
        self._reachable()
        self.countdowns[symbol] = seconds

    async def place(self, intent: OrderIntent, client_order_id: str, may_leave: Callable[[], bool] = always) -> OrderView:
        await asyncio.sleep(0)
        if not may_leave():
            raise RetryableError("not sent: what permitted it was withdrawn")
        self.placed.append((client_order_id, intent))
        match self.troubles.popleft() if self.troubles else Trouble.NONE:
            case Trouble.NOT_DONE:
                raise RetryableError("connection refused")
            case Trouble.THROTTLED:
                raise ThrottledError("too many orders", retry_after_seconds=0.05)
            case Trouble.REFUSED:
                raise VenueRefusedError(-2019, "Margin is insufficient.")
            case Trouble.LOST:
                raise UnknownOutcomeError("no answer")
            case Trouble.LATE:
                self._late.append((intent, client_order_id, self._clock.wall_ms()))
                raise UnknownOutcomeError("no answer")
            case Trouble.DONE_BUT_SILENT:
                self._enter(intent, client_order_id)
                raise UnknownOutcomeError("no answer")
            case _:
                return self._enter(intent, client_order_id)

    async def order(self, symbol: str, client_order_id: str) -> OrderView | None:
        self._reachable()
        order = self._orders.get(client_order_id)
        return order if order is not None and order.symbol == symbol else None

    async def cancel(self, symbol: str, client_order_id: str) -> None:
        self._reachable()
        order = self._orders.get(client_order_id)
        if order is not None and order.symbol == symbol and order.status.is_open:
            self._change(replace(order, status=OrderStatus.CANCELED))

    async def cancel_all(self, symbol: str) -> None:
        for order in await self.open_orders():
            await self.cancel(symbol, order.client_order_id)

    async def fills(self, symbol: str, since_ms: int) -> list[Fill]:
        self._reachable()
        return [fill for fill in self._fills if fill.symbol == symbol and fill.time_ms >= since_ms]

    async def fills_from(self, symbol: str, trade_id: int) -> list[Fill]:
        self._reachable()
        return [fill for fill in self._fills if fill.symbol == symbol and fill.trade_id >= trade_id]

    async def transfers(self, since_ms: int) -> list[Transferred]:
        self._reachable()
        return [replace(each, is_asked=True) for each in self.moved if each.time_ms >= since_ms]

    async def premium(self, symbol: str) -> Decimal:
        return self.marks[symbol]

    async def klines(self, symbol: str, bar_seconds: int, count: int) -> list[Bar]:
        price, length_ms = float(self.marks[symbol]), bar_seconds * 1_000
        now_ms = self.venue_ms() - self.venue_ms() % length_ms
        return [Bar(now_ms - number * length_ms, price, price, price, price) for number in range(count, 0, -1)]

    async def market_stream(self, symbols: frozenset[str]) -> AsyncIterator[Quote]:
        while True:
            for symbol in sorted(symbols):
                mark = self.marks[symbol]
                yield Quote(symbol, mark, mark, mark, self._clock.monotonic())
            await asyncio.sleep(0.01)

    async def user_stream(self) -> AsyncIterator[UserEvent]:
        yield StreamUp()
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        """Nothing is held open."""

    def deliver_late(self) -> None:
        """What was on its way arrives, unless it was under way beyond the receive window: then the venue refuses it (-1021)."""
        for intent, client_order_id, sent_ms in self._late:
            if self._clock.wall_ms() - sent_ms <= LATEST_MS:
                self._enter(intent, client_order_id)
        self._late.clear()

    def trade_through(self, client_order_id: str, quantity: Decimal) -> None:
        """Somebody takes a resting order."""
        self._fill(self._orders[client_order_id], quantity, self._orders[client_order_id].price)

    def tell(self, event: UserEvent) -> None:
        """Put something on the user stream."""
        self._events.put_nowait(event)

    def _reachable(self) -> None:
        if not self.can_be_asked:
            raise RetryableError("cannot be asked")

    def _enter(self, intent: OrderIntent, client_order_id: str) -> OrderView:
        known = self._orders.get(client_order_id)
        if known is not None and known.status.is_open:
            raise DuplicateOrderIdError("an order with this id is open")
        if intent.quantity % rules_of(intent.symbol).step_size:
            raise VenueRefusedError(-1111, "Precision is over the maximum defined for this asset.")
        held = self._positions[intent.symbol].quantity if intent.symbol in self._positions else ZERO
        room = max(-held * intent.side.sign, ZERO)
        if intent.reduce_only and not room:
            raise VenueRefusedError(-2022, "ReduceOnly Order is rejected.")
        quantity = min(intent.quantity, room) if intent.reduce_only else intent.quantity
        self._numbers += 1
        price = intent.price or ZERO
        order = OrderView(
            intent.symbol, self._numbers, client_order_id, intent.side, OrderStatus.NEW, quantity, ZERO, price, intent.reduce_only,
            self.venue_ms(),
        )  # fmt: skip
        self._change(order)
        mark = self.marks[intent.symbol]
        crosses = intent.price is None or (price >= mark if intent.side is Side.BUY else price <= mark)
        if crosses:
            self._fill(order, quantity, mark)
        return self._orders[client_order_id]

    def _fill(self, order: OrderView, quantity: Decimal, price: Decimal) -> None:
        self._numbers += 1
        now_ms = self.venue_ms()
        fill = Fill(
            order.symbol, self._numbers, order.order_id, order.client_order_id, order.side, quantity, price, ZERO, ZERO, now_ms
        )  # fmt: skip
        self._fills.append(fill)
        held = self._positions.get(order.symbol, PositionView(order.symbol, ZERO, ZERO)).quantity
        self._positions[order.symbol] = PositionView(order.symbol, held + quantity * order.side.sign, price, None, now_ms)
        executed = order.executed + quantity
        status = OrderStatus.FILLED if executed >= order.quantity else OrderStatus.PARTIALLY_FILLED
        self._change(replace(order, executed=executed, status=status, update_time_ms=now_ms), fill)
        self.tell(AccountUpdate(self.wallet, (self._positions[order.symbol],), "ORDER", now_ms))

    def _change(self, order: OrderView, fill: Fill | None = None) -> None:
        self._orders[order.client_order_id] = order
        self.tell(OrderUpdate(order, fill))

"""Keeps positions, orders and balances in step with the exchange, and says when it cannot.

Why   the restriction of source "reconciliation" is lifted only by a successful comparison while the user stream is up, because a
      reconnect replays nothing
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from quantum_api.gate import Gate
from quantum_engine.clock import Clock
from quantum_engine.domain import (
    AccountView,
    EquityEvent,
    Fill,
    OrderView,
    PositionSide,
    PositionView,
    Quote,
    Transferred,
    position_key,
    side_of,
    symbol_of,
)
from quantum_engine.errors import EngineError, ThrottledError
from quantum_engine.exchanges.port import AccountUpdate, Exchange, OrderUpdate, StreamDown, StreamUp, TradeSeen, UserEvent
from quantum_engine.permission import Permission, Restriction
from quantum_engine.positions.book import PositionBook
from quantum_engine.positions.comparing import Comparer, nothing
from quantum_engine.positions.ear import GRACE_SECONDS, StreamEar
from quantum_engine.positions.equity import account_of, reading_of
from quantum_engine.positions.mode import Mode
from quantum_engine.positions.recovery import FillRecovery
from quantum_engine.positions.transfers import TransferRecovery
from quantum_engine.waiting import happens

SOURCE: Final = "reconciliation"
STREAM_SOURCE: Final = "stream"
RECONCILE_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 1.0
TRANSFER_REASONS: Final = ("DEPOSIT", "WITHDRAW")


class Positions:
    """What the account holds, as the exchange last said."""

    def __init__(
        self,
        exchange: Exchange,
        market_quote: Callable[[str], Quote | None],
        clock: Clock,
        permission: Permission,
        watched: Callable[[], Iterable[str]] = nothing,
    ) -> None:
        self._exchange, self._quote, self._clock, self._permission = exchange, market_quote, clock, permission
        self.reconciled = False
        self.account_received_at = float("-inf")
        """Monotonic, of the newest word on the balance."""
        self.account_asked_at = float("-inf")
        """Monotonic, of the newest whole answer about the account: the stream tells the wallet, not what margin has left free."""
        self._book = PositionBook()
        self.transfers = TransferRecovery(exchange, self._tell)
        self._recovery = FillRecovery(exchange, self._book, watched)
        self._comparer = Comparer(exchange, Mode(exchange, permission, clock), clock, watched)
        self._views: dict[str, PositionView] = {}
        self._stream_is_up = False
        self._was_reconciled = False
        self._lost_at: float | None = None
        """Monotonic, since when a comparison that had been made no longer holds."""
        self._ear = StreamEar()
        self._subscribe_anew = asyncio.Event()
        self._wanted = asyncio.Event()
        self._lock = asyncio.Lock()
        self._equity_listeners: list[Callable[[EquityEvent], None]] = []
        self._change_listeners: list[Callable[[], None]] = []
        self._order_listeners: list[Callable[[OrderUpdate], None]] = []

    async def run(self) -> None:
        """Consume the user stream for ever; compare with the exchange when it comes up and each 30 s.

        However it ends, nobody keeps the books any more: only a new comparison lets anything open.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._consume())
                tasks.create_task(self._reconcile_for_ever())
                tasks.create_task(self._watch_marks())
                tasks.create_task(self._watch_stream())
        finally:
            self._stream_is_up = False
            self._restrict("nobody keeps the books: the stage has ended")

    async def reconcile(self) -> None:
        """Raises what the exchange port raises; the restriction of source "reconciliation" follows the result."""
        async with self._lock:
            self._wanted.clear()
            try:
                await self._compare()
            except EngineError as error:
                self._restrict(f"the exchange could not be asked: {error}")
                raise
            self._was_reconciled = True
            self.reconciled = self._stream_is_up
            if self._stream_is_up:
                self._lost_at = None
                self._permission.lift(SOURCE)
            else:
                self._restrict("the user stream is down")
            self._changed()

    async def refresh_account(self) -> None:
        """Ask for the balance alone."""
        account = await self._exchange.account()
        self._book.balance(account)
        self.account_received_at = self.account_asked_at = self._clock.monotonic()
        self._changed()

    @property
    def account(self) -> AccountView | None:
        """Wallet as the exchange said, unrealised at the newest marks; None while either is not known."""
        return account_of(self._book, self._quote, self._clock.monotonic())

    @property
    def positions(self) -> dict[str, PositionView]:
        """Non-zero positions by symbol; in hedge mode by symbol and side (domain.position_key)."""
        return self._views

    @property
    def open_orders(self) -> dict[str, OrderView]:
        """By client order id."""
        return self._book.orders.open

    @property
    def unreconciled_seconds(self) -> float:
        """Since a comparison that had been made no longer holds; 0 = it holds, or the engine has only just started."""
        return 0.0 if self._lost_at is None else self._clock.monotonic() - self._lost_at

    @property
    def stream_deaf_seconds(self) -> float:
        """Since a comparison first found what the user stream has not told."""
        return self._ear.deaf_seconds(self._clock.monotonic())

    def on_quote(self, quote: Quote) -> None:
        """Wire to Market.on_quote: a new mark of a held symbol is an equity event."""
        changed = False
        for side in PositionSide if self._book.is_hedged else (PositionSide.BOTH,):
            view = self._views.get(key := position_key(quote.symbol, side))
            if view is not None and quote.mark is not None and quote.mark != view.mark_price:
                self._views[key] = self._view(key)
                changed = True
        if changed:
            self._tell_equity()

    def doubt_mode(self) -> None:
        """The exchange refused an order for its position side: the mode was switched since it was asked."""
        self._comparer.mode.doubt()
        self._wanted.set()

    def on_equity(self, callback: Callable[[EquityEvent], None]) -> None:
        self._equity_listeners.append(callback)

    def on_change(self, callback: Callable[[], None]) -> None:
        self._change_listeners.append(callback)

    def on_order(self, callback: Callable[[OrderUpdate], None]) -> None:
        self._order_listeners.append(callback)

    def on_fill(self, callback: Callable[[Fill], None]) -> None:
        """Called once for each fill, whichever way it came to be known, also when the stream was away."""
        self._recovery.on_fill(callback)

    async def _consume(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._subscribe_anew.clear()
                listener = tasks.create_task(self._listen())
                await self._subscribe_anew.wait()
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)
                self._take(StreamDown("it did not tell what requests show; subscribing anew"))

    async def _listen(self) -> None:
        async for event in self._exchange.user_stream():
            self._take(event)

    def _take(self, event: UserEvent) -> None:
        self._ear.hear(event, self._clock.monotonic())
        match event:
            case OrderUpdate():
                self._book.order(event)
                for listener in self._order_listeners:
                    listener(event)
                if event.fill is not None:
                    self._recovery.tell(event.fill)
            case TradeSeen(fill=fill):
                self._book.fill(fill)
                self._recovery.tell(fill)
            case AccountUpdate():
                self._book.account(event)
                if event.wallet_usdt is not None:
                    self.account_received_at = self._clock.monotonic()
                if event.reason in TRANSFER_REASONS:
                    self._tell(Transferred(event.balance_change_usdt, event.time_ms))
            case StreamUp():
                self._stream_is_up = True
                self._comparer.ask_for_all()
                self._recovery.gaps.lost()
                self.transfers.lost()
                self._wanted.set()
            case StreamDown(reason=reason):
                self._stream_is_up = False
                self._restrict(f"the user stream is down: {reason}")
        self._changed()

    async def _watch_stream(self) -> None:
        """A stream that is deaf leaves what is held to guesses between two comparisons: nothing opens until it is proven again."""
        while True:
            now = self._clock.monotonic()
            deaf_seconds = self._ear.deaf_seconds(now)
            if deaf_seconds > GRACE_SECONDS:
                detail = "the user stream does not tell what requests show"
                self._permission.restrict(Restriction(STREAM_SOURCE, Gate.REDUCE_ONLY, detail))
            else:
                self._permission.lift(STREAM_SOURCE)
            if self._ear.is_due_anew(now):
                self._subscribe_anew.set()
            await asyncio.sleep(WATCH_SECONDS)

    async def _compare(self) -> None:
        await self.transfers.close_gap()
        answers = await self._comparer.ask(self._book)
        before = self._book.quantities
        self._book.reconcile(answers)
        after = self._book.quantities
        self._ear.compared(self._clock.monotonic(), found_news=before != after)
        self._recovery.compared(answers, before, after)
        self.account_received_at = self.account_asked_at = self._clock.monotonic()

    async def _reconcile_for_ever(self) -> None:
        """At once when the stream came up, soon after a failure, else each 30 s."""
        while True:
            pause = RECONCILE_SECONDS
            if self._stream_is_up:
                try:
                    await self.reconcile()
                    if await self._recovery.close_gaps():
                        self._changed()
                except ThrottledError as error:
                    pause = min(RECONCILE_SECONDS, max(RETRY_SECONDS, error.retry_after_seconds))
                except EngineError:
                    pause = RETRY_SECONDS
            await happens(self._wanted, pause)

    async def _watch_marks(self) -> None:
        """A mark that stops coming makes no event of its own."""
        was_known = False
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            is_known = self.account is not None
            if not is_known or not was_known:
                self._tell_equity()
            was_known = is_known

    def _restrict(self, detail: str) -> None:
        """Before the first comparison nothing is known; after it, what was known still lets a position shrink."""
        self.reconciled = False
        if self._was_reconciled and self._lost_at is None:
            self._lost_at = self._clock.monotonic()
        self._permission.restrict(Restriction(SOURCE, Gate.REDUCE_ONLY if self._was_reconciled else Gate.HALTED, detail))

    def _changed(self) -> None:
        self._views = {key: self._view(key) for key in self._book.quantities}
        for listener in self._change_listeners:
            listener()
        self._tell_equity()

    def _view(self, key: str) -> PositionView:
        line, symbol = self._book.lines[key], symbol_of(key)
        quote = self._quote(symbol)
        mark = None if quote is None else quote.mark
        return PositionView(symbol, line.quantity, line.entry_price, mark, max(line.stated_to_ms, 0), side_of(key))

    def _tell_equity(self) -> None:
        self._tell(reading_of(self._book, self._quote, self._exchange.venue_ms(), self._clock.monotonic()))

    def _tell(self, event: EquityEvent) -> None:
        for listener in self._equity_listeners:
            listener(event)

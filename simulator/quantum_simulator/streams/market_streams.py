"""The public streams that follow the clock: marks, candles, tickers, books.

In    the passing of market time; which streams have listeners
Out   messages to the hub on the route where each stream lives
Flow  publisher -> HERE -> hub
Why   nothing is rendered that nobody hears; each kind has Binance's pace
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_simulator.core.floor import Book
from quantum_simulator.market.candles import INTERVALS_MS, Candle
from quantum_simulator.rest.ticker_endpoints import day_statistics
from quantum_simulator.state import VenueState
from quantum_simulator.streams import render
from quantum_simulator.streams.hub import Hub

KLINE_EVERY_MS = 250
DEPTH_EVERY_MS = {"100ms": 100, "": 250, "500ms": 500}
PARTIAL_LEVELS = {"depth5": 5, "depth10": 10, "depth20": 20}
ALL_LEVELS = 1_000
SLOW_MARK_FACTOR = 3
TICKER_EVERY_MS = 2_000
BOOK_TICKERS_EVERY_MS = 5_000
TICKERS = {"ticker": render.day_ticker, "miniTicker": render.mini_ticker}
TICKERS_OF_ALL = {"!ticker": "ticker", "!miniTicker": "miniTicker"}
KlineRenderer = Callable[[str, Candle, str, int], render.Json]
Side = dict[Decimal, Decimal]
"""Quantity by price."""


@dataclass(slots=True)
class Difference:
    """What a diff-depth stream still has to tell of one side: every price that moved since, also one that moved back."""

    known: Side
    touched: set[Decimal] = field(default_factory=set)

    def see(self, now: Side) -> None:
        known = self.known
        self.touched |= {price for price, quantity in now.items() if known.get(price) != quantity}
        self.touched |= known.keys() - now.keys()
        self.known = now

    def told(self) -> list[tuple[Decimal, Decimal]]:
        """The touched prices as they stand, 0 for gone."""
        found = [(price, self.known.get(price, Decimal(0))) for price in sorted(self.touched)]
        self.touched = set()
        return found


def _side(book: Book, bids: bool) -> Side:
    return dict(book.depth(bids, ALL_LEVELS))


class MarketStreams:
    """Remembers when each stream was last sent, and what."""

    def __init__(self, state: VenueState, hub: Hub, mark_every_ms: int) -> None:
        self._state = state
        self._hub = hub
        self._mark_every_ms = mark_every_ms
        self._sent_ms: dict[str, int] = {}
        self._sent_id: dict[str, int] = {}
        self._open_ms: dict[str, int] = {}
        self._differences: dict[str, tuple[Difference, Difference]] = {}
        hub.on_first_listener = self._begin

    def _begin(self, stream: str) -> None:
        """Differences count from the moment of the first listener: a snapshot that is asked from then on fits to them."""
        name, _, kind = stream.partition("@")
        book = self._state.floor.books.get(name.upper())
        if book is not None and kind.partition("@")[0] == "depth":
            self._sent_id[stream] = book.update_id
            self._differences[stream] = (Difference(_side(book, bids=True)), Difference(_side(book, bids=False)))

    def tick(self, now_ms: int) -> None:
        """Each public stream that has listeners and is due."""
        for stream in self._hub.streams():
            name, _, kind = stream.partition("@")
            if name == "!markPrice":
                self._mark_of_all(stream, now_ms)
            elif name == "!bookTicker":
                self._all_book_tickers(stream, now_ms)
            elif name in TICKERS_OF_ALL:
                self._tickers(stream, TICKERS_OF_ALL[name], list(self._state.floor.books.values()), now_ms, is_list=True)
            elif kind.startswith("continuousKline_") and (symbol := name.upper().removesuffix("_PERPETUAL")) in self._state.floor.books:
                self._kline(stream, symbol, kind.removeprefix("continuousKline_"), now_ms, render.continuous_kline)
            elif name.upper() in self._state.floor.books:
                self._one(stream, name.upper(), kind, now_ms)

    def _one(self, stream: str, symbol: str, kind: str, now_ms: int) -> None:
        book = self._state.floor.books[symbol]
        if kind in {"markPrice", "markPrice@1s"}:
            if self._is_due(stream, self._mark_interval_ms(kind), now_ms):
                self._hub.to_stream(stream, "market", render.mark_price(book, self._state.floor.next_funding_ms, now_ms))
        elif kind in TICKERS:
            self._tickers(stream, kind, [book], now_ms, is_list=False)
        elif kind.startswith("kline_"):
            self._kline(stream, symbol, kind.removeprefix("kline_"), now_ms, render.kline)
        elif kind == "bookTicker":
            if self._sent_id.get(stream) != book.update_id:
                self._sent_id[stream] = book.update_id
                self._hub.to_stream(stream, "public", render.book_ticker(book, now_ms))
        elif kind.startswith("depth"):
            self._depth(stream, book, kind, now_ms)

    def _depth(self, stream: str, book: Book, kind: str, now_ms: int) -> None:
        """``depth5``, ``depth10``, ``depth20`` send the best levels; plain ``depth`` what was touched since its last message."""
        name, _, speed = kind.partition("@")
        if name == "depth":
            self._see(stream, book)
        if not self._is_due(stream, DEPTH_EVERY_MS.get(speed, 250), now_ms):
            return
        previous = self._sent_id.get(stream, book.update_id - 1)
        self._sent_id[stream] = book.update_id
        if name == "depth":
            bids, asks = (each.told() for each in self._differences[stream])
        else:
            levels = PARTIAL_LEVELS.get(name, 20)
            bids, asks = book.depth(True, levels), book.depth(False, levels)
        self._hub.to_stream(stream, "public", render.depth_update(book, bids, asks, previous, now_ms))

    def see_books(self) -> None:
        """After every command: a snapshot taken between two ticks must fit to the differences around it."""
        for stream in self._hub.streams():
            name, _, kind = stream.partition("@")
            book = self._state.floor.books.get(name.upper())
            if book is not None and kind.partition("@")[0] == "depth":
                self._see(stream, book)

    def _see(self, stream: str, book: Book) -> None:
        bids, asks = self._differences[stream]
        bids.see(_side(book, bids=True))
        asks.see(_side(book, bids=False))

    def _mark_interval_ms(self, kind: str) -> int:
        return self._mark_every_ms * (1 if kind.endswith("@1s") else SLOW_MARK_FACTOR)

    def _mark_of_all(self, stream: str, now_ms: int) -> None:
        if self._is_due(stream, self._mark_interval_ms(stream), now_ms):
            every = [render.mark_price(book, self._state.floor.next_funding_ms, now_ms) for book in self._state.floor.books.values()]
            self._hub.to_stream(stream, "market", every)

    def _tickers(self, stream: str, kind: str, books: list[Book], now_ms: int, is_list: bool) -> None:
        if self._is_due(stream, TICKER_EVERY_MS, now_ms):
            found = [TICKERS[kind](book.instrument.symbol, day_statistics(self._state, book, now_ms)) for book in books]
            self._hub.to_stream(stream, "market", found if is_list else found[0])

    def _all_book_tickers(self, stream: str, now_ms: int) -> None:
        if self._is_due(stream, BOOK_TICKERS_EVERY_MS, now_ms):
            for book in self._state.floor.books.values():
                self._hub.to_stream(stream, "public", render.book_ticker(book, now_ms))

    def _kline(self, stream: str, symbol: str, interval: str, now_ms: int, rendered: KlineRenderer) -> None:
        """The open candle four times a second; when the next one opens, first the closed one with its last values."""
        if interval not in INTERVALS_MS or not self._is_due(stream, KLINE_EVERY_MS, now_ms):
            return
        newest = self._state.market.newest(symbol, interval)
        if newest is None:
            return
        told_ms = self._open_ms.get(stream, newest.open_ms)
        self._open_ms[stream] = newest.open_ms
        if told_ms != newest.open_ms:
            closed = [each for each in self._state.market.candles(symbol, interval) if told_ms <= each.open_ms < newest.open_ms]
            for each in closed:
                self._hub.to_stream(stream, "market", rendered(symbol, each, interval, now_ms))
        self._hub.to_stream(stream, "market", rendered(symbol, newest, interval, now_ms))

    def _is_due(self, stream: str, every_ms: int, now_ms: int) -> bool:
        if now_ms - self._sent_ms.get(stream, -every_ms) < every_ms:
            return False
        self._sent_ms[stream] = now_ms
        return True

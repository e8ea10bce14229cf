"""Turns what happened into stream messages, for those who listen.

In    effects of the core; the passing of market time
Out   messages to the hub, those of a delayed stream when their time has come
Flow  venue -> HERE -> hub
Why   nothing is rendered that nobody hears; user events leave in the order in which they happened
"""

import asyncio

from quantum_simulator.clock import HandClock
from quantum_simulator.core.effects import AccountEffect, AlgoEffect, Effect, LeverageEffect, OrderEffect, TradeEffect
from quantum_simulator.state import VenueState
from quantum_simulator.streams import render
from quantum_simulator.streams.disorder import Disorder
from quantum_simulator.streams.hub import Hub

KLINE_EVERY_MS = 250
DEPTH_EVERY_MS = 100
SLOW_MARK_FACTOR = 3
UserEffect = OrderEffect | AccountEffect | AlgoEffect | LeverageEffect


def _owner(effect: UserEffect) -> str:
    match effect:
        case OrderEffect(order=order):
            return order.account
        case AlgoEffect(algo=algo):
            return algo.account
        case _:
            return effect.account


def _rendered(effect: UserEffect) -> list[render.Json]:
    match effect:
        case OrderEffect(fill=fill):
            update = render.order_trade_update(effect)
            return [update] if fill is None else [render.trade_lite(effect, fill), update]
        case AccountEffect():
            return [render.account_update(effect)]
        case AlgoEffect():
            return [render.algo_update(effect)]
        case LeverageEffect():
            return [render.account_config_update(effect)]


class Publisher:
    """Remembers when each public stream was last sent."""

    def __init__(self, state: VenueState, hub: Hub, mark_every_ms: int) -> None:
        self._state = state
        self._hub = hub
        self._mark_every_ms = mark_every_ms
        self._sent_ms: dict[str, int] = {}
        self._sent_id: dict[str, int] = {}
        self._disorder = Disorder(state.faults)
        self._alarm: asyncio.TimerHandle | None = None

    def effects(self, effects: list[Effect]) -> None:
        """Of one command: trades at once, user events after the stream faults have had their way with them."""
        told: dict[str, list[render.Json]] = {}
        for effect in effects:
            if isinstance(effect, TradeEffect):
                self._trade(effect)
            elif self._hub.has_listener(owner := _owner(effect)):
                told.setdefault(owner, []).extend(_rendered(effect))
        now_ms = self._state.clock.now_ms()
        for account, events in told.items():
            for event in self._disorder.through(account, events, now_ms):
                self._send(account, event)
        self._wait_for_held(now_ms)

    def _wait_for_held(self, now_ms: int) -> None:
        """A running venue releases what is late on the millisecond; a hand-stepped one with the tick that reaches it."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due_ms = self._disorder.next_due_ms()
        if due_ms is not None and not isinstance(self._state.clock, HandClock):
            self._alarm = asyncio.get_running_loop().call_later((due_ms - now_ms + 1) / 1_000, self.release)

    def release(self) -> None:
        now_ms = self._state.clock.now_ms()
        for account, event in self._disorder.release(now_ms):
            self._send(account, event)
        self._wait_for_held(now_ms)

    def _send(self, account: str, message: render.Json) -> None:
        self._hub.to_account(account, self._state.listen_keys.key_of(account) or "", message)

    def _trade(self, effect: TradeEffect) -> None:
        trade = self._state.tape.see(effect)
        self._state.market.see(effect.symbol, effect.price, effect.at_ms, effect.quantity)
        self._hub.to_stream(f"{effect.symbol.lower()}@aggTrade", "market", render.agg_trade(effect, trade.id))

    def expired_key(self, key: str, account: str, at_ms: int) -> None:
        """Say that the key has expired, then close what was opened with it."""
        self._hub.to_account(account, key, render.listen_key_expired(key, at_ms))
        for connection in self._hub.of_account(account):
            connection.end()

    def market(self, now_ms: int) -> None:
        """After every tick: each public stream that has listeners and is due."""
        self.release()
        for stream in self._hub.streams():
            name, _, kind = stream.partition("@")
            if name == "!markPrice":
                self._mark_of_all(stream, now_ms)
            elif name.upper() in self._state.floor.books:
                self._one(stream, name.upper(), kind, now_ms)

    def _one(self, stream: str, symbol: str, kind: str, now_ms: int) -> None:
        book = self._state.floor.books[symbol]
        if kind in {"markPrice", "markPrice@1s"}:
            if self._is_due(stream, self._mark_interval_ms(kind), now_ms):
                self._hub.to_stream(stream, "market", render.mark_price(book, self._state.floor.next_funding_ms, now_ms))
        elif kind.startswith("kline_"):
            self._kline(stream, symbol, kind.removeprefix("kline_"), now_ms)
        elif kind == "bookTicker":
            if self._sent_id.get(stream) != book.update_id:
                self._sent_id[stream] = book.update_id
                self._hub.to_stream(stream, "public", render.book_ticker(book, now_ms))
        elif kind.startswith("depth") and self._is_due(stream, DEPTH_EVERY_MS, now_ms):
            previous = self._sent_id.get(stream, book.update_id - 1)
            self._sent_id[stream] = book.update_id
            levels = {"depth5": 5, "depth10": 10}.get(kind.partition("@")[0], 20)
            self._hub.to_stream(stream, "public", render.partial_depth(book, levels, previous, now_ms))

    def _mark_interval_ms(self, kind: str) -> int:
        return self._mark_every_ms * (1 if kind.endswith("@1s") else SLOW_MARK_FACTOR)

    def _mark_of_all(self, stream: str, now_ms: int) -> None:
        if self._is_due(stream, self._mark_interval_ms(stream), now_ms):
            every = [render.mark_price(book, self._state.floor.next_funding_ms, now_ms) for book in self._state.floor.books.values()]
            self._hub.to_stream(stream, "market", every)

    def _kline(self, stream: str, symbol: str, interval: str, now_ms: int) -> None:
        if interval in {"1m", "1s"} and self._is_due(stream, KLINE_EVERY_MS, now_ms):
            candles = self._state.market.candles(symbol, interval)
            if candles:
                self._hub.to_stream(stream, "market", render.kline(symbol, candles[-1], interval, now_ms))

    def _is_due(self, stream: str, every_ms: int, now_ms: int) -> bool:
        if now_ms - self._sent_ms.get(stream, -every_ms) < every_ms:
            return False
        self._sent_ms[stream] = now_ms
        return True

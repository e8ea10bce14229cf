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
from quantum_simulator.streams.market_streams import MarketStreams

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
    """User events and trades as they happen; the clocked streams after every tick."""

    def __init__(self, state: VenueState, hub: Hub, mark_every_ms: int) -> None:
        self._state = state
        self._hub = hub
        self._public = MarketStreams(state, hub, mark_every_ms)
        self._disorder = Disorder(state.faults)
        self._alarm: asyncio.TimerHandle | None = None

    def effects(self, effects: list[Effect]) -> None:
        """Of one command: trades at once, user events after the stream faults have had their way with them."""
        if not self._hub.connections:
            for effect in effects:
                if isinstance(effect, TradeEffect):
                    self._trade(effect)
            return
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
        self._public.see_books()

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
        self._state.market.see(effect.symbol, effect.price, effect.at_ms, effect.quantity, effect.buyer_is_maker)
        if self._hub.connections:
            name = effect.symbol.lower()
            self._hub.to_stream(f"{name}@aggTrade", "market", render.agg_trade(effect, trade.id))
            self._hub.to_stream(f"{name}@trade", "public", render.trade(effect, trade.id))

    def expired_key(self, key: str, account: str, at_ms: int) -> None:
        """Say that the key has expired, then close what was opened with it."""
        self._hub.to_account(account, key, render.listen_key_expired(key, at_ms))
        for connection in self._hub.of_account(account):
            connection.end()

    def market(self, now_ms: int) -> None:
        """After every tick."""
        self.release()
        self._public.tick(now_ms)

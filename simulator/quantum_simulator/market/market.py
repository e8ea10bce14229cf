"""All symbols together: one step of market time in, quotes and background trades out.  Pure.

In    instruments, a seed, elapsed market time; orders of the control API
Out   ``Quote`` per symbol, background prints, candles
Flow  venue clock, control API -> HERE -> core.session.move_market
Why   every symbol has its own random source derived from the seed: adding a symbol changes no other's day
"""

import random
from collections.abc import Iterable
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from quantum_simulator.core.instruments import Instrument
from quantum_simulator.core.session import Quote
from quantum_simulator.decimals import floor_to
from quantum_simulator.market.candles import INTERVALS_MS, MINUTE_MS, SECOND_MS, Candle, Series, history, merge
from quantum_simulator.market.replay import Recording, Replay
from quantum_simulator.market.walk import Walk

PRINTS_PER_SECOND = 4.0


class Print(NamedTuple):
    """A trade between strangers."""

    symbol: str
    quantity: Decimal
    buyer_is_maker: bool


class Market:
    """The walks and the candles of every symbol."""

    def __init__(
        self,
        instruments: Iterable[Instrument],
        seed: int,
        start_ms: int,
        history_minutes: int = 500,
        recordings: Iterable[Recording] = (),
    ) -> None:
        self.instruments = {each.symbol: each for each in instruments}
        self.seed = seed
        self.walks: dict[str, Walk] = {}
        self.minutes: dict[str, Series] = {}
        self.seconds: dict[str, Series] = {}
        self._prints = {symbol: random.Random(f"{seed}/prints/{symbol}") for symbol in self.instruments}  # noqa: S311 - reproducible by design
        recorded = {each.instrument.symbol: each for each in recordings}
        begin_ms = min((each.start_ms for each in recorded.values()), default=0)
        for symbol, each in self.instruments.items():
            if symbol not in recorded:
                chance = random.Random(f"{seed}/walk/{symbol}")  # noqa: S311
                self.walks[symbol] = Walk(float(each.start_price), each.volatility_bps, chance)
            else:
                self.walks[symbol] = Replay(recorded[symbol], begin_ms)
            price = self.walks[symbol].price
            past = random.Random(f"{seed}/history/{symbol}")  # noqa: S311
            self.minutes[symbol] = history(each, price, past, start_ms, history_minutes)
            self.seconds[symbol] = Series(SECOND_MS)

    def chosen(self, symbol: str) -> list[str]:
        """``all``, or one symbol; raises ``KeyError`` for an unknown one."""
        if symbol == "all":
            return list(self.instruments)
        return [self.instruments[symbol].symbol]

    def step(self, elapsed_ms: int) -> dict[str, Quote]:
        return {symbol: self._advance(walk, elapsed_ms) for symbol, walk in self.walks.items()}

    def _advance(self, walk: Walk, elapsed_ms: int) -> Quote:
        walk.advance(elapsed_ms)
        return self._quote(walk)._replace(deals=walk.deals)

    def _quote(self, walk: Walk) -> Quote:
        return Quote(walk.index_price, walk.book_depth, walk.book_widen, walk.gap_bps, walk.mark_bps)

    def quotes(self) -> dict[str, Quote]:
        """As it stands, without moving time: after a price was set."""
        return {symbol: self._quote(walk) for symbol, walk in self.walks.items()}

    def prints(self, elapsed_ms: int) -> list[Print]:
        found: list[Print] = []
        for symbol, chance in self._prints.items():
            draw, size, side = chance.random(), chance.expovariate(1.0), chance.random()
            if not isinstance(self.walks[symbol], Replay) and draw < PRINTS_PER_SECOND * elapsed_ms / 1_000:
                each = self.instruments[symbol]
                quantity = floor_to(Decimal(round(2_000 * size + 10, 4)) / Decimal(f"{self.walks[symbol].price:.8f}"), each.step)
                found.append(Print(symbol, max(each.step, quantity), side < 0.5))
        return found

    def see(self, symbol: str, price: Decimal, at_ms: int, quantity: Decimal = Decimal(0), buyer_is_maker: bool = False) -> None:
        self.seconds[symbol].see(price, at_ms, quantity, buyer_is_maker)
        self.minutes[symbol].see(price, at_ms, quantity, buyer_is_maker)

    def newest(self, symbol: str, interval: str) -> Candle | None:
        """The candle that is still open; only its own minutes are read."""
        interval_ms = INTERVALS_MS[interval]
        candles = (self.seconds if interval_ms == SECOND_MS else self.minutes)[symbol].candles
        if not candles or interval_ms <= MINUTE_MS:
            return candles[-1] if candles else None
        open_ms = candles[-1].open_ms - candles[-1].open_ms % interval_ms
        own = list(takewhile(lambda each: each.open_ms >= open_ms, reversed(candles)))
        return merge(reversed(own), interval_ms)[-1]

    def candles(self, symbol: str, interval: str) -> list[Candle]:
        interval_ms = INTERVALS_MS[interval]
        if interval_ms == SECOND_MS:
            return list(self.seconds[symbol].candles)
        minutes = list(self.minutes[symbol].candles)
        return minutes if interval_ms == MINUTE_MS else merge(minutes, interval_ms)

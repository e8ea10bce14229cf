"""The venue's own price history as candles.  Pure.

In    prices with their times; a seeded source for the history before the start
Out   candles of one second and one minute, and any longer interval made of minutes
Flow  market, trades -> HERE -> klines endpoint and stream
Why   an engine needs a past to compute its averages from; it is made up, but the same for the same seed
"""

import math
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_simulator.core.instruments import Instrument
from quantum_simulator.decimals import ZERO, floor_to

SECOND_MS = 1_000
MINUTE_MS = 60_000
HISTORY_STEPS = 6
INTERVALS_MS: dict[str, int] = {
    "1s": SECOND_MS,
    **{f"{count}m": count * MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * 60 * MINUTE_MS for count in (1, 2, 4, 6, 8, 12)},
    "1d": 1440 * MINUTE_MS,
}


@dataclass(slots=True)
class Candle:
    open_ms: int
    interval_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    trades: int = 0
    taker_buy_volume: Decimal = ZERO
    taker_buy_quote_volume: Decimal = ZERO

    @property
    def close_ms(self) -> int:
        return self.open_ms + self.interval_ms - 1

    def see(self, price: Decimal) -> None:
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price

    def trade(self, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        self.volume += quantity
        self.quote_volume += quantity * price
        self.trades += 1
        if not buyer_is_maker:
            self.taker_buy_volume += quantity
            self.taker_buy_quote_volume += quantity * price


@dataclass(slots=True)
class Series:
    interval_ms: int
    candles: deque[Candle] = field(default_factory=lambda: deque(maxlen=3_000))

    def see(self, price: Decimal, at_ms: int, quantity: Decimal = ZERO, buyer_is_maker: bool = False) -> Candle:
        open_ms = at_ms - at_ms % self.interval_ms
        if not self.candles or self.candles[-1].open_ms < open_ms:
            first = self.candles[-1].close if self.candles else price
            self.candles.append(Candle(open_ms, self.interval_ms, first, max(first, price), min(first, price), price))
        candle = self.candles[-1]
        candle.see(price)
        if quantity:
            candle.trade(price, quantity, buyer_is_maker)
        return candle


def merge(candles: Iterable[Candle], interval_ms: int) -> list[Candle]:
    """Longer candles out of shorter ones."""
    merged: list[Candle] = []
    for each in candles:
        open_ms = each.open_ms - each.open_ms % interval_ms
        if not merged or merged[-1].open_ms != open_ms:
            merged.append(Candle(open_ms, interval_ms, each.open, each.high, each.low, each.close))
        last = merged[-1]
        last.high, last.low, last.close = max(last.high, each.high), min(last.low, each.low), each.close
        last.volume += each.volume
        last.quote_volume += each.quote_volume
        last.trades += each.trades
        last.taker_buy_volume += each.taker_buy_volume
        last.taker_buy_quote_volume += each.taker_buy_quote_volume
    return merged


def history(instrument: Instrument, price: float, chance: random.Random, before_ms: int, minutes: int) -> Series:
    """Walk backwards from the start price, minute by minute."""
    candles: list[Candle] = []
    open_ms = before_ms - before_ms % MINUTE_MS
    deviation = instrument.volatility_bps / 10_000 / math.sqrt(HISTORY_STEPS)
    for _ in range(minutes):
        open_ms -= MINUTE_MS
        path = [price]
        for _ in range(HISTORY_STEPS):
            path.append(path[-1] * math.exp(-chance.gauss(0.0, deviation)))
        price = path[-1]
        points = [floor_to(Decimal(f"{each:.8f}"), instrument.tick) for each in path]
        candle = Candle(open_ms, MINUTE_MS, points[-1], max(points), min(points), points[0])
        candle.volume = floor_to(instrument.level_notional_usdt * Decimal(round(chance.uniform(2, 20), 4)) / points[0], instrument.step)
        candle.quote_volume = candle.volume * points[0]
        candle.taker_buy_volume = floor_to(candle.volume / 2, instrument.step)
        candle.taker_buy_quote_volume = candle.taker_buy_volume * points[0]
        candle.trades = chance.randrange(20, 400)
        candles.append(candle)
    return Series(MINUTE_MS, deque(reversed(candles), maxlen=3_000))

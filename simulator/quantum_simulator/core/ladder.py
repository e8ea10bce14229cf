"""The synthetic book of one symbol: levels around the index, eaten and refilled.  Pure.

In    the index price, how thin the book is now, what takers take, time that passes
Out   best level, levels with what is left of them
Flow  market moves -> HERE -> matching (what a taker meets), depth and bookTicker
Why   depth is limited, so size has a price: a large order walks levels, a shock leaves few of them
"""

from dataclasses import dataclass, field
from decimal import Decimal

from quantum_simulator.core.instruments import LEVEL_CURVE, Instrument
from quantum_simulator.decimals import ZERO, floor_to


@dataclass(slots=True)
class Level:
    price: Decimal
    capacity: Decimal
    taken: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return max(ZERO, self.capacity - self.taken)


@dataclass(slots=True)
class Ladder:
    instrument: Instrument
    asks: list[Level] = field(default_factory=list)
    bids: list[Level] = field(default_factory=list)

    def side(self, buys: bool) -> list[Level]:
        """The levels that a buyer (or seller) meets, best first."""
        return self.asks if buys else self.bids

    def best(self, buys: bool) -> Level | None:
        for level in self.side(buys):
            if level.taken < level.capacity:
                return level
        return None

    def rebuild(self, index: Decimal, depth: float, widen: float, gap_bps: float = 0.0) -> None:
        """Centre the levels on the index; what was taken of the n-th level stays taken.

        ``depth`` scales quantities (1 is calm, 0 an empty book), ``widen`` scales distances, ``gap_bps`` keeps the first level
        that far from the index.
        """
        asks, bids = self.asks, self.bids
        tick, step = self.instrument.tick, self.instrument.step
        index_ticks = int(index / tick)
        self.asks, self.bids = [], []
        for number in range(self.instrument.levels):
            distance_bps = gap_bps + self.instrument.level_spacing_bps * number**LEVEL_CURVE * widen
            away = 1 + number + int(index_ticks * distance_bps / 10_000)
            notional = self.instrument.level_notional_usdt * Decimal(round((1 + 0.35 * number) * depth, 6))
            ask = tick * (index_ticks + away)
            bid = tick * max(1, index_ticks - away)
            self.asks.append(Level(ask, floor_to(notional / ask, step), asks[number].taken if asks else ZERO))
            self.bids.append(Level(bid, floor_to(notional / bid, step), bids[number].taken if bids else ZERO))

    def refill(self, elapsed_ms: int) -> None:
        share = Decimal(elapsed_ms) / self.instrument.refill_ms
        for level in (*self.asks, *self.bids):
            if level.taken:
                level.taken = max(ZERO, level.taken - floor_to(level.capacity * share, self.instrument.step) - self.instrument.step)

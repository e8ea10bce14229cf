"""The trading floor: books, accounts, counters, and the effects not yet sent.  Pure data.

In    instruments, accounts
Out   one ``Floor`` that every command reads and changes
Flow  place, cancel, matching, triggers, liquidation work on HERE; venue drains the effects
Why   one owner of state and one order of effects make a run repeatable
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.algo_orders import Watched, WorkingType
from quantum_simulator.core.effects import Effect
from quantum_simulator.core.instruments import Instrument
from quantum_simulator.core.ladder import Ladder
from quantum_simulator.core.resting import RestingBook
from quantum_simulator.refusals import Words, refuse

FUNDING_INTERVAL_MS = 8 * 3_600_000
FUNDING_POINTS_KEPT = 3_000


class FundingPoint(NamedTuple):
    """The rate that was paid, and the mark price it was paid on."""

    symbol: str
    rate: Decimal
    mark: Decimal
    at_ms: int


@dataclass(slots=True)
class Book:
    """One symbol: what it is, what it costs, who offers."""

    instrument: Instrument
    index: Decimal
    mark: Decimal
    last: Decimal
    ladder: Ladder
    resting: RestingBook = field(default_factory=RestingBook)
    update_id: int = 1
    low: Decimal = field(init=False)
    """Lowest and highest last price since the algo service looked."""
    high: Decimal = field(init=False)
    funding_rate: Decimal = Decimal("0.0001")
    """Share of the notional that a long one pays at the next funding time."""

    def __post_init__(self) -> None:
        self.low = self.high = self.last

    def traded(self, price: Decimal) -> None:
        self.last = price
        if price < self.low:
            self.low = price
        elif price > self.high:
            self.high = price

    def watched(self, working_type: WorkingType) -> Watched:
        return Watched(self.last, self.low, self.high) if working_type == "CONTRACT_PRICE" else Watched(self.mark, self.mark, self.mark)

    def best_price(self, buys: bool) -> Decimal | None:
        """The best price that a buyer (or seller) meets, of ladder and resting orders together."""
        level, order = self.ladder.best(buys), self.resting.best(not buys)
        if level is None or order is None:
            return level.price if level else (order.price if order else None)
        return min(level.price, order.price) if buys else max(level.price, order.price)

    def depth(self, bids: bool, limit: int) -> list[tuple[Decimal, Decimal]]:
        merged: dict[Decimal, Decimal] = {level.price: level.left for level in self.ladder.side(not bids) if level.left}
        for order in self.resting.side(bids):
            merged[order.price] = merged.get(order.price, Decimal(0)) + order.remaining
        return sorted(merged.items(), reverse=bids)[:limit]


def new_book(instrument: Instrument, price: Decimal | None = None) -> Book:
    price = instrument.start_price if price is None else price
    ladder = Ladder(instrument)
    ladder.rebuild(price, 1.0, 1.0)
    return Book(instrument, price, price, price, ladder)


@dataclass(slots=True)
class Floor:
    books: dict[str, Book]
    accounts: dict[str, Account]
    effects: list[Effect] = field(default_factory=list)
    last_order_id: int = 1_000_000
    last_trade_id: int = 5_000_000
    last_algo_id: int = 3_000_000
    last_income_id: int = 9_000_000
    funding_interval_ms: int = FUNDING_INTERVAL_MS
    next_funding_ms: int = 0
    """0: not scheduled, nobody pays."""
    funding_points: deque[FundingPoint] = field(default_factory=lambda: deque(maxlen=FUNDING_POINTS_KEPT))

    @classmethod
    def of(cls, instruments: Iterable[Instrument], accounts: Iterable[Account]) -> "Floor":
        return cls({each.symbol: new_book(each) for each in instruments}, {each.name: each for each in accounts})

    def schedule_funding(self, interval_ms: int, now_ms: int) -> None:
        self.funding_interval_ms = interval_ms
        self.next_funding_ms = (now_ms // interval_ms + 1) * interval_ms

    def book(self, symbol: str) -> Book:
        found = self.books.get(symbol)
        if found is None:
            raise refuse(Words.BAD_SYMBOL)
        return found

    def drain(self) -> list[Effect]:
        effects, self.effects = self.effects, []
        return effects

"""An account: wallet, positions, orders, trades.  Pure.

In    fills, cancels, deposits
Out   realised profit, equity parts, look-ups by order id and client id
Flow  settlement -> HERE -> margin, endpoints
Why   the position keeps its signed cost, not an average price: profit of the closing part is exact, and
      wallet = deposits + realised - fees + funding holds to the last digit
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quantum_simulator.core.algo_orders import AlgoOrder
from quantum_simulator.core.orders import Fill, Order, PositionSide
from quantum_simulator.decimals import BPS, EIGHT_DIGITS, ZERO

CLOSED_ORDERS_KEPT = 100_000
TRADES_KEPT = 100_000
PositionKey = tuple[str, PositionSide]
ONE_WAY: tuple[PositionSide, ...] = ("BOTH",)
HEDGED: tuple[PositionSide, ...] = ("LONG", "SHORT")


@dataclass(slots=True)
class Position:
    symbol: str
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    updated_ms: int = 0
    side: PositionSide = "BOTH"

    @property
    def entry_price(self) -> Decimal:
        return self.cost / self.amount if self.amount else ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        return self.amount * mark - self.cost

    def apply(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Book a signed quantity; returns what its closing part realised."""
        closes = bool(self.amount) and (self.amount > 0) != (quantity > 0)
        if not closes:
            self.amount += quantity
            self.cost += quantity * price
            return ZERO
        closing = max(quantity, -self.amount) if quantity < 0 else min(quantity, -self.amount)
        released = self.cost if closing == -self.amount else (self.cost * closing / -self.amount).quantize(EIGHT_DIGITS)
        profit = -closing * price - released
        self.amount += closing
        self.cost -= released
        self.realised += profit
        if closing != quantity:
            self.amount += quantity - closing
            self.cost += (quantity - closing) * price
        return profit


class Income(NamedTuple):
    kind: str
    symbol: str
    amount: Decimal
    at_ms: int
    id: int
    trade_id: str = ""


@dataclass(slots=True, eq=False)
class Account:
    name: str
    api_key: str
    api_secret: str
    wallet: Decimal
    maker_bps: Decimal = Decimal(2)
    taker_bps: Decimal = Decimal(5)
    default_leverage: int = 20
    deposits: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    """Received minus paid."""
    updated_ms: int = 0
    is_hedge_mode: bool = False
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    margin_types: dict[str, str] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    open_orders: dict[str, dict[int, Order]] = field(default_factory=dict)
    by_client_id: dict[str, Order] = field(default_factory=dict)
    algos: dict[int, AlgoOrder] = field(default_factory=dict)
    waiting_algos: dict[int, AlgoOrder] = field(default_factory=dict)
    """Those not yet triggered: few, and looked at on every tick."""
    fills: deque[Fill] = field(default_factory=lambda: deque(maxlen=TRADES_KEPT))
    income: deque[Income] = field(default_factory=lambda: deque(maxlen=TRADES_KEPT))
    countdowns: dict[str, int] = field(default_factory=dict)
    public_key: Ed25519PublicKey | None = None
    """Signs in place of ``api_secret``."""
    _closed: deque[Order] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.deposits = self.wallet

    def leverage(self, symbol: str) -> int:
        return self.leverages.get(symbol, self.default_leverage)

    @property
    def sides(self) -> tuple[PositionSide, ...]:
        """One position per symbol, or a long and a short one."""
        return HEDGED if self.is_hedge_mode else ONE_WAY

    def position(self, symbol: str, side: PositionSide = "BOTH") -> Position:
        found = self.positions.get((symbol, side))
        if found is None:
            found = self.positions[symbol, side] = Position(symbol, side=side)
        return found

    def amount(self, symbol: str, side: PositionSide = "BOTH") -> Decimal:
        found = self.positions.get((symbol, side))
        return found.amount if found else ZERO

    def break_even_price(self, position: Position) -> Decimal:
        """The entry price moved by the taker fee in and out."""
        share = 2 * self.taker_bps / BPS
        return position.entry_price * (1 + share if position.amount > 0 else 1 - share)

    def held(self) -> list[Position]:
        return [each for each in self.positions.values() if each.amount]

    def open_in(self, symbol: str) -> list[Order]:
        return list(self.open_orders.get(symbol, {}).values())

    def all_open(self) -> list[Order]:
        return [order for orders in self.open_orders.values() for order in orders.values()]

    def remember(self, order: Order) -> None:
        self.orders[order.id] = order
        self.by_client_id[order.client_id] = order
        self.open_orders.setdefault(order.symbol, {})[order.id] = order

    def close(self, order: Order) -> None:
        """The order is no longer open; the oldest closed one beyond the bound is forgotten."""
        self.open_orders.get(order.symbol, {}).pop(order.id, None)
        self._closed.append(order)
        if len(self._closed) > CLOSED_ORDERS_KEPT:
            old = self._closed.popleft()
            self.orders.pop(old.id, None)
            if self.by_client_id.get(old.client_id) is old:
                del self.by_client_id[old.client_id]

    def open_algos(self, symbol: str | None = None) -> list[AlgoOrder]:
        return [each for each in self.waiting_algos.values() if symbol in {None, each.symbol}]

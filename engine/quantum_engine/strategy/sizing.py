"""How much to open.  Pure.

In    equity, average true range, price, the mode's risk, the policy's limits, what is already held
Out   a quantity on the symbol's lot grid, 0 when nothing fits
Flow  decision -> HERE -> execution
Why   the strategy sizes down to fit the limits instead of being refused at them; the gate checks all the same
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits
from quantum_engine.domain import OrderView, PositionView, SymbolRules

BPS: Final = Decimal(10_000)
HEADROOM: Final = Decimal("0.99")
"""Share of what a limit leaves that is used: the price moves until the order is judged."""
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Room:
    """What the size is fitted into."""

    strategy: Strategy
    limits: Limits
    rules: SymbolRules
    equity_usdt: Decimal
    gross_usdt: Decimal


def gross_usdt(positions: Mapping[str, PositionView], orders: Collection[OrderView]) -> Decimal:
    """What is held and what rests, at its newest known price."""
    held = sum((abs(p.quantity) * (p.mark_price or p.entry_price) for p in positions.values()), ZERO)
    return held + sum((o.remaining * o.price for o in orders if not o.reduce_only), ZERO)


def entry_quantity(room: Room, price: Decimal, atr: float) -> Decimal:
    """One ATR of adverse move costs ``risk_per_trade_bps`` of equity, unless a limit allows less."""
    if atr <= 0 or price <= 0 or room.equity_usdt <= 0:
        return ZERO
    wanted = room.equity_usdt * room.strategy.risk_per_trade_bps / BPS / Decimal(repr(atr))
    quantity = min(wanted, _notional_left(room) * HEADROOM / price, room.rules.market_max_quantity)
    step = room.rules.market_step_size
    fitted = quantity - quantity % step if quantity > 0 else ZERO
    if fitted < room.rules.min_quantity or fitted * price < room.rules.min_notional_usdt:
        return ZERO
    return fitted


def _notional_left(room: Room) -> Decimal:
    limits = room.limits
    leverage_bps = min(room.strategy.max_leverage_bps, limits.max_leverage_bps)
    return min(
        Decimal(limits.max_order_notional_usdt),
        Decimal(limits.max_position_notional_usdt),
        limits.max_gross_exposure_usdt - room.gross_usdt,
        room.equity_usdt * leverage_bps / BPS - room.gross_usdt,
    )

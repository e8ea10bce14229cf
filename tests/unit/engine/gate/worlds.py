"""A world in which everything is allowed, and short ways to make one thing wrong."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from quantum_api.gate import Gate
from quantum_api.trading_policy import Limits
from quantum_engine.domain import AccountView, OrderIntent, OrderStatus, OrderView, PositionView, Quote, Side, SymbolRules
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.permission import Restriction

BTC, ETH = "BTCUSDT", "ETHUSDT"
MARK = Decimal(50_000)


def limits(**changes: Any) -> Limits:
    base: dict[str, Any] = {
        "instruments": [BTC, ETH],
        "max_order_notional_usdt": 10_000,
        "max_position_notional_usdt": 20_000,
        "max_gross_exposure_usdt": 30_000,
    }
    return Limits(**(base | changes))


def rules(**changes: Any) -> SymbolRules:
    step = Decimal("0.001")
    base = SymbolRules(BTC, True, Decimal("0.1"), step, step, step, Decimal(100), Decimal(10), Decimal(20))
    return replace(base, **changes)


def quote(**changes: Any) -> Quote:
    return replace(Quote(BTC, MARK, MARK - 1, MARK + 1, 0.0), **changes)


def intent(side: Side = Side.BUY, quantity: str = "0.100", **changes: Any) -> OrderIntent:
    return replace(OrderIntent("intent-1", BTC, side, Decimal(quantity)), **changes)


def position(quantity: str, symbol: str = BTC) -> dict[str, PositionView]:
    return {symbol: PositionView(symbol, Decimal(quantity), MARK)}


def resting(side: Side, quantity: str, *, reduce_only: bool = False, symbol: str = BTC, price: Decimal = MARK) -> OrderView:
    name = f"{symbol}-{side}-{quantity}-{reduce_only}"
    return OrderView(symbol, 1, name, side, OrderStatus.NEW, Decimal(quantity), Decimal(0), price, reduce_only, 0)


def world(**changes: Any) -> Snapshot:
    base = Snapshot(
        intent=intent(),
        gate=Gate.ACTIVE,
        restrictions=(),
        limits=limits(),
        rules=rules(),
        quote=quote(),
        quote_age_seconds=0.5,
        account=AccountView(Decimal(100_000), Decimal(0), Decimal(100_000), 0),
        account_age_seconds=1.0,
    )
    return msgspec.structs.replace(base, **changes)


def restricted(gate: Gate, source: str = "drawdown", symbols: frozenset[str] = frozenset(), **changes: Any) -> Snapshot:
    return world(gate=gate, restrictions=(Restriction(source, gate, "because", symbols),), **changes)

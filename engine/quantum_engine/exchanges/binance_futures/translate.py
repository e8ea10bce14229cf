"""The venue's words into the engine's.  Pure.

Flow  transport, streams -> wire -> HERE -> exchange port
Why   a word that is not known is read on the careful side: an order of unknown status still counts as open
"""

from decimal import Decimal
from typing import Final

from quantum_engine.domain import (
    AccountView,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderView,
    PositionSide,
    PositionView,
    SymbolRules,
    Transferred,
)
from quantum_engine.exchanges.binance_futures import wire
from quantum_engine.exchanges.binance_futures.rate.mirror import Limits
from quantum_engine.exchanges.port import AccountUpdate, OrderUpdate

ASSET: Final = "USDT"
ALGO_STATUS: Final = {
    "NEW": OrderStatus.NEW,
    "TRIGGERING": OrderStatus.NEW,
    "TRIGGERED": OrderStatus.FILLED,   # lives on as a regular order of its own
    "FINISHED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}  # fmt: skip


def _status(word: str) -> OrderStatus:
    try:
        return OrderStatus(word)
    except ValueError:
        return OrderStatus.NEW


def order(message: wire.Order) -> OrderView:
    return OrderView(
        symbol=message.symbol,
        order_id=message.order_id,
        client_order_id=message.client_order_id,
        side=message.side,
        status=_status(message.status),
        quantity=message.orig_qty,
        executed=message.executed_qty,
        price=message.price,
        reduce_only=message.reduce_only or message.close_position,
        update_time_ms=message.update_time,
    )


def algo_order(message: wire.AlgoOrder) -> OrderView:
    return OrderView(
        symbol=message.symbol,
        order_id=message.algo_id,
        client_order_id=message.client_algo_id,
        side=message.side,
        status=ALGO_STATUS.get(message.algo_status, OrderStatus.NEW),
        quantity=message.quantity,
        executed=Decimal(0),
        price=message.trigger_price,
        reduce_only=message.reduce_only or message.close_position,
        update_time_ms=message.update_time,
        is_algo=True,
    )


def position(message: wire.PositionRisk) -> PositionView:
    return PositionView(
        message.symbol, message.position_amt, message.entry_price, message.mark_price, message.update_time, message.position_side
    )


def account(message: wire.Account, as_of_ms: int) -> AccountView:
    return AccountView(message.total_wallet_balance, message.total_unrealized_profit, message.available_balance, as_of_ms)


def trade(message: wire.Trade) -> Fill:
    """Trades by request do not name the client order id."""
    return Fill(
        symbol=message.symbol,
        trade_id=message.id,
        order_id=message.order_id,
        client_order_id="",
        side=message.side,
        quantity=message.qty,
        price=message.price,
        commission_usdt=message.commission,
        realised_usdt=message.realized_pnl,
        time_ms=message.time,
        position_side=message.position_side,
    )


def order_update(message: wire.OrderTradeUpdate) -> OrderUpdate:
    body = message.o
    view = OrderView(
        symbol=body.symbol,
        order_id=body.order_id,
        client_order_id=body.client_order_id,
        side=body.side,
        status=_status(body.status),
        quantity=body.quantity,
        executed=body.executed,
        price=body.price,
        reduce_only=body.reduce_only or body.close_position,
        update_time_ms=body.time_ms,
    )
    if not body.last_quantity or not body.trade_id:
        return OrderUpdate(view, None)
    fill = Fill(
        symbol=body.symbol,
        trade_id=body.trade_id,
        order_id=body.order_id,
        client_order_id=body.client_order_id,
        side=view.side,
        quantity=body.last_quantity,
        price=body.last_price,
        commission_usdt=body.commission or Decimal(0),
        realised_usdt=body.realised,
        time_ms=body.time_ms,
        position_side=body.position_side,
    )
    return OrderUpdate(view, fill)


def transfer(message: wire.Income) -> Transferred:
    return Transferred(message.income, message.time, is_asked=True)


def trade_lite(message: wire.TradeLite) -> Fill:
    return Fill(
        symbol=message.symbol,
        trade_id=message.trade_id,
        order_id=message.order_id,
        client_order_id=message.client_order_id,
        side=message.side,
        quantity=message.last_quantity,
        price=message.last_price,
        commission_usdt=Decimal(0),
        realised_usdt=Decimal(0),
        time_ms=message.time_ms,
    )


def algo_update(message: wire.AlgoUpdate) -> OrderUpdate:
    body = message.o
    view = OrderView(
        symbol=body.symbol,
        order_id=body.algo_id,
        client_order_id=body.client_id,
        side=body.side,
        status=ALGO_STATUS.get(body.status, OrderStatus.NEW),
        quantity=body.quantity,
        executed=Decimal(0),
        price=body.trigger_price,
        reduce_only=body.reduce_only or body.close_position,
        update_time_ms=message.time_ms,
        is_algo=True,
    )
    return OrderUpdate(view, None)


def account_update(message: wire.AccountUpdate) -> AccountUpdate:
    balance = next((b for b in message.account.balances if b.asset == ASSET), None)
    return AccountUpdate(
        wallet_usdt=None if balance is None else balance.wallet,
        positions=tuple(
            PositionView(p.symbol, p.amount, p.entry_price, None, message.time_ms, p.position_side) for p in message.account.positions
        ),
        reason=message.account.reason,
        time_ms=message.time_ms,
        balance_change_usdt=Decimal(0) if balance is None else balance.change,
    )


def symbol_rules(message: wire.Symbol) -> SymbolRules:
    filters = {each["filterType"]: each for each in message.filters}
    lot, price = filters["LOT_SIZE"], filters["PRICE_FILTER"]
    market, band = filters.get("MARKET_LOT_SIZE", lot), filters.get("PERCENT_PRICE", {})
    return SymbolRules(
        symbol=message.symbol,
        trading=message.status == "TRADING",
        tick_size=_number(price["tickSize"]),
        step_size=_number(lot["stepSize"]),
        market_step_size=_number(market["stepSize"]),
        min_quantity=_number(lot["minQty"]),
        max_quantity=_number(lot["maxQty"]),
        market_max_quantity=_number(market["maxQty"]),
        min_notional_usdt=_number(filters.get("MIN_NOTIONAL", {}).get("notional", "0")),
        percent_up=_number(band.get("multiplierUp", "0")),
        percent_down=_number(band.get("multiplierDown", "0")),
    )


def rate_limits(message: wire.ExchangeInfo, known: Limits) -> Limits:
    """What the venue does not name stays as it is known."""
    named = {(each.rate_limit_type, each.interval, each.interval_num): each.limit for each in message.rate_limits}
    return Limits(
        weight_per_minute=named.get(("REQUEST_WEIGHT", "MINUTE", 1), known.weight_per_minute),
        orders_per_ten_seconds=named.get(("ORDERS", "SECOND", 10), known.orders_per_ten_seconds),
        orders_per_minute=named.get(("ORDERS", "MINUTE", 1), known.orders_per_minute),
    )


def _number(text: str) -> Decimal:
    return wire.believable(Decimal(text))


def plain(value: Decimal) -> str:
    """Digits without exponent or trailing zeros: the venue refuses more than 20 decimals, and arithmetic leaves up to 28 (-1100)."""
    return format(value.normalize(), "f")


def order_params(intent: OrderIntent, client_order_id: str) -> dict[str, str | int]:
    """Parameters of POST /fapi/v1/order.  RESULT waits for matching, so the answer says what was executed (but never at what price).

    In hedge mode the venue refuses the flag (-1106) and caps an order that shrinks a position by that position itself.
    """
    params: dict[str, str | int] = {
        "symbol": intent.symbol,
        "side": intent.side.value,
        "type": "MARKET" if intent.price is None else "LIMIT",
        "quantity": plain(intent.quantity),
        "newClientOrderId": client_order_id,
        "newOrderRespType": "RESULT",
    }
    if intent.price is not None:
        params |= {"price": plain(intent.price), "timeInForce": intent.time_in_force}
    if intent.position_side is not PositionSide.BOTH:
        return params | {"positionSide": intent.position_side.value}
    return params | ({"reduceOnly": "true"} if intent.reduce_only else {})

"""The venue's objects in Binance's field names.  Pure.

In    orders, fills, accounts, algo orders
Out   dicts ready for JSON, decimals as strings
Flow  endpoints -> HERE
Why   an acknowledgement bears no avgPrice and no cumQuote (since 2026-07-15); a query does
"""

from decimal import Decimal
from typing import Any

from quantum_simulator.core.accounts import Account, Income, Position
from quantum_simulator.core.algo_orders import AlgoOrder
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.forced import adl_quantile
from quantum_simulator.core.margin import SymbolMargin, max_notional, position_maintenance
from quantum_simulator.core.orders import Fill, Order
from quantum_simulator.decimals import ZERO, money, text

Json = dict[str, Any]
USDT_ASSET = "USDT"


def order_common(order: Order) -> Json:
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": "0",
        "workingType": order.working_type,
        "priceProtect": False,
        "origType": order.original_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": order.updated_ms,
    }


def order_ack(order: Order, wants_result: bool) -> Json:
    """What POST answers: for ACK the order as it entered, for RESULT as it stands after matching."""
    ack = order_common(order)
    if not wants_result:
        ack["status"] = "NEW"
        ack["executedQty"] = "0"
    ack["cumQty"] = ack["executedQty"]
    return ack


def canceled(order: Order) -> Json:
    return order_common(order) | {"cumQty": text(order.filled)}


def queried_order(order: Order) -> Json:
    return order_common(order) | {
        "avgPrice": text(order.average_price.quantize(Decimal("0.00001"))),
        "cumQuote": text(order.filled_notional.normalize()),
        "time": order.created_ms,
    }


def trade(fill: Fill) -> Json:
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "realizedPnl": money(fill.realised),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": money(fill.fee),
        "commissionAsset": USDT_ASSET,
        "time": fill.at_ms,
        "positionSide": fill.position_side,
        "buyer": fill.side == "BUY",
        "maker": fill.maker,
    }


def algo_order(algo: AlgoOrder, order: Order | None) -> Json:
    """With the order that it became, if it did."""
    return {
        "algoId": algo.id,
        "clientAlgoId": algo.client_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.type,
        "symbol": algo.symbol,
        "side": algo.side,
        "positionSide": algo.position_side,
        "timeInForce": algo.time_in_force,
        "quantity": text(algo.quantity),
        "algoStatus": algo.status,
        "actualOrderId": str(algo.order_id) if algo.order_id else "",
        "actualPrice": text((order.average_price if order else ZERO).quantize(Decimal("0.00001"))),
        "actualQty": text(order.filled if order else ZERO),
        "actualType": order.type if order else "",
        "triggerPrice": text(algo.trigger_price),
        "price": text(algo.price),
        "activatePrice": text(algo.activate_price) if algo.callback_rate else "",
        "callbackRate": text(algo.callback_rate) if algo.callback_rate else "",
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": algo.working_type,
        "priceMatch": "NONE",
        "closePosition": algo.close_position,
        "priceProtect": False,
        "reduceOnly": algo.reduce_only,
        "createTime": algo.created_ms,
        "updateTime": algo.updated_ms,
        "triggerTime": algo.triggered_ms,
        "goodTillDate": 0,
    }


def income(entry: Income) -> Json:
    return {
        "symbol": entry.symbol,
        "incomeType": entry.kind,
        "income": money(entry.amount),
        "asset": USDT_ASSET,
        "info": entry.kind if entry.kind == "TRANSFER" else entry.trade_id,
        "time": entry.at_ms,
        "tranId": entry.id,
        "tradeId": entry.trade_id,
    }


def liquidation_price(floor: Floor, account: Account, position: Position) -> Decimal:
    """The mark price of this symbol at which the account's margin is gone, all else unchanged.

    In hedge mode both sides of a symbol have the same one; a pair that gains nothing from any move has none (0).
    """
    if not position.amount:
        return ZERO
    rest, cost, slope = account.wallet, ZERO, ZERO
    for each in account.held():
        book = floor.books[each.symbol]
        if each.symbol == position.symbol:
            cost += each.cost
            slope += each.amount - abs(each.amount) * book.instrument.maintenance_bps / 10_000
        else:
            rest += each.unrealised(book.mark) - position_maintenance(floor, each)
    return max(ZERO, (cost - rest) / slope) if slope else ZERO


def position_risk_v3(floor: Floor, account: Account, position: Position, margin: SymbolMargin) -> Json:
    mark = floor.books[position.symbol].mark
    return {
        "symbol": position.symbol,
        "positionSide": position.side,
        "positionAmt": text(position.amount),
        "entryPrice": money(position.entry_price),
        "breakEvenPrice": money(account.break_even_price(position)),
        "markPrice": money(mark),
        "unRealizedProfit": money(position.unrealised(mark)),
        "liquidationPrice": money(liquidation_price(floor, account, position)),
        "isolatedMargin": "0",
        "notional": money(position.amount * mark),
        "marginAsset": USDT_ASSET,
        "isolatedWallet": "0",
        "initialMargin": money(margin.total),
        "maintMargin": money(position_maintenance(floor, position)),
        "positionInitialMargin": money(margin.position),
        "openOrderInitialMargin": money(margin.orders),
        "adl": adl_quantile(floor, account, position),
        "bidNotional": money(margin.bid_notional),
        "askNotional": money(margin.ask_notional),
        "updateTime": position.updated_ms,
    }


def position_risk_v2(floor: Floor, account: Account, position: Position) -> Json:
    mark = floor.books[position.symbol].mark
    leverage = account.leverage(position.symbol)
    return {
        "symbol": position.symbol,
        "positionAmt": text(position.amount),
        "entryPrice": money(position.entry_price),
        "breakEvenPrice": money(account.break_even_price(position)),
        "markPrice": money(mark),
        "unRealizedProfit": money(position.unrealised(mark)),
        "liquidationPrice": money(liquidation_price(floor, account, position)),
        "leverage": str(leverage),
        "maxNotionalValue": text(max_notional(leverage).quantize(Decimal(1))),
        "marginType": "cross",
        "isolatedMargin": "0.00000000",
        "isAutoAddMargin": "false",
        "positionSide": position.side,
        "notional": money(position.amount * mark),
        "isolatedWallet": "0",
        "updateTime": position.updated_ms,
    }

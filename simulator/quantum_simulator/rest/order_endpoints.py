"""Order endpoints: place, query, cancel, list.  Pure.

In    parameters as strings
Out   typed requests to core.trading; Binance's JSON
Flow  rest.endpoints -> HERE -> core.trading
Why   all that is wrong with a parameter is said here, all that is wrong with an order in core.admission
"""

from quantum_simulator.core import history, trading
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.orders import OrderRequest, PositionSide
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, missing, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.parameters import Params
from quantum_simulator.rest.render import Json

CONDITIONAL_TYPES = frozenset({"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"})
ALL_CANCELED: Json = {"code": 200, "msg": "The operation of cancel all open order is done."}


POSITION_SIDES: tuple[PositionSide, ...] = ("BOTH", "LONG", "SHORT")


def position_side(account: Account, params: Params) -> PositionSide:
    """Whether it fits the account's mode is said by the core; hedge mode takes no ``reduceOnly``, not even a false one."""
    if account.is_hedge_mode and "reduceOnly" in params:
        raise refuse(Words.REDUCE_ONLY_IN_HEDGE_MODE)
    if "positionSide" not in params:
        return "BOTH"
    return read.word(params, "positionSide", POSITION_SIDES, refuse(Words.BAD_POSITION_SIDE))


def order_request(account: Account, params: Params) -> OrderRequest:
    symbol = read.need(params, "symbol")
    side = read.word(params, "side", ("BUY", "SELL"), refuse(Words.BAD_SIDE))
    if params.get("type") in CONDITIONAL_TYPES:
        raise refuse(Words.USE_ALGO_ENDPOINT)
    kind = read.word(params, "type", ("LIMIT", "MARKET"), refuse(Words.BAD_ORDER_TYPE))
    if read.boolean(params, "closePosition"):
        raise VenueRefusal(-4136, f"Target strategy invalid for orderType {kind},closePosition true")
    common = {
        "symbol": symbol,
        "side": side,
        "type": kind,
        "reduce_only": read.boolean(params, "reduceOnly"),
        "client_id": params.get("newClientOrderId", ""),
        "position_side": position_side(account, params),
        "working_type": params.get("workingType", "CONTRACT_PRICE"),
    }
    if kind == "MARKET":
        read.forbid(params, "price", "timeInForce")
        return OrderRequest(quantity=read.decimal(params, "quantity"), price=ZERO, **common)  # type: ignore[arg-type]
    tif = read.word(params, "timeInForce", ("GTC", "IOC", "FOK", "GTX"), refuse(Words.BAD_TIME_IN_FORCE))
    quantity, price = read.decimal(params, "quantity"), read.decimal(params, "price")
    return OrderRequest(quantity=quantity, price=price, time_in_force=tif, **common)  # type: ignore[arg-type]


def place_order(call: Call) -> Json:
    wants_result = call.params.get("newOrderRespType", "ACK") == "RESULT"
    order = trading.place(call.state.floor, call.account, order_request(call.account, call.params), call.now_ms)
    return render.order_ack(order, wants_result)


def named_order(call: Call) -> tuple[str, int | None, str | None]:
    symbol = read.need(call.params, "symbol")
    call.state.floor.book(symbol)
    order_id, client_id = read.optional_integer(call.params, "orderId"), call.params.get("origClientOrderId")
    if order_id is None and not client_id:
        raise VenueRefusal(-1102, "Either orderId or origClientOrderId must be sent.")
    return symbol, order_id, client_id


def query_order(call: Call) -> Json:
    order = trading.find(call.account, *named_order(call))
    if order is None or not history.is_told(order, call.now_ms):
        raise refuse(Words.NO_SUCH_ORDER)
    return render.queried_order(order)


def query_open_order(call: Call) -> Json:
    order = trading.find(call.account, *named_order(call))
    if order is None or not order.is_open:
        raise refuse(Words.NO_SUCH_ORDER)
    return render.queried_order(order)


def cancel_order(call: Call) -> Json:
    order = trading.find(call.account, *named_order(call))
    return render.canceled(trading.cancel(call.state.floor, order, call.now_ms))


def cancel_all_orders(call: Call) -> Json:
    trading.cancel_all(call.state.floor, call.account, read.need(call.params, "symbol"), call.now_ms)
    return ALL_CANCELED


def open_orders(call: Call) -> list[Json]:
    symbol = call.params.get("symbol")
    if symbol:
        call.state.floor.book(symbol)
    orders = call.account.open_in(symbol) if symbol else call.account.all_open()
    return [render.queried_order(order) for order in orders]


def window(params: Params, now_ms: int) -> tuple[int, int]:
    """From when to when a list query tells: the last seven days, or seven days from the one bound that was sent."""
    start_ms, end_ms = read.optional_integer(params, "startTime"), read.optional_integer(params, "endTime")
    if start_ms is None:
        return (now_ms if end_ms is None else end_ms) - history.WINDOW_MS, 1 << 62 if end_ms is None else end_ms
    if end_ms is None:
        return start_ms, start_ms + history.WINDOW_MS
    if end_ms - start_ms > history.WINDOW_MS:
        raise refuse(Words.BAD_TIME_INTERVAL)
    return start_ms, end_ms


def all_orders(call: Call) -> list[Json]:
    symbol = read.need(call.params, "symbol")
    call.state.floor.book(symbol)
    first = read.optional_integer(call.params, "orderId")
    start_ms, end_ms = window(call.params, call.now_ms) if first is None else (0, 1 << 62)
    found = [
        order
        for order in call.account.orders.values()
        if order.symbol == symbol
        and order.id >= (first or 0)
        and start_ms <= order.created_ms <= end_ms
        and history.is_told(order, call.now_ms)
    ]
    limit = read.limit(call.params, 500, 1_000)
    from_oldest = first is not None or "startTime" in call.params
    return [render.queried_order(order) for order in (found[:limit] if from_oldest else found[-limit:])]


def user_trades(call: Call) -> list[Json]:
    symbol = read.need(call.params, "symbol")
    call.state.floor.book(symbol)
    order_id, from_id = read.optional_integer(call.params, "orderId"), read.optional_integer(call.params, "fromId")
    if from_id is not None and ("startTime" in call.params or "endTime" in call.params):
        raise refuse(Words.BAD_COMBINATION)
    start_ms, end_ms = window(call.params, call.now_ms) if from_id is None and order_id is None else (0, 1 << 62)
    found = [
        fill
        for fill in call.account.fills
        if fill.symbol == symbol
        and order_id in {None, fill.order_id}
        and fill.trade_id >= (from_id or 0)
        and start_ms <= fill.at_ms <= end_ms
    ]
    limit = read.limit(call.params, 500, 1_000)
    from_oldest = from_id is not None or "startTime" in call.params
    return [render.trade(fill) for fill in (found[:limit] if from_oldest else found[-limit:])]


def countdown_cancel_all(call: Call) -> Json:
    symbol = read.need(call.params, "symbol")
    if "countdownTime" not in call.params:
        raise missing("countdownTime")
    countdown_ms = read.integer(call.params, "countdownTime")
    trading.arm_countdown(call.state.floor, call.account, symbol, countdown_ms, call.now_ms)
    return {"symbol": symbol, "countdownTime": str(countdown_ms)}

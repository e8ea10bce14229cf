"""Algo service endpoints: conditional orders.  Pure.

In    parameters as strings
Out   typed requests to core.triggers; Binance's JSON
Flow  rest.endpoints -> HERE -> core.triggers
Why   which parameters a type needs, and which it must not have, is said before the order is looked at
"""

from decimal import Decimal

from quantum_simulator.core import history, triggers
from quantum_simulator.core.algo_orders import LIMITS, AlgoOrder, AlgoRequest, AlgoType, WorkingType
from quantum_simulator.core.orders import TimeInForce
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.order_endpoints import ALL_CANCELED, position_side, window
from quantum_simulator.rest.parameters import Params
from quantum_simulator.rest.render import Json

TYPES: tuple[AlgoType, ...] = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
WORKING_TYPES: tuple[WorkingType, ...] = ("MARK_PRICE", "CONTRACT_PRICE")
TIMES_IN_FORCE: tuple[TimeInForce, ...] = ("GTC", "IOC", "FOK", "GTX")
LEAST_CALLBACK, MOST_CALLBACK = Decimal("0.1"), Decimal(10)
"""Percent."""


def place_algo_order(call: Call) -> Json:
    params = call.params
    if read.need(params, "algoType") != "CONDITIONAL":
        raise VenueRefusal(-1102, "Mandatory parameter 'algoType' was not sent, was empty/null, or malformed.")
    request = _request(call, params)
    return render.algo_order(triggers.place_algo(call.state.floor, call.account, request, call.now_ms), None)


def _request(call: Call, params: Params) -> AlgoRequest:
    closes = read.boolean(params, "closePosition")
    if closes:
        read.forbid(params, "quantity", "reduceOnly")
    kind = read.word(params, "type", TYPES, refuse(Words.BAD_ORDER_TYPE))
    request = AlgoRequest(
        symbol=read.need(params, "symbol"),
        side=read.word(params, "side", ("BUY", "SELL"), refuse(Words.BAD_SIDE)),
        type=kind,
        quantity=ZERO if closes else read.decimal(params, "quantity"),
        trigger_price=ZERO,
        reduce_only=read.boolean(params, "reduceOnly"),
        close_position=closes,
        client_id=params.get("clientAlgoId", ""),
        position_side=position_side(call.account, params),
    )
    if "workingType" in params:
        request = request._replace(working_type=read.word(params, "workingType", WORKING_TYPES, refuse(Words.BAD_WORKING_TYPE)))
    if kind == "TRAILING_STOP_MARKET":
        return _trailing(request, params)
    return _limited(request._replace(trigger_price=read.decimal(params, "triggerPrice")), params)


def _trailing(request: AlgoRequest, params: Params) -> AlgoRequest:
    rate = read.decimal(params, "callbackRate")
    if not LEAST_CALLBACK <= rate <= MOST_CALLBACK:
        raise read.illegal("callbackRate", f"{LEAST_CALLBACK} to {MOST_CALLBACK}")
    activate = read.decimal(params, "activatePrice") if "activatePrice" in params else ZERO
    return request._replace(callback_rate=rate, activate_price=activate)


def _limited(request: AlgoRequest, params: Params) -> AlgoRequest:
    """STOP and TAKE_PROFIT become limit orders; what the others are sent beyond their need is not read."""
    if request.type not in LIMITS:
        return request
    request = request._replace(price=read.decimal(params, "price"))
    if "timeInForce" not in params:
        return request
    return request._replace(time_in_force=read.word(params, "timeInForce", TIMES_IN_FORCE, refuse(Words.BAD_TIME_IN_FORCE)))


def _named_algo(call: Call) -> AlgoOrder | None:
    algo_id, client_id = read.optional_integer(call.params, "algoId"), call.params.get("clientAlgoId")
    if algo_id is None and not client_id:
        raise VenueRefusal(-1102, "Either algoId or clientAlgoId must be sent.")
    return triggers.find_algo(call.account, algo_id, client_id)


def query_algo_order(call: Call) -> Json:
    algo = _named_algo(call)
    if algo is None or not history.is_algo_told(algo, call.now_ms):
        raise refuse(Words.NO_SUCH_ORDER)
    return render.algo_order(algo, call.account.orders.get(algo.order_id))


def cancel_algo_order(call: Call) -> Json:
    algo = triggers.cancel_algo(call.state.floor, call.account, _named_algo(call), call.now_ms)
    return {"algoId": algo.id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}


def open_algo_orders(call: Call) -> list[Json]:
    symbol = call.params.get("symbol")
    if symbol:
        call.state.floor.book(symbol)
    return [render.algo_order(algo, None) for algo in call.account.open_algos(symbol)]


def all_algo_orders(call: Call) -> list[Json]:
    """Waiting and past ones of a symbol, oldest first."""
    symbol, account = read.need(call.params, "symbol"), call.account
    call.state.floor.book(symbol)
    first = read.integer(call.params, "algoId", 0)
    start_ms, end_ms = window(call.params, call.now_ms) if "algoId" not in call.params else (0, 1 << 62)
    found = [
        render.algo_order(each, account.orders.get(each.order_id))
        for each in account.algos.values()
        if each.symbol == symbol and each.id >= first and start_ms <= each.created_ms <= end_ms and history.is_algo_told(each, call.now_ms)
    ]
    limit = read.limit(call.params, 500, 1_000)
    return found[:limit] if first else found[-limit:]


def cancel_all_algo_orders(call: Call) -> Json:
    triggers.cancel_all_algos(call.state.floor, call.account, read.need(call.params, "symbol"), call.now_ms)
    return ALL_CANCELED

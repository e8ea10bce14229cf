"""Algo service endpoints: conditional orders.  Pure.

In    parameters as strings
Out   typed requests to core.triggers; Binance's JSON
Flow  rest.endpoints -> HERE -> core.triggers
Why   STOP_MARKET and TAKE_PROFIT_MARKET are what a protective stop needs; other types are refused, not imitated
"""

from quantum_simulator.core import triggers
from quantum_simulator.core.algo_orders import AlgoOrder
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.order_endpoints import ALL_CANCELED, position_side
from quantum_simulator.rest.render import Json


def place_algo_order(call: Call) -> Json:
    params = call.params
    if read.need(params, "algoType") != "CONDITIONAL":
        raise VenueRefusal(-1102, "Mandatory parameter 'algoType' was not sent, was empty/null, or malformed.")
    closes = read.boolean(params, "closePosition")
    if closes:
        read.forbid(params, "quantity", "reduceOnly")
    request = triggers.AlgoRequest(
        symbol=read.need(params, "symbol"),
        side=read.word(params, "side", ("BUY", "SELL"), refuse(Words.BAD_SIDE)),
        type=read.word(params, "type", ("STOP_MARKET", "TAKE_PROFIT_MARKET"), refuse(Words.BAD_ORDER_TYPE)),
        quantity=ZERO if closes else read.decimal(params, "quantity"),
        trigger_price=read.decimal(params, "triggerPrice"),
        reduce_only=read.boolean(params, "reduceOnly"),
        close_position=closes,
        client_id=params.get("clientAlgoId", ""),
        working_type=params.get("workingType", "CONTRACT_PRICE"),
        position_side=position_side(call.account, params),
    )
    return render.algo_order(triggers.place_algo(call.state.floor, call.account, request, call.now_ms))


def _named_algo(call: Call) -> AlgoOrder | None:
    algo_id, client_id = read.optional_integer(call.params, "algoId"), call.params.get("clientAlgoId")
    if algo_id is None and not client_id:
        raise VenueRefusal(-1102, "Either algoId or clientAlgoId must be sent.")
    return triggers.find_algo(call.account, algo_id, client_id)


def query_algo_order(call: Call) -> Json:
    algo = _named_algo(call)
    if algo is None:
        raise refuse(Words.NO_SUCH_ORDER)
    return render.algo_order(algo)


def cancel_algo_order(call: Call) -> Json:
    algo = triggers.cancel_algo(call.state.floor, _named_algo(call), call.now_ms)
    return {"algoId": algo.id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}


def open_algo_orders(call: Call) -> list[Json]:
    symbol = call.params.get("symbol")
    if symbol:
        call.state.floor.book(symbol)
    return [render.algo_order(algo) for algo in call.account.open_algos(symbol)]


def cancel_all_algo_orders(call: Call) -> Json:
    triggers.cancel_all_algos(call.state.floor, call.account, read.need(call.params, "symbol"), call.now_ms)
    return ALL_CANCELED

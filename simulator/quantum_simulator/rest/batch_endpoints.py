"""Changing orders, and several at once: modify, place, modify and cancel in batches, rehearse.  Pure.

In    parameters as strings; batches as a JSON list in one of them
Out   Binance's JSON; for a batch one answer per order, refusals among them
Flow  rest.endpoints -> HERE -> order_endpoints, core.amend
Why   an order of a batch is an order: it is written to the order log by itself, accepted or refused
"""

from collections.abc import Callable
from typing import Any

import msgspec

from quantum_simulator.core import amend, trading
from quantum_simulator.refusals import VenueRefusal, Words, missing, refuse
from quantum_simulator.rest import order_endpoints as orders
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.parameters import Params
from quantum_simulator.rest.render import Json

MOST_PLACED = 5
MOST_CANCELED = 10


def modify_order(call: Call) -> Json:
    """LIMIT orders only (others never rest); price and quantity both; the side is named but may not change."""
    order = trading.find(call.account, *orders.named_order(call))
    side = read.word(call.params, "side", ("BUY", "SELL"), refuse(Words.BAD_SIDE))
    quantity, price = read.decimal(call.params, "quantity"), read.decimal(call.params, "price")
    if order is not None and order.side != side:
        raise refuse(Words.BAD_SIDE)
    return render.canceled(amend.amend(call.state.floor, call.account, order, quantity, price, call.now_ms))


def test_order(call: Call) -> Json:
    order = trading.rehearse(call.state.floor, call.account, orders.order_request(call.account, call.params), call.now_ms)
    return render.order_ack(order, wants_result=False)


def _json_list(params: Params, name: str) -> list[Any]:
    """A JSON list; ccxt and python-binance write the name in lower case."""
    text = params.get(name) or params.get(name.lower())
    if not text:
        raise missing(name)
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.MsgspecError as error:
        raise missing(name) from error


def _as_params(item: object) -> Params:
    if not isinstance(item, dict):
        raise missing("batchOrders")
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in item.items()}


def _each(call: Call, items: list[Params], handle: Callable[[Call], Json], request: str) -> list[Json]:
    """One answer per order; a refused one stops none of the others."""
    answers: list[Json] = []
    for params in items:
        code, message = 0, ""
        try:
            answers.append(handle(call._replace(params=params)))
        except VenueRefusal as refusal:
            code, message = refusal.code, refusal.message
            answers.append({"code": code, "msg": message})
        call.state.order_log.request(call.now_ms, call.account.name, request, params, code, message)
    return answers


def _batch(call: Call) -> list[Params]:
    items = _json_list(call.params, "batchOrders")
    if not 1 <= len(items) <= MOST_PLACED:
        raise refuse(Words.BAD_BATCH_PLACE)
    return [_as_params(item) for item in items]


def place_batch(call: Call) -> list[Json]:
    return _each(call, _batch(call), orders.place_order, "POST /fapi/v1/batchOrders")


def modify_batch(call: Call) -> list[Json]:
    return _each(call, _batch(call), modify_order, "PUT /fapi/v1/batchOrders")


def cancel_batch(call: Call) -> list[Json]:
    """By order ids or by client ids, not both."""
    symbol = read.need(call.params, "symbol")
    call.state.floor.book(symbol)
    by_id = "orderIdList" in call.params or "orderidlist" in call.params
    name, field = ("orderIdList", "orderId") if by_id else ("origClientOrderIdList", "origClientOrderId")
    items = _json_list(call.params, name)
    if not 1 <= len(items) <= MOST_CANCELED:
        raise refuse(Words.BAD_BATCH_CANCEL)
    named: list[Params] = [{"symbol": symbol, field: str(item)} for item in items]
    return _each(call, named, orders.cancel_order, "DELETE /fapi/v1/batchOrders")

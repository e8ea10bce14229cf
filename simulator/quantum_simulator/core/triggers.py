"""The algo service: conditional orders that wait for the mark price or the last price.  Pure.

In    a request; every new price
Out   AlgoOrder states; on trigger one MARKET or LIMIT order; AlgoEffects on the floor
Flow  endpoints, market move -> HERE -> trading.place
Why   own ids and own cancel endpoints: a stop that only cancels regular orders leaves these alive
"""

from decimal import Decimal

from quantum_simulator.core import position_mode
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.admission import check_client_id, check_price, check_quantity
from quantum_simulator.core.algo_orders import CLOSING, LIMITS, AlgoOrder, AlgoRequest, Watched
from quantum_simulator.core.algo_states import move
from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.orders import CLOSING_SIDES, OrderRequest
from quantum_simulator.core.reduce_only import closable
from quantum_simulator.core.trading import place
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse

MOST_WAITING = 200
"""Over all symbols together, since MAX_NUM_ALGO_ORDERS was removed on 2025-12-29."""


def place_algo(floor: Floor, account: Account, request: AlgoRequest, now_ms: int) -> AlgoOrder:
    book = floor.book(request.symbol)
    _check_sides(account, request)
    _check_values(book, request)
    if any(each.client_id == request.client_id for each in account.open_algos()) and request.client_id:
        raise refuse(Words.DUPLICATE_CLIENT_ID)
    if len(account.waiting_algos) >= MOST_WAITING:
        raise refuse(Words.MAX_STOP_ORDERS)
    run_triggers(floor, request.symbol, now_ms)
    algo = _new_algo(floor, account, request, now_ms)
    price = book.watched(algo.working_type).price
    if algo.type == "TRAILING_STOP_MARKET" and not algo.activate_price:
        algo.activate_price = algo.extreme = price
    elif _would_trigger(algo, price):
        raise refuse(Words.WOULD_TRIGGER)
    floor.last_algo_id = algo.id
    account.algos[algo.id] = account.waiting_algos[algo.id] = algo
    move(floor, account, algo, "NEW", now_ms)
    return algo


def _check_sides(account: Account, request: AlgoRequest) -> None:
    position_mode.check_side(account, request.position_side)
    opens = request.position_side != "BOTH" and (request.position_side, request.side) not in CLOSING_SIDES
    if request.close_position and (request.type not in CLOSING or opens):
        raise VenueRefusal(-4136, f"Target strategy invalid for orderType {request.type},closePosition true")


def _check_values(book: Book, request: AlgoRequest) -> None:
    check_client_id(request.client_id)
    instrument = book.instrument
    if request.type == "TRAILING_STOP_MARKET":
        if request.activate_price:
            check_price(instrument, request.activate_price)
    else:
        check_price(instrument, request.trigger_price)
    if request.type in LIMITS:
        check_price(instrument, request.price)
    if not request.close_position:
        largest = instrument.max_quantity if request.type in LIMITS else instrument.max_market_quantity
        check_quantity(instrument, request.quantity, largest)


def _new_algo(floor: Floor, account: Account, request: AlgoRequest, now_ms: int) -> AlgoOrder:
    algo_id = floor.last_algo_id + 1
    return AlgoOrder(
        id=algo_id,
        client_id=request.client_id or f"algo-{algo_id}",
        account=account.name,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        quantity=ZERO if request.close_position else request.quantity,
        trigger_price=request.trigger_price,
        reduce_only=request.only_closes,
        close_position=request.close_position,
        working_type=request.working_type,
        created_ms=now_ms,
        position_side=request.position_side,
        price=request.price,
        time_in_force=request.time_in_force,
        callback_rate=request.callback_rate,
        activate_price=request.activate_price,
        updated_ms=now_ms,
    )


def _would_trigger(algo: AlgoOrder, price: Decimal) -> bool:
    """A trailing stop must be told to begin beyond the price."""
    if algo.type != "TRAILING_STOP_MARKET":
        return algo.is_hit(Watched(price, price, price))
    return algo.activate_price >= price if algo.side == "BUY" else algo.activate_price <= price


def find_algo(account: Account, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
    if algo_id is not None:
        return account.algos.get(algo_id)
    return next((each for each in reversed(account.algos.values()) if each.client_id == client_id), None)


def cancel_algo(floor: Floor, account: Account, algo: AlgoOrder | None, now_ms: int) -> AlgoOrder:
    if algo is None or algo.status != "NEW":
        raise refuse(Words.CANCEL_REJECTED)
    move(floor, account, algo, "CANCELED", now_ms)
    return algo


def cancel_all_algos(floor: Floor, account: Account, symbol: str, now_ms: int) -> int:
    floor.book(symbol)
    algos = account.open_algos(symbol)
    for algo in algos:
        cancel_algo(floor, account, algo, now_ms)
    return len(algos)


def run_triggers(floor: Floor, symbol: str, now_ms: int) -> None:
    """Look at what the prices did since the last look; what the triggered orders do to them is seen by the next."""
    book = floor.books[symbol]
    seen = {"MARK_PRICE": book.watched("MARK_PRICE"), "CONTRACT_PRICE": book.watched("CONTRACT_PRICE")}
    book.low = book.high = book.last
    for account in floor.accounts.values():
        for algo in account.open_algos(symbol) if account.waiting_algos else ():
            if algo.status == "NEW" and algo.is_hit(seen[algo.working_type]):
                _trigger(floor, account, algo, now_ms)


def _as_order(account: Account, algo: AlgoOrder) -> OrderRequest:
    held = closable(account, algo.symbol, algo.side == "BUY", algo.position_side) if algo.close_position else ZERO
    return OrderRequest(
        symbol=algo.symbol,
        side=algo.side,
        type="LIMIT" if algo.type in LIMITS else "MARKET",
        quantity=held if algo.close_position else algo.quantity,
        price=algo.price,
        time_in_force=algo.time_in_force,
        reduce_only=algo.reduce_only,
        client_id=algo.client_id,
        close_position=algo.close_position,
        original_type=algo.type,
        working_type=algo.working_type,
        position_side=algo.position_side,
    )


def _trigger(floor: Floor, account: Account, algo: AlgoOrder, now_ms: int) -> None:
    algo.triggered_ms = now_ms
    move(floor, account, algo, "TRIGGERING", now_ms)
    try:
        order = place(floor, account, _as_order(account, algo), now_ms)
    except VenueRefusal as refusal:
        move(floor, account, algo, "REJECTED", now_ms, refusal.message)
        return
    algo.order_id, order.algo_id = order.id, algo.id
    move(floor, account, algo, "TRIGGERED", now_ms)
    if not order.is_open:
        move(floor, account, algo, "FINISHED", now_ms)

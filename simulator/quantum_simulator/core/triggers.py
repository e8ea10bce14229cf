"""The algo service: conditional orders that wait for the mark price.  Pure.

In    a request; every new mark price
Out   AlgoOrder states; on trigger one MARKET order; AlgoEffects on the floor
Flow  endpoints, market move -> HERE -> trading.place
Why   own ids and own cancel endpoints: a stop that only cancels regular orders leaves these alive
"""

from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core import position_mode
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.admission import check_client_id, check_price, check_quantity
from quantum_simulator.core.algo_orders import AlgoOrder, AlgoType
from quantum_simulator.core.effects import AlgoEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import CLOSING_SIDES, OrderRequest, PositionSide, Side
from quantum_simulator.core.reduce_only import closable
from quantum_simulator.core.trading import place
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse


class AlgoRequest(NamedTuple):
    symbol: str
    side: Side
    type: AlgoType
    quantity: Decimal
    trigger_price: Decimal
    reduce_only: bool = False
    close_position: bool = False
    client_id: str = ""
    working_type: str = "CONTRACT_PRICE"
    position_side: PositionSide = "BOTH"

    @property
    def only_closes(self) -> bool:
        return self.reduce_only or self.close_position or (self.position_side, self.side) in CLOSING_SIDES


def place_algo(floor: Floor, account: Account, request: AlgoRequest, now_ms: int) -> AlgoOrder:
    book = floor.book(request.symbol)
    _check_sides(account, request)
    check_client_id(request.client_id)
    check_price(book.instrument, request.trigger_price)
    if not request.close_position:
        check_quantity(book.instrument, request.quantity, book.instrument.max_market_quantity)
    if any(each.client_id == request.client_id for each in account.open_algos()) and request.client_id:
        raise refuse(Words.DUPLICATE_CLIENT_ID)
    algo_id = floor.last_algo_id + 1
    algo = AlgoOrder(
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
        updated_ms=now_ms,
    )
    if algo.is_hit(book.mark):
        raise refuse(Words.WOULD_TRIGGER)
    floor.last_algo_id = algo_id
    account.algos[algo_id] = algo
    floor.effects.append(AlgoEffect(algo, "NEW", now_ms))
    return algo


def _check_sides(account: Account, request: AlgoRequest) -> None:
    position_mode.check_side(account, request.position_side)
    if request.close_position and request.position_side != "BOTH" and (request.position_side, request.side) not in CLOSING_SIDES:
        raise VenueRefusal(-4136, f"Target strategy invalid for orderType {request.type},closePosition true")


def find_algo(account: Account, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
    if algo_id is not None:
        return account.algos.get(algo_id)
    return next((each for each in reversed(account.algos.values()) if each.client_id == client_id), None)


def cancel_algo(floor: Floor, algo: AlgoOrder | None, now_ms: int) -> AlgoOrder:
    if algo is None or algo.status != "NEW":
        raise refuse(Words.CANCEL_REJECTED)
    _move(floor, algo, "CANCELED", now_ms)
    return algo


def cancel_all_algos(floor: Floor, account: Account, symbol: str, now_ms: int) -> int:
    floor.book(symbol)
    algos = account.open_algos(symbol)
    for algo in algos:
        cancel_algo(floor, algo, now_ms)
    return len(algos)


def run_triggers(floor: Floor, symbol: str, now_ms: int) -> None:
    mark = floor.books[symbol].mark
    for account in floor.accounts.values():
        if not account.algos:
            continue
        for algo in account.open_algos(symbol):
            if algo.status == "NEW" and algo.is_hit(mark):
                _trigger(floor, account, algo, now_ms)


def _trigger(floor: Floor, account: Account, algo: AlgoOrder, now_ms: int) -> None:
    algo.triggered_ms = now_ms
    _move(floor, algo, "TRIGGERING", now_ms)
    quantity = closable(account, algo.symbol, algo.side == "BUY", algo.position_side) if algo.close_position else algo.quantity
    request = OrderRequest(
        symbol=algo.symbol,
        side=algo.side,
        type="MARKET",
        quantity=quantity,
        reduce_only=algo.reduce_only,
        client_id=algo.client_id,
        close_position=algo.close_position,
        original_type=algo.type,
        working_type=algo.working_type,
        position_side=algo.position_side,
    )
    try:
        order = place(floor, account, request, now_ms)
    except VenueRefusal as refusal:
        _move(floor, algo, "REJECTED", now_ms, refusal.message)
        return
    algo.order_id = order.id
    _move(floor, algo, "TRIGGERED", now_ms)
    _move(floor, algo, "FINISHED", now_ms)


def _move(floor: Floor, algo: AlgoOrder, status: str, now_ms: int, reason: str = "") -> None:
    algo.status = status  # type: ignore[assignment]
    algo.updated_ms = now_ms
    floor.effects.append(AlgoEffect(algo, status, now_ms, reason))

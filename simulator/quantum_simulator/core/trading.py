"""Commands of an account: place, cancel, cancel all, set leverage, arm the countdown.  Pure.

In    floor, account, request, the time
Out   the order in its new state; effects appended to the floor; or ``VenueRefusal``
Flow  endpoints, triggers -> HERE -> admission, matching, settlement
Why   a refused order leaves no trace but the refusal: nothing is booked before every check has passed
"""

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.admission import admit, check_money, market_bound
from quantum_simulator.core.effects import LeverageEffect
from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.margin import free
from quantum_simulator.core.matching import fillable, is_within, may_fill, take
from quantum_simulator.core.orders import Order, OrderRequest
from quantum_simulator.core.settlement import announce, end
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse


def new_order(floor: Floor, account: Account, request: OrderRequest, now_ms: int) -> Order:
    order_id = floor.last_order_id + 1
    instrument = floor.books[request.symbol].instrument
    return Order(
        id=order_id,
        client_id=request.client_id or f"venue-{order_id}",
        account=account.name,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        quantity=request.quantity.quantize(instrument.step),
        price=request.price.quantize(instrument.tick) if request.price else ZERO,
        reduce_only=request.only_closes,
        created_ms=now_ms,
        close_position=request.close_position,
        original_type=request.original_type,
        working_type=request.working_type,
        position_side=request.position_side,
    )


def place(floor: Floor, account: Account, request: OrderRequest, now_ms: int) -> Order:
    """Admit, announce, match; rest what may rest and expire what may not."""
    admit(floor, account, request)
    order = new_order(floor, account, request, now_ms)
    book = floor.books[request.symbol]
    check_money(floor, account, order)
    _check_time_in_force(floor, book, order)
    floor.last_order_id = order.id
    account.remember(order)
    announce(floor, order, "NEW", now_ms)
    bound = order.price if order.type == "LIMIT" else market_bound(book, order.buys)
    take(floor, order, bound, now_ms)
    if order.is_open:
        finish(floor, book, order, now_ms)
    return order


def _check_time_in_force(floor: Floor, book: Book, order: Order) -> None:
    if order.type != "LIMIT":
        return
    best = book.best_price(order.buys)
    if order.time_in_force == "GTX" and best is not None and is_within(best, order.price, order.buys):
        raise refuse(Words.GTX_WOULD_TAKE)
    if order.time_in_force == "FOK" and not fillable(floor, order, order.price):
        raise refuse(Words.FOK_NOT_FILLABLE)


def finish(floor: Floor, book: Book, order: Order, now_ms: int) -> None:
    """What the order did not take: rest it, or expire it."""
    if order.type == "MARKET" or order.time_in_force in {"IOC", "FOK"}:
        end(floor, order, "EXPIRED", now_ms)
    elif not may_fill(floor, order):
        end(floor, order, "EXPIRED", now_ms, reason="4")
    else:
        book.resting.add(order)
        book.update_id += 1


def find(account: Account, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
    order = account.orders.get(order_id) if order_id is not None else account.by_client_id.get(client_id or "")
    return order if order is not None and order.symbol == symbol else None


def rehearse(floor: Floor, account: Account, request: OrderRequest, now_ms: int) -> Order:
    """What ``place`` would accept, without placing it."""
    admit(floor, account, request)
    order = new_order(floor, account, request, now_ms)
    check_money(floor, account, order)
    _check_time_in_force(floor, floor.books[request.symbol], order)
    return order


def cancel(floor: Floor, order: Order | None, now_ms: int) -> Order:
    if order is None or not order.is_open:
        raise refuse(Words.CANCEL_REJECTED)
    end(floor, order, "CANCELED", now_ms)
    floor.books[order.symbol].update_id += 1
    return order


def cancel_all(floor: Floor, account: Account, symbol: str, now_ms: int) -> int:
    """Regular orders of one symbol only: algo orders live on, as on the real venue."""
    floor.book(symbol)
    orders = account.open_in(symbol)
    for order in orders:
        cancel(floor, order, now_ms)
    return len(orders)


def set_leverage(floor: Floor, account: Account, symbol: str, leverage: int, now_ms: int) -> int:
    book = floor.book(symbol)
    if not 1 <= leverage <= book.instrument.max_leverage:
        raise VenueRefusal(-4028, f"Leverage {leverage} is not valid")
    before, account.leverages[symbol] = account.leverage(symbol), leverage
    if leverage < before and free(floor, account) < ZERO:
        account.leverages[symbol] = before
        raise refuse(Words.LEVERAGE_TOO_SMALL)
    floor.effects.append(LeverageEffect(account.name, symbol, leverage, now_ms))
    return leverage


def set_margin_type(floor: Floor, account: Account, symbol: str, margin_type: str) -> None:
    floor.book(symbol)
    wanted = "isolated" if margin_type == "ISOLATED" else "cross"
    if account.margin_types.get(symbol, "cross") == wanted:
        raise refuse(Words.NO_MARGIN_TYPE_CHANGE)
    raise refuse(Words.UNSUPPORTED)


def arm_countdown(floor: Floor, account: Account, symbol: str, countdown_ms: int, now_ms: int) -> None:
    floor.book(symbol)
    if countdown_ms <= 0:
        account.countdowns.pop(symbol, None)
    else:
        account.countdowns[symbol] = now_ms + countdown_ms


def run_countdowns(floor: Floor, now_ms: int) -> None:
    for account in floor.accounts.values():
        due = [symbol for symbol, deadline_ms in account.countdowns.items() if now_ms >= deadline_ms]
        for symbol in due:
            del account.countdowns[symbol]
            cancel_all(floor, account, symbol, now_ms)

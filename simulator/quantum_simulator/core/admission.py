"""May this order enter?  An ordered chain of pure checks, first refusal wins.

In    account, book, the request
Out   nothing, or ``VenueRefusal`` with Binance's code
Flow  endpoint -> place -> HERE -> matching
Why   the order of the checks is the venue's: filters, then position rules, then notional, then money
"""

import re
from decimal import Decimal
from typing import Final

from quantum_simulator.core import margin, position_mode, reduce_only
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.instruments import Instrument
from quantum_simulator.core.orders import Order, OrderRequest
from quantum_simulator.decimals import BPS, digits_after_point, is_multiple, text
from quantum_simulator.refusals import VenueRefusal, Words, refuse

CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")


def check_client_id(client_id: str) -> None:
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise refuse(Words.BAD_CLIENT_ID)


def check_quantity(instrument: Instrument, quantity: Decimal, largest: Decimal) -> None:
    if quantity <= 0:
        raise refuse(Words.QUANTITY_NOT_POSITIVE)
    if digits_after_point(quantity) > instrument.quantity_digits:
        raise refuse(Words.TOO_MUCH_PRECISION)
    if quantity < instrument.min_quantity:
        raise refuse(Words.QUANTITY_BELOW_MIN)
    if quantity > largest:
        raise refuse(Words.QUANTITY_ABOVE_MAX)
    if not is_multiple(quantity, instrument.step):
        raise refuse(Words.QUANTITY_OFF_STEP)


def check_price(instrument: Instrument, price: Decimal) -> None:
    if price <= 0:
        raise refuse(Words.PRICE_NOT_POSITIVE)
    if digits_after_point(price) > instrument.price_digits:
        raise refuse(Words.TOO_MUCH_PRECISION)
    if price < instrument.min_price:
        raise refuse(Words.PRICE_BELOW_MIN)
    if price > instrument.max_price:
        raise refuse(Words.PRICE_ABOVE_MAX)
    if not is_multiple(price, instrument.tick):
        raise refuse(Words.PRICE_OFF_TICK)


def _check_percent_price(book: Book, request: OrderRequest) -> None:
    """PERCENT_PRICE: a buy not above, a sell not below the band around mark."""
    share = Decimal(book.instrument.percent_price_bps) / BPS
    highest, lowest = book.mark * (1 + share), book.mark * (1 - share)
    if request.side == "BUY" and request.price > highest:
        raise VenueRefusal(-4016, f"Limit price can't be higher than {text(highest.quantize(book.instrument.tick))}.")
    if request.side == "SELL" and request.price < lowest:
        raise VenueRefusal(-4024, f"Limit price can't be lower than {text(lowest.quantize(book.instrument.tick))}.")


def _check_notional(book: Book, request: OrderRequest) -> None:
    if request.only_closes:
        return
    least = book.instrument.min_notional_usdt
    if request.quantity * (request.price or book.mark) < least:
        raise VenueRefusal(-4164, f"Order's notional must be no smaller than {text(least)} (unless you choose reduce only).")


def market_bound(book: Book, buys: bool) -> Decimal:
    """marketTakeBound: the worst price that a market order may take."""
    share = Decimal(book.instrument.market_take_bound_bps) / BPS
    return book.mark * (1 + share if buys else 1 - share)


def _check_market_price(book: Book, request: OrderRequest) -> None:
    best = book.best_price(request.side == "BUY")
    bound = market_bound(book, request.side == "BUY")
    if best is not None and (best > bound if request.side == "BUY" else best < bound):
        raise refuse(Words.MARKET_BEYOND_BOUND)


def admit(floor: Floor, account: Account, request: OrderRequest) -> None:
    """Everything that can be said before the order has an id."""
    book = floor.book(request.symbol)
    position_mode.check_side(account, request.position_side)
    check_client_id(request.client_id)
    instrument = book.instrument
    check_quantity(instrument, request.quantity, instrument.max_market_quantity if request.type == "MARKET" else instrument.max_quantity)
    if request.type == "LIMIT":
        check_price(instrument, request.price)
        _check_percent_price(book, request)
    else:
        _check_market_price(book, request)
    known = account.by_client_id.get(request.client_id)
    if known is not None and known.is_open:
        raise refuse(Words.DUPLICATE_CLIENT_ID)
    if len(account.open_orders.get(request.symbol, {})) >= instrument.max_open_orders:
        raise refuse(Words.MAX_OPEN_ORDERS)
    if request.only_closes and (refusal := reduce_only.refusal_on_arrival(account, request)):
        raise refusal
    _check_notional(book, request)


def check_money(floor: Floor, account: Account, order: Order) -> None:
    if not order.reduce_only and (words := margin.refusal_of(floor, account, order)):
        raise refuse(words)

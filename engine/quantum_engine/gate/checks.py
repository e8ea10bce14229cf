"""The single questions of the gate; each answers nothing, or the refusal with the numbers it compared.  Pure.

Flow  snapshot, projection -> HERE -> chain
Why   a check reads what an earlier one of the chain has already made sure of, so the order of the chain is part of each check
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_api.trading_policy import Limits
from quantum_engine.domain import SymbolRules
from quantum_engine.gate.projection import held, project, room_to_shrink
from quantum_engine.gate.snapshot import Snapshot, is_amount
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Refused

Check = Callable[[Snapshot], Refused | None]
BPS: Final = 10_000
STOP: Final = "stop"
"""Restrictions whose source is this word, or begins with it and a colon, come from latched stops."""


def quantity_is_a_number(snapshot: Snapshot) -> Refused | None:
    quantity = snapshot.intent.quantity
    if is_amount(quantity):
        return None
    return Refused(Refusal.QUANTITY_INVALID, {"quantity": str(quantity)})


def price_is_a_number(snapshot: Snapshot) -> Refused | None:
    price = snapshot.intent.price
    if price is None or is_amount(price):
        return None
    return Refused(Refusal.PRICE_INVALID, {"price": str(price)})


def intent_is_new(snapshot: Snapshot) -> Refused | None:
    return Refused(Refusal.DUPLICATE_INTENT, {"intent": snapshot.intent.id}) if snapshot.is_duplicate else None


def _is_stop(restriction: Restriction) -> bool:
    return restriction.source == STOP or restriction.source.startswith(f"{STOP}:")


def _forbids(gate: Gate, snapshot: Snapshot) -> bool:
    if gate is Gate.ACTIVE:
        return False
    if snapshot.is_emergency_exit:
        return gate is Gate.HALTED and not any(_is_stop(r) for r in snapshot.restrictions)
    if gate is Gate.REDUCE_ONLY:
        intent = snapshot.intent
        return intent.quantity > room_to_shrink(intent, snapshot.positions, snapshot.open_orders)
    return True


def _refused_by(restriction: Restriction, word: Refusal) -> Refused:
    return Refused(word, {"source": restriction.source, "gate": restriction.gate.value, "detail": restriction.detail})


def a_policy_is_held(snapshot: Snapshot) -> Refused | None:
    if snapshot.limits is None and not snapshot.is_emergency_exit and (not snapshot.is_exit or _forbids(snapshot.gate, snapshot)):
        return Refused(Refusal.NO_POLICY, {"gate": snapshot.gate.value})
    return None


def no_stop_is_latched(snapshot: Snapshot) -> Refused | None:
    for restriction in snapshot.restrictions:
        if _is_stop(restriction) and _forbids(restriction.gate, snapshot):
            return _refused_by(restriction, Refusal.SYMBOL_STOPPED if restriction.symbols else Refusal.STOP_LATCHED)
    return None


def _unless(source: str, word: Refusal) -> Check:
    def check(snapshot: Snapshot) -> Refused | None:
        for restriction in snapshot.restrictions:
            if restriction.source == source and _forbids(restriction.gate, snapshot):
                return _refused_by(restriction, word)
        return None

    return check


the_journal_is_writable: Final = _unless("journal", Refusal.JOURNAL_UNAVAILABLE)
the_lease_is_valid: Final = _unless("lease", Refusal.LEASE_EXPIRED)
the_exchange_was_compared: Final = _unless("reconciliation", Refusal.NOT_RECONCILED)

_GATE_WORDS: Final = {
    Gate.HALTED: Refusal.GATE_HALTED,
    Gate.EXIT_ONLY: Refusal.GATE_EXIT_ONLY,
    Gate.REDUCE_ONLY: Refusal.GATE_REDUCE_ONLY,
}


def the_gate_permits(snapshot: Snapshot) -> Refused | None:
    if not _forbids(snapshot.gate, snapshot):
        return None
    intent = snapshot.intent
    numbers: dict[str, object] = {"reasons": ",".join(r.source for r in snapshot.restrictions)}
    if snapshot.gate is Gate.REDUCE_ONLY:
        numbers |= {
            "position": held(snapshot.positions, intent.symbol),
            "quantity": intent.quantity * intent.side.sign,
            "room": room_to_shrink(intent, snapshot.positions, snapshot.open_orders),
        }
    return Refused(_GATE_WORDS[snapshot.gate], numbers)


def the_instrument_trades(snapshot: Snapshot) -> Refused | None:
    if snapshot.rules is not None and snapshot.rules.trading:
        return None
    return Refused(Refusal.INSTRUMENT_UNKNOWN, {"symbol": snapshot.intent.symbol})


def the_exit_has_something_to_leave(snapshot: Snapshot) -> Refused | None:
    """A symbol that the exchange does not list and that is not held is a slip of the pen.  A stop's own closing order is never asked."""
    if snapshot.rules is not None or snapshot.is_emergency_exit or held(snapshot.positions, snapshot.intent.symbol):
        return None
    return Refused(Refusal.INSTRUMENT_UNKNOWN, {"symbol": snapshot.intent.symbol})


def the_instrument_is_permitted(snapshot: Snapshot) -> Refused | None:
    if snapshot.intent.symbol in _limits(snapshot).instruments:
        return None
    return Refused(Refusal.INSTRUMENT_NOT_PERMITTED, {"symbol": snapshot.intent.symbol})


def quantity_fits_the_lot(snapshot: Snapshot) -> Refused | None:
    rules, quantity, is_market = _rules(snapshot), snapshot.intent.quantity, snapshot.intent.price is None
    step = rules.market_step_size if is_market else rules.step_size
    largest = rules.market_max_quantity if is_market else rules.max_quantity
    if rules.min_quantity <= quantity <= largest and not quantity % step:
        return None
    return Refused(Refusal.QUANTITY_INVALID, {"quantity": quantity, "step": step, "min": rules.min_quantity, "max": largest})


def price_fits_the_tick(snapshot: Snapshot) -> Refused | None:
    price = snapshot.intent.price
    if price is None or not price % _rules(snapshot).tick_size:
        return None
    return Refused(Refusal.PRICE_INVALID, {"price": price, "tick": _rules(snapshot).tick_size})


def a_price_is_known(snapshot: Snapshot) -> Refused | None:
    """The mark above all: collar and positions are valued with it.  A side of the book may be empty, but no nonsense nor past the other."""
    quote = snapshot.quote
    if quote is None or quote.mark is None:
        return Refused(Refusal.REFERENCE_PRICE_MISSING, {"symbol": snapshot.intent.symbol})
    bid, ask = quote.bid, quote.ask
    if is_amount(quote.mark) and (bid is None or is_amount(bid)) and (ask is None or is_amount(ask)) and not (bid and ask and bid > ask):
        return None
    numbers = {"symbol": snapshot.intent.symbol, "mark": quote.mark, "bid": bid, "ask": ask}
    return Refused(Refusal.REFERENCE_PRICE_MISSING, numbers)


def market_data_is_fresh(snapshot: Snapshot) -> Refused | None:
    """A market order is priced from the book, so the book's stream must speak too."""
    age, limit = snapshot.quote_age_seconds, _limits(snapshot).max_data_age_seconds
    if not age <= limit:
        return Refused(Refusal.MARKET_DATA_STALE, {"age_seconds": round(age, 3), "limit_seconds": limit})
    if snapshot.book_age_seconds > limit and snapshot.intent.price is None and _has_a_book(snapshot):
        return Refused(Refusal.MARKET_DATA_STALE, {"book_age_seconds": round(snapshot.book_age_seconds, 3), "limit_seconds": limit})
    return None


def _has_a_book(snapshot: Snapshot) -> bool:
    return snapshot.quote is not None and (snapshot.quote.bid is not None or snapshot.quote.ask is not None)


def equity_is_known(snapshot: Snapshot) -> Refused | None:
    return None if snapshot.account is not None else Refused(Refusal.EQUITY_UNKNOWN)


def the_balance_is_fresh(snapshot: Snapshot) -> Refused | None:
    age, limit = snapshot.account_age_seconds, _limits(snapshot).max_balance_age_seconds
    return None if age <= limit else Refused(Refusal.BALANCE_STALE, {"age_seconds": round(age, 3), "limit_seconds": limit})


def price_is_within_the_collar(snapshot: Snapshot) -> Refused | None:
    """A limit is held to the mark as it stands, a market order by the side of the book that it would take."""
    mark, price, limit = _mark(snapshot), snapshot.intent.price or snapshot.price, _limits(snapshot).price_collar_bps
    if abs(price - mark) * BPS <= mark * limit:
        return None
    return Refused(Refusal.PRICE_OUTSIDE_COLLAR, {"price": price, "mark": mark, "limit_bps": limit})


def notional_is_worth_an_order(snapshot: Snapshot) -> Refused | None:
    notional, least = snapshot.intent.quantity * snapshot.price, _rules(snapshot).min_notional_usdt
    return Refused(Refusal.NOTIONAL_BELOW_MINIMUM, {"notional_usdt": notional, "minimum_usdt": least}) if notional < least else None


def notional_is_within_policy(snapshot: Snapshot) -> Refused | None:
    notional, limit = snapshot.intent.quantity * snapshot.price, _limits(snapshot).max_order_notional_usdt
    return Refused(Refusal.NOTIONAL_ABOVE_LIMIT, {"notional_usdt": notional, "limit_usdt": limit}) if notional > limit else None


def holdings_are_within_policy(snapshot: Snapshot) -> Refused | None:
    """Position, gross exposure, leverage, in this order, with everything that rests in the direction that hurts: one pass over it all.

    An order that does not add to the gross is not held to it.
    """
    limits, price = _limits(snapshot), max(snapshot.price, _mark(snapshot))
    projected = project(snapshot, price)
    value, gross = projected.position * price, projected.gross_usdt
    if value > limits.max_position_notional_usdt:
        return Refused(Refusal.POSITION_ABOVE_LIMIT, {"position_usdt": value, "limit_usdt": limits.max_position_notional_usdt})
    if not projected.grows:
        return None
    if gross is None:
        return Refused(Refusal.REFERENCE_PRICE_MISSING, {"symbol": "another one with orders"})
    if gross > limits.max_gross_exposure_usdt:
        return Refused(Refusal.EXPOSURE_ABOVE_LIMIT, {"exposure_usdt": gross, "limit_usdt": limits.max_gross_exposure_usdt})
    equity = snapshot.account.equity_usdt if snapshot.account is not None else Decimal(0)
    if gross * BPS > equity * limits.max_leverage_bps:
        numbers = {"exposure_usdt": gross, "equity_usdt": equity, "limit_bps": limits.max_leverage_bps}
        return Refused(Refusal.LEVERAGE_ABOVE_LIMIT, numbers)
    return None


def orders_are_slow_enough(snapshot: Snapshot) -> Refused | None:
    count, limit = snapshot.orders_last_second, _limits(snapshot).max_orders_per_second
    return None if count < limit else Refused(Refusal.ORDER_RATE_ABOVE_LIMIT, {"orders_last_second": count, "limit": limit})


def intents_are_slow_enough(snapshot: Snapshot) -> Refused | None:
    count, limit = snapshot.intents_last_minute, _limits(snapshot).max_intents_per_minute
    return None if count < limit else Refused(Refusal.INTENT_RATE_ABOVE_LIMIT, {"intents_last_minute": count, "limit": limit})


def _limits(snapshot: Snapshot) -> Limits:
    assert snapshot.limits is not None, "a_policy_is_held stands before every check that reads limits"
    return snapshot.limits


def _rules(snapshot: Snapshot) -> SymbolRules:
    assert snapshot.rules is not None, "the_instrument_trades stands before every check that reads rules"
    return snapshot.rules


def _mark(snapshot: Snapshot) -> Decimal:
    assert snapshot.quote is not None, "a_price_is_known stands before every check that reads prices"
    assert snapshot.quote.mark is not None, "a_price_is_known stands before every check that reads prices"
    return snapshot.quote.mark

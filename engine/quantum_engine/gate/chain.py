"""May this order be sent?  The ordered chain; the first refusal wins.  Pure.

In    one frozen Snapshot
Out   Allowed, or Refused with the word and the numbers
Flow  strategy, emergency -> execution gathers -> HERE -> execution sends
Why   sanity first (a NaN compares with nothing), then permission, then what the market and the account allow, the rates last, because a
      refused order uses none of them
"""

from typing import Final

from quantum_engine.gate import checks
from quantum_engine.gate.checks import Check
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.verdicts import Allowed, Refused

PERMISSION: Final[tuple[Check, ...]] = (
    checks.no_stop_is_latched,          # RTS 6 art. 12: nothing opens past a kill
    checks.a_policy_is_held,            # promise 2: no valid policy, no trading
    checks.the_journal_is_writable,     # an engine that cannot remember must not open
    checks.the_lease_is_valid,          # no word from the operator: onLeaseExpiry
    checks.the_exchange_was_compared,   # promise 6: the exchange is the truth
    checks.the_gate_permits,            # drawdown, data, whatever else restricts
)  # fmt: skip
"""May anything be sent at all?"""

EVERY_ORDER: Final[tuple[Check, ...]] = (
    checks.quantity_is_a_number,
    checks.price_is_a_number,
    checks.intent_is_new,               # promise 5: an intent becomes at most one order
    *PERMISSION,
)  # fmt: skip

RATES: Final[tuple[Check, ...]] = (
    checks.orders_are_slow_enough,      # RTS 6 art. 15(1)(d): maximum messages limit
    checks.intents_are_slow_enough,     # RTS 6 art. 15(3): repeated automated execution
)  # fmt: skip

ENTRIES: Final[tuple[Check, ...]] = (
    checks.the_instrument_trades,
    checks.the_instrument_is_permitted, # RTS 6 art. 15(5): permission for the instrument
    checks.quantity_fits_the_lot,
    checks.price_fits_the_tick,
    checks.a_price_is_known,
    checks.market_data_is_fresh,        # SEC rule 15c3-5(c)(1)
    checks.equity_is_known,
    checks.the_balance_is_fresh,
    checks.price_is_within_the_collar,  # RTS 6 art. 15(1)(a): price collars
    checks.notional_is_worth_an_order,
    checks.notional_is_within_policy,   # RTS 6 art. 15(1)(b): maximum order value
    checks.holdings_are_within_policy,  # RTS 6 art. 17(4): position limits; art. 15(4): market and credit limits
    *RATES,
)  # fmt: skip
"""Exits (the reduce-only flag, which the exchange enforces) are spared these: getting out is never blocked by a limit, a rate or an age."""

EXITS: Final[tuple[Check, ...]] = (*EVERY_ORDER, checks.the_exit_has_something_to_leave)
STILL: Final[tuple[Check, ...]] = PERMISSION + tuple(check for check in ENTRIES if check not in RATES)
"""The rates have counted the order already."""
WORTH_ASKING: Final = (*EVERY_ORDER, checks.the_instrument_trades, checks.the_instrument_is_permitted, *RATES)
GATE: Final[tuple[Check, ...]] = EVERY_ORDER + ENTRIES
ALLOWED: Final = Allowed()


def judge(snapshot: Snapshot) -> Allowed | Refused:
    """The whole chain."""
    return _first(EXITS if snapshot.is_exit else GATE, snapshot)


def is_worth_asking(snapshot: Snapshot) -> Allowed | Refused:
    """Before the exchange is asked for the balance of an entry's account: what is refused anyway asks nothing of anyone."""
    return _first(WORTH_ASKING, snapshot)


def still_permitted(snapshot: Snapshot) -> Allowed | Refused:
    """Right before the bytes leave: a stop may have closed the gate, or a limit shrunk, while the journal was written or a retry waited."""
    return _first(PERMISSION if snapshot.is_exit else STILL, snapshot)


def _first(chain: tuple[Check, ...], snapshot: Snapshot) -> Allowed | Refused:
    for check in chain:
        refused = check(snapshot)
        if refused is not None:
            return refused
    return ALLOWED

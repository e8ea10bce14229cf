"""Takes over an account whose margin is gone.  Pure.

In    floor, account, new mark prices
Out   cancelled orders, every position closed by orders ``autoclose-…``, wallet never below zero
Flow  market move -> HERE -> matching
Why   an engine that comes too late must see what the venue does then: external closing orders that it never sent
"""

from decimal import Decimal

from quantum_simulator.core.accounts import Account, Income, Position
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.forced import closing_order, fill_off_book
from quantum_simulator.core.margin import equity, maintenance
from quantum_simulator.core.matching import take
from quantum_simulator.core.settlement import end, publish_account
from quantum_simulator.decimals import BPS, EIGHT_DIGITS, ZERO


def is_due(floor: Floor, account: Account) -> bool:
    required = maintenance(floor, account)
    return required > ZERO and equity(floor, account) <= required


def liquidate(floor: Floor, account: Account, now_ms: int) -> None:
    for order in account.all_open():
        end(floor, order, "EXPIRED", now_ms, reason="5")
    fee = ZERO
    for position in account.held():
        fee += _close(floor, account, position, now_ms)
    _clear(floor, account, fee, now_ms)


def _close(floor: Floor, account: Account, position: Position, now_ms: int) -> Decimal:
    """Sweep the book without a bound; what it cannot take goes to the insurance fund at the mark price.  Returns the fee."""
    order = closing_order(floor, position, account, "autoclose-", abs(position.amount), now_ms)
    take(floor, order, None, now_ms)
    if order.is_open:
        fill_off_book(floor, order, floor.books[position.symbol].mark, now_ms)
    return order.filled_notional * floor.books[position.symbol].instrument.liquidation_fee_bps / BPS


def _clear(floor: Floor, account: Account, fee: Decimal, now_ms: int) -> None:
    """The insurance fund takes its fee out of what is left, or pays what is missing: nobody ends with a debt."""
    change = (-min(fee, account.wallet) if account.wallet > ZERO else -account.wallet).quantize(EIGHT_DIGITS)
    if not change:
        return
    account.wallet += change
    account.deposits += change
    floor.last_income_id += 1
    account.income.append(Income("INSURANCE_CLEAR", "", change, now_ms, floor.last_income_id))
    publish_account(floor, account, (), now_ms, "INSURANCE_CLEAR", change)


def run_liquidations(floor: Floor, now_ms: int) -> None:
    for account in floor.accounts.values():
        if is_due(floor, account):
            liquidate(floor, account, now_ms)

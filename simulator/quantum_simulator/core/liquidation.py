"""Takes over an account whose margin is gone.  Pure.

In    floor, account, new mark prices
Out   cancelled orders, every position closed by orders ``autoclose-…``, wallet never below zero
Flow  market move -> HERE -> matching
Why   an engine that comes too late must see what the venue does then: external closing orders that it never sent
"""

from quantum_simulator.core.accounts import Account, Income, Position
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.forced import closing_order, fill_off_book
from quantum_simulator.core.margin import equity, maintenance
from quantum_simulator.core.matching import take
from quantum_simulator.core.settlement import end, publish_account
from quantum_simulator.decimals import ZERO


def is_due(floor: Floor, account: Account) -> bool:
    required = maintenance(floor, account)
    return required > ZERO and equity(floor, account) <= required


def liquidate(floor: Floor, account: Account, now_ms: int) -> None:
    for order in account.all_open():
        end(floor, order, "CANCELED", now_ms)
    for position in account.held():
        _close(floor, account, position, now_ms)
    if account.wallet < ZERO:
        _clear_debt(floor, account, now_ms)


def _close(floor: Floor, account: Account, position: Position, now_ms: int) -> None:
    """Sweep the book without a bound; what it cannot take goes to the insurance fund at the mark price."""
    order = closing_order(floor, position, account, "autoclose-", abs(position.amount), now_ms)
    take(floor, order, None, now_ms)
    if order.is_open:
        fill_off_book(floor, order, floor.books[position.symbol].mark, now_ms)


def _clear_debt(floor: Floor, account: Account, now_ms: int) -> None:
    debt = -account.wallet
    account.wallet = ZERO
    account.deposits += debt
    floor.last_income_id += 1
    account.income.append(Income("INSURANCE_CLEAR", "", debt, now_ms, floor.last_income_id))
    publish_account(floor, account, (), now_ms, "INSURANCE_CLEAR", debt)


def run_liquidations(floor: Floor, now_ms: int) -> None:
    for account in floor.accounts.values():
        if is_due(floor, account):
            liquidate(floor, account, now_ms)

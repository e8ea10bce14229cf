"""Funding: at every funding time longs pay shorts, or the reverse.  Pure.

In    floor, each book's funding rate, the time
Out   changed wallets, FUNDING_FEE incomes, ACCOUNT_UPDATE with the balance only; the history of rates
Flow  market move -> HERE -> effects
Why   money leaves an account that did nothing: equity that is summed from fills alone is wrong after eight hours
"""

from decimal import Decimal

from quantum_simulator.core.accounts import Account, Income, Position
from quantum_simulator.core.floor import Floor, FundingPoint
from quantum_simulator.core.settlement import publish_account
from quantum_simulator.decimals import EIGHT_DIGITS


def run_funding(floor: Floor, now_ms: int) -> None:
    """Pay once when a funding time has been reached; positions are those held before this moment's trades."""
    due_ms = floor.next_funding_ms
    if not due_ms or now_ms < due_ms:
        return
    floor.schedule_funding(floor.funding_interval_ms, now_ms)
    for symbol, book in floor.books.items():
        floor.funding_points.append(FundingPoint(symbol, book.funding_rate, book.mark, due_ms))
    for account in floor.accounts.values():
        for position in account.held():
            _pay(floor, account, position, now_ms)


def _pay(floor: Floor, account: Account, position: Position, now_ms: int) -> None:
    book = floor.books[position.symbol]
    received = (-position.amount * book.mark * book.funding_rate).quantize(EIGHT_DIGITS)
    if not received:
        return
    account.wallet += received
    account.funding += received
    account.updated_ms = now_ms
    floor.last_income_id += 1
    account.income.append(Income("FUNDING_FEE", position.symbol, received, now_ms, floor.last_income_id))
    publish_account(floor, account, (), now_ms, "FUNDING_FEE", received)


def order_rate(floor: Floor, symbols: list[str], rate: Decimal) -> None:
    for symbol in symbols:
        floor.books[symbol].funding_rate = rate

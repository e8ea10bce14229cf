"""One position per symbol, or a long and a short one beside each other (hedge mode).  Pure.

In    an account, the mode it asks for; the position side of an order
Out   the switched account, or -4059, -4067, -4068; -4061 for an order of the other mode
Flow  endpoint, admission, triggers -> HERE
Why   an order that names the wrong side must not be guessed right: in hedge mode the same SELL opens or closes
"""

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.orders import PositionSide
from quantum_simulator.refusals import Words, refuse


def check_side(account: Account, side: PositionSide) -> None:
    if (side != "BOTH") != account.is_hedge_mode:
        raise refuse(Words.POSITION_SIDE_MISMATCH)


def switch(account: Account, is_hedge_mode: bool) -> None:
    """Only an account that holds nothing and has nothing open may switch; conditional orders count as open."""
    if account.is_hedge_mode == is_hedge_mode:
        raise refuse(Words.NO_POSITION_SIDE_CHANGE)
    if account.all_open() or account.open_algos():
        raise refuse(Words.MODE_FIXED_BY_ORDERS)
    if account.held():
        raise refuse(Words.MODE_FIXED_BY_POSITION)
    account.is_hedge_mode = is_hedge_mode

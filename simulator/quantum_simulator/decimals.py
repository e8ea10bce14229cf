"""Decimal arithmetic in the form in which the venue prints money.  Pure.

In    Decimals, step sizes
Out   plain decimal strings (never an exponent), values rounded to a step or to eight digits
Flow  everything that prices, books or renders -> HERE
Why   Binance sends decimals as strings and books USDT to eight digits; a float would lose the conservation law
"""

from decimal import ROUND_FLOOR, Decimal

ZERO = Decimal(0)
EIGHT_DIGITS = Decimal("0.00000001")
BPS = Decimal(10_000)


def text(value: Decimal) -> str:
    """The value without an exponent, keeping its digits."""
    return format(value, "f")


def money(value: Decimal) -> str:
    """A USDT amount with the venue's eight digits."""
    return format(value.quantize(EIGHT_DIGITS), "f")


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    return not value % step


def digits_after_point(value: Decimal) -> int:
    """How many digits the sender wrote after the point, trailing zeros not counted."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0

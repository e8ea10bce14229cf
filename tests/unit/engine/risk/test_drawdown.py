from decimal import Decimal

import pytest

from quantum_engine.risk.drawdown import drawdown_bps


@pytest.mark.parametrize(
    ("peak", "equity", "bps"),
    [
        ("10000", "10000", 0),
        ("10000", "10001", 0),
        ("10000", "9000", 1_000),
        ("10000", "9000.01", 999),
        ("10000", "0", 10_000),
        ("10000", "-5000", 15_000),
        ("0", "0", 0),
        ("0", "-1", 10_000),
        ("3", "2", 3_333),
    ],
)
def test_the_fall_is_rounded_down(peak: str, equity: str, bps: int) -> None:
    """Rounded down, `bps >= limit` says exactly that the unrounded fall has reached the limit."""
    assert drawdown_bps(Decimal(peak), Decimal(equity)) == bps

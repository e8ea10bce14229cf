"""The window's edges; tests/laws compares it with the plain list of everything that was read."""

from decimal import Decimal

from quantum_engine.risk.velocity import EquityWindow


def read(*readings: tuple[float, int]) -> EquityWindow:
    window = EquityWindow()
    for at, equity_usdt in readings:
        window.read(Decimal(equity_usdt), at)
    return window


def test_a_reading_as_old_as_the_window_still_counts_and_an_older_one_does_not() -> None:
    assert read((0.0, 10_000), (5.0, 9_000)).highest(10.0, 10) == 10_000
    assert read((0.0, 10_000), (5.0, 9_000)).highest(10.1, 10) == 9_000


def test_the_newest_reading_counts_however_old_it_is() -> None:
    """Equity that has not moved for an hour is what it was."""
    assert read((0.0, 10_000)).highest(10_000.0, 10) == 10_000


def test_nothing_read_is_nothing_known() -> None:
    assert EquityWindow().highest(0.0, 60) is None


def test_a_release_leaves_the_newest_reading_only() -> None:
    window = read((0.0, 10_000), (1.0, 9_000))
    window.clear()
    assert window.highest(1.0, 60) == 9_000

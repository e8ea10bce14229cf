"""The same seed is the same day; ordered movements have the ordered size."""

from decimal import Decimal
from itertools import pairwise

import pytest

from quantum_simulator.clock import HandClock
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.market.market import Market
from quantum_simulator.venue import Venue, VenueOptions

START_MS = 1_795_000_000_000


def market(seed: int = 7, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")) -> Market:
    return Market([DEFAULT_INSTRUMENTS[each] for each in symbols], seed, START_MS)


def path(of: Market, symbol: str, ticks: int = 200) -> list[Decimal]:
    return [of.step(100)[symbol].index_price for _ in range(ticks)]


def test_a_seed_is_a_day() -> None:
    assert path(market(), "BTCUSDT") == path(market(), "BTCUSDT")
    assert path(market(), "BTCUSDT") != path(market(8), "BTCUSDT")


def test_leaving_out_a_symbol_changes_no_other() -> None:
    assert path(market(), "SOLUSDT") == path(market(symbols=("SOLUSDT",)), "SOLUSDT")


def test_a_shock_moves_by_its_size_on_top_of_the_walk() -> None:
    calm, shaken = market(), market()
    shaken.walks["BTCUSDT"].order_shock(-1_500, 5_000)
    quiet, fallen = path(calm, "BTCUSDT", 60), path(shaken, "BTCUSDT", 60)
    assert float(fallen[-1] / quiet[-1]) == pytest.approx(0.85, abs=1e-9)
    assert 0.85 < fallen[24] / quiet[24] < 1


def test_a_shock_stays_after_it_is_over_and_a_recovering_one_comes_back() -> None:
    calm, kept, recovering = market(), market(), market()
    kept.walks["BTCUSDT"].order_shock(-1_000, 1_000)
    recovering.walks["BTCUSDT"].order_shock(-1_000, 1_000, 2_000)
    ends = [path(each, "BTCUSDT", 100)[-1] for each in (calm, kept, recovering)]
    assert float(ends[1] / ends[0]) == pytest.approx(0.9, abs=1e-9)
    assert float(ends[2] / ends[0]) == pytest.approx(1.0, abs=1e-9)


def test_a_shock_thins_the_book_and_calm_returns() -> None:
    shaken = market()
    shaken.walks["BTCUSDT"].order_shock(-1_000, 1_000)
    during = shaken.step(100)["BTCUSDT"]
    assert during.depth < 0.5
    assert during.widen > 1
    path(shaken, "BTCUSDT", 30)
    assert shaken.step(100)["BTCUSDT"].depth == 1


def test_a_drift_adds_its_basis_points_per_minute() -> None:
    calm, rising = market(), market()
    rising.walks["ETHUSDT"].drift_bps_per_minute = 100
    ratio = float(path(rising, "ETHUSDT", 600)[-1] / path(calm, "ETHUSDT", 600)[-1])
    assert ratio == pytest.approx(1.01005, abs=1e-4)


def test_a_held_price_stands_still_and_does_not_shift_the_rest_of_the_day() -> None:
    calm, held = market(), market()
    held.walks["BTCUSDT"].set_price(50_000, hold=True)
    assert set(path(held, "BTCUSDT", 10)) == {Decimal(50_000)}
    held.walks["BTCUSDT"].set_price(50_000, hold=False)
    before = path(calm, "BTCUSDT", 10)[-1]
    moves = [float(each / before) for each in path(calm, "BTCUSDT", 5)]
    assert [float(each / 50_000) for each in path(held, "BTCUSDT", 5)] == pytest.approx(moves, abs=1e-9)


def test_the_made_up_history_ends_where_the_day_begins() -> None:
    candles = market().candles("BTCUSDT", "1m")
    assert len(candles) == 500
    assert candles[-1].close == DEFAULT_INSTRUMENTS["BTCUSDT"].start_price
    assert all(older.close == newer.open for older, newer in pairwise(candles))
    assert all(each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high for each in candles)


def test_five_minute_candles_are_made_of_minutes() -> None:
    day = market()
    five, ones = day.candles("BTCUSDT", "5m")[-2], day.candles("BTCUSDT", "1m")
    inside = [each for each in ones if five.open_ms <= each.open_ms < five.open_ms + 300_000]
    assert (five.open, five.close) == (inside[0].open, inside[-1].close)
    assert five.high == max(each.high for each in inside)


def test_a_hand_stepped_venue_repeats_itself() -> None:
    def lived() -> list[str]:
        venue = Venue(options=VenueOptions(is_hand_stepped=True), clock=HandClock(START_MS))
        venue.step(5_000)
        venue.market.walks["SOLUSDT"].order_shock(-2_000, 1_000)
        venue.step(5_000)
        return [str(book.mark) for book in venue.floor.books.values()]

    assert lived() == lived()


def test_speed_lets_the_market_live_faster_than_the_clock() -> None:
    venue = Venue(options=VenueOptions(is_hand_stepped=True, speed=60.0), clock=HandClock(START_MS))
    venue.step(1_000)
    assert venue.market.walks["BTCUSDT"].now_ms == 60_000
    assert venue.state.clock.now_ms() == START_MS + 1_000

"""A recorded market is lived through to the digit; orders on top of it move it as they move a walk."""

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from quantum_simulator.control.views import recording as recorded_lines
from quantum_simulator.core import trading
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.algo_orders import AlgoRequest
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.core.orders import OrderRequest
from quantum_simulator.core.triggers import place_algo
from quantum_simulator.market.candles import Candle
from quantum_simulator.market.rows import kline_line, klines
from quantum_simulator.market_files import read_recordings
from quantum_simulator.venue import Venue, VenueOptions

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(__file__).parent / "data"
CRASH = next((each for each in (folder / "shared/data/crash-2025-10-10" for folder in ROOT.parents[:2]) if each.is_dir()), None)
START_MS = 1_760_128_200_000


def replaying(directory: Path, tick_ms: int = 100, *accounts: Account, walking: tuple[str, ...] = ()) -> Venue:
    listed = tuple(DEFAULT_INSTRUMENTS[each] for each in walking)
    recordings = read_recordings(directory)
    return Venue(
        accounts, VenueOptions(is_hand_stepped=True, instruments=listed, recordings=recordings, tick_ms=tick_ms, history_minutes=5)
    )


def test_every_price_is_the_recorded_one_at_its_time() -> None:
    venue = replaying(DATA, walking=("BTCUSDT", "SOLUSDT"))
    assert venue.state.clock.now_ms() == START_MS, "a hand-stepped venue lives in the time of its recording"
    seen = {}
    for at_ms in range(100, 3_500, 100):
        venue.step(100)
        seen[at_ms] = str(venue.floor.books["BTCUSDT"].mark)
    assert [seen[each] for each in (200, 300, 500, 800)] == ["113000.0", "112990.0", "113010.0", "113005.0"], "rising: low before high"
    assert [seen[each] for each in (1_000, 1_300, 1_500, 1_800)] == ["113005.0", "113005.0", "112400.0", "112500.0"], "falling: high first"
    assert seen[2_500] == "112500.0", "in a gap the price stays"
    assert str(venue.floor.books["ETHUSDT"].mark) == "4090.00"
    assert venue.floor.books["SOLUSDT"].mark > 0, "what is not recorded walks"


def test_recorded_deals_are_the_public_trades_and_nothing_else() -> None:
    venue = replaying(DATA)
    venue.step(3_000)
    trades = venue.state.tape.of("ETHUSDT")
    assert [(str(each.price), str(each.quantity), each.buyer_is_maker) for each in trades] == [
        ("4100.50", "0.500", True), ("4100.60", "1.250", False), ("4090.00", "20.000", True)]  # fmt: skip


def test_a_coarse_tick_still_prints_what_happened_inside_it() -> None:
    """A stop on the last price must not sleep through a low that fell between two ticks."""
    account = Account("alpha", "k", "s", Decimal(100_000))
    venue = replaying(DATA, 4_000, account)
    stop = place_algo(venue.floor, account, AlgoRequest("BTCUSDT", "SELL", "STOP_MARKET", Decimal("0.1"), Decimal(112_400)), START_MS)
    venue.step(4_000)
    assert venue.floor.books["BTCUSDT"].mark == 112_600
    assert stop.status in {"FINISHED", "TRIGGERED"}


def test_a_shock_moves_a_recorded_market_on_top_and_a_pin_holds_it() -> None:
    venue = replaying(DATA)
    walk = venue.market.walks["BTCUSDT"]
    walk.order_shock(-1_000, 100)
    venue.step(800)
    assert venue.floor.books["BTCUSDT"].mark == pytest.approx(Decimal("101704.5"), abs=Decimal("0.1"))
    walk.set_price(50_000, hold=True)
    venue.step(1_000)
    assert venue.floor.books["BTCUSDT"].mark == 50_000
    walk.set_price(walk.price, hold=False)
    venue.step(2_000)
    assert float(venue.floor.books["BTCUSDT"].mark) == pytest.approx(50_000 * 112_600 / 112_500, abs=0.1)


def test_a_drift_is_added_to_the_recorded_returns() -> None:
    venue = replaying(DATA)
    venue.market.walks["BTCUSDT"].drift_bps_per_minute = 100
    venue.step(60_000)
    assert float(venue.floor.books["BTCUSDT"].mark) == pytest.approx(112_600 * 1.01005, abs=1)


def test_a_recording_that_is_over_stays_at_its_last_price() -> None:
    venue = replaying(DATA)
    venue.step(70_000)
    assert venue.market.walks["BTCUSDT"].is_over
    assert venue.floor.books["BTCUSDT"].mark == 112_600
    assert venue.floor.books["BTCUSDT"].best_price(buys=True) is None, "nobody traded for a minute: an empty book"


def test_the_book_holds_half_of_the_last_minutes_turnover_over_its_range() -> None:
    venue = replaying(DATA)
    venue.step(15_000)
    book = venue.floor.books["BTCUSDT"]
    held = sum(level.left * level.price for level in book.ladder.bids)
    traded = sum(each.price * each.quantity for each in venue.state.tape.of("BTCUSDT"))
    assert float(held) == pytest.approx(float(traded) * 4 / 2, rel=0.01), "of the first 15 s, scaled up to a minute"
    far = book.ladder.bids[0].price - book.ladder.bids[-1].price
    assert float(far) == pytest.approx(113_010 - 112_400, rel=0.05)


def test_what_is_recorded_replays_to_the_same_candles(tmp_path: Path) -> None:
    """Record a walk, replay it, record the replay: prices, volumes and takers are the same."""
    listed = tuple(DEFAULT_INSTRUMENTS[each] for each in ("BTCUSDT", "SOLUSDT"))
    walked = Venue(options=VenueOptions(is_hand_stepped=True, seed=3, history_minutes=5, instruments=listed))
    walked.step(1_000 - walked.state.clock.now_ms() % 1_000)
    for symbol in ("BTCUSDT", "SOLUSDT"):
        walked.market.walks[symbol].order_shock(-500, 10_000, 20_000)
    walked.step(30_000)
    for symbol in ("BTCUSDT", "SOLUSDT"):
        (tmp_path / f"{symbol}-1s-own.csv").write_text("\n".join(recorded_lines(walked.state, symbol, "1s")))
    again = replaying(tmp_path)
    again.step(31_000)
    for symbol in ("BTCUSDT", "SOLUSDT"):
        first, second = ([shape(each) for each in klines(recorded_lines(of.state, symbol, "1s"))] for of in (walked, again))
        assert len(first) > 25
        assert second[: len(first)] == first


def shape(candle: Candle) -> tuple[object, ...]:
    return (candle.open_ms, candle.open, candle.high, candle.low, candle.close, candle.volume, candle.taker_buy_volume)


@pytest.mark.parametrize(("name", "contract_usd", "low"), [("AVAXUSD_PERP", 10, "6.02"), ("DOTUSD_PERP", 10, "0.696")])
@pytest.mark.skipif(
    CRASH is None, reason="shared/data/crash-2025-10-10 is not beside the checkout (tests only; the product does not need it)"
)
def test_the_crash_of_2025_10_10_is_lived_through(tmp_path: Path, name: str, contract_usd: int, low: str) -> None:
    """The largest cascade so far: the low is the recorded one, a long one of ten times its money is liquidated, size is dear."""
    symbol = name.removesuffix("USD_PERP") + "USDT"
    rows = convert(CRASH / f"{name}-1s.csv.gz", contract_usd, 1_760_130_900, 1_760_131_320)
    (tmp_path / f"{symbol}-1s-crash.csv").write_text("\n".join(rows))
    long, probe = Account("long", "k1", "s", Decimal(5_000)), Account("probe", "k2", "s", Decimal(100_000))
    venue = replaying(tmp_path, 250, long, probe)
    venue.step(60_000)
    calm = slippage_bps(venue, probe, symbol)
    price = venue.floor.books[symbol].mark
    trading.place(venue.floor, long, OrderRequest(symbol, "BUY", "MARKET", Decimal(round(50_000 / price))), 1)
    assert long.held()
    costs, lows = [], []
    for _ in range(34):
        venue.step(10_000)
        lows.append(venue.state.market.seconds[symbol].candles[-1].low)
        costs.append(slippage_bps(venue, probe, symbol))
    every = venue.state.market.seconds[symbol].candles
    assert min(each.low for each in every) == Decimal(low)
    assert not long.held()
    assert any(each.is_forced for each in long.orders.values())
    assert max(costs) > 5 * calm


def convert(path: Path, contract_usd: int, from_s: int, to_s: int) -> list[str]:
    """Seconds of a coin-margined perpetual as rows of a linear one: a contract is so many dollars."""
    lines = []
    with gzip.open(path, "rt") as text:
        for row in csv.DictReader(text):
            if not from_s <= int(row["time_s"]) < to_s:
                continue
            open_, high, low, close = (Decimal(row[each]) for each in ("open", "high", "low", "close"))
            quote, sold = (Decimal(row[each]) * contract_usd for each in ("volume_contracts", "sell_volume_contracts"))
            volume, taker_sold = ((each / close).quantize(Decimal("0.1")) for each in (quote, sold))
            bought = max(Decimal(0), volume - taker_sold)
            stamp = int(row["time_s"]) * 1_000
            lines.append(
                kline_line(Candle(stamp, 1_000, open_, high, low, close, volume, quote, int(row["trades"]), bought, bought * close))
            )
    return lines


def slippage_bps(venue: Venue, account: Account, symbol: str) -> float:
    """What selling 5 000 USDT at once costs against mark; 1 000 where the book cannot take it."""
    book = venue.floor.books[symbol]
    wanted, got = 5_000 / book.mark, Decimal(0)
    spent = Decimal(0)
    for level in book.ladder.bids:
        part = min(level.left, wanted - got)
        got, spent = got + part, spent + part * level.price
    return 1_000.0 if got < wanted else float((1 - spent / (got * book.mark)) * 10_000)

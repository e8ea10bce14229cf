"""Binance's public market files are read as they come down, and what is wrong with one is named."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_simulator.market.candles import Candle
from quantum_simulator.market.rows import KLINE_COLUMNS, as_deals, kline_line, klines
from quantum_simulator.market_files import BadMarketFileError, read_recordings

DATA = Path(__file__).parent / "data"
KLINES = (DATA / "BTCUSDT-1s-tiny.csv").read_text()
LINES = KLINES.splitlines()


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside.csv", text)
    else:
        path.write_text(text)
    return directory


@pytest.mark.parametrize("name", ["BTCUSDT-1s-2025-10-10.csv", "BTCUSDT-1s.csv.gz", "BTCUSDT-1s-2025-10-10.zip"])
@pytest.mark.parametrize("has_header", [True, False])
def test_a_kline_file_is_read_with_or_without_header_packed_or_not(tmp_path: Path, name: str, has_header: bool) -> None:
    (recording,) = read_recordings(written(tmp_path, name, "\n".join(LINES[0 if has_header else 1 :])))
    deals = list(recording.deals())
    assert (recording.instrument.symbol, recording.start_ms, recording.instrument.start_price) == ("BTCUSDT", 1_760_128_200_000, 113_000)
    assert sum(each.quantity for each in deals) == Decimal("43.003")
    assert list(recording.deals()) == deals, "every venue reads it anew"


def test_trades_come_as_they_were(tmp_path: Path) -> None:
    (recording,) = read_recordings(written(tmp_path, "ETHUSDT-trades-x.csv", (DATA / "ETHUSDT-trades-tiny.csv").read_text()))
    assert [(each.at_ms % 10_000, str(each.price), each.buyer_is_maker) for each in recording.deals()] == [
        (100, "4100.50", True), (150, "4100.60", False), (2_000, "4090.00", True)]  # fmt: skip


def test_microseconds_of_newer_files_are_understood() -> None:
    cells = LINES[1].split(",")
    cells[0], cells[6] = cells[0] + "000", cells[6] + "999"
    (candle,) = klines([",".join(cells)])
    assert (candle.open_ms, candle.interval_ms) == (1_760_128_200_000, 1_000)


def test_a_symbol_that_is_not_listed_gets_the_steps_it_was_written_in(tmp_path: Path) -> None:
    text = KLINES.replace("113000.0", "26.601").replace("113010.0", "113010").replace("112990.0", "26.6")
    (recording,) = read_recordings(written(tmp_path, "AVAXUSDT-1s.csv", text))
    assert (recording.instrument.tick, recording.instrument.step) == (Decimal("0.001"), Decimal("0.001"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1760128204000,1,2,3", "line 5: 4 columns; expected 12"),
        (LINES[1], "line 5: is earlier than the line before"),
        (LINES[3].replace("1760128203", "1760128209").replace("112600.0,112500.0", "nan,112500.0"), "line 5: high is 'nan'"),
        (
            LINES[3].replace("1760128203", "1760128209").replace(",0.500,5", ",0.700,5", 1).replace(",0.500,56280.0,0", ",0.900,1,0"),
            "above volume",
        ),
        (LINES[3].replace("1760128203", "1760128209").replace("112600.0,112500.0", "112400.0,112500.0"), "line 5: low 112500.0, open"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(BadMarketFileError, match=message):
        read_recordings(written(tmp_path, "BTCUSDT-1s.csv", KLINES + line + "\n"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no market file"),
        ({"prices.csv": KLINES}, "the name says no symbol and kind"),
        ({"BTCUSDT-1s.csv": LINES[0]}, "no row"),
        ({"BTCUSDT-1s.csv": KLINES, "BTCUSDT-trades.csv": KLINES}, "several kinds"),
        ({"BTCUSDT-1s-a.csv": "\n".join(LINES[2:]), "BTCUSDT-1s-b.csv": LINES[1]}, "begins before the file before it ends"),
        ({"BTCUSDT-1s.zip": None}, "not a zip file"),
    ],
)
def test_a_directory_that_cannot_be_replayed_says_why(tmp_path: Path, files: dict, message: str) -> None:
    for name, text in files.items():
        if text is None:
            (tmp_path / name).write_bytes(b"no archive")
        else:
            written(tmp_path, name, text)
    with pytest.raises(BadMarketFileError, match=message):
        read_recordings(tmp_path)


STEPS = st.integers(0, 100_000).map(lambda each: Decimal(each) / 1_000)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    low, open_, close, high = sorted(draw(st.lists(st.integers(1, 10**7), min_size=4, max_size=4)))
    if draw(st.booleans()):
        open_, close = close, open_
    volume = draw(STEPS)
    bought = min(volume, draw(STEPS))
    return Candle(
        1_760_128_200_000, 1_000, *(Decimal(each) / 10 for each in (open_, high, low, close)), volume, volume * 3, 7, bought, bought * 3
    )


@given(candles())
def test_the_deals_of_a_candle_make_the_same_candle_again(candle: Candle) -> None:
    deals = as_deals(candle)
    prices = [each.price for each in deals]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (candle.open, candle.high, candle.low, candle.close)
    assert sum(each.quantity for each in deals) == candle.volume
    assert sum(each.quantity for each in deals if not each.buyer_is_maker) == candle.taker_buy_volume
    assert all(each.quantity >= 0 and candle.open_ms <= each.at_ms <= candle.close_ms for each in deals)


@given(candles())
def test_a_line_that_was_written_is_read_as_the_same_candle(candle: Candle) -> None:
    assert list(klines([",".join(KLINE_COLUMNS), kline_line(candle)])) == [candle]

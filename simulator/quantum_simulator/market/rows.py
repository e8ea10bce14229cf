"""Rows of Binance's public market files: klines and trades, with or without a header.  Pure.

In    lines of CSV as in data.binance.vision
Out   ``Candle`` and ``Deal`` values in order of time; the same lines again from what this venue lived
Flow  market_files -> HERE -> replay; control API (recording) <- HERE
Why   a crash that really happened is a better test than one that was made up, if it is read without guessing
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple, TypeVar

from quantum_simulator.decimals import ZERO, money, text
from quantum_simulator.market.candles import Candle

KLINE_COLUMNS: Final = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip
"""https://github.com/binance/binance-public-data (futures/um, klines)"""
TRADE_COLUMNS: Final = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker")
MICROSECONDS_FROM: Final = 10**14
"""Stamps above are microseconds, as in files of 2025 and later."""
Row = TypeVar("Row")


class BadRowError(ValueError):
    """A line that is no row of its format; the sentence names line, column and what was expected."""


class Deal(NamedTuple):
    """A trade between strangers, at its price."""

    at_ms: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool


def _number(row: Sequence[str], columns: tuple[str, ...], name: str) -> Decimal:
    value = row[columns.index(name)]
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise BadRowError(f"{name} is {value!r}, not a number of at least 0")
    return number


def _stamp(row: Sequence[str], columns: tuple[str, ...], name: str) -> int:
    number = int(_number(row, columns, name))
    return number // 1_000 if number >= MICROSECONDS_FROM else number


def kline(row: Sequence[str]) -> Candle:
    def number(name: str) -> Decimal:
        return _number(row, KLINE_COLUMNS, name)

    open_ms = _stamp(row, KLINE_COLUMNS, "open_time")
    candle = Candle(
        open_ms=open_ms,
        interval_ms=_stamp(row, KLINE_COLUMNS, "close_time") + 1 - open_ms,
        open=number("open"),
        high=number("high"),
        low=number("low"),
        close=number("close"),
        volume=number("volume"),
        quote_volume=number("quote_volume"),
        trades=int(number("count")),
        taker_buy_volume=number("taker_buy_volume"),
        taker_buy_quote_volume=number("taker_buy_quote_volume"),
    )
    if candle.interval_ms <= 0:
        raise BadRowError("close_time is not after open_time")
    if not 0 < candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high:
        raise BadRowError(f"low {candle.low}, open {candle.open}, close {candle.close}, high {candle.high} are not in this order above 0")
    if candle.taker_buy_volume > candle.volume:
        raise BadRowError(f"taker_buy_volume {candle.taker_buy_volume} is above volume {candle.volume}")
    return candle


def deal(row: Sequence[str]) -> Deal:
    price = _number(row, TRADE_COLUMNS, "price")
    maker = row[TRADE_COLUMNS.index("is_buyer_maker")].lower()
    if not price or maker not in {"true", "false"}:
        raise BadRowError(f"price is {price}, is_buyer_maker is {maker!r}; expected a price above 0 and true or false")
    return Deal(_stamp(row, TRADE_COLUMNS, "time"), price, _number(row, TRADE_COLUMNS, "qty"), maker == "true")


def _read(line: str, columns: tuple[str, ...], read: Callable[[Sequence[str]], Row]) -> Row:
    row = line.split(",")
    if len(row) != len(columns):
        raise BadRowError(f"{len(row)} columns; expected {len(columns)}: {','.join(columns)}")
    return read(row)


def _rows(lines: Iterable[str], columns: tuple[str, ...], read: Callable[[Sequence[str]], Row], at: Callable[[Row], int]) -> Iterator[Row]:
    last_ms = 0
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or (number == 1 and not line[0].isdigit()):
            continue
        try:
            found = _read(line, columns, read)
        except BadRowError as error:
            raise BadRowError(f"line {number}: {error}") from error
        if at(found) < last_ms:
            raise BadRowError(f"line {number}: is earlier than the line before; sort the file by time")
        last_ms = at(found)
        yield found


def klines(lines: Iterable[str]) -> Iterator[Candle]:
    return _rows(lines, KLINE_COLUMNS, kline, lambda each: each.open_ms)


def deals(lines: Iterable[str]) -> Iterator[Deal]:
    return _rows(lines, TRADE_COLUMNS, deal, lambda each: each.at_ms)


def kline_line(each: Candle) -> str:
    prices = (each.open, each.high, each.low, each.close, each.volume)
    sums = (money(each.quote_volume), str(each.trades), text(each.taker_buy_volume), money(each.taker_buy_quote_volume))
    return ",".join((str(each.open_ms), *map(text, prices), str(each.close_ms), *sums, "0"))


def deal_line(number: int, each: Deal) -> str:
    values = (text(each.price), text(each.quantity), money(each.price * each.quantity), str(each.at_ms))
    return ",".join((str(number), *values, str(each.buyer_is_maker).lower()))


def as_deals(candle: Candle) -> list[Deal]:
    """What may have happened inside a candle: open, the two extremes, close, a quarter each.

    Of a rising candle the low comes first, of a falling one the high.  Each price trades a quarter of the volume, bought and sold in the
    recorded proportion; what a division leaves over trades at the close.
    """
    inner = (candle.low, candle.high) if candle.close >= candle.open else (candle.high, candle.low)
    bought, sold = candle.taker_buy_volume, candle.volume - candle.taker_buy_volume
    found: list[Deal] = []
    for number, price in enumerate((candle.open, *inner, candle.close)):
        at_ms = candle.open_ms + candle.interval_ms * number // 4
        for whole, buyer_is_maker in ((bought, False), (sold, True)):
            part = _quarter(whole)
            quantity = part if number < 3 else whole - 3 * part
            found.append(Deal(at_ms, price, quantity, buyer_is_maker))
    return found


def _quarter(whole: Decimal) -> Decimal:
    """Rounded down to the digits in which the volume was written."""
    exponent = whole.as_tuple().exponent
    return (whole / 4).quantize(Decimal(1).scaleb(min(0, int(exponent))), rounding="ROUND_DOWN") if whole else ZERO

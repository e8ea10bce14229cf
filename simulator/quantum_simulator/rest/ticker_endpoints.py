"""Public look-backs: last price, the last day, the last trades.  Pure.

In    parameters, the venue's tape and candles
Out   Binance's JSON
Flow  rest.endpoints -> HERE; the ticker streams use ``day_statistics`` too
Why   every number is computed from trades and prices that the venue itself made
"""

from collections.abc import Sequence
from typing import NamedTuple

from quantum_simulator.core.floor import Book
from quantum_simulator.decimals import ZERO, text
from quantum_simulator.market.candles import Candle
from quantum_simulator.market.tape import Trade
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.market_endpoints import chosen, one_or_all
from quantum_simulator.rest.render import Json
from quantum_simulator.state import VenueState

DAY_MINUTES = 1_440


def ticker_price(call: Call) -> Json | list[Json]:
    found = [{"symbol": book.instrument.symbol, "price": text(book.last), "time": call.now_ms} for book in chosen(call)]
    return one_or_all(call, found)


class DayStatistics(NamedTuple):
    """The last 24 hours of one symbol as strings and numbers ready to send."""

    change: str
    change_percent: str
    average: str
    last: str
    last_quantity: str
    open: str
    high: str
    low: str
    volume: str
    quote_volume: str
    open_ms: int
    close_ms: int
    first_id: int
    last_id: int
    trades: int


def day_statistics(state: VenueState, book: Book, now_ms: int) -> DayStatistics:
    symbol = book.instrument.symbol
    candles: Sequence[Candle] = state.market.candles(symbol, "1m")[-DAY_MINUTES:]
    trades = state.tape.of(symbol)
    first = candles[0].open if candles else book.last
    volume = sum((each.volume for each in candles), ZERO)
    quote_volume = sum((each.quote_volume for each in candles), ZERO)
    tick = book.instrument.tick
    return DayStatistics(
        change=text(book.last - first),
        change_percent=f"{(book.last - first) * 100 / first:.3f}",
        average=text((quote_volume / volume if volume else book.last).quantize(tick)),
        last=text(book.last),
        last_quantity=text(trades[-1].quantity if trades else ZERO),
        open=text(first),
        high=text(max((each.high for each in candles), default=book.last)),
        low=text(min((each.low for each in candles), default=book.last)),
        volume=text(volume),
        quote_volume=text(quote_volume.quantize(tick)),
        open_ms=candles[0].open_ms if candles else now_ms,
        close_ms=now_ms,
        first_id=trades[0].id if trades else 0,
        last_id=trades[-1].id if trades else 0,
        trades=sum(each.trades for each in candles),
    )


def ticker_24hr(call: Call) -> Json | list[Json]:
    return one_or_all(call, [_day(call, book) for book in chosen(call)])


def _day(call: Call, book: Book) -> Json:
    day = day_statistics(call.state, book, call.now_ms)
    return {
        "symbol": book.instrument.symbol,
        "priceChange": day.change,
        "priceChangePercent": day.change_percent,
        "weightedAvgPrice": day.average,
        "lastPrice": day.last,
        "lastQty": day.last_quantity,
        "openPrice": day.open,
        "highPrice": day.high,
        "lowPrice": day.low,
        "volume": day.volume,
        "quoteVolume": day.quote_volume,
        "openTime": day.open_ms,
        "closeTime": day.close_ms,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }


def _tape(call: Call) -> Sequence[Trade]:
    return call.state.tape.of(call.state.floor.book(read.need(call.params, "symbol")).instrument.symbol)


def recent_trades(call: Call) -> list[Json]:
    from_id = read.integer(call.params, "fromId", 0)
    found = [each for each in _tape(call) if each.id >= from_id]
    limit = read.limit(call.params, 500, 1_000)
    return [
        {
            "id": each.id,
            "price": text(each.price),
            "qty": text(each.quantity),
            "quoteQty": text(each.price * each.quantity),
            "time": each.at_ms,
            "isBuyerMaker": each.buyer_is_maker,
            "isRPITrade": False,
        }
        for each in (found[:limit] if from_id else found[-limit:])
    ]


def agg_trades(call: Call) -> list[Json]:
    """Every trade is its own aggregate here."""
    from_id = read.integer(call.params, "fromId", 0)
    start_ms, end_ms = read.integer(call.params, "startTime", 0), read.integer(call.params, "endTime", 1 << 62)
    found = [each for each in _tape(call) if each.id >= from_id and start_ms <= each.at_ms <= end_ms]
    limit = read.limit(call.params, 500, 1_000)
    return [
        {
            "a": each.id,
            "p": text(each.price),
            "q": text(each.quantity),
            "f": each.id,
            "l": each.id,
            "T": each.at_ms,
            "m": each.buyer_is_maker,
        }
        for each in (found[:limit] if from_id or start_ms else found[-limit:])
    ]

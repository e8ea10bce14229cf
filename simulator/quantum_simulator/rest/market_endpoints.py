"""Public market endpoints: what is traded, at what price, with what history.  Pure.

In    parameters, the venue's state
Out   Binance's JSON
Flow  rest.endpoints -> HERE
Why   everything is read from the same books that orders trade against
"""

from decimal import Decimal

from quantum_simulator.core.floor import Book
from quantum_simulator.core.instruments import Instrument
from quantum_simulator.decimals import money, text
from quantum_simulator.market.candles import INTERVALS_MS, Candle
from quantum_simulator.refusals import Words, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.render import Json

INTEREST_RATE = "0.00010000"


def ping(_: Call) -> Json:
    return {}


def server_time(call: Call) -> Json:
    return {"serverTime": call.state.wall.now_ms()}


def exchange_info(call: Call) -> Json:
    limits = call.state.limits
    return {
        "timezone": "UTC",
        "serverTime": call.state.wall.now_ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            rate_limit("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
            rate_limit("ORDERS", "MINUTE", 1, limits.orders_per_minute),
            rate_limit("ORDERS", "SECOND", 10, limits.orders_per_ten_seconds),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(book.instrument) for book in call.state.floor.books.values()],
    }


def rate_limit(kind: str, interval: str, count: int, limit: int) -> Json:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(each: Instrument) -> Json:
    return {
        "symbol": each.symbol,
        "pair": each.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": each.base_asset,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": each.price_digits,
        "quantityPrecision": each.quantity_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": text(Decimal(each.liquidation_fee_bps).scaleb(-4).quantize(Decimal("0.000001"))),
        "marketTakeBound": text(Decimal(each.market_take_bound_bps) / 10_000),
        "maxMoveOrderLimit": 10_000,
        "filters": _filters(each),
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "permissionSets": ["GRID", "COPY"],
    }


def _filters(each: Instrument) -> list[Json]:
    share = Decimal(each.percent_price_bps) / 10_000
    return [
        {"filterType": "PRICE_FILTER", "minPrice": text(each.min_price), "maxPrice": text(each.max_price), "tickSize": text(each.tick)},
        {"filterType": "LOT_SIZE", "minQty": text(each.min_quantity), "maxQty": text(each.max_quantity), "stepSize": text(each.step)},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": text(each.min_quantity),
            "maxQty": text(each.max_market_quantity),
            "stepSize": text(each.step),
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": each.max_open_orders},
        {"filterType": "MIN_NOTIONAL", "notional": text(each.min_notional_usdt)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": text(1 + share),
            "multiplierDown": text(1 - share),
            "multiplierDecimal": "4",
        },
    ]


def chosen(call: Call) -> list[Book]:
    symbol = call.params.get("symbol")
    return [call.state.floor.book(symbol)] if symbol else list(call.state.floor.books.values())


def one_or_all(call: Call, found: list[Json]) -> Json | list[Json]:
    return found[0] if call.params.get("symbol") else found


def funding_info(_: Call) -> list[Json]:
    """Only symbols with an adjusted interval or cap are listed; here there is none."""
    return []


def premium_index(call: Call) -> Json | list[Json]:
    found = [
        {
            "symbol": book.instrument.symbol,
            "markPrice": money(book.mark),
            "indexPrice": money(book.index),
            "estimatedSettlePrice": money(book.index),
            "lastFundingRate": money(book.funding_rate),
            "interestRate": INTEREST_RATE,
            "nextFundingTime": call.state.floor.next_funding_ms,
            "time": call.now_ms,
        }
        for book in chosen(call)
    ]
    return one_or_all(call, found)


def funding_rates(call: Call) -> list[Json]:
    """What was paid, oldest first."""
    symbol = call.params.get("symbol")
    start_ms, end_ms = read.integer(call.params, "startTime", 0), read.integer(call.params, "endTime", 1 << 62)
    found = [
        {"symbol": each.symbol, "fundingTime": each.at_ms, "fundingRate": money(each.rate), "markPrice": money(each.mark)}
        for each in call.state.floor.funding_points
        if symbol in {None, each.symbol} and start_ms <= each.at_ms <= end_ms
    ]
    limit = read.limit(call.params, 100, 1_000)
    return found[:limit] if start_ms else found[-limit:]


def book_ticker(call: Call) -> Json | list[Json]:
    return one_or_all(call, [_ticker(book, call.now_ms) for book in chosen(call)])


def _ticker(book: Book, now_ms: int) -> Json:
    (bid, bid_quantity), (ask, ask_quantity) = best_of(book)
    return {
        "symbol": book.instrument.symbol,
        "bidPrice": text(bid),
        "bidQty": text(bid_quantity),
        "askPrice": text(ask),
        "askQty": text(ask_quantity),
        "time": now_ms,
        "lastUpdateId": book.update_id,
    }


def best_of(book: Book) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
    """Best bid and best ask with their quantities; zeros on an empty side."""
    nothing = [(Decimal(0), Decimal(0))]
    return (book.depth(bids=True, limit=1) or nothing)[0], (book.depth(bids=False, limit=1) or nothing)[0]


def depth(call: Call) -> Json:
    book = call.state.floor.book(read.need(call.params, "symbol"))
    limit = read.limit(call.params, 500, 1_000)
    return {
        "lastUpdateId": book.update_id,
        "E": call.now_ms,
        "T": call.now_ms,
        "bids": [[text(price), text(quantity)] for price, quantity in book.depth(bids=True, limit=limit)],
        "asks": [[text(price), text(quantity)] for price, quantity in book.depth(bids=False, limit=limit)],
    }


def klines(call: Call) -> list[list[str | int]]:
    book = call.state.floor.book(read.need(call.params, "symbol"))
    interval = read.word(call.params, "interval", tuple(INTERVALS_MS), refuse(Words.BAD_INTERVAL))
    start_ms = read.integer(call.params, "startTime", 0)
    end_ms = read.integer(call.params, "endTime", 1 << 62)
    found = [each for each in call.state.market.candles(book.instrument.symbol, interval) if start_ms <= each.open_ms <= end_ms]
    limit = read.limit(call.params, 500, 1_500)
    return [_kline(each) for each in (found[:limit] if start_ms else found[-limit:])]


def _kline(each: Candle) -> list[str | int]:
    prices = [text(each.open), text(each.high), text(each.low), text(each.close)]
    volumes: list[str | int] = [text(each.volume), each.close_ms, money(each.quote_volume), each.trades]
    return [each.open_ms, *prices, *volumes, text(each.taker_buy_volume), money(each.taker_buy_quote_volume), "0"]

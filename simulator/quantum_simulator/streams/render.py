"""Stream events in Binance's short field names.  Pure.

In    effects of the core, books, candles
Out   dicts ready for JSON
Flow  effects -> HERE -> hub
Why   one place to hold against Binance's "user data streams" and "market streams" pages
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from quantum_simulator.core.algo_orders import LIMITS, AlgoOrder
from quantum_simulator.core.effects import AccountEffect, AlgoEffect, LeverageEffect, OrderEffect, TradeEffect
from quantum_simulator.core.floor import Book
from quantum_simulator.core.orders import Fill
from quantum_simulator.decimals import money, text
from quantum_simulator.market.candles import Candle
from quantum_simulator.rest.market_endpoints import best_of
from quantum_simulator.rest.ticker_endpoints import DayStatistics

Json = dict[str, Any]


def _fill_fields(fill: Fill | None) -> Json:
    if fill is None:
        return {"l": "0", "L": "0", "n": "0", "N": "USDT", "t": 0, "m": False, "rp": "0"}
    return {
        "l": text(fill.quantity),
        "L": text(fill.price),
        "n": money(fill.fee),
        "N": "USDT",
        "t": fill.trade_id,
        "m": fill.maker,
        "rp": money(fill.realised),
    }


def order_trade_update(effect: OrderEffect) -> Json:
    order = effect.order
    body = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": text(order.quantity),
        "p": text(order.price),
        "ap": text(effect.average_price.quantize(Decimal("0.00001"))),
        "sp": "0",
        "x": effect.execution,
        "X": effect.status,
        "i": order.id,
        "z": text(effect.filled),
        "T": effect.at_ms,
        "b": "0",
        "a": "0",
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.original_type,
        "ps": order.position_side,
        "cp": order.close_position,
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
        "er": effect.reason,
    } | _fill_fields(effect.fill)
    return {"e": "ORDER_TRADE_UPDATE", "T": effect.at_ms, "E": effect.at_ms, "o": body}


def trade_lite(effect: OrderEffect, fill: Fill) -> Json:
    order = effect.order
    return {
        "e": "TRADE_LITE",
        "E": effect.at_ms,
        "T": effect.at_ms,
        "s": order.symbol,
        "q": text(order.quantity),
        "p": text(order.price),
        "m": fill.maker,
        "c": order.client_id,
        "S": order.side,
        "L": text(fill.price),
        "l": text(fill.quantity),
        "t": fill.trade_id,
        "i": order.id,
    }


def account_update(effect: AccountEffect) -> Json:
    wallet = money(effect.wallet)
    positions = [
        {
            "s": each.symbol,
            "pa": text(each.amount),
            "ep": money(each.entry_price),
            "bep": money(each.break_even_price),
            "cr": money(each.realised),
            "up": money(each.unrealised),
            "mt": "cross",
            "iw": "0",
            "ps": each.side,
        }
        for each in effect.positions
    ]
    body = {"m": effect.reason, "B": [{"a": "USDT", "wb": wallet, "cw": wallet, "bc": money(effect.change)}], "P": positions}
    return {"e": "ACCOUNT_UPDATE", "E": effect.at_ms, "T": effect.at_ms, "a": body}


def _actual_type(algo: AlgoOrder) -> str:
    return "LIMIT" if algo.type in LIMITS else "MARKET"


def algo_update(effect: AlgoEffect) -> Json:
    algo = effect.algo
    body = {
        "caid": algo.client_id,
        "aid": algo.id,
        "at": "CONDITIONAL",
        "o": algo.type,
        "s": algo.symbol,
        "S": algo.side,
        "ps": algo.position_side,
        "f": algo.time_in_force,
        "q": text(algo.quantity),
        "X": effect.status,
        "ai": str(algo.order_id) if algo.order_id else "",
        "ap": text(effect.average_price.quantize(Decimal("0.00001"))),
        "aq": text(effect.filled),
        "act": _actual_type(algo) if algo.order_id else "0",
        "tp": text(algo.trigger_price),
        "p": text(algo.price),
        "V": "EXPIRE_MAKER",
        "wt": algo.working_type,
        "pm": "NONE",
        "cp": algo.close_position,
        "pP": False,
        "R": algo.reduce_only,
        "tt": algo.triggered_ms,
        "gtd": 0,
        "rm": effect.reason,
    }
    if algo.callback_rate:
        body |= {"cr": text(algo.callback_rate), "AP": text(algo.activate_price)}
    return {"e": "ALGO_UPDATE", "T": effect.at_ms, "E": effect.at_ms, "o": body}


def account_config_update(effect: LeverageEffect) -> Json:
    body = {"s": effect.symbol, "l": effect.leverage}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": effect.at_ms, "T": effect.at_ms, "ac": body}


def listen_key_expired(key: str, at_ms: int) -> Json:
    return {"e": "listenKeyExpired", "E": at_ms, "listenKey": key}


def mark_price(book: Book, next_funding_ms: int, at_ms: int) -> Json:
    return {
        "e": "markPriceUpdate",
        "E": at_ms,
        "s": book.instrument.symbol,
        "p": money(book.mark),
        "i": money(book.index),
        "P": money(book.index),
        "r": money(book.funding_rate),
        "T": next_funding_ms,
    }


def agg_trade(effect: TradeEffect, trade_id: int) -> Json:
    return {
        "e": "aggTrade",
        "E": effect.at_ms,
        "a": trade_id,
        "s": effect.symbol,
        "p": text(effect.price),
        "q": text(effect.quantity),
        "f": trade_id,
        "l": trade_id,
        "T": effect.at_ms,
        "m": effect.buyer_is_maker,
    }


def trade(effect: TradeEffect, trade_id: int) -> Json:
    """Not documented for futures, yet sent, and what ccxt listens to."""
    return {
        "e": "trade",
        "E": effect.at_ms,
        "T": effect.at_ms,
        "s": effect.symbol,
        "t": trade_id,
        "p": text(effect.price),
        "q": text(effect.quantity),
        "X": "MARKET",
        "m": effect.buyer_is_maker,
    }


def book_ticker(book: Book, at_ms: int) -> Json:
    (bid, bid_quantity), (ask, ask_quantity) = best_of(book)
    return {
        "e": "bookTicker",
        "u": book.update_id,
        "s": book.instrument.symbol,
        "b": text(bid),
        "B": text(bid_quantity),
        "a": text(ask),
        "A": text(ask_quantity),
        "T": at_ms,
        "E": at_ms,
    }


def depth_update(
    book: Book, bids: Iterable[tuple[Decimal, Decimal]], asks: Iterable[tuple[Decimal, Decimal]], previous_id: int, at_ms: int
) -> Json:
    return {
        "e": "depthUpdate",
        "E": at_ms,
        "T": at_ms,
        "s": book.instrument.symbol,
        "U": previous_id + 1,
        "u": book.update_id,
        "pu": previous_id,
        "b": [[text(price), text(quantity)] for price, quantity in bids],
        "a": [[text(price), text(quantity)] for price, quantity in asks],
    }


def kline(symbol: str, candle: Candle, interval: str, at_ms: int) -> Json:
    body = {
        "t": candle.open_ms,
        "T": candle.close_ms,
        "s": symbol,
        "i": interval,
        "f": 0,
        "L": candle.trades,
        "o": text(candle.open),
        "c": text(candle.close),
        "h": text(candle.high),
        "l": text(candle.low),
        "v": text(candle.volume),
        "n": candle.trades,
        "x": at_ms >= candle.close_ms,
        "q": money(candle.quote_volume),
        "V": text(candle.taker_buy_volume),
        "Q": money(candle.taker_buy_quote_volume),
        "B": "0",
    }
    return {"e": "kline", "E": at_ms, "s": symbol, "k": body}


def continuous_kline(symbol: str, candle: Candle, interval: str, at_ms: int) -> Json:
    body = kline(symbol, candle, interval, at_ms)["k"]
    del body["s"]
    return {"e": "continuous_kline", "E": at_ms, "ps": symbol, "ct": "PERPETUAL", "k": body}


def day_ticker(symbol: str, day: DayStatistics) -> Json:
    return {
        "e": "24hrTicker",
        "E": day.close_ms,
        "s": symbol,
        "p": day.change,
        "P": day.change_percent,
        "w": day.average,
        "c": day.last,
        "Q": day.last_quantity,
        "o": day.open,
        "h": day.high,
        "l": day.low,
        "v": day.volume,
        "q": day.quote_volume,
        "O": day.open_ms,
        "C": day.close_ms,
        "F": day.first_id,
        "L": day.last_id,
        "n": day.trades,
    }


def mini_ticker(symbol: str, day: DayStatistics) -> Json:
    full = day_ticker(symbol, day)
    return {"e": "24hrMiniTicker"} | {name: full[name] for name in ("E", "s", "c", "o", "h", "l", "v", "q")}

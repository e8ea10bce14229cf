"""ccxt.pro, unmodified, follows the venue's streams: its caches say what the venue's books say."""

import asyncio
from typing import Any

BTC = "BTC/USDT:USDT"


async def test_prices_marks_and_candles_arrive(streaming: Any, venue: Any, heard: Any) -> None:
    best = (await heard(streaming.watch_bids_asks([BTC])))[BTC]
    assert 0 < best["bid"] < best["ask"]
    mark = await heard(streaming.watch_mark_price(BTC))
    assert mark["markPrice"] > 0
    candles = await heard(streaming.watch_ohlcv(BTC, "5m"))
    assert candles[-1][4] > 0
    ticker = await heard(streaming.watch_ticker(BTC))
    assert ticker["high"] >= ticker["low"] > 0
    assert await heard(streaming.watch_funding_rate(BTC)) if streaming.has.get("watchFundingRate") else ticker


async def test_trades_arrive_with_the_numbers_that_rest_tells(streaming: Any, venue: Any, heard: Any) -> None:
    streamed = await heard(streaming.watch_trades(BTC))
    asked = {each["id"]: (each["price"], each["amount"]) for each in await streaming.fetch_trades(BTC)}
    assert all(asked[each["id"]] == (each["price"], each["amount"]) for each in streamed)


async def test_an_order_book_kept_from_differences_is_the_venues_book(streaming: Any, venue: Any, heard: Any) -> None:
    """Snapshot and differences fit together: no level lives on that the venue has dropped."""
    placed = None
    for _ in range(5):
        book = await heard(streaming.watch_order_book(BTC))
        placed = placed or await streaming.create_order(BTC, "limit", "buy", 0.01, 89_999)
    await streaming.cancel_all_orders(BTC)
    asked = await streaming.fetch_order_book(BTC, 1_000)
    while book["nonce"] < asked["nonce"]:
        book = await heard(streaming.watch_order_book(BTC))
        asked = await streaming.fetch_order_book(BTC, 1_000)
    assert ([list(each) for each in book["bids"]], [list(each) for each in book["asks"]]) == (asked["bids"], asked["asks"])


async def test_orders_trades_positions_and_balance_arrive_unasked(streaming: Any, venue: Any, heard: Any) -> None:
    await streaming.load_markets()
    orders, balance = asyncio.ensure_future(streaming.watch_orders(BTC)), asyncio.ensure_future(streaming.watch_balance())
    await venue.listened()
    placed = await streaming.create_order(BTC, "limit", "buy", 0.01, 89_000)
    (seen,) = await heard(orders)
    assert (seen["id"], seen["status"], seen["price"]) == (placed["id"], "open", 89_000.0)
    trades, positions = asyncio.ensure_future(streaming.watch_my_trades(BTC)), asyncio.ensure_future(streaming.watch_positions([BTC]))
    bought = await streaming.create_order(BTC, "market", "buy", 0.01)
    (fill,) = await heard(trades)
    assert (fill["order"], fill["amount"], fill["fee"]["currency"]) == (bought["id"], 0.01, "USDT")
    assert (await heard(positions))[0]["contracts"] == 0.01
    assert (await heard(balance))["USDT"]["total"] == float(venue.account.wallet)
    await streaming.cancel_order(placed["id"], BTC)
    async with asyncio.timeout(5):
        while {each["id"]: each["status"] for each in streaming.orders}.get(placed["id"]) != "canceled":
            await streaming.watch_orders(BTC)
    assert {each["id"]: each["status"] for each in streaming.orders}[bought["id"]] == "closed"

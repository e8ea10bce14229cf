"""What every implementation of the exchange port keeps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest

from quantum_engine.domain import OrderIntent, OrderStatus, Purpose, Side
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import AccountUpdate, DuplicateOrderIdError, Exchange, OrderUpdate, StreamUp, VenueRefusedError

QUANTITY = Decimal("0.010")
FAR_BELOW = Decimal("88000.0")


def buy(quantity: Decimal = QUANTITY, price: Decimal | None = None, **more: object) -> OrderIntent:
    return OrderIntent("intent", "BTCUSDT", Side.BUY, quantity, price, **more)  # type: ignore[arg-type]


def close(quantity: Decimal = QUANTITY) -> OrderIntent:
    return OrderIntent("intent", "BTCUSDT", Side.SELL, quantity, reduce_only=True, purpose=Purpose.REDUCE)


async def test_the_rules_say_the_grid_of_each_symbol(exchange: Exchange) -> None:
    rules = (await exchange.symbol_rules())["BTCUSDT"]
    assert rules.trading
    assert rules.step_size > 0
    assert rules.tick_size > 0


async def test_a_market_order_fills_and_becomes_a_position(exchange: Exchange) -> None:
    order = await exchange.place(buy(), "id-1")
    assert order.status is OrderStatus.FILLED
    assert order.executed == QUANTITY
    (position,) = await exchange.positions()
    assert (position.symbol, position.quantity) == ("BTCUSDT", QUANTITY)
    assert position.mark_price == await exchange.premium("BTCUSDT")


async def test_an_order_is_found_by_its_client_id_after_it_ended(exchange: Exchange) -> None:
    """An unknown outcome of a market order can only be told this way."""
    await exchange.place(buy(), "id-1")
    order = await exchange.order("BTCUSDT", "id-1")
    assert order is not None
    assert order.status is OrderStatus.FILLED


async def test_an_order_that_never_came_is_surely_not_known(exchange: Exchange) -> None:
    assert await exchange.order("BTCUSDT", "never-sent") is None


async def test_what_may_not_leave_any_more_is_surely_not_done(exchange: Exchange) -> None:
    """Asked last, with the connection in hand: nothing else stands between a stop and an order on the wire."""
    asked: list[str] = []

    def withdrawn() -> bool:
        asked.append("may it leave?")
        return False

    with pytest.raises(RetryableError, match="withdrawn"):
        await exchange.place(buy(price=FAR_BELOW), "id-1", withdrawn)
    assert asked
    assert await exchange.order("BTCUSDT", "id-1") is None
    assert await exchange.open_orders() == []
    assert (await exchange.place(buy(price=FAR_BELOW), "id-1", lambda: True)).client_order_id == "id-1", "and the next may"


async def test_a_far_limit_rests_until_all_are_cancelled(exchange: Exchange) -> None:
    await exchange.place(buy(price=FAR_BELOW), "id-1")
    assert [order.client_order_id for order in await exchange.open_orders()] == ["id-1"]
    await exchange.cancel_all("BTCUSDT")
    assert await exchange.open_orders() == []


async def test_cancelling_what_is_gone_is_no_error(exchange: Exchange) -> None:
    await exchange.place(buy(price=FAR_BELOW), "id-1")
    await exchange.cancel("BTCUSDT", "id-1")
    await exchange.cancel("BTCUSDT", "id-1")
    await exchange.cancel_all("BTCUSDT")
    assert await exchange.open_orders() == []


async def test_one_symbol_is_asked_about_alone(exchange: Exchange) -> None:
    """A stop looks at what it works on: a list of every symbol weighs forty times as much."""
    await exchange.place(buy(price=FAR_BELOW), "id-1")
    assert [order.client_order_id for order in await exchange.regular_orders("BTCUSDT")] == ["id-1"]
    assert await exchange.regular_orders("ETHUSDT") == await exchange.algo_orders("BTCUSDT") == await exchange.algo_orders() == []


async def test_an_order_is_cancelled_by_the_exchanges_own_number_and_once_gone_that_is_no_error(exchange: Exchange) -> None:
    await exchange.place(buy(price=FAR_BELOW), "id-1")
    (order,) = await exchange.regular_orders()
    await exchange.cancel_order(order)
    await exchange.cancel_order(order)
    assert await exchange.open_orders() == []


async def test_a_countdown_is_armed_and_disarmed(exchange: Exchange) -> None:
    await exchange.arm_countdown("BTCUSDT", 120)
    await exchange.arm_countdown("BTCUSDT", 0)


async def test_a_second_order_with_the_id_of_an_open_one_is_told_apart_from_a_refusal(exchange: Exchange) -> None:
    await exchange.place(buy(price=FAR_BELOW), "id-1")
    with pytest.raises(DuplicateOrderIdError):
        await exchange.place(buy(price=FAR_BELOW), "id-1")
    assert len(await exchange.open_orders()) == 1


async def test_reduce_only_never_opens(exchange: Exchange) -> None:
    with pytest.raises(VenueRefusedError) as refused:
        await exchange.place(close(), "id-1")
    assert refused.value.code == -2022
    assert await exchange.positions() == []


async def test_reduce_only_never_flips(exchange: Exchange) -> None:
    await exchange.place(buy(), "id-1")
    await exchange.place(close(QUANTITY * 3), "id-2")
    assert await exchange.positions() == []


async def test_a_quantity_off_the_grid_is_refused(exchange: Exchange) -> None:
    with pytest.raises(VenueRefusedError):
        await exchange.place(buy(Decimal("0.0105")), "id-1")
    assert await exchange.order("BTCUSDT", "id-1") is None


async def test_equity_is_wallet_and_unrealised(exchange: Exchange) -> None:
    account = await exchange.account()
    assert account.equity_usdt == account.wallet_usdt == Decimal(10_000)
    assert abs(account.as_of_ms - exchange.venue_ms()) < 5_000


async def test_fills_by_request_name_the_trade(exchange: Exchange) -> None:
    since_ms = exchange.venue_ms() - 5_000
    await exchange.place(buy(), "id-1")
    fills = await exchange.fills("BTCUSDT", since_ms)
    assert sum(fill.quantity for fill in fills) == QUANTITY
    assert len({fill.trade_id for fill in fills}) == len(fills)


async def test_the_user_stream_says_it_is_up_then_tells_order_fill_and_balance(exchange: Exchange) -> None:
    filled, told = Decimal(0), False
    async with asyncio.timeout(5), aclosing(_generator(exchange.user_stream())) as events:
        assert await anext(events) == StreamUp()
        await exchange.place(buy(), "id-1")
        while not (filled == QUANTITY and told):
            event = await anext(events)
            if isinstance(event, OrderUpdate) and event.fill is not None:
                assert event.order.client_order_id == "id-1"
                filled += event.fill.quantity
            if isinstance(event, AccountUpdate):
                told = event.positions[0].quantity == QUANTITY


async def test_quotes_carry_mark_and_book(exchange: Exchange) -> None:
    async with asyncio.timeout(5), aclosing(_generator(exchange.market_stream(frozenset({"BTCUSDT", "ETHUSDT"})))) as quotes:
        complete = set()
        while complete != {"BTCUSDT", "ETHUSDT"}:
            quote = await anext(quotes)
            if quote.mark is not None and quote.bid is not None and quote.ask is not None:
                assert quote.bid <= quote.ask
                complete.add(quote.symbol)


async def test_klines_are_closed_bars_oldest_first(exchange: Exchange) -> None:
    bars = await exchange.klines("BTCUSDT", 60, 5)
    assert len(bars) == 5
    assert [bar.open_time_ms for bar in bars] == sorted(bar.open_time_ms for bar in bars)
    assert bars[-1].open_time_ms + 60_000 <= exchange.venue_ms() + 1_000
    assert all(bar.low <= bar.close <= bar.high for bar in bars)


def _generator(source: AsyncIterator[Any]) -> Any:
    return source

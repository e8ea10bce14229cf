"""What the venue and the wire can do to an order and to our sight of the account."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.live.engine_exchange.conftest import Engine, buy, close, quick

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.domain import EquityRead, Transferred
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Declined, Refused

ORDER = {"path": "/fapi/v1/order", "method": "POST"}
SIZE = Decimal("0.020")


def orders_taken(engine: Engine) -> int:
    return len(engine.venue.accounts["alpha"].orders)


@pytest.mark.parametrize("kind", ["accept_then_503", "drop_answer"])
async def test_promise_5_an_order_whose_answer_is_lost_is_found_and_not_doubled(engine: Engine, kind: str) -> None:
    await engine.fault(kind, count=1, **ORDER)
    verdict = await engine.execution.submit(buy())
    assert isinstance(verdict, Accepted)
    assert verdict.certain
    await engine.until(lambda: engine.held() == SIZE)
    assert engine.venue_holds() == SIZE
    assert orders_taken(engine) == 1


async def test_a_503_that_did_nothing_is_not_taken_for_a_no_and_not_sent_again(engine: Engine) -> None:
    await engine.fault("http_503_unknown", count=1, **ORDER)
    verdict = await engine.execution.submit(buy())
    assert verdict == Accepted(verdict.client_order_id, None, certain=False)  # type: ignore[union-attr]
    assert engine.venue_holds() == 0


async def test_service_unavailable_is_surely_not_done_and_tried_again(engine: Engine) -> None:
    await engine.fault("http_503_service_unavailable", count=2, **ORDER)
    verdict = await engine.execution.submit(buy())
    assert isinstance(verdict, Accepted)
    await engine.until(lambda: engine.held() == SIZE)
    assert orders_taken(engine) == 1


async def test_promise_7_a_throttled_account_cannot_enter_but_gets_out(engine: Engine) -> None:
    await engine.execution.submit(buy())
    await engine.until(lambda: engine.held() == SIZE)
    await engine.fault("rate_limit_429", count=1, retryAfterSeconds=60, **ORDER)
    declined = await engine.execution.submit(buy("two"))
    assert isinstance(declined, Declined)
    assert "[BINANCE][RATE_LIMIT]" in declined.message
    before = len(engine.venue.order_log.entries())
    assert isinstance(await engine.execution.submit(buy("three")), Declined)
    assert len(engine.venue.order_log.entries()) == before, "nothing is sent before the venue's time is over"
    assert isinstance(await engine.execution.submit(close()), Accepted)
    await engine.until(lambda: engine.held() == 0)


async def test_a_venue_code_is_kept(engine: Engine) -> None:
    await engine.fault("reject_code", count=1, code=-2019, message="Margin is insufficient.", **ORDER)
    declined = await engine.execution.submit(buy())
    assert isinstance(declined, Declined)
    assert declined.code == -2019


async def test_a_clock_that_is_off_is_set_and_the_order_sent_once_more(engine: Engine) -> None:
    engine.client.transport._venue_ahead_ms += 60_000
    assert isinstance(await engine.execution.submit(buy()), Accepted)
    assert orders_taken(engine) == 1


async def test_a_cut_stream_closes_the_gate_and_a_comparison_reopens_it_with_what_was_missed(engine: Engine) -> None:
    """A reconnect replays nothing: the fill that happened in between is learnt by asking."""
    await engine.fault("stream_cut", path="/private", forMs=600)
    await engine.until(lambda: not engine.positions.reconciled)
    assert engine.permission.gate is Gate.REDUCE_ONLY
    refused = await engine.execution.submit(buy())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.NOT_RECONCILED
    by_hand = buy("by hand")
    await engine.client.place(by_hand, "web_1")
    assert engine.held() == 0
    await engine.until(lambda: engine.positions.reconciled)
    assert engine.held() == SIZE
    assert engine.permission.gate is Gate.ACTIVE


async def test_orders_of_somebody_else_count_in_the_limits(engine: Engine) -> None:
    from dataclasses import replace

    quote = engine.market.quote("BTCUSDT")
    assert quote is not None
    assert quote.mark is not None
    price = (quote.mark * Decimal("0.98")).quantize(Decimal(1))
    await engine.client.place(replace(buy("by hand", "0.040"), price=price), "web_1")
    await engine.until(lambda: "web_1" in engine.positions.open_orders)
    refused = await engine.execution.submit(buy())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.POSITION_ABOVE_LIMIT


async def test_equity_follows_the_venue_and_a_transfer_is_told_as_one(engine: Engine) -> None:
    import aiohttp

    await engine.execution.submit(buy())
    async with aiohttp.ClientSession() as session:
        await session.post(f"{engine.venue.control_url}/control/deposit", json={"account": "alpha", "amountUsdt": "500"})
    await engine.until(lambda: any(isinstance(event, Transferred) for event in engine.equity))
    transferred = next(event for event in engine.equity if isinstance(event, Transferred))
    assert transferred.amount_usdt == 500
    account = await engine.client.account()
    await engine.until(lambda: isinstance(newest := engine.equity[-1], EquityRead) and abs(newest.equity_usdt - account.equity_usdt) < 5)


async def test_the_strategy_trades_by_itself_within_seconds(engine: Engine) -> None:
    assert engine.venue_holds("BTCUSDT") == engine.venue_holds("ETHUSDT") == 0
    engine.strategy = quick()
    await engine.until(lambda: bool(engine.venue_holds("BTCUSDT") and engine.venue_holds("ETHUSDT")), seconds=20)
    await engine.until(lambda: engine.held("BTCUSDT") == engine.venue_holds("BTCUSDT"))
    assert not {word: n for word, n in engine.execution.refusals.items() if word not in ("MARKET_DATA_STALE",)}


async def test_promise_1_an_order_that_waited_for_a_connection_does_not_leave_past_a_closed_gate(engine: Engine) -> None:
    """Name resolution and a handshake may take seconds; a stop that comes meanwhile must hold the order back."""
    connector = engine.client.transport.session.connector
    assert connector is not None
    waiting, let_through = asyncio.Event(), asyncio.Event()
    create = connector._create_connection

    async def slow(*args: Any, **more: Any) -> Any:
        waiting.set()
        await let_through.wait()
        return await create(*args, **more)

    connector._conns.clear()
    connector._create_connection = slow  # type: ignore[method-assign]
    sending = asyncio.create_task(engine.execution.submit(buy()))
    await asyncio.wait_for(waiting.wait(), 5)
    engine.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "a person"))
    let_through.set()
    verdict = await asyncio.wait_for(sending, 10)
    assert isinstance(verdict, Refused)
    assert engine.venue_holds() == 0

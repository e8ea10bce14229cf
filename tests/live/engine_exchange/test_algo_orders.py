"""Conditional orders live on an endpoint of their own: "all orders" and "this order" must reach both (reference: findings 2)."""

from decimal import Decimal

from tests.live.engine_exchange.conftest import Engine, buy

from quantum_engine.domain import OrderStatus


async def place_stop(engine: Engine, client_id: str) -> None:
    params: dict[str, str | int] = {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010",
        "triggerPrice": "80000.0", "reduceOnly": "true", "clientAlgoId": client_id,
    }  # fmt: skip
    await engine.client.transport.signed("POST", "/fapi/v1/algoOrder", params)


async def test_a_conditional_order_is_seen_by_asking_and_on_the_stream(engine: Engine) -> None:
    await engine.execution.submit(buy())
    await place_stop(engine, "stop-1")
    (order,) = await engine.client.open_orders()
    assert (order.client_order_id, order.is_algo, order.reduce_only, order.quantity) == ("stop-1", True, True, Decimal("0.010"))
    await engine.until(lambda: "stop-1" in engine.positions.open_orders)


async def test_cancel_all_takes_regular_and_conditional_orders(engine: Engine) -> None:
    await engine.execution.submit(buy())
    await place_stop(engine, "stop-1")
    await engine.client.cancel_all("BTCUSDT")
    assert await engine.client.open_orders() == []
    assert not engine.venue.accounts["alpha"].open_algos()
    await engine.until(lambda: not engine.positions.open_orders)


async def test_one_conditional_order_is_asked_about_and_cancelled_by_its_client_id(engine: Engine) -> None:
    await engine.execution.submit(buy())
    await place_stop(engine, "stop-1")
    found = await engine.client.order("BTCUSDT", "stop-1")
    assert found is not None
    assert found.is_algo
    await engine.client.cancel("BTCUSDT", "stop-1")
    ended = await engine.client.order("BTCUSDT", "stop-1")
    assert ended is not None
    assert ended.status is OrderStatus.CANCELED


async def test_the_venues_own_counts_are_read_back(engine: Engine) -> None:
    await engine.execution.submit(buy())
    mirror = engine.client.transport.guard.mirror
    assert mirror.orders[0].used == mirror.orders[1].used == 1
    assert mirror.weight.used >= engine.venue.state.limits.weight_used("127.0.0.1", engine.venue.state.wall.now_ms()) > 0


async def test_a_lost_listen_key_is_replaced_and_the_books_are_compared_again(engine: Engine) -> None:
    state = engine.venue.state
    was = [state.listen_keys.key_of("alpha")]
    for key, account in state.listen_keys.expire(state.clock.now_ms() + 3_700_000):
        engine.venue._publisher.expired_key(key, account, state.clock.now_ms())
    await engine.until(lambda: state.listen_keys.key_of("alpha") not in (None, *was))
    await engine.until(lambda: engine.positions.reconciled)
    await engine.execution.submit(buy())
    await engine.until(lambda: engine.held() == Decimal("0.020"))

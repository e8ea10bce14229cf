"""python-binance, unmodified, sees every refusal as ``BinanceAPIException`` with the venue's code, status and headers."""

from typing import Any

import pytest
from binance.exceptions import BinanceAPIException

from quantum_simulator.faults import FaultKind

ORDER = "/fapi/v1/order"
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}
SELL = {"symbol": "BTCUSDT", "side": "SELL", "quantity": 0.01, "reduceOnly": "true"}


def covered(client: Any) -> None:
    """A position, and a resting order that already closes all of it."""
    client.futures_create_order(**MARKET, quantity=0.01)
    client.futures_create_order(**SELL, type="LIMIT", timeInForce="GTC", price=94_000)
    client.futures_create_order(**SELL, type="MARKET")


REFUSALS = [
    (-2019, lambda x: x.futures_create_order(**MARKET, quantity=100)),
    (-2022, lambda x: x.futures_create_order(**SELL, type="MARKET")),
    (-4118, covered),
    (-4164, lambda x: x.futures_create_order(**MARKET, quantity=0.001)),
    (-2011, lambda x: x.futures_cancel_order(symbol="BTCUSDT", orderId=17)),
    (-2013, lambda x: x.futures_get_order(symbol="BTCUSDT", orderId=17)),
    (-1121, lambda x: x.futures_create_order(**MARKET | {"symbol": "DOGEUSDT"}, quantity=1)),
    (-1102, lambda x: x.futures_create_order(**MARKET)),
    (-1022, lambda x: setattr(x, "API_SECRET", "wrong") or x.futures_account()),
    (-4046, lambda x: x.futures_change_margin_type(symbol="BTCUSDT", marginType="CROSSED")),
    (-4059, lambda x: x.futures_change_position_mode(dualSidePosition="false")),
    (-4171, lambda x: x.futures_change_multi_assets_mode(False)),
    (-4082, lambda x: x.futures_place_batch_order(batchOrders=[dict(MARKET) for _ in range(6)])),
    (-4083, lambda x: x.futures_cancel_orders(symbol="BTCUSDT", orderidlist=list(range(11)))),
]


@pytest.mark.parametrize(("code", "act"), REFUSALS, ids=[str(code) for code, _ in REFUSALS])
def test_a_refusal_bears_its_code(client: Any, code: int, act: Any) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        act(client)
    assert (refused.value.code, refused.value.status_code) == (code, 400)
    assert refused.value.message


def test_a_skewed_clock_is_refused(client: Any) -> None:
    client.timestamp_offset = 5_000
    with pytest.raises(BinanceAPIException, match="ahead of the server's time") as refused:
        client.futures_account()
    assert refused.value.code == -1021


def test_a_rate_limit_says_how_long_to_wait_and_ends_in_a_ban(client: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.RATE_LIMIT_429, left=1, retry_after_seconds=7)
    with pytest.raises(BinanceAPIException) as limited:
        client.futures_account()
    assert (limited.value.status_code, limited.value.code, limited.value.response.headers["Retry-After"]) == (429, -1003, "7")
    venue.fault(kind=FaultKind.BAN_418, left=1, retry_after_seconds=60)
    for _ in range(2):
        with pytest.raises(BinanceAPIException, match="banned until") as banned:
            client.futures_account()
        assert (banned.value.status_code, banned.value.code) == (418, -1003)
        assert 58 <= int(banned.value.response.headers["Retry-After"]) <= 60


def test_503_with_unknown_outcome_may_have_placed_the_order(client: Any, venue: Any) -> None:
    for kind in (FaultKind.ACCEPT_THEN_503, FaultKind.HTTP_503_UNKNOWN):
        venue.fault(kind=kind, path=ORDER, left=1)
        with pytest.raises(BinanceAPIException, match="Unknown error, please check your request") as unknown:
            client.futures_create_order(**MARKET, quantity=0.01)
        assert (unknown.value.status_code, unknown.value.code) == (503, None)
    assert len(venue.account.orders) == 1


def test_503_service_unavailable_and_1008_surely_did_nothing(client: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.HTTP_503_SERVICE_UNAVAILABLE, path=ORDER, left=1)
    with pytest.raises(BinanceAPIException, match=r"Service Unavailable\.") as unavailable:
        client.futures_create_order(**MARKET, quantity=0.01)
    assert (unavailable.value.status_code, unavailable.value.code) == (503, None)
    venue.fault(kind=FaultKind.REJECT_CODE, path=ORDER, left=1, code=-1008, message="Request throttled.", http_status=503)
    with pytest.raises(BinanceAPIException, match=r"Request throttled\.") as throttled:
        client.futures_create_order(**MARKET, quantity=0.01)
    assert (throttled.value.status_code, throttled.value.code) == (503, -1008)
    assert not venue.account.orders


async def test_its_asynchronous_client_sees_the_same(async_client: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.RATE_LIMIT_429, left=1, retry_after_seconds=7)
    with pytest.raises(BinanceAPIException) as limited:
        await async_client.futures_account()
    assert (limited.value.status_code, limited.value.response.headers["Retry-After"]) == (429, "7")
    with pytest.raises(BinanceAPIException) as refused:
        await async_client.futures_create_order(**MARKET, quantity=100)
    assert refused.value.code == -2019

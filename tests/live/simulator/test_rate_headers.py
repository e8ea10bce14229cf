"""The headers by which a client keeps its own count right, on answers of every kind."""

import pytest

from quantum_simulator.faults import Fault, FaultKind

WEIGHT = "X-MBX-USED-WEIGHT-1M"
COUNTS = ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1M")


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, venue) -> None:
    """The rate windows stand still in the middle of one: a test that runs over a full minute would count two."""
    real = venue.state.wall.now_ms()
    inside = real - real % 60_000 + 30_000
    monkeypatch.setattr(type(venue.state.wall), "now_ms", lambda _: inside)


async def call(alpha, method: str, path: str, **params: object):
    return await alpha.call(method, path, at_ms=alpha.venue.state.wall.now_ms(), **params)


async def test_every_answer_tells_the_weight_used_so_far(alpha, still) -> None:
    """Refused, unknown, unsigned or struck by a fault: the client must never have to guess."""
    seen = []
    for status, act in (
        (200, lambda: call(alpha, "GET", "/fapi/v3/account")),
        (400, lambda: call(alpha, "GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=1)),
        (400, lambda: alpha.call("GET", "/fapi/v3/account", at_ms=1)),
        (401, lambda: alpha.raw("GET", "/fapi/v3/account", headers={})),
    ):
        answer = await act()
        assert answer.status == status
        seen.append(int(answer.headers[WEIGHT]))
    assert seen == [5, 6, 11, 16]
    async with alpha.session.get(alpha.venue.base_url + "/fapi/v9/order") as missing:
        assert (missing.status, missing.headers[WEIGHT]) == (404, "16")


@pytest.mark.parametrize(
    ("kind", "status", "weight"),
    [
        (FaultKind.HTTP_503_UNKNOWN, 503, "0"),
        (FaultKind.HTTP_503_SERVICE_UNAVAILABLE, 503, "0"),
        (FaultKind.ACCEPT_THEN_503, 503, "5"),
        (FaultKind.RATE_LIMIT_429, 429, "0"),
        (FaultKind.BAN_418, 418, "0"),
        (FaultKind.REJECT_CODE, 400, "0"),
    ],
)
async def test_a_fault_tells_the_weight_too(alpha, still, kind: FaultKind, status: int, weight: str) -> None:
    alpha.venue.faults.order(Fault(kind, left=1, retry_after_seconds=9))
    answer = await call(alpha, "GET", "/fapi/v3/account")
    assert (answer.status, answer.headers[WEIGHT]) == (status, weight)
    assert answer.headers.get("Retry-After") == ("9" if status in {429, 418} else None)


async def test_orders_and_only_orders_tell_the_order_counts(alpha, still) -> None:
    """Also an order that the venue refuses: it was counted. A batch is five and one."""
    batch = '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}]'
    told = []
    for answer in (
        await call(alpha, "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1"),
        await call(alpha, "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="119"),
        await call(alpha, "POST", "/fapi/v1/batchOrders", batchOrders=batch),
    ):
        told.append((answer.status, *(int(answer.headers[name]) for name in COUNTS)))
    assert told == [(200, 1, 1), (400, 2, 2), (200, 7, 3)]
    canceled = await call(alpha, "DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert not any(name in canceled.headers for name in COUNTS)


async def test_over_the_limit_retry_after_is_the_rest_of_the_fixed_minute(alpha, still) -> None:
    alpha.venue.state.limits.weight_per_minute = 40
    assert (await call(alpha, "GET", "/fapi/v1/openOrders")).status == 200
    over = await call(alpha, "GET", "/fapi/v1/time")
    assert (over.status, over.code, over.headers["Retry-After"], over.headers[WEIGHT]) == (429, -1003, "30", "41")


async def test_too_many_orders_are_refused_by_code_with_the_counts(alpha, still) -> None:
    alpha.venue.state.limits.orders_per_ten_seconds = 1
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    assert (await call(alpha, "POST", "/fapi/v1/order", **order)).status == 200
    over = await call(alpha, "POST", "/fapi/v1/order", **order)
    assert (over.code, over.headers[COUNTS[0]]) == (-1015, "2")
    assert (await call(alpha, "DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")).status == 200

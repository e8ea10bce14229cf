"""What each call costs, held against the table in Binance's documentation (copied by hand, so that a slip in one place shows)."""

import pytest

from quantum_simulator.rest.endpoints import ENDPOINTS, Security

DOCUMENTED = """
GET    /fapi/v1/ping                1
GET    /fapi/v1/time                1
GET    /fapi/v1/exchangeInfo        1
GET    /fapi/v1/premiumIndex        10  symbol:1
GET    /fapi/v1/ticker/bookTicker   5   symbol:2
GET    /fapi/v1/ticker/price        2   symbol:1
GET    /fapi/v2/ticker/price        2   symbol:1
GET    /fapi/v1/ticker/24hr         40  symbol:1
GET    /fapi/v1/trades              5
GET    /fapi/v1/historicalTrades    20
GET    /fapi/v1/aggTrades           20
GET    /fapi/v1/depth               10  limit=5:2 limit=50:2 limit=100:5 limit=500:10 limit=1000:20
GET    /fapi/v1/klines              5   limit=99:1 limit=100:2 limit=499:2 limit=500:5 limit=1000:5 limit=1001:10
POST   /fapi/v1/order               0
PUT    /fapi/v1/order               0
DELETE /fapi/v1/order               1
GET    /fapi/v1/order               1
GET    /fapi/v1/openOrder           1
GET    /fapi/v1/openOrders          40  symbol:1
DELETE /fapi/v1/allOpenOrders       1
POST   /fapi/v1/batchOrders         5
PUT    /fapi/v1/batchOrders         5
DELETE /fapi/v1/batchOrders         1
GET    /fapi/v1/allOrders           5
GET    /fapi/v1/userTrades          5
POST   /fapi/v1/countdownCancelAll  10
POST   /fapi/v1/algoOrder           0
GET    /fapi/v1/algoOrder           1
DELETE /fapi/v1/algoOrder           1
GET    /fapi/v1/openAlgoOrders      40  symbol:1
DELETE /fapi/v1/algoOpenOrders      1
POST   /fapi/v1/leverage            1
POST   /fapi/v1/marginType          1
GET    /fapi/v1/positionSide/dual   30
POST   /fapi/v1/positionSide/dual   1
GET    /fapi/v1/multiAssetsMargin   30
POST   /fapi/v1/multiAssetsMargin   1
GET    /fapi/v1/leverageBracket     1
GET    /fapi/v1/commissionRate      20
GET    /fapi/v1/rateLimit/order     1
GET    /fapi/v1/apiTradingStatus    10  symbol:1
GET    /fapi/v1/accountConfig       5
GET    /fapi/v1/symbolConfig        5
GET    /fapi/v1/forceOrders         50  symbol:20
GET    /fapi/v1/income              30
POST   /fapi/v1/listenKey           1
PUT    /fapi/v1/listenKey           1
DELETE /fapi/v1/listenKey           1
GET    /fapi/v2/balance             5
GET    /fapi/v3/balance             5
GET    /fapi/v2/account             5
GET    /fapi/v3/account             5
GET    /fapi/v2/positionRisk        5
GET    /fapi/v3/positionRisk        5
"""
ROWS = [line.split() for line in DOCUMENTED.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_call_weighs_what_is_documented(row: list[str]) -> None:
    method, path, bare, *variants = row
    endpoint = ENDPOINTS[method, path]
    assert endpoint.cost({}) == int(bare)
    for variant in variants:
        given, _, weight = variant.partition(":")
        name, _, value = given.partition("=")
        assert endpoint.cost({name: value or "BTCUSDT"}) == int(weight), variant


def test_what_places_orders_counts_against_the_account_and_nothing_else_does() -> None:
    """A batch is five in ten seconds and one in a minute."""
    counted = {f"{method} {path}": endpoint.order_count for (method, path), endpoint in ENDPOINTS.items() if endpoint.order_count}
    assert counted == {
        "POST /fapi/v1/order": (1, 1),
        "PUT /fapi/v1/order": (1, 1),
        "POST /fapi/v1/algoOrder": (1, 1),
        "POST /fapi/v1/batchOrders": (5, 1),
        "PUT /fapi/v1/batchOrders": (5, 1),
    }
    assert all(ENDPOINTS[tuple(name.split())].security is Security.SIGNED for name in counted)


def test_a_limit_that_is_no_number_weighs_as_the_default() -> None:
    """It is refused, but it is weighed before it is read."""
    assert ENDPOINTS["GET", "/fapi/v1/depth"].cost({"limit": "many"}) == 10

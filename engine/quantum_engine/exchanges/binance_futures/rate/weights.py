"""What each request costs of the venue's limits.  Pure; one table (reference: binance.md 3.2).

In    method, path, whether a symbol is named
Out   Cost
Flow  transport -> HERE -> mirror
Why   the cost must be known before the request is sent: the venue tells it only afterwards
"""

from typing import Final, NamedTuple

from quantum_engine.exchanges.binance_futures.signing import Params


class Cost(NamedTuple):
    """Of one request: weight per minute and address, orders per 10 s and per minute and account."""

    weight: int = 1
    orders: int = 0


_ORDER: Final = Cost(0, 1)
_LIST: Final = Cost(40)
UNKNOWN_COST: Final = Cost(40)
"""Of a request that the table does not hold: the dearest that the venue's own lists have."""
COSTS: Final[dict[tuple[str, str], Cost]] = {
    ("GET", "/fapi/v1/ping"): Cost(1),
    ("GET", "/fapi/v1/time"): Cost(1),
    ("GET", "/fapi/v1/exchangeInfo"): Cost(1),
    ("GET", "/fapi/v1/premiumIndex"): Cost(10),
    ("GET", "/fapi/v1/klines"): Cost(10),
    ("POST", "/fapi/v1/order"): _ORDER,
    ("GET", "/fapi/v1/order"): Cost(1),
    ("DELETE", "/fapi/v1/order"): Cost(1),
    ("GET", "/fapi/v1/openOrders"): _LIST,
    ("DELETE", "/fapi/v1/allOpenOrders"): Cost(1),
    ("GET", "/fapi/v1/userTrades"): Cost(5),
    ("POST", "/fapi/v1/countdownCancelAll"): Cost(10),
    ("POST", "/fapi/v1/algoOrder"): _ORDER,
    ("GET", "/fapi/v1/algoOrder"): Cost(1),
    ("DELETE", "/fapi/v1/algoOrder"): Cost(1),
    ("GET", "/fapi/v1/openAlgoOrders"): _LIST,
    ("DELETE", "/fapi/v1/algoOpenOrders"): Cost(1),
    ("GET", "/fapi/v1/accountConfig"): Cost(5),
    ("GET", "/fapi/v1/positionSide/dual"): Cost(30),
    ("POST", "/fapi/v1/positionSide/dual"): Cost(1),
    ("POST", "/fapi/v1/leverage"): Cost(1),
    ("POST", "/fapi/v1/marginType"): Cost(1),
    ("GET", "/fapi/v1/commissionRate"): Cost(20),
    ("GET", "/fapi/v1/rateLimit/order"): Cost(1),
    ("GET", "/fapi/v1/income"): Cost(30),
    ("POST", "/fapi/v1/listenKey"): Cost(1),
    ("PUT", "/fapi/v1/listenKey"): Cost(1),
    ("DELETE", "/fapi/v1/listenKey"): Cost(1),
    ("GET", "/fapi/v3/account"): Cost(5),
    ("GET", "/fapi/v3/balance"): Cost(5),
    ("GET", "/fapi/v3/positionRisk"): Cost(5),
}
CHEAP_WITH_SYMBOL: Final = frozenset({"/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v1/premiumIndex"})
_ONE: Final = Cost(1)
_KLINES: Final = ((99, Cost(1)), (499, Cost(2)), (1_000, Cost(5)))


def cost_of(method: str, path: str, params: Params) -> Cost:
    """A list that names no symbol reads every symbol, and costs accordingly."""
    if path in CHEAP_WITH_SYMBOL and "symbol" in params:
        return _ONE
    if path == "/fapi/v1/klines":
        limit = int(params.get("limit", 500))
        return next((cost for most, cost in _KLINES if limit <= most), Cost(10))
    return COSTS.get((method, path), UNKNOWN_COST)

"""The table of endpoints: path, weight, who may call.  Pure.

In    method and path
Out   ``Endpoint``
Flow  rest.server -> HERE -> *_endpoints
Why   one table to compare with Binance's documentation line by line
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, NamedTuple

from quantum_simulator.rest import account_endpoints as account
from quantum_simulator.rest import algo_endpoints as algo
from quantum_simulator.rest import batch_endpoints as batch
from quantum_simulator.rest import market_endpoints as market
from quantum_simulator.rest import order_endpoints as orders
from quantum_simulator.rest import profile_endpoints as profile
from quantum_simulator.rest import ticker_endpoints as tickers
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.parameters import Params


class Security(Enum):
    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


class Endpoint(NamedTuple):
    handle: Callable[[Call], Any]
    weight: int | Callable[[Params], int] = 1
    security: Security = Security.SIGNED
    order_count: tuple[int, int] | None = None
    """What it adds to the order counts of ten seconds and of a minute."""
    is_logged: bool = False
    """Written to the order log, accepted or refused."""

    def cost(self, params: Params) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def _with_symbol(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: one if params.get("symbol") else every


def _by_limit(default: int, steps: tuple[tuple[int, int], ...], most: int) -> Callable[[Params], int]:
    def weight(params: Params) -> int:
        asked = params.get("limit", "")
        limit = int(asked) if asked.isdecimal() else default
        return next((cost for bound, cost in steps if limit <= bound), most)

    return weight


_PUBLIC, _KEY = Security.NONE, Security.KEY
_V1: Final = "/fapi/v1"

ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    ("GET", f"{_V1}/ping"): Endpoint(market.ping, 1, _PUBLIC),
    ("GET", f"{_V1}/time"): Endpoint(market.server_time, 1, _PUBLIC),
    ("GET", f"{_V1}/exchangeInfo"): Endpoint(market.exchange_info, 1, _PUBLIC),
    ("GET", f"{_V1}/premiumIndex"): Endpoint(market.premium_index, _with_symbol(1, 10), _PUBLIC),
    ("GET", f"{_V1}/fundingRate"): Endpoint(market.funding_rates, 1, _PUBLIC),
    ("GET", f"{_V1}/ticker/bookTicker"): Endpoint(market.book_ticker, _with_symbol(2, 5), _PUBLIC),
    ("GET", f"{_V1}/ticker/price"): Endpoint(tickers.ticker_price, _with_symbol(1, 2), _PUBLIC),
    ("GET", "/fapi/v2/ticker/price"): Endpoint(tickers.ticker_price, _with_symbol(1, 2), _PUBLIC),
    ("GET", f"{_V1}/ticker/24hr"): Endpoint(tickers.ticker_24hr, _with_symbol(1, 40), _PUBLIC),
    ("GET", f"{_V1}/trades"): Endpoint(tickers.recent_trades, 5, _PUBLIC),
    ("GET", f"{_V1}/historicalTrades"): Endpoint(tickers.recent_trades, 20, _KEY),
    ("GET", f"{_V1}/aggTrades"): Endpoint(tickers.agg_trades, 20, _PUBLIC),
    ("GET", f"{_V1}/fundingInfo"): Endpoint(market.funding_info, 0, _PUBLIC),
    ("GET", f"{_V1}/depth"): Endpoint(market.depth, _by_limit(500, ((50, 2), (100, 5), (500, 10)), 20), _PUBLIC),
    ("GET", f"{_V1}/klines"): Endpoint(market.klines, _by_limit(500, ((99, 1), (499, 2), (1_000, 5)), 10), _PUBLIC),
    ("POST", f"{_V1}/order"): Endpoint(orders.place_order, 0, order_count=(1, 1), is_logged=True),
    ("PUT", f"{_V1}/order"): Endpoint(batch.modify_order, 0, order_count=(1, 1), is_logged=True),
    ("POST", f"{_V1}/order/test"): Endpoint(batch.test_order, 1),
    ("POST", f"{_V1}/batchOrders"): Endpoint(batch.place_batch, 5, order_count=(5, 1), is_logged=True),
    ("PUT", f"{_V1}/batchOrders"): Endpoint(batch.modify_batch, 5, order_count=(5, 1), is_logged=True),
    ("DELETE", f"{_V1}/batchOrders"): Endpoint(batch.cancel_batch, 1, is_logged=True),
    ("GET", f"{_V1}/order"): Endpoint(orders.query_order, 1),
    ("DELETE", f"{_V1}/order"): Endpoint(orders.cancel_order, 1, is_logged=True),
    ("GET", f"{_V1}/openOrder"): Endpoint(orders.query_open_order, 1),
    ("GET", f"{_V1}/openOrders"): Endpoint(orders.open_orders, _with_symbol(1, 40)),
    ("DELETE", f"{_V1}/allOpenOrders"): Endpoint(orders.cancel_all_orders, 1, is_logged=True),
    ("GET", f"{_V1}/allOrders"): Endpoint(orders.all_orders, 5),
    ("GET", f"{_V1}/userTrades"): Endpoint(orders.user_trades, 5),
    ("POST", f"{_V1}/countdownCancelAll"): Endpoint(orders.countdown_cancel_all, 10, is_logged=True),
    ("POST", f"{_V1}/algoOrder"): Endpoint(algo.place_algo_order, 0, order_count=(1, 1), is_logged=True),
    ("GET", f"{_V1}/algoOrder"): Endpoint(algo.query_algo_order, 1),
    ("DELETE", f"{_V1}/algoOrder"): Endpoint(algo.cancel_algo_order, 1, is_logged=True),
    ("GET", f"{_V1}/openAlgoOrders"): Endpoint(algo.open_algo_orders, _with_symbol(1, 40)),
    ("GET", f"{_V1}/allAlgoOrders"): Endpoint(algo.all_algo_orders, 5),
    ("DELETE", f"{_V1}/algoOpenOrders"): Endpoint(algo.cancel_all_algo_orders, 1, is_logged=True),
    ("POST", f"{_V1}/leverage"): Endpoint(account.set_leverage, 1),
    ("POST", f"{_V1}/marginType"): Endpoint(account.set_margin_type, 1),
    ("GET", f"{_V1}/positionSide/dual"): Endpoint(account.position_mode, 30),
    ("POST", f"{_V1}/positionSide/dual"): Endpoint(account.set_position_mode, 1),
    ("GET", f"{_V1}/leverageBracket"): Endpoint(profile.leverage_brackets, 1),
    ("GET", f"{_V1}/accountConfig"): Endpoint(profile.account_config, 5),
    ("GET", f"{_V1}/symbolConfig"): Endpoint(profile.symbol_config, 5),
    ("GET", f"{_V1}/multiAssetsMargin"): Endpoint(profile.assets_mode, 30),
    ("POST", f"{_V1}/multiAssetsMargin"): Endpoint(profile.set_assets_mode, 1),
    ("GET", f"{_V1}/rateLimit/order"): Endpoint(profile.order_rate_limits, 1),
    ("GET", f"{_V1}/apiTradingStatus"): Endpoint(profile.trading_status, _with_symbol(1, 10)),
    ("GET", f"{_V1}/forceOrders"): Endpoint(profile.force_orders, _with_symbol(20, 50)),
    ("GET", f"{_V1}/adlQuantile"): Endpoint(account.adl_quantiles, 5),
    ("GET", f"{_V1}/commissionRate"): Endpoint(account.commission_rate, 20),
    ("GET", f"{_V1}/income"): Endpoint(account.income, 30),
    ("POST", f"{_V1}/listenKey"): Endpoint(account.grant_listen_key, 1, _KEY),
    ("PUT", f"{_V1}/listenKey"): Endpoint(account.extend_listen_key, 1, _KEY),
    ("DELETE", f"{_V1}/listenKey"): Endpoint(account.revoke_listen_key, 1, _KEY),
    ("GET", "/fapi/v2/balance"): Endpoint(account.balance, 5),
    ("GET", "/fapi/v3/balance"): Endpoint(account.balance, 5),
    ("GET", "/fapi/v2/account"): Endpoint(account.account_v2, 5),
    ("GET", "/fapi/v3/account"): Endpoint(account.account_v3, 5),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(account.position_risk_v2, 5),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(account.position_risk_v3, 5),
}

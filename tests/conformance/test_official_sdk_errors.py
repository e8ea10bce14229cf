"""Binance's official SDK, unmodified, sees every refusal as its typed error.

Its ``status_code`` is the venue's error code, except for a server error, of which it keeps the HTTP status only.
"""

from typing import Any

import binance_common.utils
import pytest
from binance_common.errors import (
    BadRequestError,
    NetworkError,
    RateLimitBanError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
)

from quantum_simulator.faults import FaultKind

BTC = "BTCUSDT"
ORDER = "/fapi/v1/order"
MARKET = {"symbol": BTC, "side": "BUY", "type": "MARKET"}
SELL = {"symbol": BTC, "side": "SELL", "quantity": 0.01, "reduce_only": "true"}


@pytest.fixture
def rest(sdk: Any) -> Any:
    return sdk.rest_api


def covered(rest: Any) -> None:
    """A position, and a resting order that already closes all of it."""
    rest.new_order(**MARKET, quantity=0.01)
    rest.new_order(**SELL, type="LIMIT", time_in_force="GTC", price=94_000.0)
    rest.new_order(**SELL, type="MARKET")


REFUSALS = [
    (-2019, lambda x: x.new_order(**MARKET, quantity=100.0)),
    (-2022, lambda x: x.new_order(**SELL, type="MARKET")),
    (-4118, covered),
    (-4164, lambda x: x.new_order(**MARKET, quantity=0.001)),
    (-2011, lambda x: x.cancel_order(symbol=BTC, order_id=17)),
    (-2013, lambda x: x.query_order(symbol=BTC, order_id=17)),
    (-1121, lambda x: x.new_order(**MARKET | {"symbol": "DOGEUSDT"}, quantity=1.0)),
    (-1102, lambda x: x.new_order(**MARKET)),
]


@pytest.mark.parametrize(("code", "act"), REFUSALS, ids=[str(code) for code, _ in REFUSALS])
def test_a_refusal_bears_its_code(rest: Any, code: int, act: Any) -> None:
    with pytest.raises(BadRequestError) as refused:
        act(rest)
    assert refused.value.status_code == code
    assert refused.value.error_message


def test_a_skewed_clock_is_refused(rest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = binance_common.utils.get_timestamp
    monkeypatch.setattr(binance_common.utils, "get_timestamp", lambda: real() - 20_000)
    with pytest.raises(BadRequestError, match="outside of the recvWindow") as refused:
        rest.account_information_v3()
    assert refused.value.status_code == -1021


def test_a_foreign_key_is_unauthorized(rest: Any) -> None:
    rest.configuration.base_headers["X-MBX-APIKEY"] = "nobody"
    with pytest.raises(UnauthorizedError) as refused:
        rest.account_information_v3()
    assert refused.value.status_code == -2015


def test_a_rate_limit_and_a_ban_say_how_long_to_wait(rest: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.RATE_LIMIT_429, left=1, retry_after_seconds=7)
    with pytest.raises(TooManyRequestsError) as limited:
        rest.account_information_v3()
    assert (limited.value.status_code, limited.value.retry_after) == (-1003, 7)
    venue.fault(kind=FaultKind.BAN_418, left=1, retry_after_seconds=60)
    for _ in range(2):
        with pytest.raises(RateLimitBanError, match="banned until") as banned:
            rest.account_information_v3()
        assert 58 <= banned.value.retry_after <= 60


def test_503_with_unknown_outcome_may_have_placed_the_order(rest: Any, venue: Any) -> None:
    """The SDK keeps no sentence of a 503: both meanings look alike, which is why the engine has its own client."""
    for kind in (FaultKind.ACCEPT_THEN_503, FaultKind.HTTP_503_UNKNOWN, FaultKind.HTTP_503_SERVICE_UNAVAILABLE):
        venue.fault(kind=kind, path=ORDER, left=1)
        with pytest.raises(ServerError, match="Server error: 503") as unknown:
            rest.new_order(**MARKET, quantity=0.01)
        assert unknown.value.status_code == 503
    assert len(venue.account.orders) == 1


def test_a_dropped_answer_is_a_network_error_of_an_order_that_is_live(rest: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.DROP_ANSWER, path=ORDER, left=1)
    with pytest.raises(NetworkError):
        rest.new_order(**MARKET, quantity=0.01)
    assert len(venue.account.fills) == 1

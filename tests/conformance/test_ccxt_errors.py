"""ccxt, unmodified, sees every refusal as the exception it documents for it."""

from typing import Any

import ccxt
import pytest

from quantum_simulator.faults import FaultKind

BTC = "BTC/USDT:USDT"
ORDER = "/fapi/v1/order"
RAW = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}


def covered(exchange: Any) -> None:
    """A position, and a resting order that already closes all of it."""
    exchange.create_order(BTC, "market", "buy", 0.01)
    exchange.create_order(BTC, "limit", "sell", 0.01, 94_000, {"reduceOnly": True})
    exchange.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})


REFUSALS = [
    (-2019, ccxt.InsufficientFunds, lambda x: x.create_order(BTC, "market", "buy", 100)),
    (-2022, ccxt.InvalidOrder, lambda x: x.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})),
    (-4118, ccxt.OperationRejected, covered),
    (-4164, ccxt.InvalidOrder, lambda x: x.create_order(BTC, "market", "buy", 0.001)),
    (-2011, ccxt.OrderNotFound, lambda x: x.cancel_order("17", BTC)),
    (-2013, ccxt.OrderNotFound, lambda x: x.fetch_order("17", BTC)),
    (-1121, ccxt.BadSymbol, lambda x: x.fapiPrivatePostOrder(RAW | {"symbol": "DOGEUSDT", "quantity": "1"})),
    (-1102, ccxt.BadRequest, lambda x: x.fapiPrivatePostOrder(RAW)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "act"), REFUSALS, ids=[str(code) for code, _, _ in REFUSALS])
def test_a_refusal_is_its_documented_exception(exchange: Any, code: int, kind: type[Exception], act: Any) -> None:
    with pytest.raises(ccxt.BaseError, match=f'"code":{code},') as refused:
        act(exchange)
    assert type(refused.value) is kind


def test_a_skewed_clock_is_refused_and_its_own_resynchronisation_cures_it(exchange: Any) -> None:
    exchange.options["timeDifference"] = 20_000
    with pytest.raises(ccxt.InvalidNonce, match='"code":-1021,'):
        exchange.fetch_balance()
    exchange.load_time_difference()
    assert exchange.fetch_balance()["USDT"]["total"] == 10_000.0


def test_a_rate_limit_says_how_long_to_wait(exchange: Any, venue: Any) -> None:
    venue.fault(kind=FaultKind.RATE_LIMIT_429, left=1, retry_after_seconds=7)
    with pytest.raises(ccxt.DDoSProtection, match='"code":-1003,'):
        exchange.fetch_balance()
    assert exchange.last_response_headers["Retry-After"] == "7"


def test_503_with_unknown_outcome_may_have_placed_the_order(exchange: Any, venue: Any) -> None:
    """The answer is the same whether it was carried out or not."""
    exchange.load_markets()
    for kind in (FaultKind.ACCEPT_THEN_503, FaultKind.HTTP_503_UNKNOWN):
        venue.fault(kind=kind, path=ORDER, left=1)
        with pytest.raises(ccxt.ExchangeNotAvailable, match=r"503.*Unknown error, please check your request"):
            exchange.create_order(BTC, "market", "buy", 0.01)
    assert len(venue.account.orders) == 1


def test_503_service_unavailable_and_1008_surely_did_nothing(exchange: Any, venue: Any) -> None:
    exchange.load_markets()
    venue.fault(kind=FaultKind.HTTP_503_SERVICE_UNAVAILABLE, path=ORDER, left=1)
    with pytest.raises(ccxt.ExchangeNotAvailable, match=r"503.*Service Unavailable\."):
        exchange.create_order(BTC, "market", "buy", 0.01)
    venue.fault(
        kind=FaultKind.REJECT_CODE, path=ORDER, left=1, code=-1008, message="Request throttled by system-level protection.", http_status=503
    )
    with pytest.raises(ccxt.OperationFailed, match='"code":-1008,'):
        exchange.create_order(BTC, "market", "buy", 0.01)
    assert not venue.account.orders

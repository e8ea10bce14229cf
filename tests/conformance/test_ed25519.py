"""The foreign clients sign with an Ed25519 key, of which the venue holds the public half."""

from collections.abc import Iterator
from typing import Any

import binance
import pytest
from binance.exceptions import BinanceAPIException
from binance_common.errors import BadRequestError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": 0.01, "price": 89_000.0}


def pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def key(venue: Any) -> str:
    """The account changes from HMAC to this key."""
    made = Ed25519PrivateKey.generate()
    venue.account.api_secret, venue.account.public_key = "", made.public_key()
    return pem(made)


@pytest.fixture
def python_binance(venue: Any, key: str, own_event_loop: None) -> Iterator[Any]:
    made = binance.Client("key-alpha", private_key=key, ping=False)
    made.FUTURES_URL = venue.venue.base_url + "/fapi"
    yield made
    made.close_connection()


def test_the_official_sdk_trades_with_an_ed25519_key(venue: Any, key: str, official: Any) -> None:
    rest = official(private_key=key)
    number = rest.new_order(**LIMIT, time_in_force="GTC").data().order_id
    assert [each.order_id for each in rest.current_all_open_orders().data()] == [number]
    assert rest.cancel_order(symbol="BTCUSDT", order_id=number).data().status == "CANCELED"


def test_python_binance_trades_with_an_ed25519_key(python_binance: Any) -> None:
    number = python_binance.futures_create_order(**LIMIT, timeInForce="GTC")["orderId"]
    assert [each["orderId"] for each in python_binance.futures_get_open_orders()] == [number]
    assert python_binance.futures_cancel_order(symbol="BTCUSDT", orderId=number)["status"] == "CANCELED"


def test_ccxt_trades_with_an_ed25519_key(exchange: Any, key: str) -> None:
    exchange.secret = key
    number = exchange.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, 89_000)["id"]
    assert [each["id"] for each in exchange.fetch_open_orders("BTC/USDT:USDT")] == [number]
    assert exchange.cancel_order(number, "BTC/USDT:USDT")["status"] == "canceled"


def test_another_key_opens_nothing(venue: Any, key: str, official: Any, python_binance: Any) -> None:
    """Nor does the secret that the account had before."""
    foreign = pem(Ed25519PrivateKey.generate())
    for credentials in ({"private_key": foreign}, {"api_secret": "secret-alpha"}, {"api_secret": " "}):
        with pytest.raises(BadRequestError) as refused:
            official(**credentials).new_order(**LIMIT, time_in_force="GTC")
        assert refused.value.status_code == -1022
    python_binance.PRIVATE_KEY = python_binance._init_private_key(foreign)
    with pytest.raises(BinanceAPIException) as invalid:
        python_binance.futures_create_order(**LIMIT, timeInForce="GTC")
    assert invalid.value.code == -1022
    assert not venue.account.orders

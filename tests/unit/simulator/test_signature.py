"""A signature covers query and body as sent, and ages."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quantum_simulator.refusals import VenueRefusal
from quantum_simulator.rest import parameters, signature

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
QUERY = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
EXAMPLE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
"""The worked example of Binance's own documentation."""


PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def verify(query: str, body: str = "", now_ms: int = 1591702613943, key: object = SECRET) -> int:
    try:
        signature.check(key, query, body, parameters.merge(query, body), now_ms)
    except VenueRefusal as refusal:
        return refusal.code
    return 0


def test_the_documented_example_is_accepted_in_query_body_and_mixed() -> None:
    assert signature.sign(SECRET, QUERY) == EXAMPLE
    assert verify(f"{QUERY}&signature={EXAMPLE}") == 0
    assert verify("", f"{QUERY}&signature={EXAMPLE}") == 0
    mixed = signature.sign(SECRET, "symbol=BTCUSDT&side=BUY" + "timestamp=1591702613943")
    assert verify("symbol=BTCUSDT&side=BUY", f"timestamp=1591702613943&signature={mixed}") == 0


@pytest.mark.parametrize(
    ("query", "now_ms", "code"),
    [
        (f"{QUERY}&signature={EXAMPLE[:-1]}0", 1591702613943, -1022),
        (f"{QUERY.replace('quantity=1', 'quantity=2')}&signature={EXAMPLE}", 1591702613943, -1022),
        (f"{QUERY}&signature={EXAMPLE}", 1591702613943 + 5_001, -1021),
        (f"{QUERY}&signature={EXAMPLE}", 1591702613943 - 1_000, -1021),
        (QUERY, 1591702613943, -1102),
        (f"symbol=BTCUSDT&signature={EXAMPLE}", 1591702613943, -1102),
    ],
)
def test_what_is_forged_stale_or_incomplete_is_refused(query: str, now_ms: int, code: int) -> None:
    assert verify(query, now_ms=now_ms) == code


def test_the_edges_of_the_window_are_inside() -> None:
    assert verify(f"{QUERY}&signature={EXAMPLE}", now_ms=1591702613943 + 5_000) == 0
    assert verify(f"{QUERY}&signature={EXAMPLE}", now_ms=1591702613943 - 999) == 0


def test_the_query_wins_over_the_body_and_values_are_decoded() -> None:
    assert parameters.merge("symbol=A", "symbol=B&x=1") == {"symbol": "A", "x": "1"}
    assert parameters.parse("name=a%20b+c") == {"name": "a b c"}


def test_an_ed25519_signature_is_base64_over_the_same_text() -> None:
    signed = quote(b64encode(PRIVATE_KEY.sign(QUERY.encode())).decode(), safe="")
    public_key = PRIVATE_KEY.public_key()
    assert verify(f"{QUERY}&signature={signed}", key=public_key) == 0
    assert verify(f"signature={signed}", QUERY, key=public_key) == 0
    assert verify(f"{QUERY.replace('quantity=1', 'quantity=2')}&signature={signed}", key=public_key) == -1022


@pytest.mark.parametrize("forged", [EXAMPLE, "not base64!", "ü", "AAAA"])
def test_what_is_no_ed25519_signature_is_refused_not_an_error(forged: str) -> None:
    """Also a correct HMAC of some secret: the account is opened by its private key alone."""
    assert verify(f"{QUERY}&signature={forged}", key=PRIVATE_KEY.public_key()) == -1022


def test_a_signature_that_is_no_ascii_is_refused_not_an_error() -> None:
    assert verify(f"{QUERY}&signature=ü") == -1022

"""Who signs, and what is said of a file that nobody can sign with."""

import json
from base64 import b64decode
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from quantum_engine.errors import PermanentError
from quantum_engine.exchanges.binance_futures.account_file import read_signer
from quantum_engine.exchanges.binance_futures.signing import Credentials, Ed25519Credentials, query_of, signed_query

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pem(key: object = KEY, encryption: object = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()  # type: ignore[attr-defined]


@pytest.fixture
def write(tmp_path: Path):
    def write(content: object) -> Path:
        path = tmp_path / "engine-0.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_an_ed25519_key_signs_so_that_its_public_half_verifies_the_text_as_it_was_sent(write) -> None:
    """Documented scheme: the query as sent, signed, in base64, URL-encoded, last."""
    signer = read_signer(write({"apiKey": "key", "privateKey": pem()}))
    query = signed_query({"symbol": "BTCUSDT", "newClientOrderId": "a:b/c"}, signer, 1_591_702_613_943, 5_000)
    text, _, signature = query.partition("&signature=")
    assert text == "symbol=BTCUSDT&newClientOrderId=a%3Ab%2Fc&recvWindow=5000&timestamp=1591702613943"
    assert not set(signature) & set("+/=")
    KEY.public_key().verify(b64decode(unquote(signature)), text.encode())


def test_an_hmac_secret_is_read_beside_fields_that_are_for_others(write) -> None:
    assert read_signer(write({"apiKey": "key", "apiSecret": "hush", "balanceUsdt": "1"})) == Credentials("key", "hush")


def test_no_key_is_printed(write) -> None:
    signer = read_signer(write({"apiKey": "key", "privateKey": pem()}))
    assert isinstance(signer, Ed25519Credentials)
    assert "private" not in repr(signer).lower()


RSA = pem(rsa.generate_private_key(65_537, 2_048))
WRONG = [
    ("not json", "is not JSON"),
    ("[]", "Expected `object`"),
    ({"apiSecret": "x"}, "missing required field `apiKey`"),
    ({"apiKey": 7, "apiSecret": "x"}, r"Expected `str`, got `int` - at `\$.apiKey`"),
    ({"apiKey": "", "apiSecret": "x"}, "apiKey is empty"),
    ({"apiKey": "k y", "apiSecret": "x"}, "apiKey is empty or not plain text"),
    ({"apiKey": "k\n", "apiSecret": "x"}, "apiKey is empty or not plain text"),
    ({"apiKey": "k"}, "needs exactly one of apiSecret"),
    ({"apiKey": "k", "apiSecret": "x", "privateKey": pem()}, "needs exactly one of apiSecret"),
    ({"apiKey": "k", "apiSecret": "hu sh"}, "apiSecret is not plain text"),
    ({"apiKey": "k", "privateKey": "hush"}, "privateKey is not PEM"),
    ({"apiKey": "k", "privateKey": pem()[:60]}, "privateKey is not PEM"),
    ({"apiKey": "k", "privateKey": pem(encryption=BestAvailableEncryption(b"p"))}, "privateKey is encrypted"),
    ({"apiKey": "k", "privateKey": RSA}, "privateKey is RSAPrivateKey, not Ed25519"),
]


@pytest.mark.parametrize(("content", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_file_is_refused_with_its_name_the_field_and_the_fix(write, content: object, said: str) -> None:
    with pytest.raises(PermanentError, match=f"account file engine-0.json: .*{said}") as raised:
        read_signer(write(content))
    assert "hush" not in str(raised.value)
    assert "MC4CAQ" not in str(raised.value), "the first letters of every such key"


def test_a_file_that_is_not_there_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"none.json: cannot be read: No such file or directory; check QT_ENGINE_ACCOUNT_FILE"):
        read_signer(tmp_path / "none.json")


@given(st.dictionaries(st.from_regex(r"[a-zA-Z]{1,8}", fullmatch=True), st.text(min_size=1) | st.integers(), max_size=5))
def test_whatever_stands_in_a_parameter_the_venue_reads_it_as_it_was(params: dict[str, str | int]) -> None:
    params = {name: value for name, value in params.items() if not isinstance(value, str) or value.isprintable()}
    assert dict(parse_qsl(query_of(params), strict_parsing=bool(params))) == {name: str(value) for name, value in params.items()}

"""Accounts come from files; a wrong one stops the start and is named."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from quantum_simulator.account_files import BadAccountFileError, read_accounts
from quantum_simulator.settings import Settings


def pem(key: object) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


ED25519 = pem(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())
GOOD = '{"apiKey": "k1", "apiSecret": "s1", "balanceUsdt": "10000"}'


def test_the_file_stem_is_the_account_name(tmp_path: Path) -> None:
    (tmp_path / "engine-0.json").write_text(GOOD)
    (tmp_path / "readme.txt").write_text("not an account")
    (account,) = read_accounts(tmp_path)
    assert (account.name, account.api_key, account.wallet) == ("engine-0", "k1", Decimal(10_000))


@pytest.mark.parametrize("text", ["{", '{"apiKey": "k"}', GOOD.replace('"10000"', "10000"), GOOD.replace("}", ', "extra": 1}')])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(BadAccountFileError, match=r"bad\.json"):
        read_accounts(tmp_path)


def test_a_public_key_stands_in_place_of_the_secret(tmp_path: Path) -> None:
    (tmp_path / "engine-0.json").write_text(json.dumps({"apiKey": "k", "publicKey": ED25519}))
    (account,) = read_accounts(tmp_path)
    assert isinstance(account.public_key, Ed25519PublicKey)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "either apiSecret"),
        ({"apiSecret": "s", "publicKey": ED25519}, "not both"),
        ({"publicKey": "ssh-ed25519 AAAA"}, "not a PEM public key"),
        ({"publicKey": pem(generate_private_key(SECP256R1()).public_key())}, "not Ed25519"),
    ],
)
def test_an_account_has_exactly_one_way_to_sign(tmp_path: Path, fields: dict[str, str], says: str) -> None:
    """Without any, an HMAC with the empty secret would open it."""
    (tmp_path / "bad.json").write_text(json.dumps({"apiKey": "k"} | fields))
    with pytest.raises(BadAccountFileError, match=says):
        read_accounts(tmp_path)


def test_two_accounts_cannot_share_a_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(GOOD)
    with pytest.raises(BadAccountFileError, match="share one apiKey"):
        read_accounts(tmp_path)


def test_a_missing_directory_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadAccountFileError, match="--accounts-dir"):
        read_accounts(tmp_path / "nowhere")


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_SIM_SYMBOLS", "btcusdt,SOLUSDT")
    monkeypatch.setenv("QT_SIM_MARK_INTERVAL_MS", "100")
    options = Settings().options()
    assert [each.symbol for each in options.instruments] == ["BTCUSDT", "SOLUSDT"]
    assert options.mark_interval_ms == 100


def test_an_unknown_symbol_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_SIM_SYMBOLS", "PEPEUSDT")
    with pytest.raises(ValidationError, match="choose from BTCUSDT"):
        Settings()

"""Reads accounts from a directory of JSON files.

In    ``<name>.json``: ``{"apiKey": …, "apiSecret": …, "balanceUsdt": "10000"}``, optionally fees and leverage;
      ``publicKey`` (PEM, Ed25519) in place of ``apiSecret``
Out   ``Account`` values, the file stem is the name
Flow  __main__ -> HERE -> venue
Why   the form in which a Secret is mounted; a wrong file stops the start and names itself
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Meta

from quantum_simulator.core.accounts import Account

DecimalText = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Credential = Annotated[str, Meta(pattern=r"^[!-~]{1,256}$")]


class AccountFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    api_key: Credential
    api_secret: Credential = ""
    public_key: str = ""
    balance_usdt: DecimalText = "10000"
    maker_bps: DecimalText = "2"
    taker_bps: DecimalText = "5"
    leverage: Annotated[int, Meta(ge=1, le=125)] = 20


class BadAccountFileError(Exception):
    """The file cannot be read as an account; correct it and start again."""


def read_accounts(directory: Path) -> list[Account]:
    if not directory.is_dir():
        raise BadAccountFileError(f"{directory} is not a directory; give --accounts-dir one with <name>.json files")
    accounts = [_read(path) for path in sorted(directory.glob("*.json"))]
    keys = [each.api_key for each in accounts]
    if len(set(keys)) != len(keys):
        raise BadAccountFileError(f"two accounts in {directory} share one apiKey; give each its own")
    return accounts


def _read(path: Path) -> Account:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=AccountFile)
        public_key = _public_key(found)
    except (msgspec.MsgspecError, OSError, ValueError) as error:
        raise BadAccountFileError(f"{path}: {error}") from error
    return Account(
        name=path.stem,
        api_key=found.api_key,
        api_secret=found.api_secret,
        wallet=Decimal(found.balance_usdt),
        maker_bps=Decimal(found.maker_bps),
        taker_bps=Decimal(found.taker_bps),
        default_leverage=found.leverage,
        public_key=public_key,
    )


def _public_key(found: AccountFile) -> Ed25519PublicKey | None:
    """Exactly one way to sign: an account that any signature opens would be a hole."""
    if bool(found.api_secret) == bool(found.public_key):
        raise ValueError("needs either apiSecret (HMAC) or publicKey (Ed25519), and not both")
    if not found.public_key:
        return None
    try:
        key = load_pem_public_key(found.public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("publicKey is not a PEM public key; `openssl pkey -in key.pem -pubout` prints one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"publicKey is {type(key).__name__}, not Ed25519; make one with `openssl genpkey -algorithm ed25519`")
    return key

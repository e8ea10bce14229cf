"""Reads accounts from a directory of JSON files.

In    ``<name>.json``: ``{"apiKey": …, "apiSecret": …, "balanceUsdt": "10000"}``, optionally fees and leverage
Out   ``Account`` values, the file stem is the name
Flow  __main__ -> HERE -> venue
Why   the form in which a Secret is mounted; a wrong file stops the start and names itself
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from quantum_simulator.core.accounts import Account

DecimalText = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Credential = Annotated[str, Meta(pattern=r"^[!-~]{1,256}$")]


class AccountFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    api_key: Credential
    api_secret: Credential
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
    except (msgspec.MsgspecError, OSError) as error:
        raise BadAccountFileError(f"{path}: {error}") from error
    return Account(
        name=path.stem,
        api_key=found.api_key,
        api_secret=found.api_secret,
        wallet=Decimal(found.balance_usdt),
        maker_bps=Decimal(found.maker_bps),
        taker_bps=Decimal(found.taker_bps),
        default_leverage=found.leverage,
    )

"""Reads the file that holds an account's key.

In    JSON {"apiKey", "apiSecret"} (HMAC) or {"apiKey", "privateKey"} (Ed25519, PEM PKCS#8)
Out   who signs; PermanentError that names file, field and fix, and never shows a secret
Flow  trading -> HERE
"""

from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from quantum_engine.errors import PermanentError
from quantum_engine.exchanges.binance_futures.signing import Credentials, Ed25519Credentials, Signer

_MAKE: Final = "make one with `openssl genpkey -algorithm ed25519 -out key.pem` and give the venue `openssl pkey -in key.pem -pubout`"


class AccountFile(msgspec.Struct, rename="camel"):
    """What is not named here is the venue's or a person's own."""

    api_key: str
    api_secret: str = ""
    private_key: str = ""


def read_signer(path: Path) -> Signer:
    """Raises PermanentError."""
    try:
        account = msgspec.json.decode(path.read_bytes(), type=AccountFile)
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}; check QT_ENGINE_ACCOUNT_FILE and the mounted Secret") from error
    except msgspec.ValidationError as error:
        raise _bad(path, f"{error}; it must be JSON with apiKey and either apiSecret or privateKey, all text") from None
    except (msgspec.MsgspecError, ValueError):
        raise _bad(path, "is not JSON; it must be JSON with apiKey and either apiSecret or privateKey") from None
    if not _is_key(account.api_key):
        raise _bad(path, "apiKey is empty or not plain text without blanks; copy it again from the venue")
    if bool(account.api_secret) == bool(account.private_key):
        raise _bad(path, "needs exactly one of apiSecret (HMAC) and privateKey (Ed25519); remove the other")
    if account.private_key:
        return Ed25519Credentials(account.api_key, _private_key(path, account.private_key))
    if not _is_key(account.api_secret):
        raise _bad(path, "apiSecret is not plain text without blanks; copy it again from the venue")
    return Credentials(account.api_key, account.api_secret)


def _private_key(path: Path, pem: str) -> Ed25519PrivateKey:
    """The library's own messages may hold parts of the key: only their kind is told."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise _bad(path, "privateKey is encrypted; store it without a passphrase: `openssl pkey -in key.pem -out plain.pem`") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _bad(path, f"privateKey is not PEM (PKCS#8); {_MAKE}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad(path, f"privateKey is {type(key).__name__}, not Ed25519; {_MAKE}")
    return key


def _is_key(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _bad(path: Path, what: str) -> PermanentError:
    return PermanentError(f"account file {path.name}: {what}")

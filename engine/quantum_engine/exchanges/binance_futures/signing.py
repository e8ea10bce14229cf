"""Builds the query of a signed request.  Pure.

Why   the signature covers the text exactly as it is sent, and stands last
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Params = Mapping[str, str | int]
_IS_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]*").fullmatch
"""What every encoding leaves as it is: nearly all that is ever sent."""


class Signer(Protocol):
    """One account's key."""

    @property
    def api_key(self) -> str: ...
    def signature(self, query: str) -> str:
        """As it stands in a query."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """HMAC-SHA256: one secret, known to both sides."""

    api_key: str
    api_secret: str = field(repr=False)
    _keyed: hmac.HMAC = field(init=False, repr=False, compare=False)
    """The key's own part of the work, done once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keyed", hmac.new(self.api_secret.encode(), digestmod="sha256"))

    def signature(self, query: str) -> str:
        code = self._keyed.copy()
        code.update(query.encode())
        return code.hexdigest()


@dataclass(frozen=True, slots=True)
class Ed25519Credentials:
    """A private key that never leaves us; the venue holds the public half."""

    api_key: str
    private_key: Ed25519PrivateKey = field(repr=False)

    def signature(self, query: str) -> str:
        return quote(b64encode(self.private_key.sign(query.encode())), safe="")


def query_of(params: Params) -> str:
    """``application/x-www-form-urlencoded``."""
    return "&".join([f"{name}={value if _IS_PLAIN(str(value)) else quote_plus(str(value))}" for name, value in params.items()])


def signed_query(params: Params, signer: Signer, timestamp_ms: int, recv_window_ms: int) -> str:
    """``signature`` last."""
    text = query_of(params)
    query = f"{text}{'&' if text else ''}recvWindow={recv_window_ms}&timestamp={timestamp_ms}"
    return f"{query}&signature={signer.signature(query)}"

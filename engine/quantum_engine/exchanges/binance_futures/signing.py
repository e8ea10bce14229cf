"""Builds the query of a signed request.  Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Credentials:
    """HMAC key pair of one account."""

    api_key: str
    api_secret: str = field(repr=False)


def signed_query(params: Params, api_secret: str, timestamp_ms: int, recv_window_ms: int) -> str:
    """The signature covers the text exactly as it is sent, and stands last."""
    query = urlencode({**params, "recvWindow": recv_window_ms, "timestamp": timestamp_ms})
    signature = hmac.new(api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"

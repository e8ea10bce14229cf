"""One account at Binance USDⓈ-M futures (or a venue that speaks like it)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """HMAC key pair of one account."""

    api_key: str
    api_secret: str

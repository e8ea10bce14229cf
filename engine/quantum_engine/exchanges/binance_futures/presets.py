"""Which venue, and where it is.  Pure.

In    the settings' name of a venue, and URLs that may stand instead of it
Out   base URLs, or PermanentError that names setting and fix
Flow  trading -> HERE
Why   real money is traded only where the word "live" was written: a URL that was copied from elsewhere is no decision
"""

from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from quantum_engine.errors import PermanentError


class VenueName(StrEnum):
    """As QT_ENGINE_VENUE names them."""

    LIVE = "live"
    DEMO = "demo"
    SIMULATOR = "simulator"


class Address(NamedTuple):
    """Base URLs.  Streams are asked for below ``/public``, ``/market`` and ``/private`` of ``stream_url``."""

    rest_url: str
    stream_url: str


PRESETS: Final = {
    VenueName.LIVE: Address("https://fapi.binance.com", "wss://fstream.binance.com"),
    VenueName.DEMO: Address("https://demo-fapi.binance.com", "wss://demo-fstream.binance.com"),
    VenueName.SIMULATOR: Address("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
}
"""https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info; the simulator's own default port."""
_PRACTICE: Final = ("demo", "testnet")
_DOMAIN: Final = "binance.com"


def address_of(venue: VenueName | None, rest_url: str | None, stream_url: str | None) -> Address | None:
    """URLs beside a name stand for its own; None when neither is given."""
    if not rest_url and not stream_url:
        return PRESETS[venue] if venue else None
    if not rest_url or not stream_url:
        raise PermanentError("QT_ENGINE_REST_URL and QT_ENGINE_STREAM_URL belong together; set both, or neither and QT_ENGINE_VENUE")
    for setting, url, schemes in (("REST", rest_url, ("http", "https")), ("STREAM", stream_url, ("ws", "wss"))):
        _check(f"QT_ENGINE_{setting}_URL", url, schemes, venue)
    if is_live(rest_url) != is_live(stream_url):
        raise PermanentError("QT_ENGINE_REST_URL and QT_ENGINE_STREAM_URL are of two venues: orders at one, their fills from the other")
    return Address(rest_url.rstrip("/"), stream_url.rstrip("/"))


def is_live(url: str) -> bool:
    """Any of the venue's hosts that does not call itself a place to practise."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    return (host == _DOMAIN or host.endswith(f".{_DOMAIN}")) and not any(word in host for word in _PRACTICE)


def _check(setting: str, url: str, schemes: tuple[str, ...], venue: VenueName | None) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise PermanentError(f"{setting} is {url!r}; it must be {' or '.join(f'{scheme}://host' for scheme in schemes)}")
    if is_live(url) and venue is not VenueName.LIVE:
        raise PermanentError(f"{setting} names the live exchange, where real money is traded; if that is meant, set QT_ENGINE_VENUE=live")
    if venue is VenueName.LIVE and parts.scheme in ("http", "ws"):
        raise PermanentError(f"{setting} is {url!r}; the live exchange is reached encrypted only: {schemes[1]}://")

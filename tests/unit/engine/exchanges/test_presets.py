"""Where the venue is, and that nobody trades real money by mistake."""

import pytest

from quantum_engine.errors import PermanentError
from quantum_engine.exchanges.binance_futures.presets import PRESETS, Address, VenueName, address_of, is_live

LIVE = PRESETS[VenueName.LIVE]
OWN = ("http://venue:8080/", "ws://venue:8080")


def test_a_name_is_enough() -> None:
    for name in VenueName:
        assert address_of(name, None, None) == PRESETS[name]
    assert address_of(None, None, "") is None


def test_urls_stand_for_the_names_own() -> None:
    assert address_of(VenueName.SIMULATOR, *OWN) == address_of(None, *OWN) == Address("http://venue:8080", "ws://venue:8080")


@pytest.mark.parametrize("venue", [None, VenueName.DEMO, VenueName.SIMULATOR])
@pytest.mark.parametrize(
    "rest", ["https://fapi.binance.com", "https://FAPI.binance.com.:443/", "https://user:pw@fapi.binance.com", "https://fapi1.binance.com"]
)
def test_the_live_exchange_is_reached_only_where_live_was_written(venue: VenueName | None, rest: str) -> None:
    """A URL copied from a page is no decision to trade real money."""
    with pytest.raises(PermanentError, match=r"QT_ENGINE_REST_URL names the live exchange.*QT_ENGINE_VENUE=live"):
        address_of(venue, rest, LIVE.stream_url)
    with pytest.raises(PermanentError, match="QT_ENGINE_STREAM_URL names the live exchange"):
        address_of(venue, OWN[0], LIVE.stream_url)
    assert address_of(VenueName.LIVE, rest, LIVE.stream_url) is not None


@pytest.mark.parametrize(
    ("rest", "stream", "said"),
    [
        ("https://fapi.binance.com", None, "belong together"),
        (None, "wss://fstream.binance.com", "belong together"),
        ("http://fapi.binance.com", "wss://fstream.binance.com", "encrypted only: https://"),
        ("https://fapi.binance.com", "ws://fstream.binance.com", "encrypted only: wss://"),
        ("https://fapi.binance.com", "wss://demo-fstream.binance.com", "of two venues"),
        ("https://demo-fapi.binance.com", "wss://fstream.binance.com", "of two venues"),
        ("wss://fapi.binance.com", "wss://fstream.binance.com", "must be http://host or https://host"),
        ("https://proxy/?to=fapi", "wss://proxy", "must be http://host or https://host"),
        ("fapi.binance.com", "wss://fstream.binance.com", "must be http://host or https://host"),
    ],
)
def test_urls_that_do_not_fit_are_refused_with_the_fix(rest: str | None, stream: str | None, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        address_of(VenueName.LIVE, rest, stream)


def test_a_place_to_practise_is_not_live_and_neither_is_anybody_elses_host() -> None:
    assert not any(is_live(url) for url in (*PRESETS[VenueName.DEMO], *OWN, "https://binance.com.evil.example", "https://notbinance.com"))
    assert all(is_live(url) for url in LIVE)

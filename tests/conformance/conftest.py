"""The venue on a thread of its own, and three foreign clients that only know its address."""

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import pytest
import requests
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from requests.adapters import HTTPAdapter

from quantum_simulator.core.accounts import Account
from quantum_simulator.faults import Fault
from quantum_simulator.venue import Venue, VenueOptions

with warnings.catch_warnings():
    # python-binance imports names that websockets has renamed; that is between the two of them.
    warnings.filterwarnings("ignore", "websockets.*deprecated", DeprecationWarning)
    import binance

DEADLINE_SECONDS = 5


class VenueThread:
    """A hand-stepped venue that also blocking clients can talk to, because it does not share their thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="venue")
        self.venue = Venue([Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))], VenueOptions(is_hand_stepped=True))

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.venue.start(), self._loop).result(DEADLINE_SECONDS)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.venue.stop(), self._loop).result(DEADLINE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_SECONDS)
        self._loop.close()

    def call(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run it on the venue's thread: its books have one owner."""

        async def there() -> Any:
            return work(*args)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(DEADLINE_SECONDS)

    def step(self, milliseconds: int) -> None:
        self.call(self.venue.step, milliseconds)

    def fault(self, **fields: Any) -> None:
        self.call(self.venue.faults.order, Fault(**fields))

    def price(self, symbol: str, price: float) -> None:
        def move() -> None:
            self.venue.market.walks[symbol].set_price(price, True)
            self.venue.reprice()

        self.call(move)

    async def listened(self) -> None:
        """Until somebody hears the account's stream: what happens before is told to nobody, as on Binance."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not self.call(self.venue._hub.has_listener, "alpha"):  # noqa: ASYNC110 - the venue is on another thread
                await asyncio.sleep(0.005)

    @property
    def account(self) -> Account:
        return self.venue.accounts["alpha"]


@pytest.fixture
def venue() -> Iterator[VenueThread]:
    running = VenueThread()
    running.start()
    try:
        yield running
    finally:
        running.stop()


class ToTheVenue(HTTPAdapter):
    """Carries what is addressed to Binance to the simulator, and anything else nowhere.

    ccxt chooses its table of errors by the address, so with another ``urls`` it would not be the ccxt that traders run.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        assert request.url.startswith("https://fapi.binance.com/"), f"asked {request.url}, which is not the venue"
        request.url = request.url.replace("https://fapi.binance.com", self._base_url)
        return super().send(request, *args, **more)


CCXT_OPTIONS = {
    "apiKey": "key-alpha",
    "secret": "secret-alpha",
    "enableRateLimit": False,
    "options": {"fetchCurrencies": False, "fetchMargins": False},
}


@pytest.fixture
def exchange(venue: VenueThread) -> Iterator[Any]:
    """ccxt, blocking."""
    client = ccxt.binanceusdm(CCXT_OPTIONS)
    client.session.mount("https://", ToTheVenue(venue.venue.base_url))
    yield client
    client.session.close()


@pytest.fixture
async def streaming(venue: VenueThread) -> AsyncIterator[Any]:
    """ccxt.pro, with its documented ``urls`` pointed at the venue."""
    client = ccxt.pro.binanceusdm(CCXT_OPTIONS)
    api = client.urls["api"]
    for name, url in api.items():
        if name.startswith("fapi"):
            api[name] = url.replace("https://fapi.binance.com", venue.venue.base_url)
    api["ws"]["linear"] = venue.venue.stream_url + "/ws"
    yield client
    await client.close()


class Heard:
    """Waits for what a stream says while the venue's time goes on."""

    def __init__(self, venue: VenueThread) -> None:
        self._venue = venue

    async def __call__(self, saying: Coroutine[Any, Any, Any]) -> Any:
        """The answer of one ``watch``; the market moves until it comes."""
        task = asyncio.ensure_future(saying)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not task.done():
                await asyncio.to_thread(self._venue.step, 100)
                await asyncio.wait([task], timeout=0.01)
        return task.result()


@pytest.fixture
def heard(venue: VenueThread) -> Heard:
    return Heard(venue)


@pytest.fixture
def own_event_loop() -> Iterator[None]:
    """python-binance asks for the thread's event loop even where it blocks, and would make one that nobody closes."""
    try:
        before = asyncio.get_event_loop()
    except (RuntimeError, DeprecationWarning):
        before = None
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(before)
    loop.close()


@pytest.fixture
def client(venue: VenueThread, own_event_loop: None) -> Iterator[binance.Client]:
    """python-binance, blocking."""
    made = binance.Client("key-alpha", "secret-alpha", ping=False)
    made.FUTURES_URL = venue.venue.base_url + "/fapi"
    yield made
    made.close_connection()


@pytest.fixture
async def async_client(venue: VenueThread) -> AsyncIterator[binance.AsyncClient]:
    made = binance.AsyncClient("key-alpha", "secret-alpha")
    made.FUTURES_URL = venue.venue.base_url + "/fapi"
    yield made
    await made.close_connection()


@pytest.fixture
def sockets(async_client: binance.AsyncClient, venue: VenueThread) -> binance.BinanceSocketManager:
    made = binance.BinanceSocketManager(async_client)
    made.FSTREAM_URL = venue.venue.stream_url + "/"
    return made


def official_sdk(venue: VenueThread, **key: str) -> DerivativesTradingUsdsFutures:
    """Binance's own SDK; its retries are off, so that an answer is seen when it comes."""
    rest = ConfigurationRestAPI(api_key="key-alpha", base_path=venue.venue.base_url, timeout=5_000, retries=0, **key)
    streams = ConfigurationWebSocketStreams(stream_url=venue.venue.stream_url + "/stream", reconnect_delay=0)
    return DerivativesTradingUsdsFutures(config_rest_api=rest, config_ws_streams=streams)


@pytest.fixture
def official(venue: VenueThread) -> Iterator[Callable[..., Any]]:
    """The REST half of the official SDK, for a test that brings its own key."""
    opened: list[Any] = []

    def rest(**key: str) -> Any:
        opened.append(official_sdk(venue, **key).rest_api)
        return opened[-1]

    yield rest
    for each in opened:
        each._session.close()


@pytest.fixture
def sdk(venue: VenueThread, caplog: pytest.LogCaptureFixture) -> Iterator[DerivativesTradingUsdsFutures]:
    """It warns where an answer has not the types it declares: then the venue is wrong."""
    made = official_sdk(venue, api_secret="secret-alpha")
    yield made
    made.rest_api._session.close()
    assert [each.getMessage() for each in caplog.get_records("call") if each.levelname == "WARNING"] == []

"""A whole venue: floor, market and servers, started and stopped as one.

In    accounts, symbols, seed, ports; time
Out   ``base_url`` (REST), ``stream_url`` (WebSocket), ``control_url``; direct handles for tests in the same process
Flow  clock -> market -> floor -> effects -> order log, streams
Why   ``async with Venue(...)`` is all a test needs; the process is the same object with signals around it
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

from quantum_simulator.clock import Clock, HandClock, WallClock
from quantum_simulator.control.server import ControlServer
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.floor import FUNDING_INTERVAL_MS, Floor
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS, Instrument
from quantum_simulator.core.session import move_market
from quantum_simulator.core.settlement import print_trade
from quantum_simulator.faults import FaultKind, Faults
from quantum_simulator.listen_keys import ListenKeys, seeded
from quantum_simulator.market.market import Market
from quantum_simulator.market.replay import Recording
from quantum_simulator.order_log import OrderLog
from quantum_simulator.rest.limits import RateLimits
from quantum_simulator.rest.server import RestServer
from quantum_simulator.state import VenueState
from quantum_simulator.streams.hub import Hub
from quantum_simulator.streams.publisher import Publisher
from quantum_simulator.streams.routes import StreamServer

CATCH_UP_TICKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOptions:
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    seed: int = 7
    tick_ms: int = 100
    mark_interval_ms: int = 1_000
    speed: float = 1.0
    """Market time per venue time: walk, drift and shocks run this much faster; stamps and rate limits do not."""
    is_hand_stepped: bool = False
    """Then the same seed, commands and steps give the same order log and stream messages, byte for byte."""
    start_ms: int = 0
    history_minutes: int = 500
    funding_interval_ms: int = FUNDING_INTERVAL_MS
    """In venue time, on its multiples since the epoch, as Binance's 00:00, 08:00 and 16:00 UTC."""
    instruments: tuple[Instrument, ...] = tuple(DEFAULT_INSTRUMENTS.values())
    limits: RateLimits = field(default_factory=RateLimits)
    recordings: tuple[Recording, ...] = ()
    """Symbols that live through a recorded market; all others walk."""

    @property
    def listed(self) -> tuple[Instrument, ...]:
        """Recorded symbols are listed as they were recorded."""
        recorded = {each.instrument.symbol: each.instrument for each in self.recordings}
        return (*(each for each in self.instruments if each.symbol not in recorded), *recorded.values())

    def begin_ms(self, wall_ms: int) -> int:
        """Where a hand-stepped venue begins: as said, else in the time of its recording, else now."""
        return self.start_ms or min((each.start_ms for each in self.recordings), default=wall_ms)


class Venue:
    """Serves from ``start`` to ``stop``."""

    def __init__(self, accounts: Iterable[Account] = (), options: VenueOptions | None = None, clock: Clock | None = None) -> None:
        self._options = options or VenueOptions()
        wall = WallClock()
        if clock is None:
            clock = HandClock(self._options.begin_ms(wall.now_ms())) if self._options.is_hand_stepped else wall
        floor = Floor.of(self._options.listed, accounts)
        floor.schedule_funding(self._options.funding_interval_ms, clock.now_ms())
        market = Market(self._options.listed, self._options.seed, clock.now_ms(), self._options.history_minutes, self._options.recordings)
        self._state = VenueState(floor, market, clock, wall, self._options.limits)
        if isinstance(clock, HandClock):
            self._state.listen_keys = ListenKeys(seeded(self._options.seed))
        for account in floor.accounts.values():
            account.updated_ms = account.updated_ms or clock.now_ms()
        self._hub = Hub(self._is_silent)
        self._publisher = Publisher(self._state, self._hub, self._options.mark_interval_ms)
        self._state.publish = self._publisher.effects
        self._rest = RestServer(self._state)
        self._streams = StreamServer(self._state, self._hub)
        self._runners: list[web.BaseRunner] = []
        self._ticker: asyncio.Task[None] | None = None
        self._addresses: list[tuple[str, int]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        control = ControlServer(self._state, self._hub, self).application()
        await self._serve(web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1), self._options.port)
        await self._serve(web.AppRunner(control, access_log=None, shutdown_timeout=0.1), self._options.control_port)
        if not self._options.is_hand_stepped:
            self._ticker = asyncio.create_task(self._run(), name="venue-ticker")

    async def _serve(self, runner: web.BaseRunner, port: int) -> None:
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, self._options.host, port, backlog=1_024).start()
        host, bound = runner.addresses[0][:2]
        self._addresses.append((host, bound))

    async def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        for connection in tuple(self._hub.connections):
            connection.cut()
        for runner in self._runners:
            await runner.cleanup()

    async def failed(self) -> None:
        """Returns (raising its error) only if the ticker dies."""
        if self._ticker is None:
            await asyncio.Event().wait()
        else:
            await self._ticker

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        if path.startswith("/fapi/"):
            return await self._rest.answer(request)
        if path == "/healthz":
            return web.json_response({"status": "ok"})
        return await self._streams.answer(request)

    async def _run(self) -> None:
        """Tick by tick; after a stall the missed ticks are made up, but not more than a few."""
        loop = asyncio.get_running_loop()
        tick_seconds = self._options.tick_ms / 1_000
        due = loop.time() + tick_seconds
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + tick_seconds, loop.time() - CATCH_UP_TICKS * tick_seconds)
            self.tick(self._options.tick_ms)

    def step(self, milliseconds: int) -> None:
        """Live through this time, tick by tick (hand-stepped venues)."""
        clock = self._state.clock
        assert isinstance(clock, HandClock), "only a hand-stepped venue is stepped"
        while milliseconds > 0:
            elapsed_ms = min(milliseconds, self._options.tick_ms)
            clock.advance(elapsed_ms)
            self.tick(elapsed_ms)
            milliseconds -= elapsed_ms

    def tick(self, elapsed_ms: int) -> None:
        state, now_ms = self._state, self._state.clock.now_ms()
        market_ms = max(1, round(elapsed_ms * self._options.speed))
        move_market(state.floor, state.market.step(market_ms), market_ms, now_ms)
        self._print_background_trades(elapsed_ms, now_ms)
        for symbol, book in state.floor.books.items():
            state.market.see(symbol, book.index, now_ms)
        state.flush()
        for key, account in state.listen_keys.expire(now_ms):
            self._publisher.expired_key(key, account, now_ms)
        self._publisher.market(now_ms)

    def _print_background_trades(self, elapsed_ms: int, now_ms: int) -> None:
        for each in self._state.market.prints(elapsed_ms):
            price = self._state.floor.books[each.symbol].best_price(buys=not each.buyer_is_maker)
            if price is not None:
                print_trade(self._state.floor, each.symbol, price, each.quantity, each.buyer_is_maker, now_ms)

    def reprice(self) -> None:
        """The market was set by hand: let the floor follow at once."""
        now_ms = self._state.clock.now_ms()
        move_market(self._state.floor, self._state.market.quotes(), 0, now_ms)
        self._state.flush()
        self._publisher.market(now_ms)

    def _is_silent(self, account: str, path: str, event: str) -> bool:
        faults, now_ms = self._state.faults, self._state.clock.now_ms()
        return bool(faults.ordered) and faults.struck_stream(FaultKind.STREAM_SILENT, account, path, now_ms, event) is not None

    @property
    def is_hand_stepped(self) -> bool:
        return self._options.is_hand_stepped

    @property
    def base_url(self) -> str:
        return "http://{}:{}".format(*self._addresses[0])

    @property
    def stream_url(self) -> str:
        return "ws://{}:{}".format(*self._addresses[0])

    @property
    def control_url(self) -> str:
        return "http://{}:{}".format(*self._addresses[1])

    @property
    def state(self) -> VenueState:
        return self._state

    @property
    def hub(self) -> Hub:
        return self._hub

    @property
    def floor(self) -> Floor:
        return self._state.floor

    @property
    def market(self) -> Market:
        return self._state.market

    @property
    def accounts(self) -> dict[str, Account]:
        return self._state.floor.accounts

    @property
    def order_log(self) -> OrderLog:
        return self._state.order_log

    @property
    def faults(self) -> Faults:
        return self._state.faults

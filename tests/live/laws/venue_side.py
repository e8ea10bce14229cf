"""The simulated venue of one world, served over the wire: its levers, and its ear at the door.

In    faults, prices, orders of other programs
Out   the moment in which each request for an order reached the venue
Flow  steps, world -> HERE -> quantum_simulator
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from tests.live.laws.evidence import Arrival, Moment
from tests.live.laws.virtual_time import WorldLoop

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.core.settlement import deposit
from quantum_simulator.faults import Fault, FaultKind
from quantum_simulator.rest.signature import sign
from quantum_simulator.venue import Venue, VenueOptions

KEY, SECRET = "key-alpha", "secret-alpha"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
ORDER_PATH = "/fapi/v1/order"


class VenueSide:
    """One account, 20 000 USDT."""

    def __init__(self, loop: WorldLoop) -> None:
        self._loop, self.clock = loop, loop.clock
        self.arrivals: list[Arrival] = []
        self.was_silent = False
        """What the account did was not told, and nobody could know."""
        self.venue = Venue(
            [Account("alpha", KEY, SECRET, Decimal(20_000))],
            VenueOptions(tick_ms=250, history_minutes=1, instruments=tuple(DEFAULT_INSTRUMENTS[s] for s in SYMBOLS)),
            clock=self.clock,
        )
        self.venue.state.wall = self.clock
        self._listen_at_the_door()

    async def start(self) -> None:
        await self.venue.start()
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        await self._session.close()
        await self.venue.stop()

    def _listen_at_the_door(self) -> None:
        """Note each request for an order as the venue reads its first line, before any delay."""
        answer = self.venue._rest.answer

        async def heard(request: Any) -> Any:
            if request.method == "POST" and request.path == ORDER_PATH:
                query = request.query
                is_reduce_only = query.get("reduceOnly", "").lower() == "true"
                self.arrivals.append(Arrival(query.get("newClientOrderId", ""), query.get("symbol", ""), is_reduce_only, self.now))
            return await answer(request)

        self.venue._rest.answer = heard  # type: ignore[method-assign]

    @property
    def now(self) -> Moment:
        return Moment(self._loop.passes, self.venue.order_log._seq)

    @property
    def account(self) -> Account:
        return self.venue.accounts["alpha"]

    @property
    def holds(self) -> dict[str, Decimal]:
        return {symbol: self.account.amount(symbol) for symbol in SYMBOLS if self.account.amount(symbol)}

    def mark(self, symbol: str) -> Decimal:
        return self.venue.floor.books[symbol].mark

    def order_fault(self, **fault: Any) -> None:
        self.venue.faults.order(Fault(**fault))
        self.was_silent |= fault["kind"] is FaultKind.STREAM_SILENT
        if fault["kind"] is FaultKind.STREAM_CUT:
            self.venue._hub.cut("alpha", fault.get("path", ""))

    def cure(self) -> None:
        self.venue.faults.clear()
        self.venue.state.limits.lift_bans()

    def move(self, symbol: str, bps: int) -> None:
        walk = self.venue.market.walks[symbol]
        walk.set_price(walk.price * (1 + bps / 10_000), False)
        self.venue.reprice()

    def deposit(self, usdt: int) -> None:
        deposit(self.venue.floor, self.account, Decimal(usdt), self.clock.wall_ms())
        self.venue.state.flush()

    async def foreign(self, method: str, path: str, **params: object) -> dict[str, Any]:
        """Another program with the same account's key; what the venue refuses it, is refused."""
        query = urlencode({**params, "timestamp": self.clock.wall_ms()})
        url = f"{self.venue.base_url}{path}?{query}&signature={sign(SECRET, query)}"
        timeout = aiohttp.ClientTimeout(total=1.0)
        try:
            async with self._session.request(method, url, headers={"X-MBX-APIKEY": KEY}, timeout=timeout) as answer:
                found: dict[str, Any] = await answer.json()
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}


Now = Callable[[], Moment]

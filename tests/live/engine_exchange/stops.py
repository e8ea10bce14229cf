"""The trading stages of one engine with its emergency stop, and short ways to fill the account and to trip."""

import asyncio
from decimal import Decimal

from tests.live.engine_exchange.conftest import Engine

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import random_id
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.ports import Known
from quantum_engine.emergency.service import StopWorker
from quantum_simulator.venue import Venue

BTC, ETH = "BTCUSDT", "ETHUSDT"


class Stoppable(Engine):
    """Wired as trading.py does it."""

    def __init__(self, venue: Venue, journal: SqliteJournal, name: str = "alpha") -> None:
        super().__init__(venue, journal, name)
        self.book = LatchBook(self.permission, self.clock)
        self.keeper = LatchKeeper(self.book, journal, self.clock)
        self.worker = StopWorker(
            self.book, self.keeper, self.client, self.execution.submit, lambda: self.limits, self.clock, random_id,
            Known(self.positions, self.execution.rules),
        )  # fmt: skip
        self.positions.on_change(self.worker.look_again)

    async def start(self) -> None:
        await super().start()
        self._tasks += [asyncio.create_task(stage.run()) for stage in (self.keeper, self.worker)]

    def trip(self, action: StopAction = StopAction.FLATTEN) -> None:
        now_ms = self.clock.wall_ms()
        self.book.trip(Latch(id="stop", action=action, origin=LatchOrigin.MANUAL, trigger="Manual", reason="r", tripped_at_ms=now_ms))

    @property
    def latch(self) -> Latch:
        return self.book.latches[0]

    @property
    def is_done(self) -> bool:
        return self.latch.cooldown_until_ms is not None

    async def call(self, method: str, path: str, **params: str | int) -> bytes:
        return await self.client.transport.signed(method, f"/fapi/v1/{path}", params)

    async def go_long(self, symbol: str = BTC, quantity: str = "0.020") -> None:
        await self.call("POST", "order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity)
        await self.until(lambda: bool(self.held(symbol)))

    async def rest_take_profit(self, quantity: str = "0.020") -> None:
        """It covers the position: while it rests a second closing order is refused (-4118)."""
        price = str((await self.client.premium(BTC) * Decimal("1.03")).quantize(Decimal(1)))
        await self.call(
            "POST", "order", symbol=BTC, side="SELL", type="LIMIT", timeInForce="GTC", quantity=quantity, price=price, reduceOnly="true"
        )
        await self.until(lambda: len(self.positions.open_orders) == 1)

    async def rest_stop_loss(self) -> None:
        await self.call(
            "POST", "algoOrder", algoType="CONDITIONAL", symbol=BTC, side="SELL", type="STOP_MARKET", triggerPrice="50000",
            closePosition="true",
        )  # fmt: skip

    async def lever(self, room: str, **body: object) -> None:
        await self.control("POST", room, body)

    async def mend(self) -> None:
        """Every fault ends."""
        await self.control("DELETE", "faults", None)

    def orders_sent(self) -> list[str]:
        """Type, time in force aside, of every order that came as far as the venue's log."""
        return [entry.type for entry in self.venue.order_log.entries(account=self.name) if entry.request == "POST /fapi/v1/order"]

    def rests_at_venue(self) -> tuple[int, int]:
        """(regular, conditional) orders."""
        account = self.venue.accounts[self.name]
        return len(account.all_open()), len(account.open_algos())

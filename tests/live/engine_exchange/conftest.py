"""The trading stages of one engine on a real venue over the wire, with a real journal."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest_asyncio

from quantum_api.strategy_mode import MODE_DEFAULTS, Mode, Strategy
from quantum_api.trading_policy import Limits
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import EquityEvent, OrderIntent, Purpose, Side
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.execution.service import Execution
from quantum_engine.market.service import Market
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions
from quantum_engine.strategy.service import StrategyStage
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

SYMBOLS = ["BTCUSDT", "ETHUSDT"]
DEADLINE_SECONDS = 8.0


class Engine:
    """Market, positions, execution and strategy, wired as node does it."""

    def __init__(self, venue: Venue, journal: SqliteJournal, name: str = "alpha") -> None:
        self.venue, self.name, clock = venue, name, SystemClock()
        self.clock = clock
        self.client = BinanceFutures(
            Endpoint(venue.base_url, venue.stream_url, answer_timeout_seconds=1.0), Credentials(f"key-{name}", f"secret-{name}"), clock
        )
        self.limits = Limits(
            instruments=SYMBOLS,
            max_order_notional_usdt=5_000,
            max_position_notional_usdt=5_000,
            max_gross_exposure_usdt=10_000,
            max_intents_per_minute=600,
        )
        self.strategy: Strategy | None = None
        self.equity: list[EquityEvent] = []
        self.permission = Permission()
        self.permission.lift("policy")
        self.market = Market(self.client, clock, self.permission)
        self.positions = Positions(self.client, self.market.quote, clock, self.permission, lambda: SYMBOLS)
        self.execution = Execution(
            self.client, journal, clock, self.permission, lambda: self.limits, self.market, self.positions, random_id
        )
        self.stage = StrategyStage(
            self.market, self.positions, self.execution.submit, lambda: self.strategy, lambda: SYMBOLS, clock,
            limits=lambda: self.limits, rules=self.execution.rules, history=self.client.klines,
        )  # fmt: skip
        self.market.on_quote(self.positions.on_quote)
        self.positions.on_equity(self.equity.append)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.market.set_symbols(frozenset(SYMBOLS))
        await self.execution.recover()
        for stage in (self.market, self.positions, self.execution, self.stage):
            self._tasks.append(asyncio.create_task(stage.run()))
        await self.until(lambda: self.positions.reconciled and all(self._is_quoted(symbol) for symbol in SYMBOLS))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()
        for result in results:
            if not isinstance(result, asyncio.CancelledError):
                raise AssertionError(f"a stage ended by itself: {result!r}")

    async def until(self, condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> float:
        """Wait for ``condition``; seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, "the condition did not come true in time"
            await asyncio.sleep(0.005)
        return time.monotonic() - began

    async def fault(self, kind: str, **more: object) -> None:
        await self.control("POST", "faults", {"kind": kind, **more})

    async def control(self, verb: str, room: str, body: object) -> None:
        async with aiohttp.ClientSession() as session, session.request(verb, f"{self.venue.control_url}/control/{room}", json=body) as said:
            assert said.status == 200, await said.text()

    def held(self, symbol: str = "BTCUSDT") -> Decimal:
        position = self.positions.positions.get(symbol)
        return Decimal(0) if position is None else position.quantity

    def venue_holds(self, symbol: str = "BTCUSDT") -> Decimal:
        return self.venue.accounts[self.name].amount(symbol)

    def _is_quoted(self, symbol: str) -> bool:
        quote = self.market.quote(symbol)
        return quote is not None and quote.mark is not None and quote.ask is not None


def buy(name: str = "one", quantity: str = "0.020") -> OrderIntent:
    return OrderIntent(name, "BTCUSDT", Side.BUY, Decimal(quantity))


def close(name: str = "out", quantity: str = "0.020") -> OrderIntent:
    return OrderIntent(name, "BTCUSDT", Side.SELL, Decimal(quantity), reduce_only=True, purpose=Purpose.EMERGENCY_EXIT)


def quick() -> Strategy:
    return MODE_DEFAULTS[Mode.AGGRESSIVE].model_copy(
        update={"bar_seconds": 1, "fast_bars": 3, "slow_bars": 8, "atr_bars": 5, "cooldown_seconds": 0}
    )


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    async with Venue([account], VenueOptions(mark_interval_ms=100, tick_ms=50)) as venue:
        started = Engine(venue, journal)
        await started.start()
        yield started
        await started.stop()
    await journal.close()

"""Execution on an exchange in memory, with a journal in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.contract.exchange.fake_exchange import FakeExchange, Trouble
from tests.unit.engine.gate.worlds import BTC, limits

from quantum_engine.clock import ManualClock, random_id
from quantum_engine.domain import OrderIntent, Purpose, Quote, Side
from quantum_engine.errors import JournalUnavailableError
from quantum_engine.execution.service import Execution
from quantum_engine.journal import Delete, Put, Table, Write
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions
from quantum_engine.verdicts import Accepted, Verdict

MARK = Decimal(50_000)


class MemoryJournal:
    """Implements quantum_engine.journal.Journal; outlives an Execution as the file outlives the process."""

    def __init__(self) -> None:
        self.rows: dict[Table, dict[str, bytes]] = {table: {} for table in Table}
        self.is_full = False
        self.while_writing: Callable[[], None] = lambda: None
        self.answers: asyncio.Event | None = None
        """Set by a test whose disk hangs: nothing is answered before."""

    async def commit(self, *writes: Write) -> None:
        await asyncio.sleep(0)
        if self.answers is not None:
            await self.answers.wait()
        self.while_writing()
        if self.is_full:
            raise JournalUnavailableError("disk full")
        for write in writes:
            match write:
                case Put(table=table, key=key, value=value):
                    self.rows[table][key] = value
                case Delete(table=table, key=key):
                    self.rows[table].pop(key, None)

    async def load(self, table: Table) -> dict[str, bytes]:
        return dict(self.rows[table])

    async def close(self) -> None:
        """Nothing is held open."""


class Quotes:
    """Fresh and calm, unless a test says otherwise of a symbol."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.changed: dict[str, dict[str, Any] | None] = {}
        """None: there is no quote."""

    def quote(self, symbol: str) -> Quote | None:
        changes = self.changed.get(symbol, {})
        quote = Quote(symbol, MARK, MARK - 1, MARK + 1, self._clock.monotonic())
        return None if changes is None else replace(quote, **changes)


class Desk:
    """One engine's order desk; ``restart`` is a new process on the same journal and exchange."""

    def __init__(self, **policy: Any) -> None:
        self.clock = ManualClock()
        self.exchange = FakeExchange(self.clock, {BTC: MARK, "ETHUSDT": Decimal(2_500)})
        self.journal = MemoryJournal()
        self.limits = limits(**({"max_orders_per_second": 100, "max_intents_per_minute": 6_000} | policy))
        self.outcomes: list[tuple[str, Verdict]] = []
        self.start()

    def start(self) -> None:
        self.permission = Permission()
        self.permission.lift("policy")
        self.quotes = Quotes(self.clock)
        self.positions = Positions(self.exchange, self.quotes.quote, self.clock, self.permission)
        self.execution = Execution(
            self.exchange, self.journal, self.clock, self.permission, lambda: self.limits, self.quotes, self.positions, random_id
        )
        self.execution.on_outcome(lambda intent, verdict: self.outcomes.append((intent.id, verdict)))

    async def open(self) -> "Desk":
        """Recovered, compared, and the user stream up."""
        await self.execution.recover()
        self.events = asyncio.create_task(self.positions.run())
        async with asyncio.timeout(5):
            while not self.positions.reconciled:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return self

    async def restart(self) -> "Desk":
        """A new process takes time to start: at least the millisecond that tells its first fills from the last of the one before."""
        await self.close()
        self.clock.advance(0.002)
        self.start()
        return await self.open()

    async def close(self) -> None:
        self.events.cancel()
        await asyncio.gather(self.events, return_exceptions=True)

    async def settle(self) -> None:
        """Let the stream's events arrive."""
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def sent(self) -> list[str]:
        """Intents that came as far as the exchange, once per request."""
        return [intent.id for _, intent in self.exchange.placed]

    def trouble(self, *troubles: Trouble) -> None:
        self.exchange.troubles.extend(troubles)


def entry(name: str = "one", quantity: str = "0.100", **more: Any) -> OrderIntent:
    return OrderIntent(name, BTC, Side.BUY, Decimal(quantity), **more)


def close_all(name: str = "out", quantity: str = "0.100", purpose: Purpose = Purpose.REDUCE) -> OrderIntent:
    return OrderIntent(name, BTC, Side.SELL, Decimal(quantity), reduce_only=True, purpose=purpose)


def is_certain(verdict: Verdict) -> bool:
    return isinstance(verdict, Accepted) and verdict.certain

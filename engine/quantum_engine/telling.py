"""Wires the event bus, and tells it what happens outside the stages' own commits; beside node.py and trading.py, where stages meet.

In    settings, the engine's file, the stages that have something to tell
Out   the journal to build on; fills, positions, refusals and strategy modes as events; the bus's word for the status
Flow  stages -> HERE -> bus
Why   without a Redis there is nobody to tell: everything here then does nothing
"""

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from quantum_api.bus_envelope import EventClass
from quantum_api.events import FillEvent, ReadingEvent
from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import Clock, random_id
from quantum_engine.domain import Fill, OrderIntent
from quantum_engine.exchanges.port import OrderUpdate
from quantum_engine.healing.service import Supervisor
from quantum_engine.journal import Journal, Publish
from quantum_engine.permission import Permission
from quantum_engine.policy.service import PolicyStore
from quantum_engine.settings import Settings
from quantum_engine.trading import Trading
from quantum_engine.verdicts import Refused, Verdict

FILLS_KNOWN: Final = 20_000


class Telling:
    """The bus, if there is one."""

    def __init__(self, settings: Settings, file: SqliteJournal, clock: Clock) -> None:
        self.bus: Bus | None = None
        if settings.redis_url:
            link = RedisStreams(settings.redis_url, settings.engine)
            self.bus = Bus(settings.engine, file, link, clock, random_id, Bounds(most_bytes=settings.spool_bytes))
        self.journal: Journal = self.bus.journal if self.bus else file

    async def restore(self) -> None:
        """Before anything is published."""
        if self.bus:
            await self.bus.restore()

    def start(self, supervisor: Supervisor, journal: Journal, permission: Permission) -> None:
        """Vital: what happened has to be told, however often telling it has failed."""
        if (bus := self.bus) is not None:
            supervisor.start("bus", lambda: bus.run(journal, permission), is_vital=True)

    def listen(self, trading: Trading | None, policy: PolicyStore) -> None:
        """From now on, until the end."""
        if self.bus is None:
            return
        policy.on_change(StrategyTeller(self.bus.say, policy).look)
        if trading is not None:
            teller = TradingTeller(self.bus.say, trading)
            trading.positions.on_order(teller.order)
            trading.positions.on_change(teller.positions)
            trading.execution.on_outcome(teller.outcome)

    @property
    def dependency(self) -> dict[str, str]:
        """For the status: up or down, then how much waits and what was lost."""
        if self.bus is None:
            return {}
        state = self.bus.state
        waits = f"{state.waiting} events wait, the oldest for {state.oldest_ms // 1000} s; {state.dropped} telemetry dropped"
        return {"bus": f"down {waits}; {state.problem}" if state.problem else f"up {waits}"}

    async def close(self, journal: Journal) -> None:
        if self.bus:
            await self.bus.close(journal)


class StrategyTeller:
    """Tells a mode when it is another one."""

    def __init__(self, say: Callable[[Publish], None], policy: PolicyStore) -> None:
        self._say, self._policy = say, policy
        self._told: str | None = None

    def look(self) -> None:
        strategy = self._policy.strategy
        mode = strategy.mode.value if strategy else None
        if mode != self._told:
            self._told = mode
            self._say(Publish(EventClass.TELEMETRY, ReadingEvent.STRATEGY.value, {"mode": mode}))


class TradingTeller:
    """Tells each fill once, each change of a position, each refusal of the gate."""

    def __init__(self, say: Callable[[Publish], None], trading: Trading) -> None:
        self._say, self._trading = say, trading
        self._fills: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._held: dict[str, Decimal] = {}

    def order(self, update: OrderUpdate) -> None:
        """The exchange repeats itself."""
        fill = update.fill
        if fill is None or (fill.symbol, fill.trade_id) in self._fills:
            return
        self._fills[fill.symbol, fill.trade_id] = None
        if len(self._fills) > FILLS_KNOWN:
            self._fills.popitem(last=False)
        self._say(Publish(EventClass.FILL, FillEvent.TRADE.value, fill_payload(fill)))

    def positions(self) -> None:
        now = {key: view.quantity for key, view in self._trading.positions.positions.items()}
        for key in now.keys() | self._held.keys():
            if now.get(key) != self._held.get(key):
                view = self._trading.positions.positions.get(key)
                entry = str(view.entry_price) if view else None
                payload = {"symbol": key, "quantity": str(now.get(key, Decimal(0))), "entryPrice": entry}
                self._say(Publish(EventClass.TELEMETRY, ReadingEvent.POSITION.value, payload))
        self._held = now

    def outcome(self, intent: OrderIntent, verdict: Verdict) -> None:
        """What was recorded is told with its row."""
        if not isinstance(verdict, Refused) or self._trading.execution.became_of(intent.id) is not None:
            return
        payload = {
            "intent": intent.id, "symbol": intent.symbol, "side": intent.side.value, "quantity": str(intent.quantity),
            "purpose": intent.purpose.value, "refusal": verdict.refusal.value,
            "numbers": {name: str(value) for name, value in verdict.numbers.items()},
        }  # fmt: skip
        self._say(Publish(EventClass.TELEMETRY, ReadingEvent.GATE_REFUSED.value, payload))


def fill_payload(fill: Fill) -> dict[str, object]:
    return {
        "symbol": fill.symbol, "tradeId": fill.trade_id, "orderId": fill.order_id, "clientOrderId": fill.client_order_id,
        "side": fill.side.value, "quantity": str(fill.quantity), "price": str(fill.price), "commissionUsdt": str(fill.commission_usdt),
        "realisedUsdt": str(fill.realised_usdt), "timeMs": fill.time_ms,
    }  # fmt: skip

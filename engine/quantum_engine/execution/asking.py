"""Asks the exchange what became of an intent whose outcome is unknown.

In    records in UNKNOWN (or, after a restart, without a final state)
Out   Accepted when the exchange or its stream knows the order, Declined when it surely is not there, None while it cannot be told
Why   "I do not know this order" is no answer while our request may still be on its way: the exchange refuses requests older than their
      receive window, so only after that is a "no" final
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from quantum_api.gate import Gate
from quantum_engine.domain import OrderView
from quantum_engine.errors import EngineError
from quantum_engine.exchanges.port import Exchange
from quantum_engine.execution.intents import Happened, IntentRecord, IntentState, IntentTable
from quantum_engine.permission import Permission, Restriction
from quantum_engine.verdicts import Accepted, Declined

SOURCE: Final = "recovery"
LATEST_ARRIVAL_MS: Final = 10_000
"""Twice the receive window of 5 s."""
LONGEST_SENDING_MS: Final = 40_000
"""All attempts of one intent, with their timeouts and waits."""
ASK_AFTER_SECONDS: Final = (0.0, 0.1, 0.3, 0.6, 1.0)


class Asker:
    """Remembers what the stream said of orders whose own answer is missing."""

    def __init__(self, exchange: Exchange, table: IntentTable, permission: Permission) -> None:
        self._exchange, self._table, self._permission = exchange, table, permission
        self._seen: dict[str, OrderView] = {}
        self._from_before: set[str] = set()

    def restarted(self, records: Iterable[IntentRecord]) -> None:
        """Nothing may open while an earlier life's intent might be live."""
        for record in records:
            record.last_sent_ms = min(self._exchange.venue_ms(), max(record.last_sent_ms, record.recorded_ms + LONGEST_SENDING_MS))
            if record.state is not IntentState.UNKNOWN:
                self._table.move(record, Happened.CANNOT_TELL, 0, "restarted")
            self._from_before.add(record.id)
        if self._from_before:
            detail = f"{len(self._from_before)} order intents from before the restart are being asked about"
            self._permission.restrict(Restriction(SOURCE, Gate.REDUCE_ONLY, detail))

    def settled(self) -> None:
        """Lift the restriction once none of them is open."""
        self._from_before &= {record.id for record in self._table.open}
        if not self._from_before:
            self._permission.lift(SOURCE)

    def seen(self, order: OrderView) -> None:
        """The stream spoke of an intent that has no final outcome yet."""
        self._seen[order.client_order_id] = order

    def take_seen(self, client_id: str) -> OrderView | None:
        return self._seen.pop(client_id, None)

    async def ask_for_a_while(self, record: IntentRecord) -> Accepted | Declined | None:
        for pause in ASK_AFTER_SECONDS:
            await asyncio.sleep(pause)
            verdict = await self.ask(record)
            if verdict is not None:
                return verdict
        return None

    async def ask(self, record: IntentRecord) -> Accepted | Declined | None:
        """Once."""
        client_id = record.client_order_id
        asked_ms = self._exchange.venue_ms()
        order = self.take_seen(client_id)
        if order is None:
            try:
                order = await self._exchange.order(record.symbol, client_id)
            except EngineError:
                return None
        order = order or self.take_seen(client_id)
        if order is not None:
            return Accepted(client_id, order)
        if asked_ms < record.last_sent_ms + LATEST_ARRIVAL_MS:
            return None
        return Declined(client_id, 0, "asked about: the exchange never got it")

"""Turns each intent into at most one live order: gate, write-ahead, send, and ask when the outcome is unknown.

Why   the client order id is unique among open orders only, so sending again is not idempotent for an order that fills: what may have been
      done is asked about, and only what was surely not done is sent again
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_api.trading_policy import Limits
from quantum_engine import metrics
from quantum_engine.clock import Clock, IdSource
from quantum_engine.domain import OrderIntent, OrderView, SymbolRules
from quantum_engine.errors import EngineError, PermanentError, RetryableError, ThrottledError
from quantum_engine.exchanges.port import Exchange, OrderUpdate, VenueRefusedError
from quantum_engine.execution.asking import Asker
from quantum_engine.execution.balance import Balance
from quantum_engine.execution.gather import Gatherer, Moment
from quantum_engine.execution.intents import Happened, IntentRecord, IntentState, IntentTable
from quantum_engine.execution.ledger import Ledger
from quantum_engine.execution.pace import remembered
from quantum_engine.execution.ports import Holdings, Quotes
from quantum_engine.execution.retries import wait_before_retry
from quantum_engine.gate.chain import is_worth_asking, judge, still_permitted
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.journal import Journal
from quantum_engine.ordered_faults import crash_point
from quantum_engine.permission import Permission
from quantum_engine.verdicts import Accepted, Allowed, Declined, Refused, Verdict

log = structlog.get_logger("quantum_engine.execution")
RULES_SECONDS: Final = 600.0
HOUSEKEEPING_SECONDS: Final = 1.0
_SENDS: Final = {
    (is_exit, is_again): metrics.ORDER_SENDS.labels("exit" if is_exit else "entry", "again" if is_again else "first")
    for is_exit in (False, True)
    for is_again in (False, True)
}


class Execution:
    """SafeOrderExecutor."""

    def __init__(
        self,
        exchange: Exchange,
        journal: Journal,
        clock: Clock,
        permission: Permission,
        limits: Callable[[], Limits | None],
        market: Quotes,
        positions: Holdings,
        ids: IdSource,
    ) -> None:
        self.refusals: Counter[str] = Counter()
        self._exchange, self._clock, self._ids = exchange, clock, ids
        self._table = IntentTable()
        self._ledger = Ledger(journal, self._table)
        self._world = Gatherer(clock, permission, limits, market, positions)
        self._balance = Balance(positions, clock, limits)
        self._asker = Asker(exchange, self._table, permission)
        self._listeners: list[Callable[[OrderIntent, Verdict], None]] = []
        self._rules_read_at = float("-inf")
        self._sending: set[str] = set()
        positions.on_order(self._observe)

    async def submit(self, intent: OrderIntent) -> Verdict:
        """An intent without an id gets one.  Returns when the outcome is known, or after about two seconds of asking."""
        intent = intent if intent.id else replace(intent, id=self._ids())
        looked = await self._judge(intent)
        if isinstance(looked, Refused):
            return self._refuse(intent, looked)
        record = self._table.record(intent, self._exchange.venue_ms())
        self._world.flight.left(record.as_order)
        if not intent.reduce_only:
            self._world.pace.accepted(self._clock.monotonic())
        self._sending.add(record.id)
        try:
            verdict = await self._write_and_send(record, looked)
        finally:
            self._sending.discard(record.id)
        return self._tell(intent, verdict)

    async def _judge(self, intent: OrderIntent) -> Moment | Refused:
        """When it was allowed.  Nothing may be awaited between the last look at the world and the record that the next look counts."""
        due = None if intent.reduce_only else self._balance.due()
        if due is not None:
            judged = is_worth_asking(self._snapshot(intent))
            refused = judged if isinstance(judged, Refused) else await self._balance.refresh(due)
            if refused is not None:
                return refused
        looked, judged = self._world.moment(), judge(self._snapshot(intent))
        return judged if isinstance(judged, Refused) else looked

    def _snapshot(self, intent: OrderIntent) -> Snapshot:
        return self._world.snapshot(intent, is_duplicate=intent.id in self._table)

    async def recover(self) -> None:
        """At start, before anything may open: ask about every intent of the journal that has no final outcome.

        What cannot be settled at once holds the gate at REDUCE_ONLY (source "recovery") until ``run`` has settled it.
        """
        await self._ledger.load()
        self._world.pace = remembered(self._table.records, self._clock.monotonic(), self._exchange.venue_ms())
        for record in self._table.open:
            self._world.flight.left(record.as_order)
        self._asker.restarted(self._table.open)
        try:
            await self._read_rules()
        except EngineError as error:
            log.warning("symbol rules not read yet", error=str(error))
        await self._settle_open()

    async def run(self) -> None:
        """For ever: go on asking about unknown outcomes, refresh symbol rules, write what the journal missed, prune."""
        while True:
            try:
                if self._clock.monotonic() - self._rules_read_at > RULES_SECONDS:
                    await self._read_rules()
                await self._settle_open()
                await self._ledger.tidy(self._exchange.venue_ms())
            except EngineError as error:
                log.warning("execution housekeeping put off", error=str(error))
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    def rules(self, symbol: str) -> SymbolRules | None:
        return self._world.rules.get(symbol)

    def became_of(self, intent_id: str) -> IntentRecord | None:
        """What is known of an intent that was let through the gate within the last day."""
        return self._table.of_id(intent_id)

    def on_outcome(self, callback: Callable[[OrderIntent, Verdict], None]) -> None:
        """Called after each submit, and again when an uncertain one is settled."""
        self._listeners.append(callback)

    async def _write_and_send(self, record: IntentRecord, looked: Moment) -> Verdict:
        try:
            await self._ledger.write(record)
        except EngineError as error:
            if not record.reduce_only:
                self._table.forget(record)
                self._world.flight.landed(record.client_order_id)
                return self._count(Refused(Refusal.JOURNAL_UNAVAILABLE, {"detail": str(error)}))
            log.exception("an exit is sent without a journal", intent=record.id)
        crash_point("after-intent-before-send")
        return await self._send(record, looked)

    async def _send(self, record: IntentRecord, looked: Moment | None) -> Verdict:
        """``looked``: when the gate let it through; a fast disk leaves nothing new to be seen."""
        while True:
            shown = self._asker.take_seen(record.client_order_id)
            if shown is not None:
                await self._close(record, Happened.FOUND, "the stream showed it")
                return Accepted(record.client_order_id, shown)
            found = self._look(record, looked)
            if isinstance(found, Refused):
                record.refusal = found.refusal.value
                await self._close(record, Happened.NOT_THERE, str(found))
                return self._count(found)
            self._table.move(record, Happened.SENDING, self._exchange.venue_ms())
            _SENDS[record.reduce_only, record.sent_times > 1].inc()
            sent = self._held_to_the_gate(record)
            try:
                order = await self._exchange.place(sent, record.client_order_id, self._door(record, sent, found))
            except RetryableError as error:
                self._table.move(record, Happened.SURELY_NOT_DONE, 0, str(error))
                wait = wait_before_retry(record.sent_times, record.reduce_only, _retry_after(error))
                if wait is None:
                    await self._close(record, Happened.NOT_THERE, str(error))
                    return Declined(record.client_order_id, 0, str(error), _retry_after(error))
                await asyncio.sleep(wait)
                looked = None
            except PermanentError as error:
                record.code = error.code if isinstance(error, VenueRefusedError) else 0
                await self._close(record, Happened.NOT_THERE, str(error))
                return Declined(record.client_order_id, record.code, str(error))
            except BaseException as error:
                self._cannot_tell(record, error)
                if not isinstance(error, EngineError):
                    raise
                return await self._ask(record)
            else:
                await self._close(record, Happened.FOUND)
                return Accepted(record.client_order_id, order)

    def _held_to_the_gate(self, record: IntentRecord) -> OrderIntent:
        """Under a gate that lets positions only shrink, the exchange itself holds the order to it.

        The position may go while the order is on its way (a stop order triggers, another program closes, a liquidation): what was a
        reduction when it left would open the other side when it arrives.
        """
        intent = record.intent
        if intent.reduce_only or self._is_active(record):
            return intent
        return replace(intent, reduce_only=True)

    def _is_active(self, record: IntentRecord) -> bool:
        return self._world.permission.gate_for(record.symbol) is Gate.ACTIVE

    def _look(self, record: IntentRecord, looked: Moment | None) -> Moment | Refused:
        """When it was last found to be permitted, or the refusal."""
        if looked is not None and self._world.is_still(looked):
            return looked
        now, permitted = self._world.moment(), self._still_permitted(record)
        return permitted if isinstance(permitted, Refused) else now

    def _door(self, record: IntentRecord, sent: OrderIntent, looked: Moment) -> Callable[[], bool]:
        """Asked with the connection in hand.  On a warm one that is microseconds after the last look, and then it says the same."""

        def may_leave() -> bool:
            if self._world.is_still(looked):
                return True
            return (sent.reduce_only or self._is_active(record)) and not isinstance(self._still_permitted(record), Refused)

        return may_leave

    def _still_permitted(self, record: IntentRecord) -> Allowed | Refused:
        return still_permitted(self._world.snapshot(record.intent, own_client_id=record.client_order_id))

    def _cannot_tell(self, record: IntentRecord, error: BaseException) -> None:
        if record.state is IntentState.SENT:
            self._table.move(record, Happened.CANNOT_TELL, 0, repr(error))
        log.warning("outcome unknown, asking", intent=record.id, client_order_id=record.client_order_id, error=repr(error))

    async def _ask(self, record: IntentRecord) -> Verdict:
        verdict = await self._asker.ask_for_a_while(record)
        if verdict is None:
            return Accepted(record.client_order_id, None, certain=False)
        await self._close(record, Happened.FOUND if isinstance(verdict, Accepted) else Happened.NOT_THERE, str(verdict))
        return verdict

    async def _settle_open(self) -> None:
        for record in self._table.open:
            if record.id in self._sending:
                continue
            verdict = await self._asker.ask(record)
            if verdict is not None:
                await self._close(record, Happened.FOUND if isinstance(verdict, Accepted) else Happened.NOT_THERE, "asked about later")
                self._tell(record.intent, verdict)
        self._asker.settled()

    async def _close(self, record: IntentRecord, happened: Happened, note: str = "") -> None:
        self._table.move(record, happened, 0, note)
        self._asker.take_seen(record.client_order_id)
        if happened is Happened.FOUND:
            self._world.flight.answered(record.client_order_id, self._clock.monotonic())
        else:
            self._world.flight.landed(record.client_order_id)
        await self._ledger.write_later(record)

    def _observe(self, update: OrderUpdate) -> None:
        """The stream may know before our own request has its answer."""
        order: OrderView = update.order
        self._world.flight.landed(order.client_order_id)
        record = self._table.of_client_id(order.client_order_id)
        if record is not None and not record.state.is_final:
            self._asker.seen(order)

    async def _read_rules(self) -> None:
        self._world.rules.update(await self._exchange.symbol_rules())
        self._rules_read_at = self._clock.monotonic()

    def _refuse(self, intent: OrderIntent, refused: Refused) -> Verdict:
        return self._tell(intent, self._count(refused))

    def _count(self, refused: Refused) -> Refused:
        self.refusals[refused.refusal.value] += 1
        metrics.ORDERS_REFUSED.labels(refused.refusal.value).set(self.refusals[refused.refusal.value])
        return refused

    def _tell(self, intent: OrderIntent, verdict: Verdict) -> Verdict:
        log.info("intent", id=intent.id, symbol=intent.symbol, side=intent.side.value, quantity=str(intent.quantity), verdict=str(verdict))
        self._balance.heard(verdict)
        for listener in self._listeners:
            listener(intent, verdict)
        return verdict


def _retry_after(error: RetryableError) -> float:
    return error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0

"""Bugs planted on purpose, one line of the engine each, and a history in which a law finds it.

`python -m tests.live.laws.planted`   searches with chance instead, and says how many histories it took

Flow  test_planted -> HERE -> living
Why   a law that cannot fail proves nothing
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from tests.live.laws import judge as laws
from tests.live.laws.steps import (
    PLACE,
    Crash,
    Deaf,
    Document,
    Foreign,
    Halt,
    History,
    Move,
    Order,
    RedisIs,
    Replay,
    Submit,
    Together,
    Trouble,
    Wait,
)

from quantum_api.gate import Gate
from quantum_api.trading_policy import OnLeaseExpiry, StopAction
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.carrying import Carrier
from quantum_engine.exchanges.binance_futures.client import BinanceFutures
from quantum_engine.exchanges.binance_futures.outcome import Judged, Outcome
from quantum_engine.execution.flight import Flight
from quantum_engine.execution.ledger import Ledger
from quantum_engine.execution.service import Execution
from quantum_engine.gate import chain, checks
from quantum_engine.policy.lease import Lease
from quantum_engine.positions.book import PositionBook
from quantum_engine.positions.line import PositionLine
from quantum_engine.positions.recovery import FillRecovery
from quantum_engine.verdicts import Allowed
from quantum_simulator.faults import FaultKind

Law = Callable[..., list[str]]
Patches = tuple[tuple[Any, str, Any], ...]


@dataclass(frozen=True)
class Planted:
    """``patches``: owner (object or dotted name), attribute, what stands there instead."""

    name: str
    law: Law
    patches: Patches
    history: History

    @contextmanager
    def in_place(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, attribute, instead in self.patches:
                target = patch(f"{owner}.{attribute}", instead) if isinstance(owner, str) else patch.object(owner, attribute, instead)
                stack.enter_context(target)
            yield


_ENGINE = "quantum_engine"
_judge_answer = sys.modules["quantum_engine.exchanges.binance_futures.outcome"].judge
_place, _restore, _clear_released = BinanceFutures.place, LatchBook.restore, LatchBook.clear_released
_carry_out, _fill = Carrier.carry_out, PositionLine.fill
BOUGHT = Submit((Order(0),), 3.0)
SOLD_MORE = Submit((Order(1, "SELL", 200),), 1.0)


def _unknown_is_not_done(*args: Any, **more: Any) -> Judged:
    judged = _judge_answer(*args, **more)
    return replace(judged, outcome=Outcome.NOT_DONE) if judged.outcome is Outcome.UNKNOWN else judged


async def _place_under_a_new_name(self: BinanceFutures, intent: Any, _: str, *more: Any) -> Any:
    return await _place(self, intent, f"qt-{uuid4().hex}", *more)


def _side_alone(intent: Any, positions: Any, orders: Any) -> Decimal:
    held = positions[intent.symbol].quantity if intent.symbol in positions else Decimal(0)
    return Decimal(10**9) if held * intent.side.sign < 0 else Decimal(0)


def _fill_again(self: PositionLine, fill: Any) -> Decimal | None:
    self._seen.pop(fill.trade_id, None)
    return _fill(self, fill)


async def _no_gap(_: FillRecovery) -> bool:
    return False


def _wallet_alone(self: PositionBook, answers: Any) -> None:
    self.balance(answers.account)


async def _written_later(self: Any, *writes: Any) -> None:
    asyncio.get_running_loop().call_later(0.5, lambda: asyncio.gather(self._inner.commit(*writes), return_exceptions=True))


async def _never_written(self: Ledger, record: Any) -> None:
    """Nothing."""


async def _gives_up(self: Carrier, work: Any, remembered: Any) -> Any:
    met = [] if getattr(self, "gave_up", False) else list(work)
    carried = await _carry_out(self, met, remembered)
    self.gave_up = any(each.problems for each in carried) or not met  # type: ignore[attr-defined]
    return carried


def _clears_all(self: LatchBook) -> None:
    self._released = frozenset(self._latches)
    _clear_released(self)


async def _regular_alone(self: BinanceFutures, symbol: str) -> None:
    await self.transport.signed("DELETE", "/fapi/v1/allOpenOrders", {"symbol": symbol}, is_exit=True)


def _nothing(*_: Any, **__: Any) -> None:
    """Whatever was checked here is not."""


UNFLAGGED: Patches = ((Execution, "_held_to_the_gate", lambda _, record: record.intent), (Execution, "_is_active", lambda *_: True))
"""The exchange's own guard behind the gate's: with it alone what the gate lets through still only reduces."""
TABLE: tuple[Planted, ...] = (
    Planted(
        "an unknown outcome is taken for a failure and sent again",
        laws.at_most_one_order_per_intent,
        ((f"{_ENGINE}.exchanges.binance_futures.transport", "judge", _unknown_is_not_done),),
        [Deaf(), Trouble(FaultKind.ACCEPT_THEN_503), BOUGHT],
    ),
    Planted(
        "the client order id is new for each attempt",
        laws.what_was_declared_dead_is_not_live,
        ((BinanceFutures, "place", _place_under_a_new_name),),
        [Deaf(), Trouble(FaultKind.ACCEPT_THEN_503), BOUGHT],
    ),
    Planted(
        "the same intent may come again",
        laws.at_most_one_order_per_intent,
        ((chain, "GATE", tuple(check for check in chain.GATE if check is not checks.intent_is_new)),),
        [BOUGHT, BOUGHT],
    ),
    Planted(
        "an intent is not written before it is sent",
        laws.at_most_one_order_per_intent,
        ((Ledger, "write", _never_written),),
        [BOUGHT, Crash(seconds=15.0), BOUGHT],
    ),
    Planted(
        "what the exchange does not know yet is declared dead, though the request is on its way",
        laws.what_was_declared_dead_is_not_live,
        ((f"{_ENGINE}.execution.asking", "LATEST_ARRIVAL_MS", -(10**12)),),
        [Trouble(FaultKind.DELAY_MS, delay_ms=4_000), Submit((Order(0),), 0.5), Crash(seconds=15.0)],
    ),
    Planted(
        "the gate is not asked again before the bytes leave",
        laws.nothing_opens_past_a_shut_gate,
        ((Execution, "_still_permitted", lambda *_: Allowed()), *UNFLAGGED),
        [Trouble(FaultKind.HTTP_503_SERVICE_UNAVAILABLE), Together((Submit((Order(0),)), Document(Gate.HALTED)))],
    ),
    Planted(
        "an old document may come again",
        laws.nothing_opens_past_a_shut_gate,
        ((f"{_ENGINE}.policy.accept", "_behind", _nothing),),
        [Document(Gate.HALTED), Replay(1), BOUGHT],
    ),
    Planted(
        "a lease never ends",
        laws.nothing_opens_past_a_shut_gate,
        ((Lease, "seconds_left", lambda *_: 3_600.0),),
        [Document(lease_seconds=5, on_lease_expiry=OnLeaseExpiry.HALTED), Wait(12.0), BOUGHT],
    ),
    Planted(
        "REDUCE_ONLY looks at the side alone",
        laws.what_may_only_reduce_only_reduces,
        ((f"{_ENGINE}.gate.checks", "room_to_shrink", _side_alone), *UNFLAGGED),
        [BOUGHT, Document(Gate.REDUCE_ONLY), SOLD_MORE],
    ),
    Planted(
        "orders on their way are forgotten",
        laws.what_may_only_reduce_only_reduces,
        ((Flight, "besides", lambda *_: []), *UNFLAGGED),
        [Submit((Order(10),), 3.0), Document(Gate.REDUCE_ONLY), Submit((Order(1, "SELL"), Order(2, "SELL")))],
    ),
    Planted(
        "an order under REDUCE_ONLY leaves without the flag that the exchange enforces",
        laws.what_may_only_reduce_only_reduces,
        UNFLAGGED,
        [
            BOUGHT,
            Foreign("algo", "SELL", bps=15),
            Document(Gate.REDUCE_ONLY),
            Trouble(FaultKind.DELAY_MS, delay_ms=500),
            Submit((Order(1, "SELL", 99),), 0.1),
            Move(-60),
        ],
    ),
    Planted(
        "fills are not told apart",
        laws.the_engine_believes_no_position_that_never_was,
        ((PositionLine, "fill", _fill_again),),
        [BOUGHT],
    ),
    Planted(
        "what was missed while the stream was gone is not asked for",
        laws.position_is_the_sum_of_fills,
        ((PositionBook, "reconcile", _wallet_alone), (FillRecovery, "close_gaps", _no_gap)),
        [Submit((Order(0, bps=10),)), Deaf(FaultKind.STREAM_CUT, 3.0), Move(-60), Wait(12.0)],
    ),
    Planted(
        "latches are not read at start",
        laws.noted_while_it_happened,
        ((LatchBook, "restore", _nothing),),
        [RedisIs(False), Halt(), Crash()],
    ),
    Planted(
        "a stop is acknowledged before it is on disk",
        laws.noted_while_it_happened,
        ((f"{_ENGINE}.adapters.guarded_journal.GuardedJournal", "commit", _written_later),),
        [RedisIs(False), Halt(StopAction.HALT_ENTRIES), Crash()],
    ),
    Planted(
        "a latch clears by itself when its cooldown is over",
        laws.noted_while_it_happened,
        ((LatchBook, "clear_released", _clears_all),),
        [Halt(StopAction.HALT_ENTRIES), Wait(3.0)],
    ),
    Planted(
        "a stop gives up after its first error",
        laws.noted_while_it_happened,
        ((Carrier, "carry_out", _gives_up),),
        [BOUGHT, Trouble(FaultKind.REJECT_CODE, PLACE, code=-4118), Halt(), Wait(3.0)],
    ),
    Planted(
        "cancelling all forgets conditional orders",
        laws.noted_while_it_happened,
        ((BinanceFutures, "cancel_all", _regular_alone),),
        [BOUGHT, Foreign("algo", "SELL"), Halt(StopAction.CANCEL_ORDERS)],
    ),
    Planted(
        "a stop does not say what it waits for",
        laws.noted_while_it_happened,
        ((f"{_ENGINE}.emergency.notes", "waiting", lambda latch, *_, **__: latch),),
        [BOUGHT, Trouble(FaultKind.REJECT_CODE, PLACE, None, -4118), Halt()],
    ),
)

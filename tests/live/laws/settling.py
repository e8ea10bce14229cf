"""The end of a history: cure everything, say once more what is wanted, and see that nothing stays in doubt.

Out   the evidence, complete; what stays open after a long time is noted in it
Flow  living -> HERE -> evidence
Why   "whenever the venue lets it" is tested by letting it: then a stop must be flat, an intent decided, the books right
"""

import asyncio
from decimal import Decimal

from tests.live.laws.engine_life import on_disk
from tests.live.laws.evidence import Told
from tests.live.laws.world import World

from quantum_engine.domain import Purpose
from quantum_engine.execution.intents import IntentRecord, IntentState, decode
from quantum_engine.journal import Table
from quantum_simulator.faults import STREAM_KINDS, FaultKind

STUCK_SECONDS = 8.0
"""Long enough to have tried, and to have asked what became of it."""
SETTLED_SECONDS = 150.0
"""Bans, receive windows, retries and comparisons are over by then."""


async def settle(world: World) -> None:
    await _hear_why(world)
    world.life.crash_at = ""
    world.cure()
    world.people.lease_seconds = 3_600
    await world.push(10.0)
    if not await world.until(lambda: not _open(world), SETTLED_SECONDS):
        world.evidence.noted += [f"all was cured, and after {SETTLED_SECONDS:g} s {sentence}" for sentence in _open(world)]
    await world.after_step()
    _take_evidence(world)


async def _hear_why(world: World) -> None:
    """While the troubles last: a stop that is not done says what stands in its way, in the venue's own words if that refuses."""
    if all(latch.cooldown_until_ms is not None for latch in world.life.status.latches):
        return
    await asyncio.sleep(STUCK_SECONDS)
    await world.after_step()
    lasting = [fault for fault in world.side.venue.faults.ordered if fault.left is None and fault.kind not in STREAM_KINDS]
    are_refusals = bool(lasting) and all(fault.kind is FaultKind.REJECT_CODE for fault in lasting)
    for latch in world.life.status.latches:
        if latch.cooldown_until_ms is None and not latch.message:
            world.evidence.noted.append(f"stop {latch.id} is not done and does not say why")
        if latch.cooldown_until_ms is None and are_refusals and not any(str(fault.code) in latch.message for fault in lasting):
            world.evidence.noted.append(f"the venue refuses, and stop {latch.id} only says {latch.message!r}")


def _open(world: World) -> list[str]:
    """What is still open; each a sentence that names a broken law if it stays."""
    status = world.life.status
    found = [] if status.reconciled else [f"the engine is not reconciled: {[each.detail for each in status.gate_reasons]}"]
    found += [f"intent {each.id} is still {each.state}" for each in _intents(world) if not each.state.is_final]
    found += [f"stop {latch.id} is not done: {latch.message!r}" for latch in status.latches if latch.cooldown_until_ms is None]
    found += world.watch.not_flat(world.life, world.side.venue)
    holds, wallet = _engine_says(world)
    if (holds, wallet) != (world.side.holds, world.side.account.wallet):
        found.append(f"the engine's books say {holds} {wallet}, the venue's {world.side.holds} {world.side.account.wallet}")
    return found


def _engine_says(world: World) -> tuple[dict[str, Decimal], Decimal | None]:
    held = {position.symbol: Decimal(position.quantity) for position in world.life.status.positions}
    return held, world.life.trading.positions._book.wallet_usdt


def _intents(world: World) -> list[IntentRecord]:
    return [decode(key, row) for key, row in on_disk(world.journal_path, Table.INTENT).items()]


def _take_evidence(world: World) -> None:
    evidence = world.evidence
    evidence.log = world.side.venue.order_log.entries(limit=1_000_000)
    evidence.venue_holds = world.side.holds
    evidence.engine_holds, wallet = _engine_says(world)
    evidence.wallets = (world.side.account.wallet, wallet)
    for record in _intents(world):
        if record.purpose is Purpose.EMERGENCY_EXIT:
            evidence.exits.add(record.client_order_id)
        if record.state.is_final:
            evidence.told.append(Told(record.id, record.client_order_id, record.state is IntentState.ACCEPTED))

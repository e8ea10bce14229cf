"""Holds the policy document in force: takes it from any channel, stores it, and switches the gate.

In    signed bytes by push, from the mirror, from the journal; the clock
Out   restrictions "policy" and "lease", limits, strategy, stops handed to the emergency stage; an answer only when all that is on disk
Flow  control, mirror, journal -> HERE -> permission, emergency, strategy
Why   tightening is switched in memory before the disk is asked, loosening only after the disk has answered (DESIGN promises 1, 4)
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from quantum_api.gate import Gate
from quantum_api.policy_document import Rejected, Verified, verify
from quantum_api.refusals import DocumentRefusal
from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits, OnLeaseExpiry
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.errors import CorruptStateError, JournalUnavailableError, RetryableError
from quantum_engine.journal import Journal, Put, Table
from quantum_engine.logs import logger
from quantum_engine.ordered_faults import crash_point
from quantum_engine.permission import Permission, Restriction
from quantum_engine.policy.accept import AlreadyHeld, Channel, Refuse, Take, Verdict, judge
from quantum_engine.policy.lease import GATE_ON_EXPIRY, Lease, StoredLease, grant, grant_recorded, resume
from quantum_engine.policy.ports import Keys, Mirror, StopDesk
from quantum_engine.waiting import happens

HELD_KEY: Final = "held"
LEASE_KEY: Final = "lease"
APPLIED_KEY: Final = "document-applied-at-ms"
WALL_KEY: Final = "largest-wall-ms"
_WALL_STORE_MS: Final = 5_000
_TICK_SECONDS: Final = 1.0
_MIRROR_SECONDS: Final = 2.0
_MAY_PASS_LATER: Final = (DocumentRefusal.JOURNAL_UNAVAILABLE, DocumentRefusal.ISSUED_IN_FUTURE, DocumentRefusal.UNKNOWN_KEY)
_log = logger("policy")


@dataclass(frozen=True, slots=True)
class Held:
    """The document in force and since when."""

    verified: Verified
    lease: Lease
    applied_at_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an offered document was not taken; what was held stays in force."""

    reason: DocumentRefusal
    message: str
    held: Held | None


class PolicyStore:
    """One document at a time, never an older one."""

    def __init__(
        self, engine: str, journal: Journal, keys: Keys, stops: StopDesk, permission: Permission, clock: Clock, boot_id: str = ""
    ) -> None:
        """``boot_id`` names this boot of the machine; empty = unknown."""
        self._engine = engine
        self._journal = journal
        self._keys = keys
        self._stops = stops
        self._permission = permission
        self._clock = clock
        self._boot_id = boot_id
        self._turn = asyncio.Lock()
        self._taking: Verified | None = None
        """The document that the disk is asked to store."""
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._largest_wall_ms = 0
        self.held: Held | None = None
        self.last_refusal: Refused | None = None
        """Since the document in force was taken."""
        self.lease_valid = False

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each document, refusal and lease change; it must not raise or wait."""
        self._listeners.append(listener)

    @property
    def limits(self) -> Limits | None:
        return self.held.verified.document.limits if self.held else None

    @property
    def strategy(self) -> Strategy | None:
        """Nothing while the lease is over: an old mandate makes no new signals."""
        return self.held.verified.document.strategy if self.held and self.lease_valid else None

    async def restore(self) -> None:
        """Take up what the journal holds.  Stops in it are already latched: they were written in the same transaction."""
        meta = await self._journal.load(Table.META)
        self._largest_wall_ms = int(meta.get(WALL_KEY, b"0"))
        token = (await self._journal.load(Table.DOCUMENT)).get(HELD_KEY)
        if token is None:
            return
        verified = self._verified(token)
        if isinstance(verified, Rejected):
            _log.error("journal_document_rejected", reason=verified.reason, message=verified.message)
            return
        lease = grant_recorded(verified.document, self._clock.monotonic(), self._clock.wall_ms(), self._largest_wall_ms)
        lease = resume(lease, _stored_lease(meta.get(LEASE_KEY)), verified.digest, self._boot_id)
        self.held = Held(verified, lease, int(meta.get(APPLIED_KEY, b"0")))
        self._enforce()
        self._stops.release(verified.document.released)
        _log.info("document_restored", epoch=verified.document.epoch, lease_valid=self.lease_valid)

    async def offer(self, token: bytes, channel: Channel) -> Held | Refused:
        """Take ``token`` if it may be taken.  When this returns Held, that document is on disk and the gate is switched."""
        began = time.perf_counter()
        if self._turn.locked():
            self._latch_before_its_turn(token, channel)
        async with self._turn:
            verified = self._verified(token)
            if isinstance(verified, Rejected):
                return self._refuse(Refuse(verified.reason, verified.message), channel)
            verdict: Verdict = judge(self.held.verified if self.held else None, verified, channel, self._clock.wall_ms())
            if isinstance(verdict, Refuse):
                return self._refuse(verdict, channel)
            if isinstance(verdict, AlreadyHeld) and self.held is not None:
                return self.held
            outcome = await self._take(verified, channel)
        metrics.APPLY_SECONDS.observe(time.perf_counter() - began)
        return outcome

    async def run(self) -> None:
        """Watch the lease, and remember how late it has been."""
        while True:
            wait_seconds = self._tick()
            await self._remember_wall()
            self._changed.clear()
            await happens(self._changed, wait_seconds)

    async def follow(self, mirror: Mirror) -> None:
        """Take what the mirror holds whenever it is newer: the operator may reach the mirror and not this engine."""
        settled: bytes | None = None
        while True:
            try:
                token = await mirror.document()
            except RetryableError:
                token = None
            if token is not None and token != settled:
                outcome = await self.offer(token, Channel.MIRROR)
                settled = None if isinstance(outcome, Refused) and outcome.reason in _MAY_PASS_LATER else token
            await asyncio.sleep(_MIRROR_SECONDS)

    def _verified(self, token: bytes) -> Verified | Rejected:
        verified = verify(token, self._keys.current(), self._engine)
        if isinstance(verified, Rejected) and verified.reason is DocumentRefusal.UNKNOWN_KEY:
            verified = verify(token, self._keys.reread(), self._engine)
        return verified

    def _latch_before_its_turn(self, token: bytes, channel: Channel) -> None:
        """The disk may hold up the document before it for as long as it likes: the stops of this one do not wait."""
        verified = self._verified(token)
        newest = self._taking or (self.held.verified if self.held else None)
        if isinstance(verified, Verified) and isinstance(judge(newest, verified, channel, self._clock.wall_ms()), Take):
            self._stops.latch(verified.document.stops, verified.document.released)

    async def _take(self, verified: Verified, channel: Channel) -> Held | Refused:
        self._taking = verified
        try:
            return await self._store_and_enforce(verified, channel)
        finally:
            self._taking = None

    async def _store_and_enforce(self, verified: Verified, channel: Channel) -> Held | Refused:
        document = verified.document
        now_ms = self._clock.wall_ms()
        held = Held(verified, self._lease(verified, channel), now_ms)
        if document.gate.restriction > self._permission_of_policy().restriction:
            self._permission.restrict(_policy_restriction(verified))
        stop_writes = self._stops.engage(document.stops, document.released)
        largest = max(self._largest_wall_ms, now_ms)
        try:
            await self._journal.commit(
                Put(Table.DOCUMENT, HELD_KEY, verified.token),
                Put(Table.META, APPLIED_KEY, str(now_ms).encode()),
                Put(Table.META, WALL_KEY, str(largest).encode()),
                Put(Table.META, LEASE_KEY, json.dumps([verified.digest, self._boot_id, held.lease.ends_monotonic]).encode()),
                *stop_writes,
            )
        except (JournalUnavailableError, CorruptStateError) as error:
            self._stops.not_committed()
            return self._refuse(Refuse(DocumentRefusal.JOURNAL_UNAVAILABLE, str(error)), channel)
        crash_point("after-document-before-ack")
        self._largest_wall_ms = largest
        self._stops.committed()
        self.held = held
        self.last_refusal = None
        self._enforce()
        self._stops.release(document.released)
        metrics.DOCUMENTS.labels(channel, "Taken").inc()
        metrics.POLICY_EPOCH.set(document.epoch)
        self._changed.set()
        return held

    def _lease(self, verified: Verified, channel: Channel) -> Lease:
        monotonic, wall_ms = self._clock.monotonic(), self._clock.wall_ms()
        if channel is Channel.PUSH:
            return grant(verified.document, monotonic, wall_ms)
        return grant_recorded(verified.document, monotonic, wall_ms, self._largest_wall_ms)

    def _permission_of_policy(self) -> Gate:
        return next((r.gate for r in self._permission.restrictions if r.source == "policy"), Gate.ACTIVE)

    def _enforce(self) -> None:
        assert self.held is not None
        self._permission.restrict(_policy_restriction(self.held.verified))
        self._tick()
        self._tell()

    def _tick(self) -> float:
        """Compare the lease with the clock; how long until it must be compared again."""
        if self.held is None:
            return _TICK_SECONDS
        lease = self.held.lease
        left = lease.seconds_left(self._clock.monotonic(), self._clock.wall_ms())
        metrics.LEASE_REMAINING_SECONDS.set(max(0.0, left))
        if left > 0:
            self._set_lease(valid=True)
            return min(left, _TICK_SECONDS)
        self.held = Held(self.held.verified, Lease(float("-inf"), lease.expires_at_ms), self.held.applied_at_ms)
        self._set_lease(valid=False)
        return _TICK_SECONDS

    def _set_lease(self, *, valid: bool) -> None:
        if valid:
            self._permission.lift("lease")
        else:
            limits = self.limits
            on_expiry = limits.on_lease_expiry if limits else OnLeaseExpiry.HALTED
            self._permission.restrict(Restriction("lease", GATE_ON_EXPIRY[on_expiry], "the policy document's lease has run out"))
        if valid != self.lease_valid:
            self.lease_valid = valid
            _log.info("lease_changed", valid=valid)
            self._tell()

    async def _remember_wall(self) -> None:
        """Now and then, and as soon as the stated expiry has passed: what was over must stay over."""
        now_ms = self._clock.wall_ms()
        has_just_expired = self.held is not None and self._largest_wall_ms < self.held.lease.expires_at_ms <= now_ms
        if now_ms < self._largest_wall_ms + _WALL_STORE_MS and not has_just_expired:
            return
        try:
            await self._journal.commit(Put(Table.META, WALL_KEY, str(now_ms).encode()))
        except JournalUnavailableError:
            return
        self._largest_wall_ms = now_ms

    def _refuse(self, refusal: Refuse, channel: Channel) -> Refused:
        refused = Refused(refusal.reason, refusal.message, self.held)
        metrics.DOCUMENTS.labels(channel, refusal.reason).inc()
        _log.warning("document_refused", channel=channel, reason=refusal.reason, message=refusal.message)
        if channel is Channel.PUSH:
            self.last_refusal = refused
            self._tell()
        return refused

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _stored_lease(row: bytes | None) -> StoredLease | None:
    if row is None:
        return None
    try:
        return StoredLease(*json.loads(row))
    except (ValueError, TypeError) as error:
        raise CorruptStateError(f"the stored lease cannot be read: {error}") from error


def _policy_restriction(verified: Verified) -> Restriction:
    gate = verified.document.gate
    return Restriction("policy", gate, f"the policy document says {gate}")

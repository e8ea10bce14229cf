"""The policy store never goes back in any component, a refused document changes nothing, and no history stretches a lease."""

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from quantum_api import policy_document as pd
from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.errors import JournalUnavailableError
from quantum_engine.journal import Put, Table, Write
from quantum_engine.permission import Permission
from quantum_engine.policy.accept import Channel
from quantum_engine.policy.service import Held, PolicyStore, Refused

KEY = Ed25519PrivateKey.generate()
KEY_ID = pd.key_id(KEY.public_key())
SMALL = st.integers(0, 3)


T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never really waits, without an event loop for each of thousands of steps."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("it waited")


class FaultyJournal:
    def __init__(self) -> None:
        self.rows: dict[Table, dict[str, bytes]] = {table: {} for table in Table}
        self.is_full = False

    async def commit(self, *writes: Write) -> None:
        if self.is_full:
            raise JournalUnavailableError("full")
        for write in writes:
            if isinstance(write, Put):
                self.rows[write.table][write.key] = write.value

    async def load(self, table: Table) -> dict[str, bytes]:
        return dict(self.rows[table])

    async def close(self) -> None:
        """Nothing to close."""


class NoStops:
    def latch(self, stops: Sequence[pd.StopOrder], released: Sequence[str]) -> None:
        """Nothing to latch."""

    def engage(self, stops: Sequence[pd.StopOrder], released: Sequence[str]) -> list[Write]:
        return []

    def committed(self) -> None:
        """Nothing owed."""

    def not_committed(self) -> None:
        """There is nothing to owe again."""

    def release(self, released: Sequence[str]) -> None:
        """Nothing latched."""


class OneKey:
    def current(self) -> pd.Jwks:
        return pd.Jwks({KEY_ID: KEY.public_key()})

    reread = current


class Store(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.journal = FaultyJournal()
        self.ends: dict[str, float] = {}
        self.over: set[str] = set()
        self.floor = pd.Seen()
        self.boot()

    def boot(self) -> None:
        self.permission = Permission()
        self.store = PolicyStore("t/e", self.journal, OneKey(), NoStops(), self.permission, self.clock, "boot-1")
        at_once(self.store.restore())

    @rule(
        seen=st.tuples(SMALL, SMALL, SMALL, SMALL), offset_s=st.integers(-100, 60), lease_s=st.integers(1, 60),
        channel=st.sampled_from([Channel.PUSH, Channel.MIRROR]), gate=st.sampled_from(Gate),
    )  # fmt: skip
    def offer(self, seen: tuple[int, int, int, int], offset_s: int, lease_s: int, channel: Channel, gate: Gate) -> None:
        vector = pd.Seen(trading_policies=seen[0], strategy_modes=seen[1], emergency_stops=seen[2], engine=seen[3])
        issued = self.clock.wall_ms() + offset_s * 1000
        document = pd.PolicyDocument(
            engine="t/e", epoch=vector.epoch, seen=vector, issued_at_ms=issued, expires_at_ms=issued + lease_s * 1000,
            lease_seconds=lease_s, gate=gate, limits=None, strategy=None,
        )  # fmt: skip
        before = self.store.held
        outcome = at_once(self.store.offer(pd.sign(document, KEY, KEY_ID), channel))
        if isinstance(outcome, Refused):
            assert self.store.held is before or (before and self.store.held and self.store.held.verified is before.verified)
            return
        assert isinstance(outcome, Held)
        assert self.store.held is not None
        assert self.store.held.verified.document == document
        self.ends.setdefault(outcome.verified.digest, self.clock.monotonic() + lease_s)
        assert self.journal.rows[Table.DOCUMENT]["held"] == outcome.verified.token, "acknowledged means on disk"
        assert self.permission.gate.restriction >= gate.restriction

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.integers(-200, 200))
    def wall_jumps(self, seconds: int) -> None:
        self.clock.jump_wall(seconds)

    @rule(is_full=st.booleans())
    def disk(self, is_full: bool) -> None:
        self.journal.is_full = is_full

    @rule()
    def restart(self) -> None:
        before = self.journal.rows[Table.DOCUMENT].get("held")
        self.boot()
        assert (self.store.held.verified.token if self.store.held else None) == before

    @invariant()
    def the_fence_never_goes_back(self) -> None:
        seen = self.store.held.verified.document.seen if self.store.held else pd.Seen()
        assert seen.covers(self.floor)
        self.floor = seen

    @invariant()
    def a_lease_is_never_stretched(self) -> None:
        self.store._tick()
        at_once(self.store._remember_wall())
        held = self.store.held
        if held is None:
            return
        digest = held.verified.digest
        if self.store.lease_valid:
            assert self.clock.monotonic() < self.ends[digest]
            assert self.clock.wall_ms() < held.verified.document.expires_at_ms
            assert digest not in self.over
        else:
            has_ended = self.clock.monotonic() >= self.ends[digest] or self.clock.wall_ms() >= held.verified.document.expires_at_ms
            if has_ended and not self.journal.is_full:
                self.over.add(digest)
            assert self.permission.gate is not Gate.ACTIVE


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)

"""A latch never clears without its id among the released, never before its cooldown, never before its work is proven."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quantum_api.engine_status import EmergencyState, Latch
from quantum_api.events import StopEvent
from quantum_api.gate import Gate
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import ManualClock
from quantum_engine.emergency.book import CLEARED_KEY, LatchBook, Owed
from quantum_engine.emergency.latches import Sight, progressed
from quantum_engine.journal import Delete, Publish, Table, Write
from quantum_engine.permission import Permission

IDS = st.sampled_from(["a", "b", "c"])
COOLDOWN_SECONDS = 60
SEEN = st.none() | st.integers(0, 1)
"""None = it could not be asked."""


class Book(RuleBasedStateMachine):
    """A model of the journal beside the book; a crash may lose what was not yet written, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.disk: dict[str, bytes] = {}
        self.cleared = b"[]"
        self.told: list[Publish] = []
        self.released: frozenset[str] = frozenset()
        self.in_flight: tuple[Owed, list[Write]] = (Owed(), [])
        self.proven: set[str] = set()
        self.boot()

    def boot(self) -> None:
        self.permission = Permission()
        self.permission.lift("policy")
        self.permission.lift("reconciliation")
        self.book = LatchBook(self.permission, self.clock)
        self.book.on_clear(self.check_clear)
        self.book.restore(self.disk, self.cleared)

    def check_clear(self, latch: Latch) -> None:
        assert latch.id in self.released
        assert latch.id in self.proven
        assert self.clock.wall_ms() >= latch.tripped_at_ms + COOLDOWN_SECONDS * 1000

    @rule(id_=IDS, action=st.sampled_from(StopAction), is_stored=st.booleans())
    def document_with_a_stop(self, id_: str, action: StopAction, is_stored: bool) -> None:
        known = self.book.get(id_)
        writes = self.book.engage([StopOrder(id=id_, name="n", action=action, reason="r")], sorted(self.released))
        if is_stored:
            self.write_ends()
            self.store(writes)
            self.book.committed()
        else:
            self.book.not_committed()
        after = self.book.get(id_)
        if known is not None:
            assert after is not None
            assert after.action.strength >= known.action.strength
            if after.action is not known.action:
                self.proven.discard(id_)
        elif after is not None:
            self.proven.discard(id_)
        assert (after is None) == (known is None and id_ in self.released)

    @rule(released=st.frozensets(IDS))
    def people_release(self, released: frozenset[str]) -> None:
        self.released = released
        self.book.release(sorted(released))

    @rule(id_=IDS, orders=SEEN, positions=SEEN)
    def look(self, id_: str, orders: int | None, positions: int | None) -> None:
        latch = self.book.get(id_)
        if latch is None:
            return
        after = progressed(latch, Sight(orders, positions), self.clock.wall_ms(), COOLDOWN_SECONDS)
        asked = (orders, positions)[: latch.action.strength]
        if latch.cooldown_until_ms is None and after.cooldown_until_ms is not None:
            assert asked == (0,) * len(asked), "what was not seen, or was seen, is not proven gone"
        if 1 in asked:
            assert after.cooldown_until_ms is None
        if after.cooldown_until_ms is None:
            self.proven.discard(id_)
        else:
            self.proven.add(id_)
        self.book.update(after, COOLDOWN_SECONDS)

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.book.clear_released()

    @precondition(lambda self: not self.in_flight[1])
    @rule()
    def write_begins(self) -> None:
        snapshot, writes = self.book.owed()
        self.in_flight = (snapshot, list(writes))

    @rule()
    def write_fails(self) -> None:
        self.book.failed(self.in_flight[0])
        self.in_flight = (Owed(), [])

    @rule()
    def write_ends(self) -> None:
        snapshot, writes = self.in_flight
        self.store(writes)
        self.in_flight = (Owed(), [])
        self.book.written(snapshot)

    def store(self, writes: list[Write]) -> None:
        for write in writes:
            if isinstance(write, Publish):
                self.told.append(write)
            elif isinstance(write, Delete):
                self.disk.pop(write.key, None)
            elif write.table is Table.LATCH:
                self.disk[write.key] = write.value
            else:
                assert write.key == CLEARED_KEY
                self.cleared = write.value

    @rule()
    def crash(self) -> None:
        self.in_flight = (Owed(), [])
        self.boot()
        self.proven = {latch.id for latch in self.book.latches if latch.cooldown_until_ms is not None}
        self.book.release(sorted(self.released))

    @invariant()
    def a_latch_holds_the_gate(self) -> None:
        if self.book.latches:
            assert self.permission.gate is not Gate.ACTIVE
            assert self.book.state is not EmergencyState.ARMED
        else:
            assert self.permission.gate is Gate.ACTIVE

    @invariant()
    def what_is_on_disk_and_not_owed_is_what_is_latched(self) -> None:
        if not self.book.owes:
            assert self.disk.keys() == {latch.id for latch in self.book.latches}

    @invariant()
    def what_is_latched_or_cleared_on_disk_is_told_on_disk(self) -> None:
        """One transaction: no crash leaves a latch that nobody hears of, nor a word of one that is not."""
        stands = {event.payload["latch"]: event.kind for event in self.told if event.kind != StopEvent.FLAT}
        assert {latch for latch, kind in stands.items() if kind == StopEvent.TRIPPED} == self.disk.keys()
        assert len({id(event) for event in self.told}) == len(self.told), "each once"


TestBook = Book.TestCase

"""Whatever dies: every committed event is applied exactly once, in the order of its source.

The outbox's disk fails, hangs and survives crashes; Redis is down, loses answers, what was not synced, or everything; consumers die between
effect and acknowledgement, and hang with entries in their hands.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.laws.bus.world import World

from quantum_api.bus_envelope import EventClass
from quantum_engine.bus import spool

MEMBER = st.integers(0, 1)


@pytest.fixture(scope="module", autouse=True)
def _small_shelves() -> Iterator[None]:
    """Or no shelf is ever full within a short history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "SHELF_ROWS", 2)
        yield


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        world = self.world
        world.heal()
        world.close()
        assert world.inbox.applied == world.committed
        assert world.gaps == []

    @rule(count=st.integers(1, 4), event_class=st.sampled_from(EventClass))
    def publish(self, count: int, event_class: EventClass) -> None:
        self.world.publish(count, event_class)

    @rule(consuming=st.booleans())
    def calm(self, consuming: bool) -> None:
        self.world.finish_commits()
        self.world.calm(consuming=consuming)

    @rule(count=st.integers(1, 3), then=st.integers(0, 2))
    def the_disk_is_full_for_a_while(self, count: int, then: int) -> None:
        self.world.disk.is_full = True
        self.world.publish(count)
        self.world.tidy()
        self.world.disk.is_full = False
        if then:
            self.world.publish(then)

    @rule(count=st.integers(1, 3), done=st.integers(0, 3), dies=st.booleans())
    def the_disk_hangs_and_perhaps_the_engine_dies_of_it(self, count: int, done: int, dies: bool) -> None:
        self.world.disk.hangs = True
        for _ in range(count):
            self.world.publish()
        self.world.send(looks=False)
        if dies:
            self.world.crash(done)
        self.world.disk.hangs = False
        self.world.finish_commits()

    @rule()
    def the_engine_crashes(self) -> None:
        self.world.crash()

    @rule(looks=st.booleans())
    def send(self, looks: bool) -> None:
        self.world.send(looks=looks)

    @rule()
    def tidy(self) -> None:
        self.world.tidy()

    @rule()
    def tend(self) -> None:
        self.world.tend()

    @rule(seconds=st.sampled_from([0.5, 4.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.time_passes(seconds)

    @rule(calls=st.integers(1, 3))
    def redis_is_down(self, calls: int) -> None:
        self.world.redis.down_calls = calls

    @rule(count=st.integers(1, 2))
    def answers_of_redis_are_lost(self, count: int) -> None:
        self.world.redis.loses_answers = count

    @rule()
    def redis_loses_what_it_had_not_synced(self) -> None:
        self.world.redis.crash()

    @rule()
    def redis_comes_back_empty(self) -> None:
        self.world.redis.wipe()

    @rule(member=MEMBER)
    def a_consumer_reads(self, member: int) -> None:
        self.world.consume(member)

    @rule(member=MEMBER)
    def a_consumer_dies_between_effect_and_acknowledgement(self, member: int) -> None:
        self.world.redis.loses_answers = 1
        self.world.consume(member)
        self.world.redis.loses_answers = 0
        self.world.start_consumer(member)

    @rule(member=MEMBER)
    def a_consumer_reads_and_hangs(self, member: int) -> None:
        self.world.read_and_hang(member)

    @rule(member=MEMBER)
    def the_inbox_fails_while_a_consumer_reads(self, member: int) -> None:
        self.world.inbox.is_down = True
        self.world.consume(member)
        self.world.inbox.is_down = False

    @invariant()
    def applied_once_and_in_order(self) -> None:
        applied = self.world.inbox.applied
        assert applied == sorted(set(applied))


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=250, stateful_step_count=40, deadline=None)

"""Laws of the shared weight: whatever engines behind one address ask for and whenever, by the venue's own count."""

from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_engine.exchanges.binance_futures.rate.mirror import GO, Lease, Limits, RateMirror
from quantum_engine.exchanges.binance_futures.rate.room import Lane
from quantum_engine.exchanges.binance_futures.rate.weights import Cost
from quantum_engine.exchanges.binance_futures.rate.windows import EDGE_MS

LIMITS = Limits(200, 40, 100)
OPEN_TO_ENTRIES = 150
START_MS = 1_800_000_000_000


@dataclass
class Pool:
    """What the script in Redis does."""

    taken: dict[tuple[Lane, int], int] = field(default_factory=lambda: defaultdict(int))

    def lease(self, asked: Lease) -> int:
        key = (asked.lane, asked.window)
        taken = max(self.taken[key], asked.used)
        granted = max(min(asked.wanted, asked.room - taken), 0)
        self.taken[key] = taken + granted
        return granted


@dataclass(frozen=True)
class Ask:
    engine: int
    weight: int
    is_exit: bool
    pause_ms: int
    skew_ms: int
    """Of the engine's idea of the venue's time, with the way there."""
    is_heard: bool


asks = st.lists(
    st.builds(
        Ask,
        st.integers(0, 2),
        st.sampled_from([5, 40]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([0, 0, 10, 200, 500, 9_000, 30_000]),
        st.integers(-EDGE_MS + 1, EDGE_MS),
        st.booleans(),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=200)
@given(asks, st.booleans())
def test_entries_of_all_engines_together_never_eat_what_is_reserved_and_no_exit_is_refused(history: list[Ask], has_pool: bool) -> None:
    """Promise 7, in each of the venue's own windows; with the pool, and with floors only.

    Left out: what was leased of one window and came to the venue in the next, by an engine that has not asked the pool since.
    """
    mirrors = [RateMirror(3, LIMITS) for _ in range(3)]
    for mirror in mirrors:
        mirror.take_limits(LIMITS)
    pool, now_ms = Pool(), START_MS + 59_000
    by_entries: dict[int, int] = defaultdict(int)
    by_all: dict[int, int] = defaultdict(int)
    for each in history:
        now_ms += each.pause_ms
        mirror, window = mirrors[each.engine], now_ms // 60_000
        cost, at_ms = Cost(each.weight), now_ms + each.skew_ms
        verdict = mirror.ask(cost, at_ms, is_exit=each.is_exit)
        if isinstance(verdict, Lease):
            mirror.granted(verdict, pool.lease(verdict) if has_pool else None, at_ms)
            verdict = mirror.ask(cost, at_ms, is_exit=each.is_exit)
        assert verdict is GO or not each.is_exit
        if verdict is GO:
            by_all[window] += each.weight
            came_late = has_pool and mirror.weight.number != window
            by_entries[window] += 0 if each.is_exit or came_late else each.weight
            if each.is_heard:
                mirror.heard(by_all[window], (None, None), at_ms, at_ms)
    assert all(used <= OPEN_TO_ENTRIES for used in by_entries.values())


@given(st.lists(st.tuples(st.integers(0, 3_000), st.booleans()), max_size=200))
def test_a_single_engine_never_sends_more_orders_than_the_venue_counts_in_its_windows(history: list[tuple[int, bool]]) -> None:
    mirror, now_ms = RateMirror(limits=LIMITS), START_MS
    short: dict[int, int] = defaultdict(int)
    long: dict[int, int] = defaultdict(int)
    for pause_ms, _ in history:
        now_ms += pause_ms
        if mirror.ask(Cost(0, 1), now_ms, is_exit=False) is GO:
            short[now_ms // 10_000] += 1
            long[now_ms // 60_000] += 1
    assert all(sent <= 30 for sent in short.values())
    assert all(sent <= 75 for sent in long.values())

"""May this request be sent now?  Mirrors the venue's limits and keeps a share of them for exits.  Pure; the venue's time is handed in.

In    the cost of a request and whether it is an exit; the venue's own counts after each answer; rooms leased from the shared pool
Out   Go, Wait (with the numbers and the seconds until the window rolls), or Lease: ask the pool, then ask again
Flow  transport -> HERE (windows, weights) -> transport
Why   promise 7: what opens a position, or only looks, can never use up the room that getting out of one needs
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from quantum_engine.exchanges.binance_futures.rate.room import Lane
from quantum_engine.exchanges.binance_futures.rate.weights import Cost
from quantum_engine.exchanges.binance_futures.rate.windows import FixedWindow

RESERVED_PER_CENT: Final = 25
"""Kept for exits.  A look of a stop at three accounts weighs up to 255 of 2 400 a minute, and 20 cancels with 5 closes each come on top;
a quarter holds two such rounds a minute, and leaves entries and reads more than they use when nothing is wrong."""
CHUNK_PER_CENT: Final = 1
"""Of a lane's room, leased from the pool at once.  Orders weigh nothing, so only reads ever wait for a lease; and what a process that died
had leased is lost to all until the window ends."""
MINUTE_MS: Final = 60_000
AWAY_MS: Final = 1_000
"""How long a pool that could not be asked is left alone."""
RESYNC_COST: Final = Cost(1)
"""Of asking for the venue's time."""


class Limits(NamedTuple):
    """As the venue names them in exchangeInfo; these until it was read."""

    weight_per_minute: int = 2_400
    orders_per_ten_seconds: int = 300
    orders_per_minute: int = 1_200


USUAL: Final = Limits()


class Go(NamedTuple):
    """Send; it is counted."""


class Wait(NamedTuple):
    """Do not send; nothing was counted."""

    seconds: float
    why: str


class Lease(NamedTuple):
    """Ask the pool for so much of this lane and window, then ask again."""

    lane: Lane
    window: int
    wanted: int
    used: int
    """As far as we know, by everybody behind our address; what the lane has left is no more than its room without that."""
    room: int
    """Of the whole lane, for all engines together."""


GO: Final = Go()


@dataclass(slots=True)
class LaneUse:
    """This process's use of one lane in the window that runs."""

    used: int = 0
    late: int = 0
    """Of that, what the venue may count in its next window: charged there too."""
    leased: int = 0
    away_until_ms: int = 0
    """The pool could not be asked, and is not asked again before."""
    is_empty: bool = False
    """The pool has nothing left."""


@dataclass(slots=True)
class RateMirror:
    """Mutable; no clock, no I/O.  ``sharers`` None: nobody shares our address, and no pool is asked."""

    sharers: int | None = None
    limits: Limits = USUAL
    are_read: bool = False
    """Whether the limits are the venue's own.  Before that the pool, whose room depends on them, is not asked; it is charged afterwards."""
    weight: FixedWindow = field(default_factory=lambda: FixedWindow("weight per minute", MINUTE_MS, 0))
    orders: tuple[FixedWindow, FixedWindow] = field(
        default_factory=lambda: (FixedWindow("orders per 10 s", 10_000, 0), FixedWindow("orders per minute", MINUTE_MS, 0))
    )
    _lanes: dict[Lane, LaneUse] = field(default_factory=lambda: {lane: LaneUse() for lane in Lane})

    def __post_init__(self) -> None:
        self._set(self.limits)

    def take_limits(self, limits: Limits) -> None:
        """Zero or less would shut the engine out for ever: no venue means that.  A pool that was empty by other limits may not be."""
        if min(limits) <= 0:
            return
        if limits.weight_per_minute != self.weight.limit:
            for use in self._lanes.values():
                use.is_empty = False
        self.are_read = True
        self._set(limits)

    def _set(self, limits: Limits) -> None:
        self.limits = limits
        self.weight.limit = limits.weight_per_minute
        self.orders[0].limit, self.orders[1].limit = limits.orders_per_ten_seconds, limits.orders_per_minute

    def ask(self, cost: Cost, now_ms: int, *, is_exit: bool, is_throttled: bool = False) -> Go | Wait | Lease:
        """Counts the request when the answer is Go.

        An exit is never refused, but for one thing: while the venue throttles us, only what is reserved is used to ask on.
        """
        self._roll(now_ms)
        if not is_exit:
            verdict = self._other(cost, now_ms)
        else:
            verdict = self._lane(Lane.EXIT, cost.weight, now_ms) if is_throttled and cost.weight else GO
        if verdict is GO:
            self._count(cost, now_ms, Lane.EXIT if is_exit else Lane.ENTRY)
        return verdict

    def _other(self, cost: Cost, now_ms: int) -> Go | Wait | Lease:
        for window in self.orders if cost.orders else (self.weight,):
            taken = cost.orders or cost.weight
            if window.used + taken > window.limit - _reserve(window.limit):
                return _full(window, taken, now_ms)
        return self._lane(Lane.ENTRY, cost.weight, now_ms) if cost.weight else GO

    def _lane(self, lane: Lane, weight: int, now_ms: int) -> Go | Wait | Lease:
        if self.sharers is None:
            return GO if lane is Lane.ENTRY else self._within(self._lanes[lane].used, self.room(lane), weight, now_ms)
        use, room = self._lanes[lane], self.room(lane)
        if use.used + weight <= use.leased:
            return GO
        if now_ms < use.away_until_ms or not self.are_read:
            return self._within(use.used, max(use.leased, room // self.sharers), weight, now_ms)
        if use.is_empty:
            return self._within(use.used, use.leased, weight, now_ms)
        wanted = max(use.used + weight - use.leased, room * CHUNK_PER_CENT // 100)
        return Lease(lane, self.weight.number, wanted, self.weight.used if lane is Lane.ENTRY else 0, room)

    def _within(self, used: int, room: int, weight: int, now_ms: int) -> Go | Wait:
        if used + weight <= room:
            return GO
        why = f"{self.weight.name}: {used} used of our share of {room}, {weight} more asked"
        return Wait(self.weight.ms_left(now_ms) / 1_000, why)

    def granted(self, lease: Lease, amount: int | None, now_ms: int) -> None:
        """What the pool gave; None when it could not be asked.

        Then each keeps for a while to what it has leased of the window, or to its part of the whole if that is more; what others have
        leased of it is not known, but the venue's own count, which comes with every answer, holds above all.
        """
        use = self._lanes[lease.lane]
        if lease.window != self.weight.number:
            return
        if amount is None:
            use.away_until_ms = now_ms + AWAY_MS
        else:
            use.leased += amount
            use.is_empty = amount < lease.wanted

    def heard(self, weight: int | None, orders: tuple[int | None, int | None], sent_ms: int, now_ms: int) -> None:
        """The venue's own counts."""
        self._roll(now_ms)
        if weight is not None:
            self.weight.heard(weight, sent_ms)
        if orders[0] is not None:
            self.orders[0].heard(orders[0], sent_ms)
        if orders[1] is not None:
            self.orders[1].heard(orders[1], sent_ms)

    def room(self, lane: Lane) -> int:
        """Weight a minute of all engines together."""
        reserve = _reserve(self.weight.limit)
        return reserve if lane is Lane.EXIT else self.weight.limit - reserve

    def _count(self, cost: Cost, now_ms: int, lane: Lane) -> None:
        if cost.weight:
            self.weight.take(cost.weight, now_ms)
            self._lanes[lane].used += cost.weight
            self._lanes[lane].late += cost.weight if self.weight.is_at_edge(now_ms) else 0
        if cost.orders:
            for window in self.orders:
                window.take(cost.orders, now_ms)

    def _roll(self, now_ms: int) -> None:
        before = self.weight.number
        if self.weight.roll(now_ms) and self.weight.number > before:
            is_next = self.weight.number == before + 1
            self._lanes = {lane: LaneUse(use.late if is_next else 0) for lane, use in self._lanes.items()}
        for window in self.orders:
            window.roll(now_ms)


def _reserve(limit: int) -> int:
    return -(-limit * RESERVED_PER_CENT // 100)


def _full(window: FixedWindow, taken: int, now_ms: int) -> Wait:
    open_to_entries = window.limit - _reserve(window.limit)
    why = f"{window.name}: {window.used} used of {open_to_entries} ({window.limit} less what is reserved for exits), {taken} more asked"
    return Wait(window.ms_left(now_ms) / 1_000, why)

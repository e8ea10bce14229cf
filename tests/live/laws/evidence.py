"""What one history left behind, for the judge.  Pure data.

In    the venue's log and books, the moments at which requests reached it, what the engine acknowledged
Out   one Evidence
Flow  world -> HERE -> judge
Why   an engine's word about itself proves nothing: its acknowledgements are held against the venue's own record
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_api.gate import Gate
from quantum_simulator.order_log import LogEntry

FOREIGN = "foreign-"
"""Client order ids of what another program did on the account begin with it."""


@dataclass(frozen=True)
class Moment:
    """A turn of the event loop, and the newest entry of the venue's log then."""

    turn: int
    seq: int


@dataclass(frozen=True)
class Arrival:
    """A request to place an order reached the venue; it may be refused, or wait there before it is carried out."""

    client_id: str
    symbol: str
    reduce_only: bool
    at: Moment


@dataclass
class Shut:
    """The engine acknowledged that its gate is at least so tight, until somebody may have loosened it.  No symbols = every one."""

    source: str
    gate: Gate
    since: Moment
    until: Moment | None = None
    symbols: frozenset[str] = frozenset()

    def covers(self, arrival: Arrival, grace_turns: int) -> bool:
        if self.symbols and arrival.symbol not in self.symbols:
            return False
        return arrival.at.turn > self.since.turn + grace_turns and (self.until is None or arrival.at.turn <= self.until.turn)


@dataclass(frozen=True)
class Told:
    """The engine's final word on an intent."""

    intent: str
    client_id: str
    is_live: bool
    """False: nothing of it is or ever was at the venue."""


Shape = tuple[str, str, Decimal]
"""Symbol, side, quantity."""


@dataclass
class Evidence:
    """Everything, oldest first."""

    log: list[LogEntry] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    shut: list[Shut] = field(default_factory=list)
    sent: dict[str, set[Shape]] = field(default_factory=dict)
    """Intent -> what was asked under its name.  Its quantities are its own: no other intent of the history bears them."""
    exits: set[str] = field(default_factory=set)
    """Client ids of the stop's own closing orders: their quantity is whatever was held."""
    told: list[Told] = field(default_factory=list)
    believed: set[tuple[str, Decimal]] = field(default_factory=set)
    """Symbol and quantity that the engine held to be true at any moment."""
    noted: list[str] = field(default_factory=list)
    """What was seen broken while it happened: a latch that went, a gate that was not as tight as acknowledged."""
    venue_holds: Mapping[str, Decimal] = field(default_factory=dict)
    engine_holds: Mapping[str, Decimal] = field(default_factory=dict)
    wallets: tuple[Decimal | None, Decimal | None] = (None, None)
    """The venue's, the engine's."""

"""Everything one running venue consists of, without its servers.

In    floor, market, clocks, limits, faults
Out   one object that endpoints and streams are given
Flow  venue builds it -> rest, streams, control read and change it
Why   handlers get what they need as an argument; nothing is global, so a test can run two venues
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from quantum_simulator.clock import Clock
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.effects import Effect
from quantum_simulator.core.floor import Floor
from quantum_simulator.faults import Faults
from quantum_simulator.listen_keys import ListenKeys
from quantum_simulator.market.market import Market
from quantum_simulator.market.tape import Tape
from quantum_simulator.order_log import OrderLog
from quantum_simulator.rest.limits import RateLimits


@dataclass(slots=True)
class VenueState:
    floor: Floor
    market: Market
    clock: Clock
    wall: Clock
    limits: RateLimits = field(default_factory=RateLimits)
    faults: Faults = field(default_factory=Faults)
    tape: Tape = field(default_factory=Tape)
    order_log: OrderLog = field(default_factory=OrderLog)
    listen_keys: ListenKeys = field(default_factory=lambda: ListenKeys(lambda: secrets.token_hex(32)))
    publish: Callable[[list[Effect]], None] = lambda _: None
    """Where effects go after they were written to the order log: the streams."""
    by_api_key: dict[str, Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_api_key = {each.api_key: each for each in self.floor.accounts.values()}

    def flush(self) -> None:
        """Write what happened to the order log, then send it."""
        effects = self.floor.drain()
        for effect in effects:
            self.order_log.effect(effect)
        if effects:
            self.publish(effects)

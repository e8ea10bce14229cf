"""The index price of one symbol: walk + drift + shocks, or a pinned value.  Pure.

In    market time that passes, random numbers of a seeded source, ordered drifts, shocks and pins
Out   the price, and how deep and wide the book is now
Flow  control API -> HERE -> core.session
Why   in logarithms the parts add up: a shock of -1500 bps is -15 % whatever the walk does beside it
"""

import math
import random
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_simulator.market.rows import Deal
from quantum_simulator.market.shocks import Shock

MINUTE_MS = 60_000
SHOCK_DEPTH = 0.15
SHOCK_WIDEN = 4.0


@dataclass(slots=True)
class Walk:
    price_at_start: float
    volatility_bps: float
    chance: random.Random | None
    now_ms: int = 0
    drift_bps_per_minute: float = 0.0
    shocks: list[Shock] = field(default_factory=list)
    is_held: bool = False
    depth: float = 1.0
    """Ordered depth of the book, 1 is calm, 0 is empty."""
    gap_bps: float = 0.0
    """How far from the index makers have withdrawn."""
    mark_bps: float = 0.0
    """How far the mark price stands above the index."""
    _log_price: float = field(init=False)

    def __post_init__(self) -> None:
        self._log_price = math.log(self.price_at_start)

    def advance(self, elapsed_ms: int) -> None:
        """Move by one tick."""
        self.now_ms += elapsed_ms
        self._move(elapsed_ms / MINUTE_MS)
        for shock in [each for each in self.shocks if each.is_over(self.now_ms) and not each.is_violent(self.now_ms)]:
            self._keep(shock.log_move(self.now_ms))
            self.shocks.remove(shock)

    def _move(self, minutes: float) -> None:
        """The random number is drawn even while held, so a pin does not shift the rest of the day."""
        noise = self.chance.gauss(0.0, 1.0) if self.chance is not None else 0.0
        if not self.is_held:
            self._log_price += noise * self.volatility_bps / 10_000 * math.sqrt(minutes)
            self._log_price += self.drift_bps_per_minute / 10_000 * minutes

    def _keep(self, log_move: float) -> None:
        """What a shock that is over leaves behind."""
        self._log_price += log_move

    def _shocked(self) -> float:
        return sum(each.log_move(self.now_ms) for each in self.shocks)

    @property
    def price(self) -> float:
        return math.exp(self._log_price + self._shocked())

    @property
    def index_price(self) -> Decimal:
        return Decimal(f"{self.price:.8f}")

    @property
    def deals(self) -> tuple[Deal, ...]:
        """Recorded trades of the last step; a walk has none."""
        return ()

    def set_price(self, price: float, hold: bool) -> None:
        """Jump now; shocks still running are dropped."""
        self.shocks.clear()
        self._log_price = math.log(price)
        self.is_held = hold

    def order_shock(self, bps: int, duration_ms: int, recover_ms: int = 0) -> Shock:
        shock = Shock(bps, self.now_ms, max(1, duration_ms), recover_ms)
        self.shocks.append(shock)
        return shock

    @property
    def book_depth(self) -> float:
        return self.depth * (SHOCK_DEPTH if self._is_violent() else 1.0)

    @property
    def book_widen(self) -> float:
        return SHOCK_WIDEN if self._is_violent() else 1.0

    def _is_violent(self) -> bool:
        return any(each.is_violent(self.now_ms) for each in self.shocks)

"""Which fills have been told, and which symbols may hold some that have not.  Pure.

In    fills from any channel, in any order and with repeats; losses of the stream; what comparisons with the exchange found
Out   whether a fill is news; what must be asked to close the gaps
Flow  service -> HERE -> recovery
Why   a reconnect replays nothing: a comparison shows that a position changed, but only the trades themselves say by what, at which price
      and for which order, and a position that was opened and closed meanwhile shows nothing at all
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from quantum_engine.domain import Fill

REMEMBERED: Final = 20_000
DOUBT_MS: Final = 1_000
"""Asked by time, a little more is asked for: what was told before is not told again."""


class Question(NamedTuple):
    """Fills of ``symbol`` from this trade id on; where none is known, from this time on."""

    symbol: str
    trade_id: int | None
    since_ms: int


@dataclass(slots=True)
class Gaps:
    """Mutable accumulator; no clock, no I/O."""

    _told: OrderedDict[tuple[str, int], None] = field(default_factory=OrderedDict)
    _newest: dict[str, int] = field(default_factory=dict)
    _complete: dict[str, int] = field(default_factory=dict)
    """By symbol: the newest trade id when a comparison last agreed."""
    _agreed_ms: int | None = None
    _is_lost: bool = False
    _open: dict[str, Question] = field(default_factory=dict)

    def is_news(self, fill: Fill) -> bool:
        """Whether it was not told yet; it is from now on."""
        key = (fill.symbol, fill.trade_id)
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        self._newest[fill.symbol] = max(fill.trade_id, self._newest.get(fill.symbol, 0))
        return True

    def lost(self) -> None:
        """The stream was away: anything may have been traded."""
        self._is_lost = True

    def compared(self, asked_ms: int, symbols: Iterable[str], changed: Iterable[str]) -> None:
        """``changed``: where the exchange showed what the stream had not told.  Before the first comparison nothing had been told."""
        for symbol in symbols if self._is_lost else changed:
            self._suspect(symbol)
        self._is_lost = False
        self._complete |= {symbol: newest for symbol, newest in self._newest.items() if symbol not in self._open}
        self._agreed_ms = asked_ms

    def is_covered(self, fill: Fill) -> bool:
        """Whether the newest comparison was asked after it: the position that it showed holds the fill already."""
        return self._agreed_ms is not None and fill.time_ms <= self._agreed_ms

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(self._open.values())

    def answered(self, symbol: str) -> None:
        """Everything that was asked for has been told."""
        self._open.pop(symbol, None)

    def _suspect(self, symbol: str) -> None:
        """A gap that is open already begins where it began."""
        if self._agreed_ms is None or symbol in self._open:
            return
        known = self._complete.get(symbol)
        self._open[symbol] = Question(symbol, None if known is None else known + 1, self._agreed_ms - DOUBT_MS)

"""What the strategy needs of the stages beside it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from quantum_engine.domain import AccountView, Bar, OrderIntent, OrderView, PositionView, Quote
from quantum_engine.verdicts import Verdict

Submit = Callable[[OrderIntent], Awaitable[Verdict]]
History = Callable[[str, int, int], Awaitable[list[Bar]]]
"""(symbol, bar_seconds, count) -> closed bars, oldest first."""


class Quotes(Protocol):
    """Newest prices."""

    def quote(self, symbol: str) -> Quote | None: ...
    def on_quote(self, callback: Callable[[Quote], None]) -> None: ...


class Holdings(Protocol):
    """What the account holds and what rests for it."""

    @property
    def account(self) -> AccountView | None: ...
    @property
    def positions(self) -> Mapping[str, PositionView]: ...
    @property
    def open_orders(self) -> Mapping[str, OrderView]: ...

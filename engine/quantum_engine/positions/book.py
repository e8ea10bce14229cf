"""Everything the account holds, folded from stream and snapshots.  Pure.

In    UserEvents; whole answers of the exchange (account, positions, open orders) with the stretch of time in which they were read
Out   positions, open orders, wallet
Flow  service -> HERE -> equity, gate, status
"""

from dataclasses import dataclass, field
from decimal import Decimal

from quantum_engine.domain import AccountView, Fill, OrderView, PositionSide, PositionView, position_key
from quantum_engine.exchanges.port import AccountUpdate, OrderUpdate
from quantum_engine.positions.line import PositionLine, Statement
from quantum_engine.positions.orders import OpenOrders

DOUBT_MS = 250
"""How far our idea of the exchange's clock may be off."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the exchange said when asked, and between which moments of its clock."""

    account: AccountView
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    asked_ms: int
    answered_ms: int
    scope: frozenset[str] | None = None
    """Symbols whose orders were asked about; None = all.  Positions are always all of them."""


@dataclass(slots=True)
class PositionBook:
    """Mutable accumulator; no clock, no I/O."""

    wallet_usdt: Decimal | None = None
    available_usdt: Decimal = Decimal(0)
    wallet_as_of_ms: int = -1
    lines: dict[str, PositionLine] = field(default_factory=dict)
    """By position_key: in hedge mode a symbol has two."""
    is_hedged: bool = False
    orders: OpenOrders = field(default_factory=OpenOrders)
    _unbooked: list[tuple[int, Decimal]] = field(default_factory=list)
    """Time and profit of fills that the wallet does not hold yet: the venue tells a fill and the new balance one after the other."""

    @property
    def settled_usdt(self) -> Decimal | None:
        """Wallet plus what known fills have realised since: with the positions it belongs to, so that equity makes no jump between them."""
        if self.wallet_usdt is None or not self._unbooked:
            return self.wallet_usdt
        return sum((profit for _, profit in self._unbooked), self.wallet_usdt)

    @property
    def quantities(self) -> dict[str, Decimal]:
        """What is held, by position_key."""
        return {key: line.quantity for key, line in self.lines.items() if line.quantity}

    def line(self, key: str) -> PositionLine:
        return self.lines.setdefault(key, PositionLine())

    def fill(self, fill: Fill) -> None:
        """The early notice of a trade names no position side: in hedge mode only what follows says whose it was."""
        if self.is_hedged and fill.position_side is PositionSide.BOTH:
            return
        realised_usdt = self.line(position_key(fill.symbol, fill.position_side)).fill(fill)
        if realised_usdt and fill.time_ms >= self.wallet_as_of_ms:
            self._unbooked.append((fill.time_ms, realised_usdt))

    def order(self, update: OrderUpdate) -> None:
        """Fill first: between the two the position must not look larger than it is while less of the order rests."""
        if update.fill is not None:
            self.fill(update.fill)
        self.orders.see(update.order)

    def account(self, update: AccountUpdate) -> None:
        if update.wallet_usdt is not None:
            self._book_wallet(update.wallet_usdt, update.time_ms)
        for position in update.positions:
            statement = Statement(position.quantity, position.entry_price, update.time_ms, update.time_ms)
            self.line(position.key).state(statement)

    def balance(self, account: AccountView) -> None:
        self.available_usdt = account.available_usdt
        self._book_wallet(account.wallet_usdt, account.as_of_ms)

    def _book_wallet(self, wallet_usdt: Decimal, as_of_ms: int) -> None:
        if as_of_ms < self.wallet_as_of_ms:
            return
        self.wallet_usdt, self.wallet_as_of_ms = wallet_usdt, as_of_ms
        self._unbooked = [(time_ms, profit) for time_ms, profit in self._unbooked if time_ms > as_of_ms]

    def reconcile(self, answers: Answers) -> None:
        """The exchange is right, except about what happened after it was asked."""
        self.balance(answers.account)
        from_ms, to_ms = answers.asked_ms - DOUBT_MS, answers.answered_ms + DOUBT_MS
        listed = {position.key: position for position in answers.positions}
        for key in listed.keys() | self.lines.keys():
            line = self.line(key)
            position = listed.get(key)
            if position is None and not line.quantity:
                continue  # flat, and told so: what is still on its way counts as it comes
            if position is None:
                line.state(Statement(Decimal(0), Decimal(0), from_ms, to_ms))
            elif line.stated_to_ms <= max(position.update_time_ms, from_ms):
                line.state(_listed(position, line, from_ms, to_ms))
        self.orders.replace(answers.orders, answers.asked_ms - DOUBT_MS, answers.scope)


def _listed(position: PositionView, line: PositionLine, from_ms: int, to_ms: int) -> Statement:
    """Its update time is when it last traded: from then until we asked it stood still, so the word holds for any moment between."""
    if not position.update_time_ms:
        return Statement(position.quantity, position.entry_price, from_ms, to_ms)
    at_ms = max(position.update_time_ms, line.stated_to_ms)
    return Statement(position.quantity, position.entry_price, at_ms + 1, at_ms)

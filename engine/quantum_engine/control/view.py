"""What the stages hold, as the status shows it.  Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from quantum_api.engine_status import Drawdown, Position, StageCrash
from quantum_engine.domain import PositionView


class EquityState(Protocol):
    """risk.breaker.BreakerState, as far as the wire shows it."""

    @property
    def peak_usdt(self) -> Decimal | None: ...
    @property
    def equity_usdt(self) -> Decimal | None: ...
    @property
    def as_of_ms(self) -> int | None: ...
    @property
    def warning(self) -> bool: ...
    @property
    def breached(self) -> bool: ...
    @property
    def drawdown_bps(self) -> int | None: ...


def drawdown(state: EquityState) -> Drawdown:
    return Drawdown(
        equity_usdt=_text(state.equity_usdt),
        peak_usdt=_text(state.peak_usdt),
        drawdown_bps=state.drawdown_bps,
        warning=state.warning,
        breached=state.breached,
        as_of_ms=state.as_of_ms,
    )


def crash(each: StageCrash) -> str:
    """One crash in one line, for a probe."""
    after = "given up" if each.delay_seconds is None else f"again after {each.delay_seconds:g} s"
    at = datetime.fromtimestamp(each.at_ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {each.stage} ({each.crashes}): {each.error}, {after}"


def positions(views: Iterable[PositionView]) -> tuple[Position, ...]:
    return tuple(_position(view) for view in views)


def _position(view: PositionView) -> Position:
    unrealised = None if view.mark_price is None else (view.mark_price - view.entry_price) * view.quantity
    return Position(
        symbol=view.symbol,
        quantity=_text(view.quantity) or "0",
        entry_price=_text(view.entry_price) or "0",
        mark_price=_text(view.mark_price),
        unrealised_usdt=_text(unrealised),
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"

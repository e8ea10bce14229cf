"""No history of readings loosens the breaker; no ordering of events makes it raise."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quantum_api.gate import Gate
from quantum_engine.domain import EquityLost, EquityRead, Transferred
from quantum_engine.risk.breaker import (
    BreachRemembered,
    BreakerLimits,
    BreakerState,
    Event,
    LimitsChanged,
    PeakRemembered,
    Released,
    step,
)

MONEY = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2)
EQUITY = st.one_of(MONEY, st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal(0)]))
LIMITS = st.integers(1, 10_000).flatmap(lambda high: st.builds(BreakerLimits, st.integers(0, high - 1), st.just(high)))


class Breaker(RuleBasedStateMachine):
    """Any history."""

    def __init__(self) -> None:
        super().__init__()
        self.state = BreakerState()
        self.limits = BreakerLimits(200, 500)

    def apply(self, event: Event) -> None:
        before = self.state
        outcome = step(before, event, self.limits)
        self.state = outcome.state
        if not isinstance(event, Released):
            assert self.state.breached >= before.breached, "only a release reopens"
        if not isinstance(event, Released | Transferred) and before.peak_usdt is not None:
            assert self.state.peak_usdt is not None
            assert self.state.peak_usdt >= before.peak_usdt, "a peak never falls by a reading"

    @rule(equity=EQUITY)
    def read(self, equity: Decimal) -> None:
        self.apply(EquityRead(equity, 1, 1.0))
        drawdown = self.state.drawdown_bps
        assert self.state.breached or drawdown is None or drawdown < self.limits.max_bps

    @rule()
    def lose(self) -> None:
        self.apply(EquityLost("gone", 1.0))
        assert self.state.gate is not Gate.ACTIVE

    @rule(amount=EQUITY)
    def transfer(self, amount: Decimal) -> None:
        self.apply(Transferred(amount, 1))

    @rule(limits=LIMITS)
    def change_limits(self, limits: BreakerLimits) -> None:
        self.limits = limits
        self.apply(LimitsChanged())

    @rule(peak=MONEY)
    def remember_peak(self, peak: Decimal) -> None:
        self.apply(PeakRemembered(peak))

    @rule()
    def remember_breach(self) -> None:
        self.apply(BreachRemembered())

    @precondition(lambda self: self.state.breached)
    @rule()
    def release(self) -> None:
        self.apply(Released())
        assert not self.state.breached
        assert self.state.peak_usdt == self.state.equity_usdt

    @invariant()
    def active_only_when_equity_is_known_and_within_limits(self) -> None:
        if self.state.gate is Gate.ACTIVE:
            assert self.state.equity_usdt is not None
            assert not self.state.breached


TestBreaker = Breaker.TestCase

"""Whatever happens in whatever order: what is breached is stopped, once, and only people take it back; a restart changes nothing."""

import asyncio
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.engine.risk.desk import Desk, policy

from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.risk.evaluators import breaches
from quantum_engine.risk.snapshot import Senses
from quantum_engine.verdicts import Accepted, Declined, Verdict

EQUITY = st.integers(1, 20_000).map(Decimal) | st.sampled_from([Decimal("NaN"), Decimal(0), Decimal(-5)])
BPS = st.integers(1, 3_000)
ACTIONS = st.sampled_from(StopAction)
SECONDS = st.sampled_from([0.0, 9.0, 11.0, 299.0, 301.0, 4_000.0])
POLICIES = st.builds(
    policy, max_drawdown_bps=BPS, warn_drawdown_bps=st.just(0), max_daily_loss_bps=BPS, max_loss_velocity_bps=BPS,
    loss_velocity_seconds=st.integers(1, 3_600), on_drawdown=ACTIONS, on_daily_loss=ACTIONS, on_loss_velocity=ACTIONS,
    on_order_fault=ACTIONS, on_outage=ACTIONS, max_rejects_per_minute=st.integers(1, 5), max_data_age_seconds=st.just(5),
    data_silence_deadline_seconds=st.integers(10, 300),
)  # fmt: skip
VERDICTS = st.sampled_from([Accepted("c", None), Accepted("c", None, certain=False), Declined("c", -2019, "no"), Declined("c", 0, "away")])


class RiskStage(RuleBasedStateMachine):
    """The real stage, latch book and keeper; a journal in memory; a clock that only these rules turn."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.desk = Desk()
        self.count = 0

    def teardown(self) -> None:
        self.loop.close()

    @rule(equity=EQUITY)
    def read(self, equity: Decimal) -> None:
        self.desk.read(str(equity))

    @rule()
    def lose_sight_of_equity(self) -> None:
        self.desk.lose()

    @rule(amount=st.integers(-20_000, 20_000))
    def transfer(self, amount: int) -> None:
        self.desk.transfer(amount)

    @rule(verdict=VERDICTS, times=st.integers(1, 80))
    def outcomes(self, verdict: Verdict, times: int) -> None:
        for _ in range(times):
            self.count += 1
            self.desk.risk.on_outcome(OrderIntent(str(self.count), "BTCUSDT", Side.BUY, Decimal(1)), verdict)

    @rule(senses=st.builds(Senses, st.booleans(), SECONDS, SECONDS, SECONDS))
    def sense(self, senses: Senses) -> None:
        self.desk.senses = senses
        self.desk.risk.judge()

    @rule(seconds=st.sampled_from([0.1, 5.0, 61.0, 3_700.0, 86_400.0]))
    def time_passes(self, seconds: float) -> None:
        self.desk.clock.advance(seconds)
        self.desk.risk.judge()

    @rule(limits=st.none() | POLICIES)
    def another_policy(self, limits: object) -> None:
        self.desk.limits = limits  # type: ignore[assignment]
        self.desk.risk.limits_may_have_changed()

    @precondition(lambda self: self.desk.book.latches)
    @rule()
    def people_release_everything(self) -> None:
        self.desk.release(*self.desk.book.latches)
        assert self.desk.triggers == [], "what people have accepted does not trip again by itself"

    @precondition(lambda self: len(self.desk.book.latches) > 1)
    @rule(data=st.data())
    def people_release_one(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.desk.book.latches))
        others = {latch.id for latch in self.desk.book.latches} - {one.id}
        self.desk.release(one)
        assert others <= {latch.id for latch in self.desk.book.latches}, "no release takes another stop with it"

    @rule()
    def restart(self) -> None:
        self.desk.clock.advance(6)
        self.desk.risk.judge()
        self.loop.run_until_complete(self.desk.live())
        triggers, day, peak = self.desk.triggers, self.desk.risk.measures.day, self.desk.risk.state.peak_usdt
        self.desk.senses = Senses()  # silence is heard from the start of a process on
        self.loop.run_until_complete(self.desk.restart())
        assert self.desk.triggers == triggers
        assert (self.desk.risk.measures.day, self.desk.risk.state.peak_usdt) == (day, peak)

    @invariant()
    def what_is_breached_is_stopped(self) -> None:
        risk = self.desk.risk
        assert all(risk._has_stop(breach) for breach in breaches(risk._snapshot()))

    @invariant()
    def one_stop_per_cause_and_a_gate_that_says_so(self) -> None:
        triggers = self.desk.triggers
        assert len(set(triggers)) == len(triggers)
        if triggers:
            assert self.desk.permission.gate is not Gate.ACTIVE


TestRiskStage = RiskStage.TestCase
TestRiskStage.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

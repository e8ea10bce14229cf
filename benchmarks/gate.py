"""One pass through the gate with every check on, from the stages' memory to the verdict.

The account is busy (three positions, six resting orders, one in flight) and the intent passes every check, so none is skipped.  Timed is
what execution does for each look at an order: freeze the world (real permission, positions, flight and pace) and run the chain.  Beside it,
in turns, the floor of any such chain in this language: one struct of as many fields and as many calls that look at one of them.
"""

import time
from collections.abc import Callable
from decimal import Decimal

from benchmarks.figures import Row, microseconds, percentile
from quantum_api.trading_policy import Limits
from quantum_engine.clock import SystemClock
from quantum_engine.domain import AccountView, OrderIntent, OrderStatus, OrderView, PositionView, Quote, Side, SymbolRules
from quantum_engine.execution.gather import Gatherer
from quantum_engine.execution.intents import IntentTable
from quantum_engine.gate.chain import GATE, judge
from quantum_engine.gate.checks import Check
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions
from quantum_engine.verdicts import Allowed, Refused

PASSES = 20_000
P50_BUDGET_SECONDS = 10e-6
P99_BUDGET_SECONDS = 30e-6
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
MARK = Decimal(50_000)
STEP = Decimal("0.001")


class Venue:
    """Answers the one comparison with which the books are filled."""

    def venue_ms(self) -> int:
        return 1_800_000_000_000

    async def account(self) -> AccountView:
        return AccountView(Decimal(100_000), Decimal(0), Decimal(100_000), 0)

    async def is_hedged(self) -> bool:
        return False

    async def positions(self, *, is_exit: bool) -> list[PositionView]:  # noqa: ARG002  the port names it
        return [PositionView(symbol, Decimal("0.050"), MARK, MARK) for symbol in SYMBOLS]

    async def open_orders(self, *, is_exit: bool) -> list[OrderView]:  # noqa: ARG002  the port names it
        return [
            OrderView(symbol, number, f"{symbol}-{side}", side, OrderStatus.NEW, Decimal("0.010"), Decimal(0), MARK, False, 0)
            for number, symbol in enumerate(SYMBOLS)
            for side in Side
        ]


class Market:
    """Prices that do not move and do not age."""

    def __init__(self) -> None:
        self._quotes = {symbol: Quote(symbol, MARK, MARK - 1, MARK + 1, time.monotonic() + 3_600) for symbol in SYMBOLS}

    def quote(self, symbol: str) -> Quote | None:
        return self._quotes.get(symbol)

    def take(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote


async def busy_account() -> Gatherer:
    """Where an entry has to pass every check, and does."""
    clock, permission, market = SystemClock(), Permission(), Market()
    permission.lift("policy")
    positions = Positions(Venue(), market.quote, clock, permission)  # type: ignore[arg-type]  the part of the port that is asked
    await positions.reconcile()
    permission.lift("reconciliation")
    limits = Limits(
        instruments=list(SYMBOLS), max_order_notional_usdt=10_000, max_position_notional_usdt=20_000, max_gross_exposure_usdt=60_000
    )
    world = Gatherer(clock, permission, lambda: limits, market, positions)
    world.rules[SYMBOLS[0]] = SymbolRules(SYMBOLS[0], True, Decimal("0.1"), STEP, STEP, STEP, Decimal(100), Decimal(10), Decimal(20))
    world.flight.left(IntentTable().record(OrderIntent("flying", SYMBOLS[1], Side.BUY, Decimal("0.010"), MARK), 0).as_order)
    return world


async def measure() -> list[Row]:
    world = await busy_account()
    intents = [OrderIntent(str(number), SYMBOLS[0], Side.BUY, Decimal("0.100")) for number in range(PASSES)]
    if not isinstance(judge(world.snapshot(intents[0])), Allowed):
        raise TypeError("the intent must pass every check, or not every check is timed")
    chain: tuple[Check, ...] = tuple(_trivial for _ in GATE)
    passes, floor = [], []
    for intent in intents:
        passes.append(_timed(lambda: judge(world.snapshot(intent))))  # noqa: B023  called before the next turn
        floor.append(_timed(lambda: _floor(intent, chain)))  # noqa: B023
    p50, p99, bare = percentile(passes, 0.5), percentile(passes, 0.99), percentile(floor, 0.5)
    return [
        Row(f"one gate pass, {len(GATE)} checks, world gathered, p50", microseconds(p50), "<= 10 us", p50 <= P50_BUDGET_SECONDS),
        Row("one gate pass, p99", microseconds(p99), "<= 30 us", p99 <= P99_BUDGET_SECONDS),
        Row("the floor (one struct, as many calls), p50", f"{microseconds(bare)}, the gate is {p50 / bare:.1f}x of it", "", None),
    ]


def _floor(intent: OrderIntent, chain: tuple[Check, ...]) -> None:
    snapshot = Snapshot(intent, None, (), None, None, None, 0.0, None, 0.0)  # type: ignore[arg-type]  nothing looks at it
    for check in chain:
        if check(snapshot) is not None:
            raise AssertionError


def _trivial(snapshot: Snapshot) -> Refused | None:
    return None if snapshot.limits is None else Refused(snapshot.limits)  # type: ignore[arg-type, unreachable]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

"""From quotes to one intent per bar."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from tests.unit.engine.gate.worlds import BTC, ETH, limits, rules

from quantum_api.strategy_mode import MODE_DEFAULTS, Mode, Strategy
from quantum_engine.clock import ManualClock
from quantum_engine.domain import AccountView, Bar, OrderIntent, OrderView, PositionView, Purpose, Quote, Side
from quantum_engine.errors import RetryableError
from quantum_engine.strategy.service import StrategyStage
from quantum_engine.verdicts import Accepted, Verdict

STRATEGY = MODE_DEFAULTS[Mode.AGGRESSIVE].model_copy(
    update={"bar_seconds": 1, "fast_bars": 2, "slow_bars": 4, "atr_bars": 3, "cooldown_seconds": 10}
)


class World:
    """Quotes by hand; every intent is accepted and becomes a position at once."""

    def __init__(self, *, has_history: bool = False) -> None:
        self.clock, self.strategy = ManualClock(wall_unix_ms=1_800_000_000_000), STRATEGY
        self.mode: Strategy | None = STRATEGY
        self.account = AccountView(Decimal(100_000), Decimal(0), Decimal(100_000), 0)
        self.positions: dict[str, PositionView] = {}
        self.open_orders: dict[str, OrderView] = {}
        self.intents: list[OrderIntent] = []
        self._listeners: list[Callable[[Quote], None]] = []
        self._newest: Quote | None = None
        self.stage = StrategyStage(
            self, self, self._submit, lambda: self.mode, lambda: [BTC], self.clock,
            limits=limits, rules=lambda _: rules(), history=self._history if has_history else self._no_history,
        )  # fmt: skip

    def quote(self, symbol: str) -> Quote | None:
        return self._newest

    def on_quote(self, callback: Callable[[Quote], None]) -> None:
        self._listeners.append(callback)

    async def tick(self, *prices: int) -> None:
        """One price per second."""
        task = asyncio.create_task(self.stage.run())
        for price in prices:
            mark = Decimal(price)
            self._newest = Quote(BTC, mark, mark, mark, self.clock.monotonic())
            for listener in self._listeners:
                listener(self._newest)
            for _ in range(10):
                await asyncio.sleep(0)
            self.clock.advance(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _submit(self, intent: OrderIntent) -> Verdict:
        self.intents.append(intent)
        held = self.positions.get(BTC, PositionView(BTC, Decimal(0), Decimal(1))).quantity + intent.quantity * intent.side.sign
        self.positions = {BTC: PositionView(BTC, held, Decimal(50_000))} if held else {}
        return Accepted("id", None)

    async def _history(self, symbol: str, bar_seconds: int, count: int) -> list[Bar]:
        first_ms = self.clock.wall_ms() - 60_000
        return [Bar(first_ms + n * 1_000, 100.0 + n, 101.0 + n, 99.0 + n, 100.0 + n) for n in range(10)]

    async def _no_history(self, symbol: str, bar_seconds: int, count: int) -> list[Bar]:
        raise RetryableError("not now")

    def asked(self) -> list[tuple[Purpose, Side]]:
        return [(intent.purpose, intent.side) for intent in self.intents]


async def test_it_enters_with_the_trend_once_the_averages_are_warm() -> None:
    world = World()
    await world.tick(100, 101, 102, 103)
    assert world.intents == []
    await world.tick(104, 105, 106)
    assert world.asked() == [(Purpose.ENTRY, Side.BUY)], "one entry, and none while it is held"


async def test_the_past_of_the_exchange_saves_the_warming_up() -> None:
    world = World(has_history=True)
    await world.tick(110, 111)
    assert world.asked() == [(Purpose.ENTRY, Side.BUY)]


async def test_an_opposite_signal_closes_reduce_only_and_opens_only_at_a_later_bar() -> None:
    world = World()
    await world.tick(100, 101, 102, 103, 104, 60, 50, 40)
    assert world.asked()[:2] == [(Purpose.ENTRY, Side.BUY), (Purpose.REDUCE, Side.SELL)]
    out = world.intents[1]
    assert (out.reduce_only, out.quantity) == (True, world.intents[0].quantity)
    assert len(world.intents) == 2, "the cooldown holds the next entry back"
    world.clock.advance(10)
    await world.tick(30, 20)
    assert world.asked()[2] == (Purpose.ENTRY, Side.SELL)


async def test_without_a_mode_there_are_no_new_signals() -> None:
    world = World()
    world.mode = None
    await world.tick(*range(100, 120))
    assert world.intents == []


async def test_an_order_on_its_way_holds_everything_back() -> None:
    from tests.unit.engine.gate.worlds import resting

    world = World()
    world.open_orders = {"id": resting(Side.BUY, "1")}
    await world.tick(*range(100, 120))
    assert world.intents == []


async def test_the_same_bar_asks_under_the_same_id_also_after_a_restart() -> None:
    first, second = World(), World()
    await first.tick(100, 101, 102, 103, 104, 105)
    await second.tick(100, 101, 102, 103, 104, 105)
    assert [intent.id for intent in first.intents] == [intent.id for intent in second.intents] == ["BTCUSDT-1800000003000-open"]


async def test_new_lengths_begin_anew() -> None:
    world = World()
    await world.tick(100, 101, 102)
    world.mode = STRATEGY.model_copy(update={"slow_bars": 5})
    await world.tick(103, 104, 105, 106, 107)
    assert world.intents == []
    await world.tick(108)
    assert len(world.intents) == 1


class SlowFor(World):
    """Two symbols; the order of one of them stays on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.stage = StrategyStage(
            self, self, self._submit, lambda: self.mode, lambda: [BTC, ETH], self.clock,
            limits=limits, rules=lambda _: rules(), history=self._no_history,
        )  # fmt: skip

    async def _submit(self, intent: OrderIntent) -> Verdict:
        self.intents.append(intent)
        if intent.symbol == BTC:
            await self.answers.wait()
        return Accepted("id", None)

    async def tick_both(self, *prices: int) -> None:
        for price in prices:
            mark = Decimal(price)
            for symbol in (BTC, ETH):
                self._newest = Quote(symbol, mark, mark, mark, self.clock.monotonic())
                for listener in self._listeners:
                    listener(self._newest)
            for _ in range(10):
                await asyncio.sleep(0)
            self.clock.advance(1)


async def test_an_order_that_stays_on_its_way_holds_up_no_other_symbol_and_is_not_asked_for_again() -> None:
    """A venue that takes its time with one order must not make every other signal an old one."""
    world = SlowFor()
    task = asyncio.create_task(world.stage.run())
    await world.tick_both(*range(100, 112))
    assert [intent.symbol for intent in world.intents].count(BTC) == 1
    assert [intent.symbol for intent in world.intents].count(ETH) >= 1
    world.answers.set()
    world.clock.advance(STRATEGY.cooldown_seconds)
    await world.tick_both(*range(112, 116))
    assert [intent.symbol for intent in world.intents].count(BTC) == 2, "it goes on when the order has its answer"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

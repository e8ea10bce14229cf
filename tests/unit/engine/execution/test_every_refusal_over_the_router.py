"""Promise 8: every word of the closed list is said by the way that orders really take, in a world in which nothing else is wrong."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.unit.engine.execution.desk import MARK, Desk, entry, is_certain

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.errors import RetryableError
from quantum_engine.exchanges.port import StreamDown
from quantum_engine.execution.router import Router
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Refused, Verdict

BTC, ETH = "BTCUSDT", "ETHUSDT"
Story = Callable[["Path"], Awaitable[Verdict]]
STORIES: dict[Refusal, Story] = {}


class Path(Desk):
    """Everything that an order passes on its way, as trading.py puts it together."""

    def start(self) -> None:
        super().start()
        self.router = Router(self.execution, self.clock)

    async def ask(self, name: str = "asked", quantity: str = "0.100", **changes: Any) -> Verdict:
        task = self.router.take(replace(entry(name, quantity), **changes))
        assert task is not None
        return await task

    async def under(self, source: str, gate: Gate, *symbols: str) -> Verdict:
        self.permission.restrict(Restriction(source, gate, "because", frozenset(symbols)))
        return await self.ask()

    async def limited(self, **limits: Any) -> Verdict:
        self.limits = self.limits.model_copy(update=limits)
        return await self.ask()

    async def quoted(self, **quote: Any) -> Verdict:
        self.quotes.changed[BTC] = quote
        return await self.ask()


def tells(word: Refusal) -> Callable[[Story], Story]:
    def keep(story: Story) -> Story:
        STORIES[word] = story
        return story

    return keep


@pytest_asyncio.fixture
async def path() -> AsyncIterator[Path]:
    opened = Path()
    await opened.open()
    yield opened
    await opened.close()


@tells(Refusal.NO_POLICY)
async def _(path: Path) -> Verdict:
    path.limits = None  # type: ignore[assignment]
    return await path.under("policy", Gate.HALTED)


@tells(Refusal.NOT_RECONCILED)
async def _(path: Path) -> Verdict:
    """The user stream is lost, and with it what the books rest on."""
    path.exchange.tell(StreamDown("cut"))
    await path.settle()
    return await path.ask()


@tells(Refusal.JOURNAL_UNAVAILABLE)
async def _(path: Path) -> Verdict:
    path.journal.is_full = True
    return await path.ask()


@tells(Refusal.EQUITY_UNKNOWN)
async def _(path: Path) -> Verdict:
    """Another symbol is held and nobody says what it is worth."""
    assert is_certain(await path.ask("held", symbol=ETH))
    await path.settle()
    path.quotes.changed[ETH] = None
    return await path.ask()


@tells(Refusal.BALANCE_STALE)
async def _(path: Path) -> Verdict:
    async def cannot() -> None:
        raise RetryableError("connection refused")

    path.exchange.account = cannot  # type: ignore[method-assign, assignment]
    path.clock.advance(path.limits.max_balance_age_seconds + 1)
    return await path.ask()


@tells(Refusal.DUPLICATE_INTENT)
async def _(path: Path) -> Verdict:
    await path.ask()
    return await path.ask()


@tells(Refusal.POSITION_ABOVE_LIMIT)
async def _(path: Path) -> Verdict:
    for number in range(3):
        await path.ask(str(number))
        await path.settle()
    return await path.ask(quantity="0.150")


@tells(Refusal.ORDER_RATE_ABOVE_LIMIT)
async def _(path: Path) -> Verdict:
    path.limits = path.limits.model_copy(update={"max_orders_per_second": 1})
    await path.ask("before")
    return await path.ask()


@tells(Refusal.INTENT_RATE_ABOVE_LIMIT)
async def _(path: Path) -> Verdict:
    path.limits = path.limits.model_copy(update={"max_intents_per_minute": 1})
    await path.ask("before")
    path.clock.advance(59)
    return await path.ask()


STORIES |= {
    Refusal.LEASE_EXPIRED: lambda path: path.under("lease", Gate.REDUCE_ONLY),
    Refusal.STOP_LATCHED: lambda path: path.under("stop", Gate.EXIT_ONLY),
    Refusal.SYMBOL_STOPPED: lambda path: path.under("stop:one", Gate.EXIT_ONLY, BTC),
    Refusal.GATE_HALTED: lambda path: path.under("start", Gate.HALTED),
    Refusal.GATE_EXIT_ONLY: lambda path: path.under("drawdown", Gate.EXIT_ONLY),
    Refusal.GATE_REDUCE_ONLY: lambda path: path.under("data", Gate.REDUCE_ONLY),
    Refusal.INSTRUMENT_UNKNOWN: lambda path: path.ask(symbol="NOSUCHUSDT"),
    Refusal.INSTRUMENT_NOT_PERMITTED: lambda path: path.limited(instruments=[ETH]),
    Refusal.QUANTITY_INVALID: lambda path: path.ask(quantity="NaN"),
    Refusal.PRICE_INVALID: lambda path: path.ask(price=Decimal("Infinity")),
    Refusal.REFERENCE_PRICE_MISSING: lambda path: path.quoted(mark=None),
    Refusal.MARKET_DATA_STALE: lambda path: path.quoted(received_at=path.clock.monotonic() - 6),
    Refusal.PRICE_OUTSIDE_COLLAR: lambda path: path.quoted(ask=MARK * 2),
    Refusal.NOTIONAL_BELOW_MINIMUM: lambda path: path.quoted(mark=Decimal(100), bid=None, ask=None),
    Refusal.NOTIONAL_ABOVE_LIMIT: lambda path: path.ask(quantity="0.201"),
    Refusal.EXPOSURE_ABOVE_LIMIT: lambda path: path.limited(max_gross_exposure_usdt=4_999),
    Refusal.LEVERAGE_ABOVE_LIMIT: lambda path: path.limited(max_leverage_bps=4_999),
}


@pytest.mark.parametrize("word", list(Refusal))
async def test_the_router_refuses_with_this_word_and_nothing_is_sent(word: Refusal, path: Path) -> None:
    refused = await STORIES[word](path)
    assert isinstance(refused, Refused)
    assert refused.refusal is word
    assert path.sent.count("asked") == (1 if word is Refusal.DUPLICATE_INTENT else 0)
    assert path.execution.refusals[word.value] == 1


async def test_no_word_of_the_list_is_out_of_reach() -> None:
    """A word that no order can meet is a rule that nobody keeps."""
    reached = set()
    for story in STORIES.values():
        path = Path()
        await path.open()
        refused = await story(path)
        await path.close()
        reached |= {refused.refusal} if isinstance(refused, Refused) else set()
    assert reached == set(Refusal)


async def test_where_nothing_is_wrong_the_same_order_is_taken(path: Path) -> None:
    assert is_certain(await path.ask())

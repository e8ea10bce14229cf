"""No entry is judged on a balance that nobody has confirmed; no exit waits for one."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import Desk, close_all, entry, is_certain

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.domain import AccountView, Purpose
from quantum_engine.errors import RetryableError, ThrottledError
from quantum_engine.exchanges.port import AccountUpdate
from quantum_engine.execution import balance
from quantum_engine.execution.due import FILLS_BEFORE_REFRESH, Due, reason_to_ask
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Refused, Verdict


class Bank(Desk):
    """Counts who asks for the balance; answers when let, or with an error."""

    def __init__(self) -> None:
        super().__init__(max_balance_age_seconds=300, max_position_notional_usdt=1_000_000, max_gross_exposure_usdt=1_000_000)
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.error: Exception | None = None
        self._account = self.exchange.account
        self.exchange.account = self._answer  # type: ignore[method-assign]

    async def _answer(self) -> AccountView:
        self.asked += 1
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return await self._account()

    def grow_old(self, seconds: float) -> None:
        """Prices stay fresh, the balance does not."""
        self.clock.advance(seconds)
        self.asked = 0


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    opened = Bank()
    await opened.open()
    opened.asked = 0
    yield opened
    await opened.close()


def word(verdict: Verdict) -> str:
    return verdict.refusal.value if isinstance(verdict, Refused) else "accepted"


@pytest.mark.parametrize(
    ("age", "fills", "refused", "due"),
    [
        (float("inf"), 0, False, Due.NEVER_READ),
        (239.9, FILLS_BEFORE_REFRESH - 1, False, None),
        (240.0, 0, False, Due.AGE),
        (0.0, FILLS_BEFORE_REFRESH, False, Due.FILLS),
        (0.0, 0, True, Due.MARGIN),
    ],
)
def test_what_makes_a_balance_due(age: float, fills: int, refused: bool, due: Due | None) -> None:
    assert reason_to_ask(age, 300, fills, was_refused=refused) is due


async def test_a_fresh_balance_is_not_asked_for(bank: Bank) -> None:
    bank.grow_old(200)
    assert is_certain(await bank.execution.submit(entry()))
    assert bank.asked == 0


@pytest.mark.parametrize("age", [240, 299, 301, 100_000])
async def test_an_old_balance_is_asked_for_before_the_entry_is_judged(bank: Bank, age: float) -> None:
    bank.grow_old(age)
    bank.exchange.wallet = Decimal(1)
    refused = await bank.execution.submit(entry())
    assert word(refused) == "LEVERAGE_ABOVE_LIMIT", "judged against the new balance"
    assert bank.asked == 1


async def test_old_and_new_are_logged(bank: Bank) -> None:
    bank.grow_old(301)
    bank.exchange.wallet = Decimal(9_000)
    with capture_logs() as lines:
        await bank.execution.submit(entry())
    said = next(line for line in lines if line["event"] == "balance_refreshed")
    assert (said["due"], said["old_equity_usdt"], said["new_equity_usdt"]) == ("age", "10000", "9000")


async def test_no_entry_on_a_balance_that_cannot_be_read(bank: Bank) -> None:
    bank.grow_old(301)
    bank.error = RetryableError("connection refused")
    assert word(await bank.execution.submit(entry())) == "BALANCE_STALE"
    assert bank.sent == []


async def test_a_refresh_somewhat_before_its_time_may_fail_without_harm(bank: Bank) -> None:
    """The policy's own number decides until it is reached."""
    bank.grow_old(250)
    bank.error = RetryableError("connection refused")
    assert is_certain(await bank.execution.submit(entry()))


async def test_an_engine_that_never_read_its_balance_opens_nothing(bank: Bank) -> None:
    bank.positions.account_received_at = float("-inf")
    bank.error = RetryableError("connection refused")
    assert word(await bank.execution.submit(entry())) == "EQUITY_UNKNOWN"
    assert bank.sent == []


async def test_ten_entries_that_wait_ask_once(bank: Bank) -> None:
    """Single flight; and each is judged after the answer, so all ten together still pass no limit."""
    bank.grow_old(301)
    bank.answers.clear()
    waiting = [asyncio.create_task(bank.execution.submit(entry(str(number), "0.010"))) for number in range(10)]
    await bank.settle()
    assert (bank.asked, bank.sent) == (1, [])
    bank.answers.set()
    assert [word(verdict) for verdict in await asyncio.gather(*waiting)] == ["accepted"] * 10
    assert bank.asked == 1


async def test_the_same_intent_twice_while_the_balance_is_asked_for_is_one_order(bank: Bank) -> None:
    bank.grow_old(301)
    bank.answers.clear()
    waiting = [asyncio.create_task(bank.execution.submit(entry())) for _ in range(3)]
    await bank.settle()
    bank.answers.set()
    assert sorted(word(verdict) for verdict in await asyncio.gather(*waiting)) == ["DUPLICATE_INTENT", "DUPLICATE_INTENT", "accepted"]
    assert bank.sent == ["one"]


async def test_a_caller_that_gives_up_does_not_take_the_answer_from_the_others(bank: Bank) -> None:
    bank.grow_old(301)
    bank.answers.clear()
    first, second = (asyncio.create_task(bank.execution.submit(entry(name))) for name in ("first", "second"))
    await bank.settle()
    first.cancel()
    await bank.settle()
    bank.answers.set()
    assert is_certain(await second)
    assert (bank.asked, bank.sent) == (1, ["second"])


async def test_a_stop_that_closes_the_gate_while_the_balance_is_asked_for_counts(bank: Bank) -> None:
    bank.grow_old(301)
    bank.answers.clear()
    waiting = asyncio.create_task(bank.execution.submit(entry()))
    await bank.settle()
    bank.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    bank.answers.set()
    assert word(await waiting) == "STOP_LATCHED"
    assert bank.sent == []


@pytest.mark.parametrize("purpose", [Purpose.REDUCE, Purpose.EMERGENCY_EXIT])
async def test_promise_7_an_exit_never_waits_for_a_balance(bank: Bank, purpose: Purpose) -> None:
    await bank.execution.submit(entry())
    await bank.settle()
    bank.grow_old(100_000)
    bank.answers.clear()
    async with asyncio.timeout(1):
        assert is_certain(await bank.execution.submit(close_all(purpose=purpose)))
    assert bank.asked == 0


async def test_what_is_refused_anyway_asks_nothing_of_the_exchange(bank: Bank) -> None:
    """A flood of signals at a closed gate or above the rate must not become a flood of requests."""
    bank.grow_old(301)
    bank.permission.restrict(Restriction("drawdown", Gate.EXIT_ONLY, "now"))
    assert word(await bank.execution.submit(entry())) == "GATE_EXIT_ONLY"
    bank.permission.lift("drawdown")
    bank.limits = bank.limits.model_copy(update={"instruments": ["ETHUSDT"]})
    assert word(await bank.execution.submit(entry())) == "INSTRUMENT_NOT_PERMITTED"
    assert bank.asked == 0


async def test_what_comes_too_fast_asks_nothing_of_the_exchange(bank: Bank) -> None:
    bank.limits = bank.limits.model_copy(update={"max_intents_per_minute": 1})
    bank.trouble(Trouble.REFUSED)
    await bank.execution.submit(entry())
    assert word(await bank.execution.submit(entry("two"))) == "INTENT_RATE_ABOVE_LIMIT"
    assert bank.asked == 0


async def test_after_so_many_fills_the_balance_is_asked_for(bank: Bank) -> None:
    for number in range(FILLS_BEFORE_REFRESH):
        assert is_certain(await bank.execution.submit(entry(str(number), "0.010")))
    await bank.settle()
    assert bank.asked == 0
    assert is_certain(await bank.execution.submit(entry("next", "0.010")))
    assert bank.asked == 1
    assert is_certain(await bank.execution.submit(entry("after", "0.010")))
    assert bank.asked == 1, "counted anew"


async def test_a_comparison_with_the_exchange_counts_the_fills_anew(bank: Bank) -> None:
    for number in range(FILLS_BEFORE_REFRESH):
        await bank.execution.submit(entry(str(number), "0.010"))
    await bank.settle()
    bank.clock.advance(1)
    await bank.positions.reconcile()
    bank.asked = 0
    await bank.execution.submit(entry("next", "0.010"))
    assert bank.asked == 0


async def test_a_refusal_for_want_of_margin_makes_the_balance_doubtful(bank: Bank) -> None:
    """-2019: the exchange counts otherwise than we do, so its number comes first."""
    bank.trouble(Trouble.REFUSED)
    await bank.execution.submit(entry())
    bank.error = RetryableError("connection refused")
    assert word(await bank.execution.submit(entry("two"))) == "BALANCE_STALE"
    bank.error = None
    bank.clock.advance(balance.PAUSE_AFTER_FAILURE_SECONDS)
    assert is_certain(await bank.execution.submit(entry("three")))
    assert bank.asked == 2


async def test_a_failed_question_is_not_repeated_for_each_entry(bank: Bank) -> None:
    bank.grow_old(301)
    bank.error = ThrottledError("later", retry_after_seconds=7.0)
    words = [word(await bank.execution.submit(entry(str(number)))) for number in range(5)]
    assert (words, bank.asked) == (["BALANCE_STALE"] * 5, 1)
    bank.clock.advance(6.9)
    assert word(await bank.execution.submit(entry("still"))) == "BALANCE_STALE"
    assert bank.asked == 1
    bank.error = None
    bank.clock.advance(0.2)
    assert is_certain(await bank.execution.submit(entry("now")))


async def test_an_exchange_that_does_not_answer_holds_an_entry_for_two_seconds_at_most(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "LONGEST_WAIT_SECONDS", 0.01)
    bank.grow_old(301)
    bank.answers.clear()
    async with asyncio.timeout(2):
        refused = await bank.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.BALANCE_STALE
    assert refused.numbers == {"age_seconds": 301.0, "limit_seconds": 300}


async def test_a_word_of_the_stream_that_names_no_balance_does_not_make_it_fresh(bank: Bank) -> None:
    """An account update lists only what changed: positions alone say nothing of the money."""
    bank.grow_old(301)
    bank.exchange.tell(AccountUpdate(None, (), "ORDER", bank.exchange.venue_ms()))
    await bank.settle()
    await bank.execution.submit(entry())
    assert bank.asked == 1

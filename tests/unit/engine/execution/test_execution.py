"""Promise 5: every intent becomes at most one live order.  Promise 6: an unknown outcome is asked about."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import MARK, Desk, close_all, entry, is_certain

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.domain import Purpose
from quantum_engine.execution import asking
from quantum_engine.execution.intents import IntentState, client_order_id, decode
from quantum_engine.journal import Table
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Declined, Refused

BTC = "BTCUSDT"


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(asking, "ASK_AFTER_SECONDS", (0.0, 0.0, 0.0))
    opened = await Desk().open()
    yield opened
    await opened.close()


def state_in_journal(desk: Desk, name: str) -> IntentState:
    return decode(name, desk.journal.rows[Table.INTENT][name]).state


async def held(desk: Desk) -> Decimal:
    await desk.settle()
    position = desk.positions.positions.get(BTC)
    return Decimal(0) if position is None else position.quantity


async def test_an_intent_is_on_disk_before_it_is_sent(desk: Desk) -> None:
    sent_while_writing: list[int] = []
    desk.journal.while_writing = lambda: sent_while_writing.append(len(desk.sent))
    assert is_certain(await desk.execution.submit(entry()))
    assert sent_while_writing[0] == 0
    assert state_in_journal(desk, "one") is IntentState.ACCEPTED


async def test_the_same_intent_twice_is_one_order(desk: Desk) -> None:
    await desk.execution.submit(entry())
    second = await desk.execution.submit(entry())
    assert isinstance(second, Refused)
    assert second.refusal is Refusal.DUPLICATE_INTENT
    assert desk.sent == ["one"]
    assert desk.execution.refusals["DUPLICATE_INTENT"] == 1


async def test_a_restart_remembers_what_was_sent(desk: Desk) -> None:
    await desk.execution.submit(entry())
    await desk.restart()
    assert isinstance(await desk.execution.submit(entry()), Refused)
    assert desk.sent == ["one"]


async def test_an_entry_is_refused_when_the_journal_cannot_be_written(desk: Desk) -> None:
    desk.journal.is_full = True
    refused = await desk.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.JOURNAL_UNAVAILABLE
    assert desk.sent == []
    desk.journal.is_full = False
    assert is_certain(await desk.execution.submit(entry())), "it was never sent, so its id is free"


async def test_promise_7_an_exit_is_sent_although_the_journal_cannot_be_written(desk: Desk) -> None:
    await desk.execution.submit(entry())
    await desk.settle()
    desk.journal.is_full = True
    assert is_certain(await desk.execution.submit(close_all(purpose=Purpose.EMERGENCY_EXIT)))
    assert await held(desk) == 0


async def test_a_stop_that_closes_the_gate_while_the_journal_is_written_still_counts(desk: Desk) -> None:
    desk.journal.while_writing = lambda: desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    refused = await desk.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.STOP_LATCHED
    assert desk.sent == []
    assert state_in_journal(desk, "one") is IntentState.REFUSED


async def test_a_stop_that_closes_the_gate_between_two_attempts_ends_them(desk: Desk) -> None:
    desk.trouble(Trouble.NOT_DONE)
    original = desk.exchange.place

    async def place(*args: object) -> object:
        try:
            return await original(*args)  # type: ignore[arg-type]
        finally:
            desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))

    desk.exchange.place = place  # type: ignore[method-assign, assignment]
    assert isinstance(await desk.execution.submit(entry()), Refused)
    assert desk.sent == ["one"]


CHANGES: dict[str, Callable[[Desk], None]] = {
    "STOP_LATCHED": lambda desk: desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now")),
    "NOTIONAL_ABOVE_LIMIT": lambda desk: setattr(desk, "limits", desk.limits.model_copy(update={"max_order_notional_usdt": 100})),
    "PRICE_OUTSIDE_COLLAR": lambda desk: (desk.quotes.changed.update({BTC: {"ask": MARK * 2}}), desk.clock.advance(0.003)),  # type: ignore[dict-item, return-value]
}


@pytest.mark.parametrize("word", CHANGES)
async def test_what_changes_while_an_order_waits_for_its_connection_still_counts(desk: Desk, word: str) -> None:
    """After the last look at the gate and before a byte has left: nothing else stands between a stop and an order on the wire."""
    original = desk.exchange.place

    async def place(*args: object) -> object:
        CHANGES[word](desk)
        return await original(*args)  # type: ignore[arg-type]

    desk.exchange.place = place  # type: ignore[method-assign, assignment]
    refused = await desk.execution.submit(entry())
    assert isinstance(refused, Refused)
    assert refused.refusal.value == word
    assert desk.sent == []


@pytest.mark.parametrize("trouble", [Trouble.NOT_DONE, Trouble.THROTTLED])
async def test_what_was_surely_not_done_is_sent_again_under_the_same_id(desk: Desk, trouble: Trouble) -> None:
    desk.trouble(trouble)
    assert is_certain(await desk.execution.submit(entry()))
    assert [client_id for client_id, _ in desk.exchange.placed] == [client_order_id("one")] * 2
    assert await held(desk) == Decimal("0.100")


async def test_attempts_are_bounded(desk: Desk) -> None:
    desk.trouble(*[Trouble.NOT_DONE] * 9)
    assert isinstance(await desk.execution.submit(entry()), Declined)
    assert desk.sent == ["one"] * 4


async def test_the_exchanges_own_refusal_is_final_and_keeps_its_code(desk: Desk) -> None:
    desk.trouble(Trouble.REFUSED)
    declined = await desk.execution.submit(entry())
    assert isinstance(declined, Declined)
    assert declined.code == -2019
    assert desk.sent == ["one"]


async def test_a_lost_answer_is_asked_about_and_found(desk: Desk) -> None:
    desk.trouble(Trouble.DONE_BUT_SILENT)
    verdict = await desk.execution.submit(entry())
    assert is_certain(verdict)
    assert desk.sent == ["one"]
    assert await held(desk) == Decimal("0.100")


async def test_a_lost_request_is_not_sent_again_and_ends_once_it_cannot_arrive_any_more(desk: Desk) -> None:
    desk.trouble(Trouble.LOST)
    verdict = await desk.execution.submit(entry())
    assert verdict == Accepted(client_order_id("one"), None, certain=False)
    desk.clock.advance(9.9)
    await desk.execution._settle_open()
    assert desk.outcomes[-1][1] == verdict
    desk.clock.advance(0.2)
    await desk.execution._settle_open()
    assert isinstance(desk.outcomes[-1][1], Declined)
    assert desk.sent == ["one"]
    assert state_in_journal(desk, "one") is IntentState.REFUSED


async def test_a_request_that_arrives_late_is_found_and_not_doubled(desk: Desk) -> None:
    desk.trouble(Trouble.LATE)
    assert not is_certain(await desk.execution.submit(entry()))
    desk.clock.advance(3)
    desk.exchange.deliver_late()
    await desk.execution._settle_open()
    assert is_certain(desk.outcomes[-1][1])
    assert await held(desk) == Decimal("0.100")
    assert desk.sent == ["one"]


async def test_the_stream_settles_what_cannot_be_asked(desk: Desk) -> None:
    desk.trouble(Trouble.LATE)
    desk.exchange.can_be_asked = False
    await desk.execution.submit(entry())
    desk.exchange.deliver_late()
    await desk.settle()
    await desk.execution._settle_open()
    assert is_certain(desk.outcomes[-1][1])


async def test_an_order_in_flight_counts_as_resting(desk: Desk) -> None:
    """Its outcome is unknown, so the next order is judged as if it were live."""
    desk.trouble(Trouble.LOST)
    await desk.execution.submit(entry("one", "0.190"))
    await desk.execution.submit(entry("two", "0.190"))
    await desk.settle()
    refused = await desk.execution.submit(entry("three", "0.100"))
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.POSITION_ABOVE_LIMIT
    assert refused.numbers["position_usdt"] == Decimal("0.480") * (MARK + 1)


async def test_two_intents_at_once_cannot_both_pass_the_limit(desk: Desk) -> None:
    import asyncio

    verdicts = await asyncio.gather(*(desk.execution.submit(entry(str(number), "0.150")) for number in range(4)))
    assert sum(isinstance(verdict, Accepted) for verdict in verdicts) == 2
    assert await held(desk) == Decimal("0.300")


async def test_rates_count_entries_and_not_exits() -> None:
    desk = await Desk(max_orders_per_second=2, max_intents_per_minute=3).open()
    words = []
    for number in range(5):
        verdict = await desk.execution.submit(entry(str(number), "0.010"))
        words.append(verdict.refusal.value if isinstance(verdict, Refused) else "ok")
        if number == 2:
            desk.clock.advance(1.0)
    await desk.settle()
    assert words == ["ok", "ok", "ORDER_RATE_ABOVE_LIMIT", "ok", "INTENT_RATE_ABOVE_LIMIT"]
    assert is_certain(await desk.execution.submit(close_all(quantity="0.010")))
    await desk.close()


async def test_a_crash_after_the_write_and_before_the_send_is_asked_about_before_anything_opens(desk: Desk) -> None:
    desk.trouble(Trouble.LOST)
    await desk.execution.submit(entry())
    await desk.restart()
    assert desk.permission.gate is Gate.REDUCE_ONLY
    assert isinstance(await desk.execution.submit(entry("two")), Refused)
    desk.clock.advance(60)
    await desk.execution._settle_open()
    assert desk.permission.gate is Gate.ACTIVE
    assert state_in_journal(desk, "one") is IntentState.REFUSED
    assert desk.sent == ["one"]


async def test_a_crash_after_the_send_finds_the_order_at_start(desk: Desk) -> None:
    desk.trouble(Trouble.DONE_BUT_SILENT)
    desk.exchange.can_be_asked = False
    await desk.execution.submit(entry())
    desk.exchange.can_be_asked = True
    await desk.restart()
    assert state_in_journal(desk, "one") is IntentState.ACCEPTED
    assert desk.permission.gate is Gate.ACTIVE
    assert await held(desk) == Decimal("0.100")


async def test_an_intent_without_an_id_gets_one(desk: Desk) -> None:
    assert is_certain(await desk.execution.submit(entry("")))
    assert desk.sent[0]


async def test_final_intents_leave_the_journal_after_a_day(desk: Desk) -> None:
    await desk.execution.submit(entry())
    desk.clock.advance(24 * 3_600 + 1)
    await desk.execution._ledger.tidy(desk.exchange.venue_ms())
    assert desk.journal.rows[Table.INTENT] == {}


async def test_an_end_that_the_journal_missed_is_written_later(desk: Desk) -> None:
    writes = iter([False, True])
    desk.journal.while_writing = lambda: setattr(desk.journal, "is_full", next(writes, False))
    await desk.execution.submit(entry())
    assert state_in_journal(desk, "one") is IntentState.RECORDED
    await desk.execution._ledger.tidy(desk.exchange.venue_ms())
    assert state_in_journal(desk, "one") is IntentState.ACCEPTED


async def test_promise_7_a_disk_that_hangs_does_not_hold_back_the_way_out(desk: Desk) -> None:
    await desk.execution.submit(entry())
    await desk.settle()
    never = asyncio.Event()
    desk.journal.answers = never
    async with asyncio.timeout(3):
        verdict = await desk.execution.submit(close_all(purpose=Purpose.EMERGENCY_EXIT))
    assert is_certain(verdict)
    assert desk.sent == ["one", "out"]
    never.set()


async def test_promise_4_an_order_tried_again_is_held_to_the_limits_of_now(desk: Desk) -> None:
    """The smaller limit was acknowledged while the order waited to be sent again."""
    desk.trouble(Trouble.NOT_DONE)
    waiting = asyncio.create_task(desk.execution.submit(entry()))
    while not desk.sent:  # noqa: ASYNC110
        await asyncio.sleep(0)
    desk.limits = desk.limits.model_copy(update={"max_order_notional_usdt": 100})
    verdict = await waiting
    assert isinstance(verdict, Refused)
    assert verdict.refusal is Refusal.NOTIONAL_ABOVE_LIMIT
    assert desk.sent == ["one"]


async def test_an_instrument_withdrawn_while_the_intent_is_written_is_not_traded(desk: Desk) -> None:
    def withdraw() -> None:
        desk.limits = desk.limits.model_copy(update={"instruments": ["ETHUSDT"]})

    desk.journal.while_writing = withdraw
    verdict = await desk.execution.submit(entry())
    assert isinstance(verdict, Refused)
    assert verdict.refusal is Refusal.INSTRUMENT_NOT_PERMITTED
    assert desk.sent == []

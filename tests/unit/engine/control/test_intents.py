"""POST /execution/intents: what another program may ask, and what it is told."""

import asyncio
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.engine.control.asgi import Answer, post

from quantum_api.order_intents import FIXES, IntentRequest
from quantum_api.refusals import Refusal
from quantum_engine.control import intents
from quantum_engine.control.intents import IntentDesk, add_intents
from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, Purpose, Side
from quantum_engine.execution.intents import Happened, IntentRecord, IntentTable
from quantum_engine.verdicts import Accepted, Declined, Refused, Verdict

PATH = "/execution/intents"
TOKEN = "a-token"
GOOD: dict[str, Any] = {"id": "one", "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.100"}
ORDER = OrderView("BTCUSDT", 7, "qt-x", Side.BUY, OrderStatus.FILLED, Decimal("0.100"), Decimal("0.100"), Decimal(0), False, 1)


@dataclass
class Desk:
    """A router that answers what a test wants, or never."""

    verdict: Verdict | None = field(default_factory=lambda: Accepted("qt-x", ORDER))
    is_full: bool = False
    known: IntentRecord | None = None
    taken: list[OrderIntent] = field(default_factory=list)

    def take(self, intent: OrderIntent) -> "asyncio.Task[Verdict] | None":
        if self.is_full:
            return None
        self.taken.append(intent)
        return asyncio.create_task(self._carry())

    def became_of(self, intent_id: str) -> IntentRecord | None:
        return self.known if self.known is not None and self.known.id == intent_id else None

    async def _carry(self) -> Verdict:
        if self.verdict is None:
            await asyncio.Event().wait()
        assert self.verdict is not None
        return self.verdict


def app_of(desk: Desk | None, token: bytes | None = TOKEN.encode()) -> FastAPI:
    app = FastAPI()
    add_intents(app, IntentDesk(desk, lambda: token, lambda: "made-up"))
    return app


async def ask(desk: Desk, body: dict[str, Any] | None = None, **changes: Any) -> Answer:
    return await post(app_of(desk), PATH, json.dumps((GOOD if body is None else body) | changes).encode(), token=TOKEN)


async def test_an_accepted_intent_is_told_with_its_order() -> None:
    answer = await ask(Desk())
    assert answer.status == 200
    assert answer.body == {
        "id": "one", "outcome": "ACCEPTED", "clientOrderId": "qt-x", "numbers": {}, "message": "",
        "order": {"orderId": 7, "status": "FILLED", "quantity": "0.100", "executed": "0.100", "price": "0"},
    }  # fmt: skip


async def test_what_is_not_certain_is_202_and_says_to_ask_again_with_the_same_id() -> None:
    answer = await ask(Desk(Accepted("qt-x", None, certain=False)))
    assert (answer.status, answer.body["outcome"], answer.body["clientOrderId"]) == (202, "PENDING", "qt-x")
    assert "same id" in answer.body["message"]


async def test_what_takes_too_long_is_202_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intents, "ANSWER_SECONDS", 0.01)
    known = first(Happened.SENDING)
    answer = await ask(Desk(verdict=None, known=known))
    assert (answer.status, answer.body["outcome"], answer.body["clientOrderId"]) == (202, "PENDING", known.client_order_id)


async def test_the_gates_refusal_is_403_with_the_word_and_the_numbers_it_compared() -> None:
    numbers = {"notional_usdt": Decimal("10000.200"), "limit_usdt": 10_000}
    answer = await ask(Desk(Refused(Refusal.NOTIONAL_ABOVE_LIMIT, numbers)))
    assert answer.status == 403
    assert (answer.body["outcome"], answer.body["refusal"]) == ("REFUSED", "NOTIONAL_ABOVE_LIMIT")
    assert answer.body["numbers"] == {"notional_usdt": "10000.200", "limit_usdt": "10000"}


async def test_the_exchanges_refusal_is_424_with_its_code() -> None:
    answer = await ask(Desk(Declined("qt-x", -2019, "Margin is insufficient.")))
    assert (answer.status, answer.body["outcome"], answer.body["code"]) == (424, "DECLINED", -2019)


def first(*happened: Happened, note: str = "", **more: Any) -> IntentRecord:
    table = IntentTable()
    record = table.record(OrderIntent("api:one", "BTCUSDT", Side.BUY, Decimal("0.1")), 5)
    for each in happened:
        table.move(record, each, 6, note)
    for name, value in more.items():
        setattr(record, name, value)
    return record


@pytest.mark.parametrize(
    ("known", "outcome", "code"),
    [
        (first(), "PENDING", None),
        (first(Happened.SENDING), "PENDING", None),
        (first(Happened.SENDING, Happened.CANNOT_TELL), "PENDING", None),
        (first(Happened.SENDING, Happened.FOUND), "ACCEPTED", None),
        (first(Happened.SENDING, Happened.NOT_THERE, code=-2019), "DECLINED", -2019),
        (first(Happened.NOT_THERE, refusal="STOP_LATCHED"), "REFUSED", None),
    ],
)
async def test_a_repetition_is_409_and_learns_what_became_of_the_first(known: IntentRecord, outcome: str, code: int | None) -> None:
    """The answer to the first may have been lost: asking again is how its outcome is learned, and never makes a second order."""
    desk = Desk(Refused(Refusal.DUPLICATE_INTENT, {"intent": "api:one"}), known=known)
    answer = await ask(desk)
    assert answer.status == 409
    told = answer.body["first"]
    assert (told["outcome"], told.get("code"), told["clientOrderId"]) == (outcome, code, known.client_order_id)
    assert told["sameRequest"], "0.1 and 0.100 are the same quantity"


@pytest.mark.parametrize("other", [{"quantity": "0.2"}, {"side": "SELL"}, {"symbol": "ETHUSDT"}, {"price": "5"}, {"reduceOnly": True}])
async def test_an_id_used_for_something_else_is_said_to_be_that(other: dict[str, Any]) -> None:
    desk = Desk(Refused(Refusal.DUPLICATE_INTENT, {}), known=first())
    answer = await ask(desk, **other)
    assert (answer.status, answer.body["first"]["sameRequest"]) == (409, False)


MALFORMED: list[tuple[str, Any]] = [
    *[("quantity", bad) for bad in ("NaN", "Infinity", "-Infinity", "-1", "+1", "0", "0.000", "", " 1", "1 ", "1\n", "1e3", "1E-3", ".5",
                                    "5.", "0x10", "1_000", "٣", "9" * 16, "0." + "1" * 16, 1, 0.1, True, None, ["1"], {"a": "1"})],
    *[("price", bad) for bad in ("NaN", "inf", "-5", "0", "1e400", 50_000, False, None)],
    *[("symbol", bad) for bad in ("", "btcusdt", "BTC USDT", "BTCUSDT&side=SELL", "B" * 33, None, 7)],
    *[("side", bad) for bad in ("buy", "LONG", "", None, 1)],
    *[("id", bad) for bad in ("", "a b", "é", "x" * 65, "a\nb", "../..?", 5, None)],
    ("timeInForce", "GTC"), ("timeInForce", "DAY"), ("timeInForce", 1),
    *[("reduceOnly", bad) for bad in ("true", 1, None)],
    ("reason", "x" * 257), ("strategy", "drop table;"), ("model", ""),
    ("purpose", "EMERGENCY_EXIT"), ("time_in_forces", "GTC"), ("gate", "ACTIVE"), ("clientOrderId", "qt-mine"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "bad"), MALFORMED, ids=[f"{name}={bad!r}"[:40] for name, bad in MALFORMED])
async def test_a_malformed_intent_is_422_and_names_field_rule_and_fix(name: str, bad: Any) -> None:
    """Refused before it becomes an intent: nothing that reaches the gate has a quantity that compares with nothing."""
    desk = Desk()
    answer = await ask(desk, **{name: bad})
    assert answer.status == 422
    [problem] = answer.body["problems"]
    assert problem["field"] == name
    assert problem["rule"]
    assert problem["fix"] == FIXES.get(name, problem["fix"])
    assert desk.taken == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"a":' * 500, b"[" * 4_000, b'{"symbol": "\\ud800"}', b"NaN", b"not json"],
)
async def test_a_body_that_is_no_intent_is_422(body: bytes) -> None:
    desk = Desk()
    answer = await post(app_of(desk), PATH, body, token=TOKEN)
    assert (answer.status, desk.taken) == (422, [])
    assert answer.body["problems"][0]["rule"]


async def test_a_field_that_stands_twice_is_refused() -> None:
    """Parsers disagree about which one counts, and a proxy that logged the small one would have passed the large one on."""
    desk = Desk()
    body = json.dumps(GOOD)[:-1] + ', "quantity": "1000"}'
    answer = await post(app_of(desk), PATH, body.encode(), token=TOKEN)
    assert (answer.status, answer.body["problems"][0]["field"], desk.taken) == (422, "quantity", [])


async def test_every_field_has_a_fix() -> None:
    assert set(FIXES) == {each.alias for each in IntentRequest.model_fields.values()}


async def test_a_body_above_its_bound_is_413_however_it_comes() -> None:
    desk = Desk()
    answer = await post(app_of(desk), PATH, *[b" " * 1_000] * 5, token=TOKEN)
    assert (answer.status, desk.taken) == (413, [])


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intents, "BODY_SECONDS", 0.01)
    answer = await post(app_of(Desk()), PATH, b"{", token=TOKEN, is_whole=False)
    assert answer.status == 408


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["BTCUSDT", "BUY", "0.1", "GTC"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIXES, "other"]), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*FIXES, "purpose", "x" * 5_000]), JSON, max_size=4), tail=st.binary(max_size=3))
def test_whatever_is_sent_is_an_intent_or_is_named_and_never_ends_the_engine(changes: dict[str, Any], tail: bytes) -> None:
    desk = Desk()
    body = json.dumps(GOOD | changes).encode() + tail
    answer = asyncio.run(post(app_of(desk), PATH, body, token=TOKEN))
    assert answer.status in ((200,) if desk.taken else (413, 422))
    for taken in desk.taken:
        assert taken.quantity.is_finite()
        assert taken.quantity > 0
        assert taken.price is None or (taken.price.is_finite() and taken.price > 0)
        assert taken.purpose is not Purpose.EMERGENCY_EXIT


async def test_without_its_token_nothing_is_read() -> None:
    desk, body = Desk(), json.dumps(GOOD).encode()
    for token in (None, "", "wrong", TOKEN + "x", TOKEN[:-1]):
        assert (await post(app_of(desk), PATH, body, token=token)).status == 401
    assert desk.taken == []


@pytest.mark.parametrize("token", [None, b""])
async def test_an_engine_that_was_given_no_token_takes_no_intents(token: bytes | None) -> None:
    """An empty file is no password."""
    desk = Desk()
    answer = await post(app_of(desk, token), PATH, json.dumps(GOOD).encode(), token="")
    assert (answer.status, desk.taken) == (403, [])
    assert "QT_ENGINE_INTENTS_TOKEN_FILE" in answer.body["message"]


async def test_an_engine_without_an_exchange_says_so() -> None:
    answer = await post(app_of(None), PATH, json.dumps(GOOD).encode(), token=TOKEN)
    assert answer.status == 503


async def test_too_many_at_once_is_429_with_a_time() -> None:
    answer = await ask(Desk(is_full=True))
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


async def test_an_intent_from_outside_can_be_neither_an_emergency_exit_nor_bear_the_strategys_name() -> None:
    """Whoever guessed the id of the strategy's next exit could have used it up."""
    desk = Desk()
    await ask(desk, id="BTCUSDT-1800000003000-close")
    await ask(desk, reduceOnly=True, strategy="s", model="m")
    entry, out = desk.taken
    assert (entry.id, entry.purpose, entry.reduce_only) == ("api:BTCUSDT-1800000003000-close", Purpose.ENTRY, False)
    assert (out.purpose, out.reduce_only, out.stamp) == (Purpose.REDUCE, True, "program s m")


async def test_an_intent_without_an_id_is_given_one_that_is_told() -> None:
    desk = Desk()
    body = {name: value for name, value in GOOD.items() if name != "id"}
    assert (await ask(desk, body)).body["id"] == "made-up"
    assert desk.taken[0].id == "api:made-up"


async def test_an_engine_that_fails_in_the_middle_says_that_it_may_be_live() -> None:
    class Broken(Desk):
        async def _carry(self) -> Verdict:
            raise RuntimeError("bug")

    answer = await ask(Broken())
    assert answer.status == 500
    assert "same id" in answer.body["message"]

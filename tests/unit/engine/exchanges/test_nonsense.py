"""A venue that talks nonsense is one that cannot be asked: no stage dies of it, and no number that cannot be is believed."""

import decimal
import json
from typing import Any

import msgspec
import pytest

from quantum_engine.clock import ManualClock
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.errors import EngineError, RetryableError, UnknownOutcomeError
from quantum_engine.exchanges.binance_futures import wire
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.binance_futures.user_stream import UserStream
from quantum_engine.exchanges.port import VenueRefusedError

INTENT = OrderIntent("i", "BTCUSDT", Side.BUY, decimal.Decimal(1))
ORDER = {"symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "c", "side": "BUY", "status": "NEW", "origQty": "1", "executedQty": "0"}
POSITION = {"symbol": "BTCUSDT", "positionAmt": "1", "entryPrice": "1", "markPrice": "1"}
ACCOUNT = {"totalWalletBalance": "1", "totalUnrealizedProfit": "0", "availableBalance": "1"}
RULELESS = b'{"symbols": [{"symbol": "X", "status": "TRADING", "filters": []}]}'
NONSENSE = [b"<html>maintenance</html>", b"", b"null", b'[{"symbol": 7}]', RULELESS]
ABSURD = ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "-1e999999"]


def client(*answers: bytes | Exception) -> tuple[BinanceFutures, list[str]]:
    """A client whose venue answers this, the last for ever."""
    found = BinanceFutures(Endpoint("http://venue", "ws://venue"), Credentials("key", "secret"), ManualClock())
    left, asked = list(answers), []

    async def exchange(method: str, path: str, query: str, may_leave: object = None) -> bytes:
        asked.append(f"{method} {path}")
        if path == "/fapi/v1/time":
            return b'{"serverTime": 1800000000000}'
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    found.transport._exchange = exchange  # type: ignore[method-assign]
    return found, asked


@pytest.mark.parametrize("body", NONSENSE)
@pytest.mark.parametrize("what", ["symbol_rules", "account", "positions", "open_orders", "order", "fills", "premium", "klines"])
async def test_an_answer_that_cannot_be_read_is_an_error_of_the_port(what: str, body: bytes) -> None:
    asked = getattr(client(body)[0], what)
    more: dict[str, tuple[Any, ...]] = {"order": ("BTCUSDT", "c"), "fills": ("BTCUSDT", 0), "premium": ("BTCUSDT",)}
    more["klines"] = ("BTCUSDT", 60, 2)
    with pytest.raises(RetryableError):
        await asked(*more.get(what, ()))


@pytest.mark.parametrize("body", NONSENSE)
async def test_an_order_whose_answer_cannot_be_read_may_have_been_done(body: bytes) -> None:
    with pytest.raises(UnknownOutcomeError):
        await client(body)[0].place(INTENT, "c")


@pytest.mark.parametrize("number", ABSURD)
async def test_a_number_that_cannot_be_is_not_believed(number: str) -> None:
    with pytest.raises(EngineError):
        await client(json.dumps([POSITION | {"positionAmt": number}]).encode())[0].positions()
    with pytest.raises(EngineError):
        await client(json.dumps(ACCOUNT | {"totalWalletBalance": number}).encode())[0].account()
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(json.dumps({"s": "BTCUSDT", "p": number}), type=wire.MarkPrice)


@pytest.mark.parametrize("number", ABSURD)
def test_the_user_stream_reads_no_event_with_a_number_that_cannot_be(number: str) -> None:
    body = {"s": "BTCUSDT", "c": "c", "S": "BUY", "L": number, "l": "1", "t": 1, "i": 1, "T": 1}
    with pytest.raises(msgspec.MsgspecError):
        UserStream(None)._event("TRADE_LITE", json.dumps(body))  # type: ignore[arg-type]


def test_the_user_stream_reads_no_event_with_a_side_that_is_none() -> None:
    body = {"s": "BTCUSDT", "c": "c", "S": "SIDEWAYS", "L": "1", "l": "1", "t": 1, "i": 1, "T": 1}
    with pytest.raises(msgspec.MsgspecError):
        UserStream(None)._event("TRADE_LITE", json.dumps(body))  # type: ignore[arg-type]


async def test_promise_1_an_order_refused_for_its_stamp_is_not_sent_again_past_the_gate() -> None:
    """Between the two sends the clock is asked for, and a stop may close the gate: only execution may send again."""
    late = VenueRefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")
    venue, asked = client(late, json.dumps(ORDER).encode())
    with pytest.raises(RetryableError):
        await venue.place(INTENT, "c")
    assert asked.count("POST /fapi/v1/order") == 1
    assert asked[-1] == "GET /fapi/v1/time"
    assert (await venue.place(INTENT, "c")).client_order_id == "c"


async def test_a_question_refused_for_its_stamp_is_asked_again_with_the_venues_time() -> None:
    late = VenueRefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")
    venue, asked = client(late, json.dumps([POSITION]).encode())
    assert len(await venue.positions()) == 1
    assert asked.count("GET /fapi/v3/positionRisk") == 2

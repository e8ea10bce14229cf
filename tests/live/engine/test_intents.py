"""Another program trades through the engine, over the wire, at the venue: gated, written ahead, and told what became of it."""

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen, limits

from quantum_simulator.venue import Venue

TOKEN = "a-token-for-programs"
PATH = "/execution/intents"


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


async def opened(rig: EngineRig, pen: Pen, **policy: Any) -> EngineRig:
    """An engine that takes intents and may trade."""
    token = rig.folder / "intents-token"
    token.write_text(TOKEN)
    await rig.start(QT_ENGINE_INTENTS_TOKEN_FILE=str(token))
    await rig.put(pen.document(10, limits=limits(**policy)))
    await rig.until_status(lambda s: s["gate"] == "ACTIVE", "the gate opens")

    async def has_a_price() -> bool:
        _, told = await ask(rig, intent("probe", quantity="100"))
        return told["refusal"] == "NOTIONAL_ABOVE_LIMIT"

    await rig.until(has_a_price, "prices have come")
    return rig


def intent(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": name, "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.010"} | changes


async def ask(rig: EngineRig, body: dict[str, Any], token: str = TOKEN) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with rig.session.post(f"{rig.base_url}{PATH}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def orders_at(account: AccountAtVenue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await account.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")
    return found


async def test_an_intent_becomes_one_order_and_is_remembered_through_a_restart(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    await opened(trader, pen)
    code, told = await ask(trader, intent("one"))
    assert (code, told["outcome"], told["order"]["status"]) == (200, "ACCEPTED", "FILLED")
    code, again = await ask(trader, intent("one"))
    assert (code, again["refusal"], again["first"]["outcome"]) == (409, "DUPLICATE_INTENT", "ACCEPTED")
    trader.kill()
    await opened(trader, pen)
    code, again = await ask(trader, intent("one", quantity="0.020"))
    assert (code, again["first"]["outcome"], again["first"]["sameRequest"]) == (409, "ACCEPTED", False)
    assert [order["clientOrderId"] for order in await orders_at(account)] == [told["clientOrderId"]]
    code, out = await ask(trader, intent("out", side="SELL", reduceOnly=True))
    assert (code, out["outcome"]) == (200, "ACCEPTED")
    assert await account.exposure() == (0, 0)


async def test_a_sender_that_hangs_up_in_the_middle_learns_the_outcome_with_the_same_id(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """The venue is slow, the sender goes away while its order is on the wire: it is carried to its end, and there is one of it."""
    await opened(trader, pen)
    await account.lever("POST", "faults", kind="delay_ms", delayMs=400, path="/fapi/v1/order", method="POST", count=1)
    body = json.dumps(intent("gone")).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", trader.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: engine\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()

    async def is_known() -> bool:
        code, _ = await ask(trader, intent("gone"))
        return code == 409

    await trader.until(is_known, "the engine has begun")
    writer.transport.abort()
    await reader.read()

    async def is_told() -> bool:
        code, told = await ask(trader, intent("gone"))
        return (code, told["first"]["outcome"]) == (409, "ACCEPTED")

    await trader.until(is_told, "the outcome is known")
    assert len(await orders_at(account)) == 1


async def test_an_answer_that_the_venue_loses_is_asked_about_and_told(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await opened(trader, pen)
    await account.lever("POST", "faults", kind="accept_then_503", path="/fapi/v1/order", method="POST", count=1)
    code, told = await ask(trader, intent("lost"))
    assert (code, told["outcome"]) == (200, "ACCEPTED")
    assert [order["clientOrderId"] for order in await orders_at(account)] == [told["clientOrderId"]]


async def test_what_the_venue_declines_is_told_with_its_code_and_the_balance_is_asked_for_before_the_next(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    await opened(trader, pen)
    await account.lever(
        "POST", "faults", kind="reject_code", path="/fapi/v1/order", method="POST", count=1, code=-2019, message="Margin is insufficient."
    )
    code, told = await ask(trader, intent("poor"))
    assert (code, told["outcome"], told["code"]) == (424, "DECLINED", -2019)
    assert (await ask(trader, intent("next")))[0] == 200
    async with trader.session.get(f"{trader.base_url}/metrics") as answer:
        assert 'quantum_engine_balance_refreshes_total{due="margin refused",result="done"} 1.0' in await answer.text()
    assert any("balance_refreshed" in line for line in trader.lines)


async def test_the_route_loosens_nothing(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """Limits, stop and rates hold as for the engine's own strategy; what claims to be more is no intent at all."""
    await opened(trader, pen, max_intents_per_minute=2)
    code, told = await ask(trader, intent("large", quantity="10"))
    assert (code, told["outcome"], told["refusal"]) == (403, "REFUSED", "NOTIONAL_ABOVE_LIMIT")
    assert (await ask(trader, intent("nowhere", symbol="NOSUCHUSDT")))[1]["refusal"] == "INSTRUMENT_UNKNOWN"
    assert (await ask(trader, intent("nowhere", symbol="NOSUCHUSDT", reduceOnly=True)))[1]["refusal"] == "INSTRUMENT_UNKNOWN"
    assert (await ask(trader, intent("claim", purpose="EMERGENCY_EXIT")))[0] == 422
    assert (await ask(trader, intent("guess"), token="guess"))[0] == 401
    codes = [(await ask(trader, intent(f"fast-{number}")))[1].get("refusal") for number in range(3)]
    assert codes == [None, None, "INTENT_RATE_ABOVE_LIMIT"]
    await trader.halt("enough", action="HaltEntries")
    assert (await ask(trader, intent("after")))[1]["refusal"] == "STOP_LATCHED"
    assert (await ask(trader, intent("flip", side="SELL", quantity="0.021")))[1]["refusal"] == "STOP_LATCHED"
    assert (await ask(trader, intent("out", side="SELL", quantity="0.020", reduceOnly=True)))[0] == 200, "getting out is never blocked"
    assert (len(await orders_at(account)), await account.exposure()) == (3, (0, 0))


async def test_without_a_token_file_or_an_exchange_nothing_is_taken(trader: EngineRig, engine: EngineRig, pen: Pen) -> None:
    await trader.start()
    assert (await ask(trader, intent("one")))[0] == 403
    token = engine.folder / "intents-token"
    token.write_text(TOKEN)
    await engine.start(QT_ENGINE_INTENTS_TOKEN_FILE=str(token))
    assert (await ask(engine, intent("one")))[0] == 503


async def test_fifty_signals_in_five_seconds_become_ten_orders_and_none_waits(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await opened(trader, pen, max_intents_per_minute=10, max_orders_per_second=10)

    async def signal(number: int) -> tuple[int, float]:
        began = asyncio.get_running_loop().time()
        code, _ = await ask(trader, intent(f"signal-{number}"))
        return code, asyncio.get_running_loop().time() - began

    signals = []
    for number in range(50):
        signals.append(asyncio.create_task(signal(number)))
        await asyncio.sleep(0.1)
    answers = await asyncio.gather(*signals)
    assert [code for code, _ in answers].count(200) == 10
    assert {code for code, _ in answers} == {200, 403}
    assert max(lag for _, lag in answers) < 5.0
    assert len(await orders_at(account)) == 10


def resident_mib(rig: EngineRig) -> float:
    assert rig.process is not None
    pages = int(Path(f"/proc/{rig.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def test_a_halt_in_the_middle_of_a_flood_shuts_the_gate_and_nothing_enters_after_it(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """Sixteen programs ask as fast as they can; the halt comes over the same socket and is not behind them."""
    await opened(trader, pen, max_intents_per_minute=6_000, max_orders_per_second=100)
    now = asyncio.get_running_loop().time
    answers: list[tuple[float, int, str]] = []

    async def program(name: int) -> None:
        number = 0
        while True:
            began, number = now(), number + 1
            code, told = await ask(trader, intent(f"{name}-{number}", quantity="0.001"))
            answers.append((began, code, told.get("refusal", "")))

    async def answered(count: int) -> bool:
        return len(answers) >= count

    programs = [asyncio.create_task(program(name)) for name in range(16)]
    await trader.until(lambda: answered(300), "the flood is on")
    before_mib, asked = resident_mib(trader), now()
    await trader.halt("flood", action="HaltEntries")
    halted = now()
    entered = len(await orders_at(account))
    enough = len(answers) + 300
    await trader.until(lambda: answered(enough), "the flood goes on", seconds=20)
    for task in programs:
        task.cancel()
    await asyncio.gather(*programs, return_exceptions=True)
    assert halted - asked < 2.0
    after = {(code, refusal) for began, code, refusal in answers if began > halted}
    assert after <= {(403, "STOP_LATCHED"), (429, "")}
    assert (403, "STOP_LATCHED") in after
    assert len(await orders_at(account)) == entered
    assert resident_mib(trader) - before_mib < 32

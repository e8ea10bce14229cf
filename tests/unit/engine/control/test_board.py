"""The status version grows with what the operator must hear of, and with nothing else."""

import asyncio
import json
from dataclasses import replace

import pytest

from quantum_api.engine_status import Drawdown, EmergencyState, Position
from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.control import board
from quantum_engine.control.board import StatusBoard
from quantum_engine.control.ports import Snapshot
from quantum_engine.permission import Permission, Restriction

CALM = Snapshot(
    policy=None, last_refusal=None, emergency=EmergencyState.ARMED, latches=(),
    drawdown=Drawdown(equity_usdt="100", peak_usdt="100", drawdown_bps=0), strategy=None, positions=(), open_orders=0, reconciled=True,
    dependencies={"redis": "up"}, crashes=(), refusals={},
)  # fmt: skip


class Engine:
    def __init__(self) -> None:
        self.now = CALM
        self.clock = ManualClock()
        self.permission = Permission()
        self.board = StatusBoard("t/e", "instance-1", self.permission, lambda: self.now, self.clock)
        self.board.publish()

    def version_after(self, **changes: object) -> int:
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]
        return self.board.publish()


@pytest.mark.parametrize(
    "changes",
    [
        {"drawdown": Drawdown(equity_usdt="99", peak_usdt="100", drawdown_bps=100)},
        {"open_orders": 3},
        {"refusals": {"NO_POLICY": 1}},
        {"dependencies": {"redis": "up and fast"}},
    ],
)
def test_a_price_or_a_counter_wakes_nobody(changes: dict[str, object]) -> None:
    assert Engine().version_after(**changes) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"drawdown": Drawdown(equity_usdt=None, peak_usdt="100", drawdown_bps=None)},
        {"drawdown": Drawdown(equity_usdt="1", peak_usdt="100", drawdown_bps=9_900, breached=True)},
        {"emergency": EmergencyState.TRIPPED},
        {"positions": (Position(symbol="BTCUSDT", quantity="1", entry_price="1"),)},
        {"reconciled": False},
        {"dependencies": {"redis": "down refused"}},
    ],
)
def test_what_matters_wakes_the_operator(changes: dict[str, object]) -> None:
    assert Engine().version_after(**changes) == 2


def test_a_gate_reason_is_material() -> None:
    engine = Engine()
    engine.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "x"))
    assert engine.board.publish() == 2
    assert engine.board.publish() == 2


async def test_a_waiter_wakes_with_the_new_status() -> None:
    engine = Engine()
    waiting = asyncio.create_task(engine.board.after(1, "instance-1", 30))
    await asyncio.sleep(0)
    engine.now = replace(CALM, reconciled=False)
    engine.board.touch()
    assert json.loads(await waiting)["version"] == 2


@pytest.mark.parametrize(("since", "instance"), [(0, "instance-1"), (99, "another"), (0, None)])
async def test_a_poll_that_is_behind_or_of_another_life_returns_at_once(since: int, instance: str | None) -> None:
    async with asyncio.timeout(1):
        assert json.loads(await Engine().board.after(since, instance, 60))["version"] == 1


async def test_a_closing_board_lets_every_waiter_go() -> None:
    engine = Engine()
    waiting = asyncio.create_task(engine.board.after(1, "instance-1", 60))
    await asyncio.sleep(0)
    engine.board.close()
    async with asyncio.timeout(1):
        await waiting


def test_equity_is_refreshed_each_second_without_a_new_version() -> None:
    engine = Engine()
    first = json.loads(engine.board.render())
    engine.now = replace(CALM, drawdown=Drawdown(equity_usdt="99", peak_usdt="100", drawdown_bps=100))
    assert json.loads(engine.board.render()) == first
    engine.clock.advance(1)
    later = json.loads(engine.board.render())
    assert (later["version"], later["drawdown"]["equityUsdt"]) == (1, "99")


async def test_while_a_document_is_taken_the_status_waits_for_its_end() -> None:
    """The half-way status would cost the journal's writer the interpreter, and the operator hears the whole of it a moment later."""
    engine = Engine()
    with engine.board.held():
        engine.now = replace(engine.now, emergency=EmergencyState.TRIPPED)
        engine.board.touch()
        await asyncio.sleep(0)
        assert engine.board.version == 1
    await asyncio.sleep(0)
    assert engine.board.version == 2


async def test_a_document_that_takes_long_hides_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that hangs in the middle of a document must not keep the operator from hearing that the gate is shut."""
    monkeypatch.setattr(board, "LONGEST_HOLD_SECONDS", 0.0)
    engine = Engine()
    with engine.board.held():
        engine.now = replace(engine.now, emergency=EmergencyState.TRIPPED)
        engine.board.touch()
        async with asyncio.timeout(5):
            await engine.board.after(1, "instance-1", 5.0)
        assert engine.board.version == 2

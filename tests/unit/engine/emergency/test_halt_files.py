"""A halt file stops the engine whatever another file waits for (promise 1: tightening is immediate and local)."""

import asyncio
from pathlib import Path

from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_engine.adapters.halt_requests import HaltFile, HaltRequests
from quantum_engine.clock import ManualClock, random_id
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.pull import StopPuller
from quantum_engine.node import Node
from quantum_engine.permission import Permission


async def test_the_second_file_stops_while_the_disk_takes_the_first_one_for_ever(tmp_path: Path) -> None:
    node = Node.__new__(Node)
    node._permission = Permission()
    node._permission.lift("policy")
    node._permission.lift("reconciliation")
    node._book = LatchBook(node._permission, ManualClock())
    node._puller = StopPuller("engine-0", node._book, ManualClock(), random_id)
    node._halts = HaltRequests(tmp_path / "journal.db")
    weak, strong = StopAction.HALT_ENTRIES, StopAction.FLATTEN
    for name, action in (("a", weak), ("b", strong)):
        node._halts.ask(HaltFile(id=name, action=action, reason="by hand"))
    watching = asyncio.create_task(node._watch_halts())
    await asyncio.sleep(0.3)
    watching.cancel()
    assert node._permission.gate is Gate.EXIT_ONLY
    assert len(node._halts.pending()) == 2, "a file goes once its latch is on disk, and nothing has written"

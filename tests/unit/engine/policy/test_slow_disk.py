"""A stop in a document closes the gate while the disk still has the document before it (promise 1)."""

import asyncio

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.engine.execution.desk import MemoryJournal

from quantum_api import policy_document as pd
from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import ManualClock
from quantum_engine.emergency.book import LatchBook
from quantum_engine.permission import Permission
from quantum_engine.policy.accept import Channel
from quantum_engine.policy.service import Held, PolicyStore

KEY = Ed25519PrivateKey.generate()
KEY_ID = pd.key_id(KEY.public_key())
STOP = pd.StopOrder(id="uid-1", name="storm", action=StopAction.FLATTEN, reason="r")


class OneKey:
    def current(self) -> pd.Jwks:
        return pd.Jwks({KEY_ID: KEY.public_key()})

    reread = current


class Desk:
    def __init__(self) -> None:
        self.clock, self.permission, self.journal = ManualClock(), Permission(), MemoryJournal()
        self.permission.lift("reconciliation")
        self.book = LatchBook(self.permission, self.clock)
        self.store = PolicyStore("t/e", self.journal, OneKey(), self.book, self.permission, self.clock)

    def offer(self, epoch: int, *, stops: tuple[pd.StopOrder, ...] = (), released: tuple[str, ...] = ()) -> "asyncio.Task[object]":
        seen = pd.Seen(trading_policies=epoch, strategy_modes=epoch, emergency_stops=epoch, engine=epoch)
        issued = self.clock.wall_ms() + epoch
        document = pd.PolicyDocument(
            engine="t/e", epoch=epoch, seen=seen, issued_at_ms=issued, expires_at_ms=issued + 60_000, lease_seconds=60,
            gate=Gate.ACTIVE, limits=None, strategy=None, stops=list(stops), released=list(released),
        )  # fmt: skip
        return asyncio.create_task(self.store.offer(pd.sign(document, KEY, KEY_ID), Channel.PUSH))

    async def hang_with(self, epoch: int, *, released: tuple[str, ...] = ()) -> "asyncio.Task[object]":
        assert isinstance(await self.offer(1), Held)
        self.journal.answers = asyncio.Event()
        first = self.offer(epoch, released=released)
        await asyncio.sleep(0.01)
        return first


async def test_a_stop_does_not_wait_behind_a_document_that_the_disk_holds_up() -> None:
    desk = Desk()
    first = await desk.hang_with(2)
    second = desk.offer(3, stops=(STOP,))
    await asyncio.sleep(0.01)
    assert desk.permission.gate is Gate.EXIT_ONLY
    assert not second.done(), "not acknowledged before it is on disk"
    assert desk.journal.answers is not None
    desk.journal.answers.set()
    assert isinstance(await first, Held)
    assert isinstance(await second, Held)
    assert desk.permission.gate is Gate.EXIT_ONLY
    (latch,) = desk.book.latches
    assert latch.gate_closed_at_ms is not None
    assert "uid-1" in str(desk.journal.rows)


async def test_an_older_document_that_waits_engages_nothing() -> None:
    """Its stop may have been released by the one that is being written."""
    desk = Desk()
    first = await desk.hang_with(3, released=(STOP.id,))
    older = desk.offer(2, stops=(STOP,))
    await asyncio.sleep(0.01)
    assert desk.book.latches == ()
    assert desk.journal.answers is not None
    desk.journal.answers.set()
    await asyncio.gather(first, older)
    assert desk.book.latches == ()

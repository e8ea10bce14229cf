"""What became of an intent is told with its row: both, or neither."""

from decimal import Decimal

import pytest
from tests.unit.engine.execution.desk import MemoryJournal

from quantum_api.bus_envelope import EventClass
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.errors import JournalUnavailableError
from quantum_engine.execution import events
from quantum_engine.execution.intents import Happened, IntentRecord, IntentTable
from quantum_engine.execution.ledger import Ledger
from quantum_engine.journal import Publish, Put, Write


class Watched(MemoryJournal):
    """Remembers each commit as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[tuple[Write, ...]] = []

    async def commit(self, *writes: Write) -> None:
        await super().commit(*writes)
        self.commits.append(writes)


@pytest.fixture
def table() -> IntentTable:
    return IntentTable()


@pytest.fixture
def record(table: IntentTable) -> IntentRecord:
    return table.record(OrderIntent("one", "BTCUSDT", Side.BUY, Decimal("0.010"), Decimal("50000.0")), 5)


def kinds(commit: tuple[Write, ...]) -> list[str]:
    return [write.kind if isinstance(write, Publish) else type(write).__name__ for write in commit]


async def test_intent_and_outcome_are_told_in_the_transaction_of_their_row(table: IntentTable, record: IntentRecord) -> None:
    journal = Watched()
    ledger = Ledger(journal, table)
    await ledger.write(record)
    table.move(record, Happened.SENDING, 6)
    table.move(record, Happened.FOUND, 7)
    await ledger.write_later(record)
    assert [kinds(commit) for commit in journal.commits] == [["Put", "order.intent"], ["Put", "order.accepted"]]


async def test_an_outcome_that_the_disk_did_not_take_is_told_with_the_row_that_makes_up_for_it(
    table: IntentTable, record: IntentRecord
) -> None:
    journal = Watched()
    ledger = Ledger(journal, table)
    table.move(record, Happened.NOT_THERE, 0, "the gate closed")
    journal.is_full = True
    await ledger.write_later(record)
    with pytest.raises(JournalUnavailableError):
        await ledger.tidy(0)
    journal.is_full = False
    await ledger.tidy(0)
    assert [kinds(commit) for commit in journal.commits] == [["Put", "order.refused"]]
    assert [type(write) for write in journal.commits[0]] == [Put, Publish]


def test_an_event_says_the_order_in_plain_words(record: IntentRecord) -> None:
    told = events.of(record)
    assert told.event_class is EventClass.ORDER
    assert dict(told.payload) == {
        "intent": "one", "clientOrderId": record.client_order_id, "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.010",
        "price": "50000.0", "reduceOnly": False, "purpose": "ENTRY", "state": "RECORDED", "note": "", "code": 0, "refusal": "",
    }  # fmt: skip

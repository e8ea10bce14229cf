"""What is told of an intent, in the transaction of its row.  Pure.

In    a record as it is about to be written
Out   its event
Flow  ledger -> HERE -> journal (Publish) -> bus
"""

from typing import Final

from quantum_api.bus_envelope import EventClass
from quantum_api.events import OrderEvent
from quantum_engine.execution.intents import IntentRecord, IntentState
from quantum_engine.journal import Publish

_KINDS: Final = {IntentState.ACCEPTED: OrderEvent.ACCEPTED, IntentState.REFUSED: OrderEvent.REFUSED}


def of(record: IntentRecord) -> Publish:
    """Nothing final is told as an intent that may be live."""
    payload = {
        "intent": record.id, "clientOrderId": record.client_order_id, "symbol": record.symbol, "side": record.side.value,
        "quantity": str(record.quantity), "price": None if record.price is None else str(record.price), "reduceOnly": record.reduce_only,
        "purpose": record.purpose.value, "state": record.state.value, "note": record.note, "code": record.code, "refusal": record.refusal,
    }  # fmt: skip
    return Publish(EventClass.ORDER, _KINDS.get(record.state, OrderEvent.INTENT).value, payload)

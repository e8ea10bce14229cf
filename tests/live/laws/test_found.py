"""Histories in which chance found a fault of the engine, kept as it found them."""

import pytest
from tests.live.laws.living import broken_laws
from tests.live.laws.redis import Redis
from tests.live.laws.steps import PLACE, Crash, Deaf, Document, Foreign, Halt, History, Move, Order, Submit, Trouble, Wait

from quantum_api.gate import Gate
from quantum_simulator.faults import FaultKind

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
BOUGHT, SELLS = Submit((Order(0),), 3.0), Submit((Order(1, "SELL", 99),), 0.1)
LATE = Trouble(FaultKind.DELAY_MS, PLACE, delay_ms=500)
FOUND: dict[str, History] = {
    "a stop order takes the position while a reduction is on its way": [
        BOUGHT, Foreign("algo", "SELL", bps=15), Document(Gate.REDUCE_ONLY), LATE, SELLS, Move(-60), Wait(1.0),
    ],
    "another program closes while a reduction is on its way": [
        BOUGHT, Document(Gate.REDUCE_ONLY), LATE, SELLS, Foreign("market", "SELL", 100), Wait(1.0),
    ],
    "a fill right before the first comparison is read again after a loss of the stream": [
        BOUGHT, Wait(1.0), Halt(), Wait(0.05), Crash(seconds=1.0), Deaf(FaultKind.STREAM_CUT, 0.3), Wait(5.0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", FOUND.values(), ids=[name.replace(" ", "-") for name in FOUND])
def test_what_was_found_stays_fixed(redis: Redis, history: History) -> None:
    assert broken_laws(history, redis) == []

"""Nobody signs what Redis remembers of the equity: nonsense there neither ends an engine nor frees it from a limit."""

import json
from typing import Any

import pytest
from tests.unit.engine.risk.desk import Desk

DAY_MS = 86_400_000


def row(**changes: Any) -> bytes:
    return json.dumps({"peakUsdt": "10000", "asOfMs": 1} | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"peakUsdt": "1E+999999"},
        {"peakUsdt": "-1E+999999"},
        {"day": {"number": 1, "startUsdt": "1E+999999", "lastUsdt": "1"}},
        {"day": {"number": 1, "startUsdt": "1", "lastUsdt": "1E+999999"}},
        {"transfersKnownToMs": "soon"},
        {"transfers": [{"usdt": "5", "streamedMs": "soon", "askedMs": None}]},
        {"transfers": [{"usdt": "5", "streamedMs": None, "askedMs": None}]},
        {"transfers": [{"usdt": "1E+999999", "streamedMs": 1, "askedMs": None}]},
    ],
)
@pytest.mark.parametrize("knows_equity", [False, True])
async def test_a_row_that_cannot_be_is_not_believed(changes: dict[str, Any], knows_equity: bool) -> None:
    desk = Desk()
    if knows_equity:
        desk.read(8_000)
    desk.risk.remember(row(**changes))
    desk.read(8_000, 7_999)
    desk.transfer(5)
    desk.risk.transfers_asked_to(desk.clock.wall_ms())
    await desk.live()
    assert desk.risk.state.peak_usdt == 8_005


async def test_a_day_that_has_not_come_yet_does_not_switch_the_daily_loss_off() -> None:
    """No new day would ever begin after it, and the loss would be measured from its start for ever."""
    desk = Desk()
    today = desk.clock.wall_ms() // DAY_MS
    desk.risk.remember(row(peakUsdt="8000", day={"number": today + 1_000, "startUsdt": "1", "lastUsdt": "1"}))
    desk.read(8_000)
    assert (desk.risk.measures.day.number, desk.risk.measures.day.start_usdt) == (today, 8_000)

"""A file beside the journal is a stop, whatever it is called and whatever stands in it."""

import os
from pathlib import Path

import pytest

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.adapters.halt_requests import HaltRequests


@pytest.mark.parametrize("name", [b"\xff\xfe.halt", b"x" * 200 + b".halt", b"STOP NOW!.halt", b".halt", b"stop.halt"])
def test_a_halt_file_with_any_name_becomes_a_latch_that_can_be_stored_and_is_done_with_once(tmp_path: Path, name: bytes) -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).touch()
    requests = HaltRequests(tmp_path / "journal.db")
    (request,) = requests.pending()
    latch = Latch(id=request.id, action=request.action, origin=LatchOrigin.MANUAL, trigger="Manual", reason=request.reason, tripped_at_ms=1)
    assert latch.action is StopAction.FLATTEN
    assert request.id in latch.model_dump_json()
    requests.done(request)
    assert requests.pending() == []

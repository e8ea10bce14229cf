"""A lease ends at the earlier of its two ends, and never later."""

from quantum_api.gate import Gate
from quantum_api.policy_document import PolicyDocument, Seen
from quantum_engine.policy.lease import grant, grant_recorded

NOW_MS = 1_800_000_000_000


def document(issued_at_ms: int = NOW_MS, lease_seconds: int = 60) -> PolicyDocument:
    return PolicyDocument(
        engine="t/e", epoch=1, seen=Seen(), issued_at_ms=issued_at_ms, expires_at_ms=issued_at_ms + lease_seconds * 1_000,
        lease_seconds=lease_seconds, gate=Gate.ACTIVE, limits=None, strategy=None,
    )  # fmt: skip


def test_it_runs_lease_seconds_from_receipt() -> None:
    lease = grant(document(), 1_000.0, NOW_MS)
    assert lease.seconds_left(1_059.0, NOW_MS + 59_000) == 1.0
    assert lease.seconds_left(1_060.0, NOW_MS + 60_000) <= 0


def test_a_late_receipt_does_not_move_the_stated_expiry() -> None:
    assert grant(document(), 1_000.0, NOW_MS + 50_000).seconds_left(1_000.0, NOW_MS + 50_000) == 10.0


def test_a_wall_clock_set_back_does_not_stretch_it() -> None:
    lease = grant(document(), 1_000.0, NOW_MS)
    assert lease.seconds_left(1_060.0, NOW_MS - 3_600_000) <= 0


def test_a_wall_clock_set_ahead_ends_it() -> None:
    assert grant(document(), 1_000.0, NOW_MS).seconds_left(1_001.0, NOW_MS + 60_000) <= 0


def test_an_engine_clock_that_lags_the_operators_grants_no_more_than_lease_seconds() -> None:
    lease = grant(document(issued_at_ms=NOW_MS + 20_000), 1_000.0, NOW_MS)
    assert lease.seconds_left(1_000.0, NOW_MS) == 60.0


def test_a_document_from_disk_runs_on_where_it_stood() -> None:
    lease = grant_recorded(document(), 5.0, NOW_MS + 20_000, largest_wall_ms=NOW_MS + 15_000)
    assert lease.seconds_left(5.0, NOW_MS + 20_000) == 40.0


def test_a_document_from_disk_is_over_when_the_clock_was_set_back() -> None:
    lease = grant_recorded(document(), 5.0, NOW_MS + 20_000, largest_wall_ms=NOW_MS + 25_000)
    assert lease.seconds_left(5.0, NOW_MS + 20_000) <= 0


def test_an_operator_whose_clock_is_a_little_ahead_does_not_end_a_lease_at_restart() -> None:
    lease = grant_recorded(document(issued_at_ms=NOW_MS + 2_000), 5.0, NOW_MS, largest_wall_ms=NOW_MS)
    assert lease.seconds_left(5.0, NOW_MS) == 60.0


def test_a_document_from_disk_that_was_issued_after_now_is_over() -> None:
    """The clock stands before its issue, and nobody speaks now to vouch for it."""
    assert grant_recorded(document(), 5.0, NOW_MS - 3_600_000, largest_wall_ms=0).seconds_left(5.0, NOW_MS - 3_600_000) <= 0

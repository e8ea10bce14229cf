"""Which verified document replaces which."""

import pytest

from quantum_api.gate import Gate
from quantum_api.policy_document import PolicyDocument, Seen, Verified
from quantum_api.refusals import DocumentRefusal
from quantum_engine.policy.accept import AlreadyHeld, Channel, Refuse, Take, judge

NOW_MS = 1_800_000_000_000


def document(seen: tuple[int, int, int, int] = (5, 5, 5, 5), issued_at_ms: int = NOW_MS, expires_in_ms: int = 60_000) -> Verified:
    vector = Seen(trading_policies=seen[0], strategy_modes=seen[1], emergency_stops=seen[2], engine=seen[3])
    found = PolicyDocument(
        engine="trading/engine-0",
        epoch=vector.epoch,
        seen=vector,
        issued_at_ms=issued_at_ms,
        expires_at_ms=issued_at_ms + expires_in_ms,
        lease_seconds=60,
        gate=Gate.ACTIVE,
        limits=None,
        strategy=None,
    )
    return Verified(found, found.model_dump_json().encode(), "key")


def refused(held: Verified | None, new: Verified, channel: Channel = Channel.PUSH, now_ms: int = NOW_MS) -> DocumentRefusal:
    verdict = judge(held, new, channel, now_ms)
    assert isinstance(verdict, Refuse), verdict
    return verdict.reason


def test_the_first_document_is_taken() -> None:
    assert judge(None, document(), Channel.PUSH, NOW_MS) == Take()


def test_a_document_that_saw_more_is_taken_even_if_it_was_issued_earlier() -> None:
    assert judge(document(), document((6, 5, 5, 5), NOW_MS - 1_000), Channel.PUSH, NOW_MS) == Take()


@pytest.mark.parametrize("component", range(4))
def test_no_component_of_the_fence_goes_back(component: int) -> None:
    """An operator that lags on one watch must not undo what another has said, however far ahead its other watches are."""
    seen = tuple(4 if index == component else 99 for index in range(4))
    assert refused(document(), document(seen, NOW_MS + 5)) is DocumentRefusal.STALE_EPOCH  # type: ignore[arg-type]


@pytest.mark.parametrize(("later_ms", "taken"), [(-1, False), (0, False), (1, True)])
def test_at_the_same_fence_only_a_later_issue_is_taken(later_ms: int, taken: bool) -> None:
    """A recorded document cannot stretch a lease."""
    verdict = judge(document(), document(issued_at_ms=NOW_MS + later_ms, expires_in_ms=60_001), Channel.PUSH, NOW_MS)
    assert isinstance(verdict, Take) is taken


def test_the_same_bytes_again_change_nothing() -> None:
    assert judge(document(), document(), Channel.PUSH, NOW_MS + 10_000_000) == AlreadyHeld()


@pytest.mark.parametrize(("age_ms", "word"), [(59_999, None), (60_000, DocumentRefusal.EXPIRED)])
def test_a_pushed_document_is_refused_from_its_expiry_on(age_ms: int, word: DocumentRefusal | None) -> None:
    verdict = judge(None, document(issued_at_ms=NOW_MS - age_ms), Channel.PUSH, NOW_MS)
    assert (verdict.reason if isinstance(verdict, Refuse) else None) is word


@pytest.mark.parametrize(("ahead_ms", "word"), [(30_000, None), (30_001, DocumentRefusal.ISSUED_IN_FUTURE)])
@pytest.mark.parametrize("channel", [Channel.PUSH, Channel.MIRROR])
def test_a_document_stamped_too_far_ahead_is_refused(channel: Channel, ahead_ms: int, word: DocumentRefusal | None) -> None:
    verdict = judge(None, document(issued_at_ms=NOW_MS + ahead_ms), channel, NOW_MS)
    assert (verdict.reason if isinstance(verdict, Refuse) else None) is word


def test_staleness_is_said_before_expiry() -> None:
    assert refused(document((6, 6, 6, 6)), document(issued_at_ms=NOW_MS - 99_000)) is DocumentRefusal.STALE_EPOCH


def test_an_expired_document_of_the_mirror_still_fences() -> None:
    """Its limits, stops and fence count; its lease is over at once (lease.py)."""
    assert judge(None, document(issued_at_ms=NOW_MS - 99_000), Channel.MIRROR, NOW_MS) == Take()

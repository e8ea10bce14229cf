"""Promise 1: an operator that cannot see the objects must not keep engines trading."""

from hypothesis import given
from hypothesis import strategies as st

from quantum_operator.sight import NEWS_SECONDS, expires_at_ms, look_every_seconds, renewal_gains

times = st.integers(0, 10_000_000)
leases = st.integers(5, 3_600)


@given(issued=times, confirmed=times, lease=leases)
def test_no_document_outlives_a_lease_from_its_issue(issued: int, confirmed: int, lease: int) -> None:
    assert issued < expires_at_ms(issued, confirmed, lease) <= issued + lease * 1000


@given(issued=times, age_ms=st.integers(0, 10_000_000), lease=leases)
def test_an_old_look_shortens_the_lease_down_to_news(issued: int, age_ms: int, lease: int) -> None:
    granted_ms = expires_at_ms(issued, issued - age_ms, lease) - issued
    assert granted_ms == max(lease * 1000 - age_ms, min(NEWS_SECONDS, lease) * 1000)


@given(confirmed=times, lease=leases, waits=st.lists(st.integers(0, 60_000), max_size=20))
def test_renewals_without_a_new_look_come_to_an_end(confirmed: int, lease: int, waits: list[int]) -> None:
    """Whenever the operator tries, the engine is without a lease at most one piece of news after the last look's lease."""
    now, until = confirmed, expires_at_ms(confirmed, confirmed, lease)
    for wait in waits:
        now += wait
        if renewal_gains(until, confirmed, lease, now):
            until = expires_at_ms(now, confirmed, lease)
    assert until <= confirmed + lease * 1000 + NEWS_SECONDS * 1000


def test_a_short_lease_is_looked_after_more_often() -> None:
    assert look_every_seconds(20, 60) == 15
    assert look_every_seconds(20, 5) == 1.25
    assert look_every_seconds(20, 3_600) == 20

"""Promise 1: the fence is a partial order, so a document can only be overtaken by one that has seen at least as much."""

from hypothesis import given
from hypothesis import strategies as st

from quantum_api.policy_document import Seen

vectors = st.builds(
    Seen,
    trading_policies=st.integers(0, 5),
    strategy_modes=st.integers(0, 5),
    emergency_stops=st.integers(0, 5),
    engine=st.integers(0, 5),
)


@given(vectors, vectors, vectors)
def test_covering_is_transitive(a: Seen, b: Seen, c: Seen) -> None:
    assert not (a.covers(b) and b.covers(c)) or a.covers(c)


@given(vectors, vectors)
def test_two_that_cover_each_other_are_equal(a: Seen, b: Seen) -> None:
    assert (a.covers(b) and b.covers(a)) == (a == b)


@given(vectors, vectors)
def test_the_join_covers_both_and_nothing_smaller_does(a: Seen, b: Seen) -> None:
    joined = a.join(b)
    assert joined.covers(a)
    assert joined.covers(b)
    assert all(getattr(joined, name) in (getattr(a, name), getattr(b, name)) for name in Seen.model_fields)


@given(vectors, vectors)
def test_the_epoch_never_goes_back_where_the_vector_does_not(a: Seen, b: Seen) -> None:
    assert not a.covers(b) or a.epoch >= b.epoch

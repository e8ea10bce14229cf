"""The laws over random histories: a real engine's stages, journal and Redis, a real venue over the wire, and whatever may go wrong.

Every history is judged by every law (judge.py, watch.py).  The tests differ in what their histories are made of.

QT_LAWS=deep     ten times as many histories, new ones in each run
QT_LAWS_EXAMPLES how many histories per test
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from tests.live.laws import histories
from tests.live.laws.living import broken_laws
from tests.live.laws.redis import Redis
from tests.live.laws.steps import Step

IS_DEEP = os.environ.get("QT_LAWS") == "deep"
EXAMPLES = int(os.environ.get("QT_LAWS_EXAMPLES", "300" if IS_DEEP else "30"))
random_histories = settings(
    max_examples=EXAMPLES, derandomize=not IS_DEEP, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)
pytestmark = [
    pytest.mark.timeout(36_000 if IS_DEEP else 180),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),  # a crash ends tasks that had not begun
]


@random_histories
@given(history=histories.ENTRIES)
def test_an_intent_becomes_at_most_one_order_and_the_books_add_up_whatever_the_venue_answers(redis: Redis, history: list[Step]) -> None:
    """Laws 1 and 5: lost answers, late requests, deaf streams, crashes."""
    assert broken_laws(history, redis) == []


@random_histories
@given(history=histories.GATES)
def test_nothing_opens_past_a_shut_gate_and_what_may_only_reduce_only_reduces(redis: Redis, history: list[Step]) -> None:
    """Laws 2 and 3: documents, leases and stops shut the gate while orders rest, fly, and fill; other programs trade beside us."""
    assert broken_laws(history, redis) == []


@random_histories
@given(history=histories.STOPS)
def test_no_stop_clears_without_a_release_and_each_reaches_flat_when_the_venue_lets_it(redis: Redis, history: list[Step]) -> None:
    """Laws 4 and 6: stops of every kind and scope, on a venue that refuses, delays and forgets."""
    assert broken_laws(history, redis) == []


@random_histories
@given(history=histories.EVERYTHING)
def test_every_law_holds_whatever_happens_at_once(redis: Redis, history: list[Step]) -> None:
    """Disk, Redis, process and venue fail together."""
    assert broken_laws(history, redis) == []

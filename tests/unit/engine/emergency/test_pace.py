"""How often a stop looks at the exchange."""

from quantum_engine.emergency.pace import (
    FIRST_SECONDS,
    LONGEST_HELPING_SECONDS,
    LONGEST_SECONDS,
    VERIFY_SECONDS,
    next_pause_seconds,
    throttled_pause_seconds,
)

LOOK_WEIGHT = 85
LIMIT_PER_MINUTE = 2_400
ENGINES_BEHIND_ONE_ADDRESS = 3


def test_a_standing_stop_of_a_fleet_behind_one_address_leaves_three_quarters_of_the_venues_limit() -> None:
    """Looking each 5 s had three stopped engines banned within a minute, and with them every way out."""
    assert 60 / VERIFY_SECONDS * LOOK_WEIGHT * ENGINES_BEHIND_ONE_ADDRESS <= LIMIT_PER_MINUTE / 4


def test_a_look_is_soon_repeated_while_it_helps_and_more_and_more_slowly_when_not() -> None:
    assert next_pause_seconds(0.0, progressed=True) == FIRST_SECONDS
    assert next_pause_seconds(3.0, progressed=True) == LONGEST_HELPING_SECONDS
    assert next_pause_seconds(FIRST_SECONDS, progressed=False) == 2 * FIRST_SECONDS
    assert next_pause_seconds(4.0, progressed=False) == LONGEST_SECONDS


def test_patience_that_the_exchange_asks_for_is_given_but_never_for_ever() -> None:
    assert [throttled_pause_seconds(seconds) for seconds in (0.0, 7.0, 86_400.0)] == [FIRST_SECONDS, 7.0, 60.0]

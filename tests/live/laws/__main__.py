"""`python -m tests.live.laws [histories]`: plants each bug and searches for it with chance; prints how many histories it took.

Flow  histories, planted -> HERE -> a table for people
Why   a recorded history proves that a law can fail; this shows how soon chance would have found it
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from tests.live.laws import histories, settling
from tests.live.laws import judge as laws
from tests.live.laws.living import lived
from tests.live.laws.planted import TABLE, Planted
from tests.live.laws.redis import Redis
from tests.live.laws.steps import Step

AIMED: dict[Callable[..., list[str]], SearchStrategy[list[Step]]] = {
    laws.at_most_one_order_per_intent: histories.ENTRIES,
    laws.what_was_declared_dead_is_not_live: histories.ENTRIES,
    laws.position_is_the_sum_of_fills: histories.ENTRIES,
    laws.the_engine_believes_no_position_that_never_was: histories.ENTRIES,
    laws.nothing_opens_past_a_shut_gate: histories.GATES,
    laws.what_may_only_reduce_only_reduces: histories.GATES,
    laws.noted_while_it_happened: histories.STOPS,
}


class Found(Exception):  # noqa: N818  not an error: what was looked for
    """A history in which the law failed."""


def search(planted: Planted, redis: Redis, most: int) -> int | None:
    """How many histories it took; None = not found."""
    number = count(1)

    @settings(
        max_examples=most, derandomize=True, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(history=AIMED[planted.law])
    def look(history: list[Step]) -> None:
        lives = next(number)
        with planted.in_place():
            evidence = lived(history, redis)
        if planted.law(evidence):
            raise Found(lives)

    try:
        look()
    except Found as found:
        return int(str(found))
    return None


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False)
    settling.SETTLED_SECONDS = 45.0
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with TemporaryDirectory() as folder:
        redis = Redis(Path(folder))
        redis.start()
        try:
            for planted in TABLE:
                lives = search(planted, redis, most)
                print(f"{f'after {lives:4}' if lives else f'not in {most:3}'}  {planted.law.__name__:48}  {planted.name}", flush=True)
        finally:
            redis.kill()


if __name__ == "__main__":
    main()

"""The same seed, the same commands at the same times: the same order log and the same messages, byte for byte.

A finding of a law or of a chaos run can only be shown again on a venue that repeats itself.
"""

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from laws.simulator.scenario import NAMES, SYMBOLS, lived, made_up

NAME, SYMBOL, SIDE = st.sampled_from(NAMES), st.sampled_from(SYMBOLS), st.sampled_from(["BUY", "SELL"])
KIND = st.sampled_from(["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
MORE = st.sampled_from([{}, {"newClientOrderId": "mine"}, {"reduceOnly": "true"}])
STEP = st.tuples(st.just("step"), st.integers(1, 2_000))
ORDER = st.tuples(st.just("order"), NAME, SYMBOL, SIDE, st.integers(1, 900), st.one_of(st.none(), st.integers(-900, 900)), MORE)
ALGO = st.tuples(st.just("algo"), NAME, SYMBOL, SIDE, KIND, st.integers(-60, 60))
FAULT = st.tuples(
    st.just("fault"), st.sampled_from(["stream_delay", "stream_swap", "stream_duplicate", "stream_silent"]), st.integers(0, 900)
)
RARE = st.one_of(
    st.tuples(st.just("cancel_all"), NAME, SYMBOL),
    st.tuples(st.just("shock"), SYMBOL, st.integers(-3_000, 1_000)),
    st.tuples(st.just("depth"), SYMBOL, st.sampled_from([0.0, 0.1, 1.0])),
    st.tuples(st.just("deposit"), NAME, st.integers(-500, 5_000)),
    st.tuples(st.just("adl"), NAME),
    st.tuples(st.just("hedge"), NAME),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(STEP, ORDER, ALGO, FAULT, RARE), max_size=25), st.integers(0, 5))
def test_what_was_lived_once_is_lived_again(commands: list[tuple], seed: int) -> None:
    assert lived(commands, seed) == lived(commands, seed)


def test_another_seed_is_another_day_and_another_command_another_log() -> None:
    """Or the law above would compare nothing with nothing."""
    commands = made_up(1, 40)
    assert lived(commands, 7) != lived(commands, 8)
    assert lived(commands, 7) != lived([*commands, ("order", "alpha", "BTCUSDT", "BUY", 20, None, {})], 7)


def test_another_process_with_other_hashes_lives_the_same_day() -> None:
    """Within one process the order of a set of words is always the same; between processes it is not."""
    program = Path(__file__).parent / "scenario.py"
    running = [
        subprocess.Popen(
            [sys.executable, str(program), "3"], env=os.environ | {"PYTHONHASHSEED": number}, stdout=subprocess.PIPE, text=True
        )
        for number in ("1", "2")
    ]
    first, second = (each.communicate(timeout=60)[0] for each in running)
    assert first == second
    assert int(first.split()[0]) > 50_000

"""When the venue is left in peace, and who may ask nevertheless."""

import pytest

from quantum_engine.exchanges.binance_futures.breaker import FAILURES_TO_OPEN, Back, Breaker, Kind, Lost


def opened(now: float = 100.0) -> Breaker:
    breaker = Breaker(lambda: 0.0)
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed("refused", now)
    return breaker


def test_failures_in_a_row_open_it_once_and_an_answer_between_them_does_not_let_it_come_so_far() -> None:
    breaker = Breaker(lambda: 0.0)
    for _ in range(FAILURES_TO_OPEN - 1):
        assert breaker.failed("refused", 1.0) is None
    assert breaker.answered(1.0) is None
    for _ in range(FAILURES_TO_OPEN - 1):
        assert breaker.failed("refused", 1.0) is None
        assert breaker.ask(Kind.ENTRY, 1.0) is None
    assert breaker.failed("refused", 1.0) == Lost("refused", FAILURES_TO_OPEN, 1.0)
    assert breaker.failed("refused", 1.0) is None, "no alert storm"


def test_promise_7_an_open_breaker_holds_back_entries_and_reads_but_no_exit() -> None:
    breaker = opened()
    assert breaker.ask(Kind.EXIT, 100.0) is None
    for kind in (Kind.ENTRY, Kind.READ):
        wait = breaker.ask(kind, 100.2)
        assert wait is not None
        assert wait.why == "the exchange has failed 5 times in a row: refused"
        assert wait.seconds == pytest.approx(0.8)


def test_one_read_at_a_time_asks_whether_it_is_back_and_an_order_never_does() -> None:
    """The outcome of an order that probes might stay unknown."""
    breaker = opened()
    assert breaker.ask(Kind.ENTRY, 101.0) is not None
    assert breaker.ask(Kind.READ, 101.0) is None
    assert breaker.ask(Kind.READ, 101.0) is not None


def test_probes_come_ever_more_seldom_to_a_bound() -> None:
    breaker, times, now = opened(0.0), [], 0.0
    while len(times) < 6:
        if breaker.ask(Kind.READ, now) is None:
            times.append(now)
            breaker.failed("refused", now)
        now += 0.5
    assert times == [1.0, 3.0, 7.0, 15.0, 23.0, 31.0]


def test_an_answer_closes_it_and_says_for_how_long_it_was_away() -> None:
    breaker = opened()
    breaker.failed("timed out", 105.0)
    assert breaker.answered(107.5) == Back("timed out", 6, 7.5)
    assert breaker.answered(108.0) is None
    assert breaker.ask(Kind.ENTRY, 108.0) is None


@pytest.mark.parametrize("kind", list(Kind))
def test_a_ban_holds_back_even_exits_because_asking_on_makes_it_longer(kind: Kind) -> None:
    breaker = Breaker(lambda: 0.0)
    assert breaker.banned("banned", 120.0, 0.0) == Lost("banned", 0, 121.0)
    wait = breaker.ask(kind, 60.0)
    assert wait is not None
    assert wait.seconds == 61.0
    assert "exits too wait" in wait.why


def test_after_a_ban_one_request_a_second_asks_whether_it_is_over() -> None:
    breaker = Breaker(lambda: 0.0)
    breaker.banned("banned", 120.0, 0.0)
    assert breaker.ask(Kind.EXIT, 121.0) is None
    assert breaker.ask(Kind.EXIT, 121.5) is not None
    assert breaker.ask(Kind.EXIT, 122.0) is None
    assert breaker.answered(122.1) == Back("banned", 0, 122.1)
    assert breaker.ask(Kind.ENTRY, 122.1) is None


def test_a_late_answer_ends_no_ban_and_a_new_ban_only_lengthens_it() -> None:
    breaker = Breaker(lambda: 0.0)
    breaker.banned("banned", 120.0, 0.0)
    assert breaker.answered(5.0) is None
    assert breaker.banned("again", 10.0, 6.0) is None
    wait = breaker.ask(Kind.EXIT, 100.0)
    assert wait is not None
    assert wait.seconds == 21.0

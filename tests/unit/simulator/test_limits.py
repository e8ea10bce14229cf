"""Fixed windows, Retry-After, and the ban of those who do not listen."""

import pytest

from quantum_simulator.rest.limits import BAN_MS, REQUESTS_BEFORE_BAN, RateLimits, RateRefusal

MINUTE_MS = 60_000


def test_weight_is_counted_in_fixed_minutes() -> None:
    limits = RateLimits(weight_per_minute=10)
    assert limits.use_weight("ip", 10, 59_999) == 10
    assert limits.use_weight("ip", 10, 60_000) == 10


def test_above_the_limit_the_answer_says_how_long_to_wait() -> None:
    limits = RateLimits(weight_per_minute=10)
    limits.use_weight("ip", 10, 0)
    with pytest.raises(RateRefusal) as refused:
        limits.use_weight("ip", 1, 15_000)
    assert (refused.value.http_status, refused.value.code, refused.value.retry_after_seconds) == (429, -1003, 45)


def test_each_ip_has_its_own_budget() -> None:
    limits = RateLimits(weight_per_minute=10)
    limits.use_weight("one", 10, 0)
    assert limits.use_weight("two", 10, 0) == 10


def test_going_on_after_429_is_banned_and_the_ban_outlives_the_minute() -> None:
    limits = RateLimits(weight_per_minute=1)
    seen = []
    for _ in range(REQUESTS_BEFORE_BAN + 2):
        try:
            limits.use_weight("ip", 1, 0)
        except RateRefusal as refusal:
            seen.append(refusal.http_status)
    assert seen == [429] * REQUESTS_BEFORE_BAN + [418]
    with pytest.raises(RateRefusal, match=f"banned until {BAN_MS}"):
        limits.use_weight("ip", 1, BAN_MS - 1)
    assert limits.use_weight("ip", 1, BAN_MS) == 1


def test_too_many_orders_is_a_refusal_not_a_ban() -> None:
    limits = RateLimits(orders_per_ten_seconds=2)
    limits.use_order("alpha", 0)
    assert limits.use_order("alpha", 0) == (2, 2)
    with pytest.raises(RateRefusal) as refused:
        limits.use_order("alpha", 0)
    assert (refused.value.code, refused.value.http_status) == (-1015, 400)
    assert limits.use_order("beta", 0) == (1, 1)
    assert limits.use_order("alpha", 10_000)[0] == 1

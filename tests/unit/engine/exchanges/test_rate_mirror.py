"""What may be sent of the venue's fixed windows, and what stays for exits."""

import pytest

from quantum_engine.exchanges.binance_futures.rate.mirror import GO, USUAL, Lease, Limits, RateMirror, Wait
from quantum_engine.exchanges.binance_futures.rate.room import Lane
from quantum_engine.exchanges.binance_futures.rate.weights import COSTS, UNKNOWN_COST, Cost, cost_of
from quantum_engine.exchanges.binance_futures.rate.windows import EDGE_MS, FixedWindow

NOON_MS = 1_800_000_000_000
NOW_MS = NOON_MS + 10_000
READ, ORDER = Cost(10), Cost(0, 1)


def sharing() -> RateMirror:
    """One of three engines behind an address; the limits are read."""
    mirror = RateMirror(sharers=3)
    mirror.take_limits(USUAL)
    return mirror


def read(mirror: RateMirror, times: int = 1, now_ms: int = NOW_MS, cost: Cost = READ, **more: bool) -> object:
    """The last answer."""
    answer: object = None
    for _ in range(times):
        answer = mirror.ask(cost, now_ms, is_exit=more.get("is_exit", False), is_throttled=more.get("is_throttled", False))
    return answer


def test_promise_7_a_read_that_would_eat_into_the_reserve_waits_for_the_next_window_and_an_exit_does_not() -> None:
    mirror = RateMirror()
    assert read(mirror, 180) is GO
    refused = read(mirror)
    assert isinstance(refused, Wait)
    assert refused.why == "weight per minute: 1800 used of 1800 (2400 less what is reserved for exits), 10 more asked"
    assert refused.seconds == 50.25
    assert read(mirror, 80, is_exit=True) is GO
    assert mirror.weight.used == 2_600, "never refused, not even past the limit"


@pytest.mark.parametrize(("limits", "name"), [(Limits(), "orders per 10 s"), (Limits(2_400, 300, 100), "orders per minute")])
def test_promise_7_entries_leave_a_quarter_of_the_order_counts_to_closes(limits: Limits, name: str) -> None:
    mirror = RateMirror(limits=limits)
    most = min(limits.orders_per_ten_seconds, limits.orders_per_minute) * 3 // 4
    assert read(mirror, most, cost=ORDER) is GO
    refused = read(mirror, cost=ORDER)
    assert isinstance(refused, Wait)
    assert name in refused.why
    assert read(mirror, 100, cost=ORDER, is_exit=True) is GO


def test_what_was_refused_is_not_counted() -> None:
    mirror = RateMirror()
    read(mirror, 500)
    assert mirror.weight.used == 1_800


def test_the_venues_own_count_is_believed_and_never_undercut() -> None:
    """Others behind our address are in it, and so are requests of a process that died."""
    mirror = RateMirror()
    read(mirror)
    mirror.heard(1_795, (None, 224), NOW_MS, NOW_MS)
    assert isinstance(read(mirror), Wait)
    mirror.heard(20, (1, 1), NOW_MS, NOW_MS)
    assert (mirror.weight.used, mirror.orders[1].used) == (1_795, 224)


def test_a_count_that_was_true_in_another_window_says_nothing_of_this_one() -> None:
    mirror = RateMirror()
    after = NOON_MS + 60_000 + 2 * EDGE_MS
    mirror.heard(2_399, (None, None), NOON_MS + 59_000, after)
    assert read(mirror, now_ms=after) is GO


def test_a_window_rolls_on_the_venues_minute_a_moment_late_and_takes_along_what_was_sent_on_the_edge() -> None:
    """The venue may have counted it on either side."""
    window, edge = FixedWindow("weight", 60_000, 100), NOON_MS + 60_000
    window.roll(NOON_MS + 30_000)
    window.take(50, NOON_MS + 30_000)
    window.roll(edge - 200)
    window.take(7, edge - 200)
    assert not window.roll(edge + EDGE_MS - 1)
    window.take(3, edge + EDGE_MS - 1)
    assert window.used == 60
    assert window.roll(edge + EDGE_MS)
    assert window.used == 10


def test_a_clock_set_back_keeps_the_count_and_does_not_freeze_the_window() -> None:
    """The first guess of the venue's time is our wall clock, which may be hours off."""
    window = FixedWindow("weight", 60_000, 100)
    window.roll(NOON_MS + 7_200_000)
    window.take(50, NOON_MS + 7_200_000)
    window.roll(NOON_MS)
    assert window.used == 50
    window.roll(NOON_MS + 120_000)
    assert window.used == 0


def test_limits_come_from_the_venue_but_never_shut_the_engine_out() -> None:
    mirror = RateMirror()
    mirror.take_limits(Limits(100, 10, 20))
    assert (mirror.weight.limit, mirror.orders[0].limit, mirror.orders[1].limit) == (100, 10, 20)
    mirror.take_limits(Limits(0, 10, 20))
    assert mirror.weight.limit == 100


def test_while_the_venue_throttles_exits_ask_on_within_the_reserve_only() -> None:
    mirror = RateMirror()
    assert read(mirror, 60, is_exit=True, is_throttled=True) is GO
    assert isinstance(read(mirror, is_exit=True, is_throttled=True), Wait)
    assert read(mirror, cost=ORDER, is_exit=True, is_throttled=True) is GO, "a close weighs nothing"


def test_of_a_shared_window_only_what_was_leased_is_used() -> None:
    mirror = sharing()
    lease = read(mirror)
    window = (NOW_MS - EDGE_MS) // 60_000
    assert lease == Lease(Lane.ENTRY, window, 18, 0, 1_800)
    assert mirror.weight.used == 0, "not counted before it may go"
    mirror.granted(lease, 90, NOW_MS)
    assert read(mirror, 9) is GO
    assert read(mirror) == Lease(Lane.ENTRY, window, 18, 90, 1_800)


def test_a_pool_that_is_empty_is_not_asked_again_in_this_window() -> None:
    mirror = sharing()
    lease = read(mirror)
    assert isinstance(lease, Lease)
    mirror.granted(lease, 15, NOW_MS)
    assert read(mirror) is GO
    assert isinstance(read(mirror), Wait)
    assert isinstance(read(mirror, now_ms=NOW_MS + 60_000), Lease)


def test_without_the_pool_each_keeps_to_its_part_and_asks_the_pool_again_a_second_later() -> None:
    mirror = sharing()
    lease = read(mirror)
    assert isinstance(lease, Lease)
    mirror.granted(lease, None, NOW_MS)
    assert read(mirror, 60) is GO
    refused = read(mirror)
    assert isinstance(refused, Wait)
    assert "600 used of our share of 600" in refused.why
    again = read(mirror, now_ms=NOW_MS + 1_000)
    assert isinstance(again, Lease)
    assert again.wanted == 610, "what was used without it is charged"


def test_a_pool_that_is_lost_takes_nothing_back() -> None:
    mirror = sharing()
    first = read(mirror)
    assert isinstance(first, Lease)
    mirror.granted(first, 900, NOW_MS)
    second = read(mirror, 91)
    assert isinstance(second, Lease)
    mirror.granted(second, None, NOW_MS)
    assert isinstance(read(mirror), Wait)
    assert mirror.weight.used == 900


def test_the_venues_count_holds_above_every_share() -> None:
    """Others have leased all of it, and the pool that knew is gone."""
    mirror = sharing()
    lease = read(mirror)
    assert isinstance(lease, Lease)
    mirror.granted(lease, None, NOW_MS)
    mirror.heard(1_795, (None, None), NOW_MS, NOW_MS)
    assert isinstance(read(mirror), Wait)


def test_before_the_venues_limits_are_read_each_keeps_to_its_part_of_the_usual_ones_and_is_charged_for_it_afterwards() -> None:
    mirror = RateMirror(sharers=3)
    assert read(mirror, 60) is GO
    assert isinstance(read(mirror), Wait)
    mirror.take_limits(USUAL)
    lease = read(mirror)
    assert isinstance(lease, Lease)
    assert lease.wanted == 610


def test_a_pool_that_was_empty_by_the_usual_limits_is_asked_again_once_the_venues_own_are_read() -> None:
    """A restarted engine would stay shut for a minute at a venue that allows more than is usual."""
    mirror = sharing()
    lease = read(mirror)
    assert isinstance(lease, Lease)
    mirror.granted(lease, 0, NOW_MS)
    assert isinstance(read(mirror), Wait)
    mirror.take_limits(Limits(12_000, 300, 1_200))
    again = read(mirror)
    assert isinstance(again, Lease)
    assert again.room == 9_000


def test_a_lease_of_a_window_that_is_over_counts_for_nothing() -> None:
    mirror = sharing()
    lease = read(mirror)
    assert isinstance(lease, Lease)
    later = NOW_MS + 60_000
    read(mirror, now_ms=later)
    mirror.granted(lease, 1_000, later)
    assert isinstance(read(mirror, now_ms=later), Lease)


def test_promise_7_exits_need_no_lease_but_while_throttled_they_draw_from_their_own_lane() -> None:
    mirror = sharing()
    assert read(mirror, 7, is_exit=True) is GO
    lease = read(mirror, is_exit=True, is_throttled=True)
    assert isinstance(lease, Lease)
    assert (lease.lane, lease.wanted, lease.room) == (Lane.EXIT, 80, 600), "what went before the throttle is charged too"


@pytest.mark.parametrize(
    ("method", "path", "params", "cost"),
    [
        ("POST", "/fapi/v1/order", {"symbol": "BTCUSDT"}, Cost(0, 1)),
        ("GET", "/fapi/v1/openOrders", {}, Cost(40)),
        ("GET", "/fapi/v1/openOrders", {"symbol": "BTCUSDT"}, Cost(1)),
        ("GET", "/fapi/v1/klines", {"limit": 99}, Cost(1)),
        ("GET", "/fapi/v1/klines", {"limit": 100}, Cost(2)),
        ("GET", "/fapi/v1/klines", {"limit": 1_000}, Cost(5)),
        ("GET", "/fapi/v1/klines", {"limit": 1_001}, Cost(10)),
        ("GET", "/fapi/v9/new", {}, UNKNOWN_COST),
    ],
)
def test_a_request_costs_what_the_venue_says(method: str, path: str, params: dict[str, str | int], cost: Cost) -> None:
    assert cost_of(method, path, params) == cost


def test_the_table_of_costs_is_that_of_the_simulated_venue() -> None:
    """Two readings of the same documentation: where they differ, one is wrong."""
    from quantum_simulator.rest.endpoints import ENDPOINTS

    for (method, path), cost in COSTS.items():
        if (endpoint := ENDPOINTS.get((method, path))) is not None:
            asked: dict[str, str] = {"limit": "1500"} if path.endswith("klines") else {}
            assert (method, path, cost.weight) == (method, path, endpoint.cost(asked))
            assert endpoint.order_count == ((1, 1) if cost.orders else None)


def test_what_came_to_the_venue_at_the_edge_is_charged_to_our_share_of_the_next_window_too() -> None:
    """Else three engines that each burst on both sides of the minute are together past it."""
    mirror, before, after = sharing(), NOON_MS + 60_000, NOON_MS + 60_000 + EDGE_MS
    lease = read(mirror, now_ms=before)
    assert isinstance(lease, Lease)
    mirror.granted(lease, 90, NOW_MS)
    assert read(mirror, 9, now_ms=before) is GO
    charged = read(mirror, now_ms=after)
    assert isinstance(charged, Lease)
    assert charged.wanted == 100


def test_a_clock_set_back_across_the_edge_frees_no_second_share() -> None:
    mirror, after = sharing(), NOON_MS + 60_000 + EDGE_MS
    lease = read(mirror, now_ms=after)
    assert isinstance(lease, Lease)
    mirror.granted(lease, None, after)
    assert read(mirror, 60, now_ms=after) is GO
    assert isinstance(read(mirror, now_ms=after - 100), Wait)
    assert isinstance(read(mirror, now_ms=after), Wait)

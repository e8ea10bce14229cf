"""REDUCE_ONLY judges what the position would become, not what the order calls itself."""

import pytest
from tests.unit.engine.gate.worlds import intent, limits, position, resting, restricted

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.domain import Side
from quantum_engine.gate.chain import judge
from quantum_engine.verdicts import Allowed, Refused

SELL, BUY = Side.SELL, Side.BUY


@pytest.mark.parametrize(
    ("held", "side", "quantity", "reduce_only", "orders", "is_allowed"),
    [
        ("0.300", SELL, "0.300", True, [], True),
        ("0.300", SELL, "0.300", False, [], True),
        ("0.300", SELL, "0.301", True, [], False),
        ("0.300", SELL, "0.301", False, [], False),
        ("0.300", BUY, "0.001", False, [], False),
        ("0.300", BUY, "0.001", True, [], False),
        ("0", SELL, "0.001", True, [], False),
        ("0", BUY, "0.001", False, [], False),
        ("-0.300", BUY, "0.300", True, [], True),
        ("-0.300", SELL, "0.001", True, [], False),
        # a resting order of the same side takes the room first
        ("0.300", SELL, "0.100", False, [resting(SELL, "0.200")], True),
        ("0.300", SELL, "0.101", False, [resting(SELL, "0.200")], False),
        ("0.300", SELL, "0.101", True, [resting(SELL, "0.200")], False),
        # one that would grow the position gives no room: it may never fill
        ("0.300", SELL, "0.301", False, [resting(BUY, "0.200")], False),
        # reduce-only beside reduce-only: the exchange caps both
        ("0.300", SELL, "0.300", True, [resting(SELL, "0.300", reduce_only=True)], True),
        # an order without the flag beside a reduce-only one would flip
        ("0.300", SELL, "0.001", False, [resting(SELL, "0.300", reduce_only=True)], False),
        # two reduce-only orders fill, then the order without the flag has nothing left to shrink
        ("0.300", SELL, "0.101", True, [resting(SELL, "0.100"), resting(SELL, "0.100", reduce_only=True)], False),
        ("0.300", SELL, "0.100", True, [resting(SELL, "0.100"), resting(SELL, "0.100", reduce_only=True)], True),
        # they may take everything already: one more of them makes nothing worse, and getting out is not blocked
        ("0.300", SELL, "0.200", True, [resting(SELL, "0.100"), resting(SELL, "0.300", reduce_only=True)], True),
        # another symbol's orders are another matter
        ("0.300", SELL, "0.300", False, [resting(SELL, "9", symbol="ETHUSDT")], True),
    ],
)
def test_only_what_surely_shrinks_passes(held, side, quantity, reduce_only, orders, is_allowed) -> None:
    snapshot = restricted(
        Gate.REDUCE_ONLY,
        intent=intent(side, quantity, reduce_only=reduce_only),
        positions=position(held),
        open_orders=orders,
        limits=limits(max_order_notional_usdt=20_000),
    )
    judged = judge(snapshot)
    if is_allowed:
        assert judged == Allowed()
    else:
        assert isinstance(judged, Refused)
        assert judged.refusal is Refusal.GATE_REDUCE_ONLY
        assert set(judged.numbers) == {"reasons", "position", "quantity", "room"}

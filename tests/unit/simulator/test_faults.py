"""Faults strike whom they should, as often as they should."""

from quantum_simulator.faults import Fault, FaultKind, Faults

ORDER = "/fapi/v1/order"


def kinds(struck: list[Fault]) -> list[FaultKind]:
    return [each.kind for each in struck]


def test_a_counted_fault_is_used_up() -> None:
    faults = Faults()
    faults.order(Fault(FaultKind.DROP_ANSWER, left=2))
    assert [len(faults.strike("alpha", ORDER, "POST", 0)) for _ in range(3)] == [1, 1, 0]


def test_a_timed_fault_ends() -> None:
    faults = Faults()
    faults.order(Fault(FaultKind.HTTP_503_UNKNOWN, until_ms=10))
    assert faults.strike("alpha", ORDER, "POST", 9)
    assert not faults.strike("alpha", ORDER, "POST", 10)


def test_scope_is_account_path_and_method() -> None:
    faults = Faults()
    faults.order(Fault(FaultKind.REJECT_CODE, account="alpha", path=ORDER, method="POST"))
    assert not faults.strike("beta", ORDER, "POST", 0)
    assert not faults.strike("alpha", "/fapi/v1/allOpenOrders", "POST", 0)
    assert not faults.strike("alpha", ORDER, "DELETE", 0)
    assert faults.strike("alpha", ORDER, "POST", 0)


def test_a_delay_joins_another_fault_but_two_others_do_not_join() -> None:
    faults = Faults()
    for kind in (FaultKind.DROP_ANSWER, FaultKind.DELAY_MS, FaultKind.REJECT_CODE):
        faults.order(Fault(kind))
    assert kinds(faults.strike("alpha", ORDER, "POST", 0)) == [FaultKind.DROP_ANSWER, FaultKind.DELAY_MS]


def test_reduce_only_can_be_exempt_as_under_the_venues_own_throttling() -> None:
    faults = Faults()
    faults.order(Fault(FaultKind.REJECT_CODE, code=-1008, exempt_reduce_only=True))
    assert not faults.strike("alpha", ORDER, "POST", 0, reduce_only=True)
    assert faults.strike("alpha", ORDER, "POST", 0, reduce_only=False)


def test_stream_faults_do_not_touch_requests_and_the_reverse() -> None:
    faults = Faults()
    faults.order(Fault(FaultKind.STREAM_SILENT, account="alpha"))
    assert not faults.strike("alpha", ORDER, "POST", 0)
    assert faults.struck_stream(FaultKind.STREAM_SILENT, "alpha", "/private", 0)
    assert not faults.struck_stream(FaultKind.STREAM_SILENT, "beta", "/private", 0)
    assert not faults.struck_stream(FaultKind.STREAM_CUT, "alpha", "/private", 0)


def test_faults_are_cleared_one_or_all() -> None:
    faults = Faults()
    first = faults.order(Fault(FaultKind.DELAY_MS))
    faults.order(Fault(FaultKind.BAN_418))
    assert faults.clear(first.id) == 1
    assert faults.clear() == 1
    assert not faults.ordered

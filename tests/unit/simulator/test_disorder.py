"""Stream faults lose the order, the moment or the uniqueness of events, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from quantum_simulator.faults import Fault, FaultKind, Faults
from quantum_simulator.streams.disorder import Disorder

ORDER, LITE, ACCOUNT = "ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE"


def disorder(*faults: Fault) -> Disorder:
    ordered = Faults()
    for each in faults:
        ordered.order(each)
    return Disorder(ordered)


def events(*kinds: str) -> list[dict[str, str]]:
    return [{"e": each, "n": str(number)} for number, each in enumerate(kinds)]


def numbers(told: list[dict[str, str]]) -> str:
    return "".join(each["n"] for each in told)


def test_without_a_fault_events_leave_as_they_happened() -> None:
    assert numbers(disorder().through("alpha", events(LITE, ORDER, ACCOUNT), 0)) == "012"
    assert numbers(disorder(Fault(FaultKind.STREAM_SILENT)).through("alpha", events(LITE, ORDER, ACCOUNT), 0)) == "012"


def test_a_swap_puts_the_account_first_once_per_count() -> None:
    swap = disorder(Fault(FaultKind.STREAM_SWAP, left=1))
    assert numbers(swap.through("alpha", events(ORDER), 0)) == "0", "one alone has no order: the count is kept"
    assert numbers(swap.through("alpha", events(LITE, ORDER, ACCOUNT, ORDER), 0)) == "2013"
    assert numbers(swap.through("alpha", events(LITE, ORDER, ACCOUNT), 0)) == "012"


def test_a_duplicate_of_one_type_leaves_the_others_single() -> None:
    twice = disorder(Fault(FaultKind.STREAM_DUPLICATE, event=ORDER, left=1))
    assert numbers(twice.through("alpha", events(LITE, ORDER, ACCOUNT, ORDER), 0)) == "01123"


def test_a_fault_of_one_account_spares_the_other() -> None:
    late = disorder(Fault(FaultKind.STREAM_DELAY, account="alpha", delay_ms=100))
    assert late.through("alpha", events(ORDER), 0) == []
    assert numbers(late.through("beta", events(ORDER), 0)) == "0"


def test_a_delayed_event_comes_on_its_millisecond() -> None:
    late = disorder(Fault(FaultKind.STREAM_DELAY, delay_ms=100))
    late.through("alpha", events(ORDER), 50)
    assert late.next_due_ms() == 150
    assert late.release(149) == []
    assert [account for account, _ in late.release(150)] == ["alpha"]
    assert late.next_due_ms() is None


def test_an_event_never_overtakes_a_delayed_one_when_the_fault_is_used_up() -> None:
    late = disorder(Fault(FaultKind.STREAM_DELAY, delay_ms=100, left=1))
    late.through("alpha", events(ORDER), 0)
    assert late.through("alpha", [{"e": ACCOUNT, "n": "1"}], 10) == []
    assert "".join(each["n"] for _, each in late.release(100)) == "01"


KINDS = st.sampled_from([FaultKind.STREAM_DELAY, FaultKind.STREAM_SWAP, FaultKind.STREAM_DUPLICATE])
FAULT = st.builds(
    Fault, KINDS, event=st.sampled_from(["", ORDER, ACCOUNT]), left=st.one_of(st.none(), st.integers(1, 3)), delay_ms=st.integers(0, 50)
)


@given(st.lists(FAULT, max_size=4), st.lists(st.lists(st.sampled_from([ORDER, LITE, ACCOUNT]), max_size=5), max_size=6))
def test_whatever_is_ordered_nothing_is_lost_and_one_type_keeps_its_order(faults: list[Fault], commands: list[list[str]]) -> None:
    """Binance orders events of one type on one connection; across types only the stamps tell."""
    stream, sent, told = disorder(*faults), [], []
    for now_ms, kinds in enumerate(commands):
        command = [{"e": each, "n": f"{now_ms}/{number}"} for number, each in enumerate(kinds)]
        sent += command
        told += stream.through("alpha", command, now_ms * 10)
        told += [each for _, each in stream.release(now_ms * 10)]
    told += [each for _, each in stream.release(10_000)]
    for kind in (ORDER, LITE, ACCOUNT):
        heard = [each["n"] for each in told if each["e"] == kind]
        assert list(dict.fromkeys(heard)) == [each["n"] for each in sent if each["e"] == kind]
        assert heard == sorted(heard, key=lambda each: tuple(map(int, each.split("/"))))

"""The laws, each over the evidence of one history.  Pure.

In    Evidence
Out   sentences that name what broke a law; none = held
Flow  world -> HERE -> test_laws
Why   each law is a function of its own, so that a planted bug can be shown to break the law that it should
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from tests.live.laws.evidence import FOREIGN, Arrival, Evidence, Shut

from quantum_api.gate import Gate
from quantum_simulator.order_log import LogEntry

PLACED = "POST /fapi/v1/order"
GRACE_TURNS = 4
"""Between the last question to the gate and the venue's first line lie three turns of the loop: the socket, the parser, the handler."""


def at_most_one_order_per_intent(evidence: Evidence) -> list[str]:
    """By client id, and by the quantity that only this intent bears: an id that changes with each attempt hides nothing."""
    mine = [e for e in evidence.log if e.what == "accepted" and e.request == PLACED and not e.client_id.startswith(FOREIGN)]
    by_id = Counter(e.client_id for e in mine)
    broken = [f"{client_id} was taken {times} times" for client_id, times in by_id.items() if times > 1]
    for intent, shapes in evidence.sent.items():
        orders = {e.client_id for e in mine if (e.symbol, e.side, Decimal(e.quantity)) in shapes} - evidence.exits
        if len(orders) > 1:
            broken.append(f"intent {intent} became {len(orders)} orders: {sorted(orders)}")
    return broken


def what_was_declared_dead_is_not_live(evidence: Evidence) -> list[str]:
    """And what was declared live is there: by its id, and by the quantity that only this intent bears."""
    taken = [e for e in evidence.log if e.what == "accepted" and e.request == PLACED]
    ids = {e.client_id for e in taken}
    mine = (e for e in taken if e.client_id not in evidence.exits and not e.client_id.startswith(FOREIGN))
    by_shape = {(e.symbol, e.side, Decimal(e.quantity)) for e in mine}
    broken = []
    for told in evidence.told:
        is_there = told.client_id in ids
        has_twin = not told.is_live and bool(evidence.sent.get(told.intent, set()) & by_shape)
        if is_there is not told.is_live or has_twin:
            broken.append(f"intent {told.intent} was told to be {'live' if told.is_live else 'dead'}, and at the venue it is not so")
    return broken


def nothing_opens_past_a_shut_gate(evidence: Evidence) -> list[str]:
    """EXIT_ONLY and HALTED let out nothing but reduce-only orders."""
    broken = []
    for arrival, shut in _during(evidence, lambda shut: shut.gate.restriction >= Gate.EXIT_ONLY.restriction):
        if not arrival.reduce_only and _was_taken(evidence, arrival):
            broken.append(
                f"{arrival.client_id} was taken at #{arrival.at.seq}, {shut.source} had acknowledged {shut.gate} at #{shut.since.seq}"
            )
    return broken


def what_may_only_reduce_only_reduces(evidence: Evidence) -> list[str]:
    """No fill of an order that left under a shut gate grows a position, opens one, or turns it round, whatever else fills beside it."""
    shut_for: defaultdict[str, list[Shut]] = defaultdict(list)
    for arrival, shut in _during(evidence, lambda shut: shut.gate is not Gate.ACTIVE):
        shut_for[arrival.client_id].append(shut)
    broken = []
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in _fills(evidence.log):
        before = held[entry.symbol]
        after = held[entry.symbol] = before + _signed(entry)
        still = [s for s in shut_for.get(entry.client_id, ()) if s.until is None or entry.seq <= s.until.seq]
        if still and (abs(after) > abs(before) or after * before < 0):
            broken.append(
                f"#{entry.seq} {entry.client_id} took {entry.symbol} from {before} to {after} under {still[0].source} {still[0].gate}"
            )
    return broken


def position_is_the_sum_of_fills(evidence: Evidence) -> list[str]:
    """The venue's log, the venue's books and the engine's books say the same."""
    fills: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in _fills(evidence.log):
        fills[entry.symbol] += _signed(entry)
    broken = []
    for symbol in fills.keys() | evidence.venue_holds.keys() | evidence.engine_holds.keys():
        said = (fills[symbol], evidence.venue_holds.get(symbol, Decimal(0)), evidence.engine_holds.get(symbol, Decimal(0)))
        if len(set(said)) > 1:
            broken.append(f"{symbol}: fills say {said[0]}, the venue {said[1]}, the engine {said[2]}")
    if evidence.wallets[0] != evidence.wallets[1]:
        broken.append(f"wallet: the venue says {evidence.wallets[0]}, the engine {evidence.wallets[1]}")
    return broken


def the_engine_believes_no_position_that_never_was(evidence: Evidence) -> list[str]:
    """Late it may be, wrong never: a fill that counts twice for a moment lets a "reduce" turn the position round in that moment."""
    was: defaultdict[str, set[Decimal]] = defaultdict(lambda: {Decimal(0)})
    now: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in _fills(evidence.log):
        now[entry.symbol] += _signed(entry)
        was[entry.symbol].add(now[entry.symbol])
    return [
        f"the engine held {quantity} {symbol}, which never was" for symbol, quantity in evidence.believed if quantity not in was[symbol]
    ]


def noted_while_it_happened(evidence: Evidence) -> list[str]:
    return list(dict.fromkeys(evidence.noted))


LAWS: tuple[Callable[[Evidence], list[str]], ...] = (
    at_most_one_order_per_intent,
    what_was_declared_dead_is_not_live,
    nothing_opens_past_a_shut_gate,
    what_may_only_reduce_only_reduces,
    position_is_the_sum_of_fills,
    the_engine_believes_no_position_that_never_was,
    noted_while_it_happened,
)


def judge(evidence: Evidence) -> list[str]:
    return [f"{law.__name__}: {sentence}" for law in LAWS for sentence in law(evidence)]


def _during(evidence: Evidence, wanted: Callable[[Shut], bool]) -> Iterable[tuple[Arrival, Shut]]:
    shut = [each for each in evidence.shut if wanted(each)]
    return ((a, s) for a in evidence.arrivals for s in shut if not a.client_id.startswith(FOREIGN) and s.covers(a, GRACE_TURNS))


def _was_taken(evidence: Evidence, arrival: Arrival) -> bool:
    return any(e.what == "accepted" and e.client_id == arrival.client_id and e.seq > arrival.at.seq for e in evidence.log)


def _fills(log: Iterable[LogEntry]) -> Iterable[LogEntry]:
    return (entry for entry in log if entry.what == "fill")


def _signed(entry: LogEntry) -> Decimal:
    return Decimal(entry.quantity) * (1 if entry.side == "BUY" else -1)

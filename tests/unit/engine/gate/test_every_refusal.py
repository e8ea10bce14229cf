"""Every word of the closed list is reachable, and is the first one that applies (promise 8)."""

from decimal import Decimal

import msgspec
import pytest
from tests.unit.engine.gate.worlds import BTC, ETH, MARK, intent, limits, position, quote, resting, restricted, rules, world

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.domain import PositionView, Purpose, Side
from quantum_engine.gate.chain import judge
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.verdicts import Allowed, Refused

CASES: list[tuple[Refusal, Snapshot]] = [
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="NaN"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="sNaN"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="Infinity"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="-1"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="0"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="0.1005"))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="0.100"), rules=rules(market_step_size=Decimal(1)))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="0.100"), rules=rules(market_max_quantity=Decimal("0.099")))),
    (Refusal.QUANTITY_INVALID, world(intent=intent(quantity="0.100"), rules=rules(min_quantity=Decimal("0.101")))),
    (Refusal.PRICE_INVALID, world(intent=intent(price=Decimal("NaN")))),
    (Refusal.PRICE_INVALID, world(intent=intent(price=Decimal("-Infinity")))),
    (Refusal.PRICE_INVALID, world(intent=intent(price=Decimal(0)))),
    (Refusal.PRICE_INVALID, world(intent=intent(price=MARK + Decimal("0.05")))),
    (Refusal.DUPLICATE_INTENT, world(is_duplicate=True)),
    (Refusal.NO_POLICY, world(limits=None)),
    (Refusal.NO_POLICY, restricted(Gate.HALTED, "policy", limits=None)),
    (Refusal.STOP_LATCHED, restricted(Gate.REDUCE_ONLY, "stop")),
    (Refusal.STOP_LATCHED, restricted(Gate.EXIT_ONLY, "stop:estop-1")),
    (Refusal.SYMBOL_STOPPED, restricted(Gate.EXIT_ONLY, "stop:estop-1", frozenset({BTC}))),
    (Refusal.JOURNAL_UNAVAILABLE, restricted(Gate.REDUCE_ONLY, "journal")),
    (Refusal.LEASE_EXPIRED, restricted(Gate.REDUCE_ONLY, "lease")),
    (Refusal.NOT_RECONCILED, restricted(Gate.HALTED, "reconciliation")),
    (Refusal.GATE_HALTED, restricted(Gate.HALTED)),
    (Refusal.GATE_EXIT_ONLY, restricted(Gate.EXIT_ONLY)),
    (Refusal.GATE_REDUCE_ONLY, restricted(Gate.REDUCE_ONLY)),
    (Refusal.INSTRUMENT_UNKNOWN, world(rules=None)),
    (Refusal.INSTRUMENT_UNKNOWN, world(rules=rules(trading=False))),
    (Refusal.INSTRUMENT_NOT_PERMITTED, world(limits=limits(instruments=[ETH]))),
    (Refusal.REFERENCE_PRICE_MISSING, world(quote=None)),
    (Refusal.REFERENCE_PRICE_MISSING, world(quote=quote(mark=None))),
    (Refusal.MARKET_DATA_STALE, world(quote_age_seconds=5.001)),
    (Refusal.EQUITY_UNKNOWN, world(account=None)),
    (Refusal.BALANCE_STALE, world(account_age_seconds=300.001)),
    (Refusal.PRICE_OUTSIDE_COLLAR, world(intent=intent(price=MARK * Decimal("1.0501")))),
    (Refusal.PRICE_OUTSIDE_COLLAR, world(intent=intent(Side.SELL, price=MARK * Decimal("0.9499")))),
    (Refusal.PRICE_OUTSIDE_COLLAR, world(quote=quote(ask=MARK * Decimal("1.06")))),
    (Refusal.NOTIONAL_BELOW_MINIMUM, world(intent=intent(quantity="0.001"), rules=rules(min_notional_usdt=Decimal(51)))),
    (Refusal.NOTIONAL_ABOVE_LIMIT, world(intent=intent(quantity="0.200"))),
    (Refusal.POSITION_ABOVE_LIMIT, world(positions=position("0.301"))),
    # a limit below the mark does not make what is held worth less
    (Refusal.POSITION_ABOVE_LIMIT, world(intent=intent(price=MARK * Decimal("0.96")), positions=position("0.301"))),
    (Refusal.POSITION_ABOVE_LIMIT, world(open_orders=[resting(Side.BUY, "0.301")])),
    (Refusal.POSITION_ABOVE_LIMIT, world(intent=intent(Side.SELL), positions=position("-0.301"))),
    (
        Refusal.EXPOSURE_ABOVE_LIMIT,
        world(positions={ETH: PositionView(ETH, Decimal(-10), Decimal(2_600))}, marks={ETH: Decimal(2_600)}),
    ),
    (Refusal.EXPOSURE_ABOVE_LIMIT, world(open_orders=[resting(Side.SELL, "10", symbol=ETH, price=Decimal(2_600))])),
    (Refusal.LEVERAGE_ABOVE_LIMIT, world(limits=limits(max_leverage_bps=500))),
    (Refusal.ORDER_RATE_ABOVE_LIMIT, world(orders_last_second=10)),
    (Refusal.INTENT_RATE_ABOVE_LIMIT, world(intents_last_minute=10)),
]


@pytest.mark.parametrize(("word", "snapshot"), CASES, ids=[f"{word}-{number}" for number, (word, _) in enumerate(CASES)])
def test_the_gate_refuses_with_this_word(word: Refusal, snapshot: Snapshot) -> None:
    judged = judge(snapshot)
    assert isinstance(judged, Refused)
    assert judged.refusal is word


def test_no_word_of_the_list_is_unreachable() -> None:
    assert {word for word, _ in CASES} == set(Refusal)


def test_a_world_in_which_nothing_is_wrong_is_allowed() -> None:
    assert judge(world()) == Allowed()


AT_THE_LIMIT = [
    world(rules=rules(market_max_quantity=Decimal("0.100"))),
    world(quote_age_seconds=5.0),
    world(account_age_seconds=300.0),
    world(intent=intent(price=MARK * Decimal("1.05"), quantity="0.100")),
    world(intent=intent(quantity="0.001"), rules=rules(min_notional_usdt=Decimal("50.001"))),
    world(intent=intent(quantity="0.200", price=MARK)),
    world(intent=intent(price=MARK, quantity="0.100"), positions=position("0.300")),
    world(intent=intent(price=MARK), positions={ETH: PositionView(ETH, Decimal(10), Decimal(2_500))}, marks={ETH: Decimal(2_500)}),
    world(intent=intent(price=MARK), limits=limits(max_leverage_bps=500)),
    world(orders_last_second=9),
    world(intents_last_minute=9),
]


@pytest.mark.parametrize("snapshot", AT_THE_LIMIT, ids=range(len(AT_THE_LIMIT)))
def test_exactly_at_a_limit_is_allowed(snapshot: Snapshot) -> None:
    assert judge(snapshot) == Allowed()


def test_a_refusal_names_the_numbers_it_compared() -> None:
    judged = judge(world(intent=intent(quantity="0.200")))
    assert str(judged) == "NOTIONAL_ABOVE_LIMIT notional_usdt=10000.200 limit_usdt=10000"


def test_an_order_that_shrinks_an_oversized_position_is_not_held_to_the_position_limit() -> None:
    assert judge(world(intent=intent(Side.SELL), positions=position("2.000"))) == Allowed()


def test_an_order_that_turns_a_position_over_adds_nothing_to_a_gross_that_is_above_its_limit() -> None:
    held = position("0.050") | {ETH: PositionView(ETH, Decimal(10), Decimal(2_600))}
    turned = world(intent=intent(Side.SELL), positions=held, marks={ETH: Decimal(2_600)}, limits=limits(max_gross_exposure_usdt=20_000))
    assert judge(turned) == Allowed()
    more = msgspec.structs.replace(turned, intent=intent(Side.SELL, "0.101"))
    assert isinstance(judge(more), Refused)


def test_reduce_only_orders_that_rest_do_not_count_as_growth() -> None:
    orders = [resting(Side.BUY, "0.400", reduce_only=True)]
    assert judge(world(open_orders=orders, positions=position("0.100"))) == Allowed()


def close(quantity: str = "0.100", purpose: Purpose = Purpose.REDUCE, **changes: object) -> object:
    return intent(Side.SELL, quantity, reduce_only=True, purpose=purpose, **changes)


EXITS = [
    {"limits": limits(max_order_notional_usdt=1, instruments=[ETH])},
    {"quote": None, "quote_age_seconds": float("inf")},
    {"account": None, "account_age_seconds": float("inf")},
    {"orders_last_second": 1_000, "intents_last_minute": 1_000},
    {"rules": None},
    {"limits": None},
]


@pytest.mark.parametrize("trouble", EXITS, ids=[next(iter(trouble)) for trouble in EXITS])
@pytest.mark.parametrize("purpose", [Purpose.REDUCE, Purpose.EMERGENCY_EXIT])
def test_promise_7_getting_out_is_never_blocked_by_limits_ages_or_rates(trouble: dict[str, object], purpose: Purpose) -> None:
    assert judge(world(intent=close(purpose=purpose), positions=position("0.100"), **trouble)) == Allowed()


def test_an_exit_from_what_is_neither_listed_nor_held_is_a_slip_of_the_pen() -> None:
    """The exchange would only say so later; a stop's own closing order is not asked, nor anything that is held or listed."""
    nowhere = world(intent=close(symbol="NOSUCHUSDT"), rules=None)
    judged = judge(nowhere)
    assert isinstance(judged, Refused)
    assert judged.refusal is Refusal.INSTRUMENT_UNKNOWN
    assert judge(world(intent=close(symbol="NOSUCHUSDT"))) == Allowed(), "listed"
    assert judge(world(intent=close(symbol="NOSUCHUSDT"), rules=None, positions=position("0.1", "NOSUCHUSDT"))) == Allowed(), "held"
    assert judge(world(intent=close(symbol="NOSUCHUSDT", purpose=Purpose.EMERGENCY_EXIT), rules=None)) == Allowed()


def test_calling_an_order_an_exit_does_not_make_it_one() -> None:
    """Only the flag that the exchange enforces buys the exemption."""
    pretender = intent(quantity="0.200", purpose=Purpose.EMERGENCY_EXIT, reduce_only=False)
    assert judge(restricted(Gate.EXIT_ONLY, intent=pretender)) != Allowed()
    assert judge(world(intent=pretender)) != Allowed()


def test_the_emergency_exit_passes_exit_only() -> None:
    snapshot = restricted(Gate.EXIT_ONLY, "stop", intent=close(purpose=Purpose.EMERGENCY_EXIT))
    assert judge(snapshot) == Allowed()


def test_the_strategys_own_exit_does_not_pass_exit_only() -> None:
    judged = judge(restricted(Gate.EXIT_ONLY, intent=close(), positions=position("0.100")))
    assert isinstance(judged, Refused)
    assert judged.refusal is Refusal.GATE_EXIT_ONLY


def test_a_halted_engine_closes_only_by_order_of_a_stop() -> None:
    """HALTED is cancels only; a latched stop is the one authority that still closes, else it could never reach flat."""
    exit_ = close(purpose=Purpose.EMERGENCY_EXIT)
    stop = restricted(Gate.EXIT_ONLY, "stop").restrictions
    halted = restricted(Gate.HALTED, "lease", intent=exit_)
    assert judge(halted) != Allowed()
    both = world(gate=Gate.HALTED, restrictions=(*halted.restrictions, *stop), intent=exit_)
    assert judge(both) == Allowed()

"""Chance: which steps a history is made of, by what it is after.

Out   hypothesis strategies of histories
Flow  HERE -> test_laws
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.live.laws.engine_life import CRASH_POINTS
from tests.live.laws.steps import (
    ASK,
    CANCEL,
    HELD,
    LOOK,
    PLACE,
    Crash,
    Cure,
    Deaf,
    Deposit,
    DiskIs,
    Document,
    Engage,
    Foreign,
    Halt,
    Move,
    Order,
    RedisIs,
    Release,
    Replay,
    Restart,
    Step,
    Submit,
    Together,
    Trouble,
    Wait,
)
from tests.live.laws.venue_side import SYMBOLS

from quantum_api.gate import Gate
from quantum_api.trading_policy import OnLeaseExpiry, StopAction
from quantum_simulator.faults import FaultKind

SIDES = st.sampled_from(["BUY", "SELL"])
SYMBOL = st.sampled_from(SYMBOLS)
ORDERS = st.builds(
    Order,
    name=st.integers(0, 29),
    side=SIDES,
    lots=st.sampled_from([100, 100, 200, 200, 300]),
    symbol=st.sampled_from([SYMBOLS[0], *SYMBOLS]),
    bps=st.sampled_from([None, None, None, 10, 40]),
    reduce=st.sampled_from([False, False, True]),
)
SUBMIT = st.builds(Submit, st.lists(ORDERS, min_size=1, max_size=3).map(tuple), st.sampled_from([0.0, 0.05, 0.5, 3.0]))
WAIT = st.builds(Wait, st.sampled_from([0.1, 1.0, 3.0, 12.0, 31.0]))
MOVE = st.builds(Move, st.sampled_from([-600, -60, -15, 15, 60, 600]), SYMBOL)
UNKNOWN = st.sampled_from(
    [
        Trouble(FaultKind.ACCEPT_THEN_503),
        Trouble(FaultKind.DROP_ANSWER),
        Trouble(FaultKind.HTTP_503_UNKNOWN),
        Trouble(FaultKind.REJECT_CODE, code=-1007),
        Trouble(FaultKind.DELAY_MS, delay_ms=4_000),
        Trouble(FaultKind.DELAY_MS, delay_ms=7_000),
    ]
)
TROUBLE = st.builds(
    Trouble,
    kind=st.sampled_from([k for k in FaultKind if k.value in {
        "accept_then_503", "drop_answer", "http_503_unknown", "http_503_service_unavailable", "rate_limit_429", "delay_ms", "reject_code",
    }]),
    where=st.sampled_from([PLACE, PLACE, CANCEL, ASK, LOOK, HELD, "account", "key", "all"]),
    times=st.sampled_from([1, 1, 2, 5, None]),
    code=st.sampled_from([-1000, -1007, -1008, -2010, -2022, -4118, -1021]),
    delay_ms=st.sampled_from([50, 500, 4_000, 7_000]),
)  # fmt: skip
DEAF = st.builds(
    Deaf,
    st.sampled_from(
        [FaultKind.STREAM_SILENT, FaultKind.STREAM_CUT, FaultKind.STREAM_DELAY, FaultKind.STREAM_SWAP, FaultKind.STREAM_DUPLICATE]
    ),
    st.sampled_from([0.3, 3.0, 20.0]),
)
FOREIGN = st.builds(
    Foreign,
    st.sampled_from(["market", "limit", "reduce", "algo"]),
    SIDES,
    st.sampled_from([50, 100, 300]),
    SYMBOL,
    st.sampled_from([15, 40]),
)
DOCUMENT = st.builds(
    Document, st.sampled_from([Gate.ACTIVE, *Gate]), st.sampled_from([3_600, 3_600, 5, 12]), st.sampled_from(list(OnLeaseExpiry))
)
SCOPES = st.sampled_from([(), (), (SYMBOLS[0],), (SYMBOLS[1],)])
ENGAGE = st.builds(Engage, st.integers(0, 2), st.sampled_from(list(StopAction)), SCOPES)
RELEASE = st.builds(Release, st.sampled_from([None, 0, 1, 2]))
HALT = st.builds(Halt, st.sampled_from(list(StopAction)))
CRASH = st.builds(Crash, st.sampled_from(["", "", *CRASH_POINTS]), st.sampled_from([0.0, 1.0, 15.0]))
AWAY = st.sampled_from([RedisIs(False), RedisIs(True), DiskIs(True), DiskIs(False), Restart(), Cure()])


SHUT = st.one_of(DOCUMENT, ENGAGE, HALT)
RACE = st.lists(st.one_of(SUBMIT, SUBMIT, SHUT, FOREIGN, MOVE), min_size=2, max_size=4).map(lambda steps: Together(tuple(steps)))
"""The gate shuts while orders leave, fill and are taken by others."""
OPENED = st.builds(
    lambda side, lots, symbol: Submit((Order(30, side, lots, symbol),), 3.0), SIDES, st.sampled_from([100, 200]), st.sampled_from(SYMBOLS)
)
"""Most histories begin with a position."""


def _histories(*steps: SearchStrategy[Step]) -> SearchStrategy[list[Step]]:
    some = st.lists(st.one_of(*steps), max_size=8)
    return st.tuples(st.lists(OPENED, max_size=1), some, some).map(lambda parts: [step for part in parts for step in part])


ENTRIES = _histories(SUBMIT, SUBMIT, SUBMIT, SUBMIT, UNKNOWN, UNKNOWN, TROUBLE, DEAF, CRASH, WAIT, MOVE)
GATES = _histories(SUBMIT, SUBMIT, RACE, RACE, RACE, DOCUMENT, ENGAGE, RELEASE, UNKNOWN, FOREIGN, MOVE, CRASH, WAIT)
STOPS = _histories(SUBMIT, SUBMIT, RACE, ENGAGE, HALT, RELEASE, RELEASE, DOCUMENT, TROUBLE, TROUBLE, FOREIGN, MOVE, CRASH, DEAF, WAIT)
EVERYTHING = _histories(
    SUBMIT, SUBMIT, SUBMIT, RACE, RACE, UNKNOWN, TROUBLE, DEAF, FOREIGN, DOCUMENT, ENGAGE, HALT, RELEASE, RELEASE, MOVE, CRASH, AWAY, WAIT,
    st.builds(Replay, st.integers(1, 3)), st.builds(Deposit, st.sampled_from([-2_000, 5_000])),
)  # fmt: skip

"""One table of accepted and refused objects, for pydantic and for the real API server.  Pure.

In    nothing
Out   CASES: kind, spec, the spec it replaces if it is an update, and what the refusal must say (None: accepted)
Flow  HERE -> tests/unit/contract (pydantic) and tests/live/contract (kube-apiserver); both must agree
Why   the operator validates with pydantic what the API server has let in: a gap between them is an object that nobody enforces
"""

from dataclasses import dataclass
from typing import Any

from quantum_api.kinds import EMERGENCY_STOP, STRATEGY_MODE, TRADING_POLICY, Kind

Spec = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """``refused`` is a piece of the API server's message; a rule's own message is pydantic's too."""

    name: str
    kind: Kind
    spec: Any
    refused: str | None = None
    old: Spec | None = None
    is_rule: bool = False


def policy(**changes: Any) -> Spec:
    base = {"instruments": ["BTCUSDT"], "maxOrderNotionalUsdt": 1_000, "maxPositionNotionalUsdt": 5_000, "maxGrossExposureUsdt": 10_000}
    return {**base, **changes}


def without(spec: Spec, field: str) -> Spec:
    return {name: value for name, value in spec.items() if name != field}


def mode(**changes: Any) -> Spec:
    return {"mode": "moderate", **changes}


def stop(**changes: Any) -> Spec:
    return {"action": "CancelOrders", "reason": "drill", **changes}


ORIGIN = {"engine": "engine-0", "latchId": "a1", "trigger": "Drawdown"}
LABELS = {"matchLabels": {"desk": "a"}}

# field, smallest, largest: each is tried at both bounds and one step outside.
POLICY_BOUNDS = (
    ("maxOrderNotionalUsdt", 1, 1_000_000_000), ("maxPositionNotionalUsdt", 1, 1_000_000_000), ("maxGrossExposureUsdt", 1, 10_000_000_000),
    ("maxLeverageBps", 100, 1_250_000), ("maxDrawdownBps", 1, 10_000), ("warnDrawdownBps", 0, 9_999), ("stopCooldownSeconds", 0, 86_400),
    ("flattenDeadlineSeconds", 1, 3_600), ("priceCollarBps", 1, 10_000), ("maxOrdersPerSecond", 1, 100), ("maxIntentsPerMinute", 1, 6_000),
    ("maxDataAgeSeconds", 1, 300), ("maxBalanceAgeSeconds", 1, 3_600), ("leaseSeconds", 5, 3_600),
    ("maxDailyLossBps", 1, 10_000), ("maxLossVelocityBps", 1, 10_000), ("lossVelocitySeconds", 1, 3_600), ("maxRejectsPerMinute", 1, 6_000),
    ("orderRunawayBps", 10_000, 1_000_000), ("dataSilenceDeadlineSeconds", 10, 3_600), ("streamSilenceDeadlineSeconds", 10, 3_600),
    ("reconciliationDeadlineSeconds", 10, 3_600),
)  # fmt: skip
ANSWERS = ("onDailyLoss", "onLossVelocity", "onOrderFault", "onOutage")
MODE_BOUNDS = (
    ("barSeconds", 1, 86_400), ("fastBars", 2, 500), ("slowBars", 3, 1_000), ("atrBars", 2, 500), ("riskPerTradeBps", 1, 1_000),
    ("maxLeverageBps", 100, 1_250_000), ("cooldownSeconds", 0, 86_400),
)  # fmt: skip


def _fitting(field: str, value: int) -> Spec:
    """A policy in which only the bound of ``field`` is at stake, no rule between fields."""
    low = {"maxOrderNotionalUsdt": 1, "maxPositionNotionalUsdt": 1, "maxGrossExposureUsdt": 1}
    high = dict.fromkeys(low, 1_000_000_000)
    rooms = {
        "maxOrderNotionalUsdt": high, "maxPositionNotionalUsdt": {**high, "maxOrderNotionalUsdt": 1}, "maxGrossExposureUsdt": low,
        "maxDrawdownBps": {"warnDrawdownBps": 0}, "warnDrawdownBps": {"maxDrawdownBps": 10_000},
        "dataSilenceDeadlineSeconds": {"maxDataAgeSeconds": 1},
    }  # fmt: skip
    return policy(**{**rooms.get(field, {}), field: value})


def _bounds() -> list[Case]:
    cases = []
    for field, least, most in POLICY_BOUNDS:
        cases += [Case(f"{field} at {value}", TRADING_POLICY, _fitting(field, value)) for value in (least, most)]
        cases += [
            Case(f"{field} beyond its bound, {value}", TRADING_POLICY, _fitting(field, value), field) for value in (least - 1, most + 1)
        ]
    for field, least, most in MODE_BOUNDS:
        room = {"fastBars": {"slowBars": 1_000}, "slowBars": {"fastBars": 2}}.get(field, {})
        cases += [Case(f"{field} at {value}", STRATEGY_MODE, mode(parameters={**room, field: value})) for value in (least, most)]
        cases += [
            Case(f"{field} beyond its bound, {value}", STRATEGY_MODE, mode(parameters={**room, field: value}), field)
            for value in (least - 1, most + 1)
        ]
    return cases


def _policies() -> list[Case]:
    def case(name: str, spec: Any, refused: str | None = None, is_rule: bool = False) -> Case:
        return Case(name, TRADING_POLICY, spec, refused, is_rule=is_rule)

    return [
        case("least policy", policy()),
        *[case(f"{field} left out", without(policy(), field), field) for field in policy()],
        case("a number as a string", policy(maxOrderNotionalUsdt="500"), "maxOrderNotionalUsdt"),
        case("a fraction", policy(leaseSeconds=60.5), "leaseSeconds"),
        case("a boolean for a number", policy(leaseSeconds=True), "leaseSeconds"),
        case("null for a required number", policy(maxOrderNotionalUsdt=None), "maxOrderNotionalUsdt"),
        case("a list for a number", policy(leaseSeconds=[60]), "leaseSeconds"),
        case("a string for a list", policy(instruments="BTCUSDT"), "instruments"),
        case("a number in a list of strings", policy(instruments=[1]), "instruments"),
        case("no instruments", policy(instruments=[]), "instruments"),
        case("an instrument twice", policy(instruments=["BTCUSDT", "ETHUSDT", "BTCUSDT"]), "Duplicate value"),
        case("100 instruments", policy(instruments=[f"A{n:03d}USDT" for n in range(100)])),
        case("101 instruments", policy(instruments=[f"A{n:03d}USDT" for n in range(101)]), "instruments"),
        case("an instrument in USDC", policy(instruments=["BTCUSDC"])),
        case("an instrument in small letters", policy(instruments=["btcusdt"]), "instruments"),
        case("an instrument in another currency", policy(instruments=["BTCEUR"]), "instruments"),
        case("an instrument with a line break", policy(instruments=["BTCUSDT\n"]), "instruments"),
        case("an instrument that is too long", policy(instruments=["A" * 21 + "USDT"]), "instruments"),
        case("an empty instrument", policy(instruments=[""]), "instruments"),
        case("an unknown field", policy(maxDrawDownBps=500), "unknown field"),
        case("an unknown field in the selector", policy(selector={"matchLabel": {}}), "unknown field"),
        case("every action", policy(onDrawdown="HaltEntries", onLeaseExpiry="Halted")),
        case("an unknown action", policy(onDrawdown="Panic"), "onDrawdown"),
        case("an action in the wrong case", policy(onDrawdown="flatten"), "onDrawdown"),
        case("an unknown answer to lease expiry", policy(onLeaseExpiry="Active"), "onLeaseExpiry"),
        case("a word for a boolean", policy(suspend="true"), "suspend"),
        case("a number for a boolean", policy(suspend=1), "suspend"),
        case("suspended", policy(suspend=True)),
        case("a warning at the halt", policy(warnDrawdownBps=500, maxDrawdownBps=500), "warnDrawdownBps must be below", True),
        case("a warning after the halt", policy(warnDrawdownBps=900, maxDrawdownBps=500), "warnDrawdownBps must be below", True),
        case("a halt below the default warning", policy(maxDrawdownBps=300), "warnDrawdownBps must be below", True),
        case("a warning one below the halt", policy(warnDrawdownBps=499, maxDrawdownBps=500)),
        case("an order above the position", policy(maxOrderNotionalUsdt=5_001), "maxOrderNotionalUsdt must not be above", True),
        case("an order as large as the position", policy(maxOrderNotionalUsdt=5_000)),
        case("a position above the exposure", policy(maxPositionNotionalUsdt=10_001), "maxPositionNotionalUsdt must not be above", True),
        case("a position as large as the exposure", policy(maxPositionNotionalUsdt=10_000)),
        *[case(f"{field} {action}", policy(**{field: action}))
          for field in ANSWERS for action in ("HaltEntries", "CancelOrders", "Flatten")],
        *[case(f"an unknown answer of {field}", policy(**{field: "Ignore"}), field) for field in ANSWERS],
        case("a loss limit as a string", policy(maxDailyLossBps="500"), "maxDailyLossBps"),
        case("a stop for silence that orders still live with", policy(dataSilenceDeadlineSeconds=20, maxDataAgeSeconds=21),
             "dataSilenceDeadlineSeconds must not be below", True),
        case("a stop for silence as soon as no order lives with it", policy(dataSilenceDeadlineSeconds=20, maxDataAgeSeconds=20)),
        case("no spec", None, "spec"),
        case("a spec that is a list", [], "spec"),
    ]  # fmt: skip


def _selectors() -> list[Case]:
    def case(name: str, selector: Any, refused: str | None = None, is_rule: bool = False) -> Case:
        return Case(f"selector: {name}", TRADING_POLICY, policy(selector=selector), refused, is_rule=is_rule)

    def expression(**parts: Any) -> Spec:
        return {"matchExpressions": [parts]}

    rule = "values must be given for In and NotIn"
    return [
        case("empty", {}),
        case("labels", LABELS),
        case("a number as a label", {"matchLabels": {"desk": 1}}, "matchLabels"),
        case("a label value of 63", {"matchLabels": {"desk": "x" * 63}}),
        case("a label value of 64", {"matchLabels": {"desk": "x" * 64}}, "matchLabels"),
        case("16 labels", {"matchLabels": {f"l{n}": "" for n in range(16)}}),
        case("17 labels", {"matchLabels": {f"l{n}": "" for n in range(17)}}, "matchLabels"),
        case("In with values", expression(key="desk", operator="In", values=["a", "b"])),
        case("In without values", expression(key="desk", operator="In"), rule, True),
        case("NotIn with an empty list", expression(key="desk", operator="NotIn", values=[]), rule, True),
        case("Exists", expression(key="desk", operator="Exists")),
        case("Exists with an empty list", expression(key="desk", operator="Exists", values=[])),
        case("Exists with values", expression(key="desk", operator="Exists", values=["a"]), rule, True),
        case("DoesNotExist with values", expression(key="desk", operator="DoesNotExist", values=["a"]), rule, True),
        case("an unknown operator", expression(key="desk", operator="Like", values=["a"]), "operator"),
        case("no key", expression(operator="Exists"), "key"),
        case("an empty key", expression(key="", operator="Exists"), "key"),
        case("a key of 318", expression(key="k" * 318, operator="Exists"), "key"),
        case("65 values", expression(key="desk", operator="In", values=[f"v{n}" for n in range(65)]), "values"),
        case("17 expressions", {"matchExpressions": [{"key": f"k{n}", "operator": "Exists"} for n in range(17)]}, "matchExpressions"),
        case("a list", [], "selector"),
    ]


def _modes() -> list[Case]:
    def case(name: str, spec: Any, refused: str | None = None, is_rule: bool = False) -> Case:
        return Case(f"mode: {name}", STRATEGY_MODE, spec, refused, is_rule=is_rule)

    settled = "parameters.fastBars must be below slowBars"
    return [
        *[case(word, mode(mode=word)) for word in ("aggressive", "moderate", "conservative", "defensive")],
        case("missing", {}, "mode"),
        case("unknown", mode(mode="yolo"), "mode"),
        case("in capitals", mode(mode="Defensive"), "mode"),
        case("a number", mode(mode=1), "mode"),
        case("fast below slow", mode(parameters={"fastBars": 10, "slowBars": 11})),
        case("fast at slow", mode(parameters={"fastBars": 10, "slowBars": 10}), "fastBars must be below slowBars", True),
        case("fast above the mode's own slow", mode(mode="aggressive", parameters={"fastBars": 13}), settled, True),
        case("fast below the mode's own slow", mode(mode="aggressive", parameters={"fastBars": 12})),
        case("slow at the mode's own fast", mode(mode="defensive", parameters={"slowBars": 20}), settled, True),
        case("slow above the mode's own fast", mode(mode="defensive", parameters={"slowBars": 21})),
        case("an unknown parameter", mode(parameters={"leverage": 3}), "unknown field"),
        case("a parameter as a string", mode(parameters={"fastBars": "5"}), "fastBars"),
        case("suspended", mode(suspend=True)),
        Case("mode: made bolder", STRATEGY_MODE, mode(mode="aggressive"), old=mode()),
    ]  # fmt: skip


def _stops() -> list[Case]:
    def case(name: str, spec: Any, refused: str | None = None, old: Spec | None = None, is_rule: bool = False) -> Case:
        return Case(f"stop: {name}", EMERGENCY_STOP, spec, refused, old, is_rule)

    approvals = [{"by": "alice", "comment": "flat"}, {"by": "bob"}]
    return [
        *[case(action, stop(action=action)) for action in ("HaltEntries", "CancelOrders", "Flatten")],
        case("no action", without(stop(), "action"), "action"),
        case("no reason", without(stop(), "reason"), "reason"),
        case("an unknown action", stop(action="Stop"), "action"),
        case("an empty reason", stop(reason=""), "reason"),
        case("a reason of 1024", stop(reason="x" * 1024)),
        case("a reason of 1025", stop(reason="x" * 1025), "reason"),
        case("a reason of 1024 letters that take two bytes", stop(reason="é" * 1024)),
        case("symbols", stop(symbols=["BTCUSDT", "ETHUSDT"])),
        case("a symbol twice", stop(symbols=["BTCUSDT", "BTCUSDT"]), "Duplicate value"),
        case("a bad symbol", stop(symbols=["*"]), "symbols"),
        case("an origin", stop(origin=ORIGIN)),
        case("an origin without an engine", stop(origin=without(ORIGIN, "engine")), "engine"),
        case("an origin of one symbol", stop(origin=ORIGIN, symbols=["BTCUSDT"]), "symbols must be empty", None, True),
        case("a latch id of 129", stop(origin={**ORIGIN, "latchId": "x" * 129}), "latchId"),
        case("two approvals", stop(approvals=approvals)),
        case("one person twice", stop(approvals=[{"by": "alice"}, {"by": "alice", "comment": "again"}]), "Duplicate value"),
        case("an approval by nobody", stop(approvals=[{"by": ""}]), "by"),
        case("an approval without a name", stop(approvals=[{"comment": "x"}]), "by"),
        case("an approval with a role", stop(approvals=[{"by": "alice", "role": "x"}]), "unknown field"),
        case("17 approvals", stop(approvals=[{"by": f"u{n}"} for n in range(17)]), "approvals"),
        case("an unknown field", stop(released=True), "unknown field"),
        case("made stronger", stop(action="Flatten"), None, stop()),
        case("made weaker", stop(action="HaltEntries"), "action may only grow stronger", stop(), True),
        case("weakened from Flatten", stop(), "action may only grow stronger", stop(action="Flatten"), True),
        case("another reason", stop(reason="other"), "reason is immutable", stop(), True),
        case("narrower", stop(selector=LABELS), "selector is immutable", stop(), True),
        case("wider", stop(), "selector is immutable", stop(selector=LABELS), True),
        case("an empty selector written out", stop(selector={"matchLabels": {}}), None, stop()),
        case("fewer symbols", stop(symbols=["BTCUSDT"]), "symbols is immutable", stop(symbols=["BTCUSDT", "ETHUSDT"]), True),
        case("symbols instead of all", stop(symbols=["BTCUSDT"]), "symbols is immutable", stop(), True),
        case("origin added", stop(origin=ORIGIN), "origin is immutable", stop(), True),
        case("origin removed", stop(), "origin is immutable", stop(origin=ORIGIN), True),
        case("origin changed", stop(origin={**ORIGIN, "engine": "engine-1"}), "origin is immutable", stop(origin=ORIGIN), True),
        case("approved", stop(approvals=approvals), None, stop()),
    ]  # fmt: skip


CASES = (*_bounds(), *_policies(), *_selectors(), *_modes(), *_stops())

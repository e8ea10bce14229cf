"""Translates between the wire's intents and the engine's.  Pure.

Flow  intents (route) -> HERE -> router; verdicts -> HERE -> IntentVerdict
Why   another program's ids live in a room of their own: one that guessed the name of the strategy's next exit could keep it from leaving
"""

from decimal import Decimal
from typing import Final, Protocol

from pydantic import ValidationError

from quantum_api.order_intents import (
    FIXES,
    FirstIntent,
    IntentMalformed,
    IntentOutcome,
    IntentRequest,
    IntentVerdict,
    OrderSeen,
    Problem,
)
from quantum_engine.domain import OrderIntent, OrderView, Purpose, Side
from quantum_engine.verdicts import Accepted, Declined, Refused, Verdict

ROOM: Final = "api:"
_ASK_AGAIN: Final = "it may be live and nobody can say yet; ask again with the same id, never with another"


class Known(Protocol):
    """execution.intents.IntentRecord, as far as the wire shows it."""

    client_order_id: str
    recorded_ms: int
    note: str
    code: int
    refusal: str

    @property
    def intent(self) -> OrderIntent: ...
    @property
    def is_live(self) -> bool | None:
        """None: not yet known."""
        ...


def intent_of(request: IntentRequest, made_up: str) -> OrderIntent:
    """Never an emergency exit, whatever was sent."""
    return OrderIntent(
        id=f"{ROOM}{request.id or made_up}",
        symbol=request.symbol,
        side=Side(request.side),
        quantity=Decimal(request.quantity),
        price=None if request.price is None else Decimal(request.price),
        reduce_only=request.reduce_only,
        purpose=Purpose.REDUCE if request.reduce_only else Purpose.ENTRY,
        time_in_force=request.time_in_force or "GTC",
        reason=request.reason,
        stamp=" ".join(filter(None, ["program", request.strategy, request.model])),
    )


def malformed(error: ValidationError) -> IntentMalformed:
    """One problem per field and rule, without what was sent: it may be anything."""
    problems = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        field = str(each["loc"][0]) if each["loc"] else "body"
        rule = each["msg"].removeprefix("Value error, ")
        problems.append(Problem(field=field[:64], rule=rule, fix=FIXES.get(field, f"one JSON object with the fields {', '.join(FIXES)}")))
    return IntentMalformed(problems=problems)


def pending(intent: OrderIntent, known: Known | None) -> IntentVerdict:
    """``known`` is None while it has not yet been let through the gate."""
    client_id = None if known is None else known.client_order_id
    return IntentVerdict(id=_bare(intent), outcome=IntentOutcome.PENDING, client_order_id=client_id, message=_ASK_AGAIN)


def verdict_of(intent: OrderIntent, verdict: Verdict, known: Known | None) -> IntentVerdict:
    """``known`` is what became of the first intent of this id, when this one is a repetition."""
    match verdict:
        case Accepted(client_order_id=client_id, order=order, certain=certain):
            outcome = IntentOutcome.ACCEPTED if certain else IntentOutcome.PENDING
            message = "" if certain else _ASK_AGAIN
            seen = None if order is None else _seen(order)
            return IntentVerdict(id=_bare(intent), outcome=outcome, client_order_id=client_id, order=seen, message=message)
        case Declined(client_order_id=client_id, code=code, message=message):
            return IntentVerdict(
                id=_bare(intent), outcome=IntentOutcome.DECLINED, client_order_id=client_id, code=code, message=message
            )  # fmt: skip
        case Refused(refusal=refusal, numbers=numbers):
            return IntentVerdict(
                id=_bare(intent),
                outcome=IntentOutcome.REFUSED,
                refusal=refusal,
                numbers={name: str(value) for name, value in numbers.items()},
                first=None if known is None else _first(intent, known),
            )


def _first(again: OrderIntent, known: Known) -> FirstIntent:
    first = known.intent
    return FirstIntent(
        outcome=_outcome(known),
        same_request=_asked(first) == _asked(again),
        client_order_id=known.client_order_id,
        symbol=first.symbol,
        side=first.side.value,
        quantity=f"{first.quantity:f}",
        price=None if first.price is None else f"{first.price:f}",
        reduce_only=first.reduce_only,
        recorded_at_ms=known.recorded_ms,
        code=known.code or None,
        note=known.note,
    )


def _outcome(known: Known) -> IntentOutcome:
    if known.is_live is None:
        return IntentOutcome.PENDING
    if known.is_live:
        return IntentOutcome.ACCEPTED
    return IntentOutcome.REFUSED if known.refusal else IntentOutcome.DECLINED


def _asked(intent: OrderIntent) -> tuple[object, ...]:
    return intent.symbol, intent.side, intent.quantity, intent.price, intent.reduce_only, intent.time_in_force


def _seen(order: OrderView) -> OrderSeen:
    return OrderSeen(
        order_id=order.order_id,
        status=order.status.value,
        quantity=f"{order.quantity:f}",
        executed=f"{order.executed:f}",
        price=f"{order.price:f}",
    )


def _bare(intent: OrderIntent) -> str:
    return intent.id.removeprefix(ROOM)

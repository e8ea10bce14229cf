"""POST /execution/intents: other programs ask for orders as the engine's own strategy does.

In    one intent as JSON, a bearer token
Out   IntentVerdict, or what is wrong with the body (quantum_api.order_intents lists the codes)
Flow  program -> HERE -> router -> gate, journal, exchange
Why   the caller may go away at any moment: what has begun is carried to its end, written down and told to whoever asks with the same id
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from quantum_api import names
from quantum_api.order_intents import MAX_INTENT_BYTES, IntentMalformed, IntentOutcome, IntentRequest, IntentVerdict, Problem
from quantum_api.refusals import Refusal
from quantum_engine.clock import IdSource
from quantum_engine.control.http import JSON, answer, bears, bounded_body, problem
from quantum_engine.control.intent_words import Known, intent_of, malformed, pending, verdict_of
from quantum_engine.domain import OrderIntent
from quantum_engine.verdicts import Refused, Verdict

BODY_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
"""Longer than the exchange's own answers take; what is still unknown then is asked about in the background."""
RETRY_AFTER_SECONDS: Final = 1
_CODES: Final = {
    IntentOutcome.ACCEPTED: 200,
    IntentOutcome.PENDING: 202,
    IntentOutcome.REFUSED: 403,
    IntentOutcome.DECLINED: 424,
}


class Orders(Protocol):
    """The router, and what it knows."""

    def take(self, intent: OrderIntent) -> "asyncio.Task[Verdict] | None":
        """None when there are too many at once."""
        ...

    def became_of(self, intent_id: str) -> Known | None: ...


@dataclass(frozen=True)
class IntentDesk:
    """Who takes intents."""

    orders: Orders | None
    """None: this engine has no exchange."""
    token: Callable[[], bytes | None]
    ids: IdSource


def add_intents(app: FastAPI, desk: IntentDesk) -> None:
    """Put the route on the application."""
    told: dict[int | str, dict[str, Any]] = {code: {"model": IntentVerdict} for code in (200, 202, 403, 409, 424)}
    schema = {"required": True, "content": {JSON: {"schema": IntentRequest.model_json_schema()}}}

    @app.post(
        names.INTENTS_PATH,
        response_model=None,
        responses={**told, 422: {"model": IntentMalformed}, **_problems()},
        openapi_extra={"requestBody": schema},
    )
    async def post_intent(request: Request) -> Response:
        """Ask for one order.  Give an id: an answer that gets lost is asked for again with it, and never becomes a second order."""
        return _refused_at_the_door(request, desk) or await _taken(request, desk)


def _problems() -> dict[int | str, dict[str, Any]]:
    return {
        401: {"description": "The bearer token is missing or wrong."},
        408: {"description": "The body did not arrive in time."},
        413: {"description": f"The body is above {MAX_INTENT_BYTES} bytes."},
        429: {"description": "Too many intents at once; Retry-After says when."},
        503: {"description": "This engine has no exchange."},
    }


def _refused_at_the_door(request: Request, desk: IntentDesk) -> Response | None:
    """Before a byte of the body is read."""
    token = desk.token()
    if not token:
        return problem(403, "this engine has no token for intents; set QT_ENGINE_INTENTS_TOKEN_FILE to let other programs trade")
    if not bears(request, token):
        return problem(401, "the bearer token is missing or wrong")
    if desk.orders is None:
        return problem(503, "this engine has no exchange; set QT_ENGINE_REST_URL, QT_ENGINE_STREAM_URL and QT_ENGINE_ACCOUNT_FILE")
    return None


async def _taken(request: Request, desk: IntentDesk) -> Response:
    assert desk.orders is not None
    read = await _read(request)
    if isinstance(read, Response):
        return read
    intent = intent_of(read, desk.ids())
    task = desk.orders.take(intent)
    if task is None:
        message = "too many intents at once; nothing was done"
        return problem(429, message, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    done, _ = await asyncio.wait({task}, timeout=ANSWER_SECONDS)
    if not done:
        return answer(pending(intent, desk.orders.became_of(intent.id)), 202)
    if task.cancelled() or task.exception() is not None:
        return problem(500, "the engine failed while it carried this out: it may be live; ask again with the same id")
    return _told(intent, task.result(), desk.orders)


async def _read(request: Request) -> IntentRequest | Response:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await bounded_body(request, MAX_INTENT_BYTES)
    except TimeoutError:
        return problem(408, f"the body did not arrive within {BODY_SECONDS:g} s; nothing was done")
    if body is None:
        return problem(413, f"the body is above {MAX_INTENT_BYTES} bytes")
    try:
        read = IntentRequest.model_validate_json(body)
    except ValidationError as error:
        return answer(malformed(error), 422)
    twice = _said_twice(body)
    if twice:
        return answer(IntentMalformed(problems=[Problem(field=twice, rule="stands twice in the body", fix="write it once")]), 422)
    return read


def _said_twice(body: bytes) -> str:
    """The name of a field that stands more than once: parsers disagree about which one counts, and one of them is a larger order."""
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        keys = [name for name, _ in pairs]
        found.extend(name for name in keys if keys.count(name) > 1)

    json.loads(body, object_pairs_hook=look)
    return found[0] if found else ""


def _told(intent: OrderIntent, verdict: Verdict, orders: Orders) -> Response:
    if isinstance(verdict, Refused) and verdict.refusal is Refusal.DUPLICATE_INTENT:
        return answer(verdict_of(intent, verdict, orders.became_of(intent.id)), 409)
    told = verdict_of(intent, verdict, None)
    return answer(told, _CODES[told.outcome])

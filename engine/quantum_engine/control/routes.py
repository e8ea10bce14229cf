"""The engine's HTTP surface: two calls for the operator, a halt for people, intents of other programs (intents.py), probes, metrics.

In    PUT /v1/policy, GET /v1/status, POST /v1/halt, POST /execution/intents, GET /healthz, /readyz, /metrics
Out   acknowledgements, refusals with their words, the status, what was checked
Flow  operator, kubelet, Prometheus -> HERE -> policy, emergency; board
Why   nothing here can loosen without a signed document; the halt can only tighten; an intent passes the whole gate
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field, ValidationError

from quantum_api import names
from quantum_api.engine_status import Acknowledgement, DocumentRefused, EngineStatus, Latch
from quantum_api.model import ApiModel
from quantum_api.policy_document import MAX_BYTES
from quantum_api.refusals import DocumentRefusal
from quantum_api.trading_policy import StopAction
from quantum_engine import metrics
from quantum_engine.control.board import StatusBoard
from quantum_engine.control.http import JSON, answer, bears, bounded_body, problem
from quantum_engine.control.intents import IntentDesk, add_intents
from quantum_engine.control.ports import Finding, HaltDesk, PolicyDesk, Probe

MAX_WAIT_SECONDS: Final = 60.0
_REFUSED_AS: Final = {DocumentRefusal.STALE_EPOCH: 409, DocumentRefusal.JOURNAL_UNAVAILABLE: 503}


class HaltRequest(ApiModel):
    """Body of POST /v1/halt."""

    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    action: Annotated[StopAction, Field(strict=False)] = StopAction.FLATTEN
    by: Annotated[str, Field(max_length=256)] = ""
    """Who asks.  Not checked: the token is what lets them."""


@dataclass(frozen=True)
class Desks:
    """Who answers."""

    board: StatusBoard
    policy: PolicyDesk
    halt: HaltDesk
    halt_token: Callable[[], bytes | None]
    intents: IntentDesk
    live: Probe
    ready: Probe


def build(desks: Desks) -> FastAPI:
    """The application."""
    app = FastAPI(title="Quantum Trader engine", version=names.VERSION, docs_url=None, redoc_url=None)
    _add_policy(app, desks)
    _add_status(app, desks)
    _add_halt(app, desks)
    add_intents(app, desks.intents)
    _add_probes(app, desks)
    return app


def _add_policy(app: FastAPI, desks: Desks) -> None:
    body = {"required": True, "content": {names.JOSE_MEDIA_TYPE: {"schema": {"type": "string", "description": "compact JWS"}}}}
    refused: dict[int | str, dict[str, Any]] = {code: {"model": DocumentRefused} for code in (409, 413, 422, 503)}

    @app.put(
        names.POLICY_PATH, response_model=None, responses={200: {"model": Acknowledgement}, **refused}, openapi_extra={"requestBody": body}
    )
    async def put_policy(request: Request) -> Response:
        """Verify, store, switch the gate, then acknowledge."""
        token = await bounded_body(request, MAX_BYTES)
        if token is None:
            return answer(DocumentRefused(reason=DocumentRefusal.MALFORMED, message=f"the body is above {MAX_BYTES} bytes"), 413)
        outcome = await desks.policy(token)
        if isinstance(outcome, DocumentRefused):
            return answer(outcome, _REFUSED_AS.get(outcome.reason, 422))
        return answer(outcome)


def _add_status(app: FastAPI, desks: Desks) -> None:
    @app.get(names.STATUS_PATH, response_model=None, responses={200: {"model": EngineStatus}})
    async def get_status(
        since: Annotated[int, Query(ge=0, le=2**53)] = 0,
        instance: Annotated[str | None, Query(max_length=64)] = None,
        wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0.0,
    ) -> Response:
        """The status, at once or when its version passes ``since``."""
        return Response(await desks.board.after(since, instance, wait), media_type=JSON)


def _add_halt(app: FastAPI, desks: Desks) -> None:
    errors: dict[int | str, dict[str, str]] = {
        401: {"description": "The bearer token is missing or wrong."},
        403: {"description": "This engine has no halt token; use the halt command in its pod."},
        413: {"description": "The body is too large."},
        422: {"description": "The body breaks the schema."},
    }
    taken: dict[int | str, dict[str, Any]] = {200: {"model": Latch}, 202: {"model": Latch}}
    schema = {"required": True, "content": {JSON: {"schema": HaltRequest.model_json_schema()}}}

    @app.post(
        names.HALT_PATH,
        response_model=None,
        responses={**taken, **errors},
        openapi_extra={"requestBody": schema},
    )
    async def post_halt(request: Request) -> Response:
        """Pull a stop by hand.  200: gate closed, latch on disk; 202: gate closed, the disk has not answered yet."""
        token = desks.halt_token()
        if not token:
            return problem(403, "this engine has no halt token; run `quantum-engine halt --reason …` in its pod")
        if not bears(request, token):
            return problem(401, "the bearer token is missing or wrong")
        body = await bounded_body(request, MAX_BYTES)
        if body is None:
            return problem(413, f"the body is above {MAX_BYTES} bytes")
        try:
            halt = HaltRequest.model_validate_json(body)
        except ValidationError as error:
            return problem(422, str(error.errors(include_url=False, include_input=False, include_context=False)))
        latch = await desks.halt(halt.reason, halt.action, halt.by)
        return answer(latch, 202 if latch.gate_closed_at_ms is None else 200)


def _add_probes(app: FastAPI, desks: Desks) -> None:
    @app.get("/healthz", response_model=None)
    async def healthz() -> Response:
        """Alive: the event loop answers and the journal's writer runs."""
        return _found(desks.live())

    @app.get("/readyz", response_model=None)
    async def readyz() -> Response:
        """Ready to be told a policy; says nothing about whether trading is permitted."""
        return _found(desks.ready())

    @app.get("/metrics", response_model=None)
    async def scrape() -> Response:
        """Prometheus text."""
        return PlainTextResponse(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _found(findings: list[Finding]) -> Response:
    failed = any(finding.needed and not finding.ok for finding in findings)
    checks = {f.name: {"ok": f.ok, "needed": f.needed, "detail": f.detail} for f in findings}
    return Response(json.dumps({"ok": not failed, "checks": checks}), status_code=503 if failed else 200, media_type=JSON)

"""One HTTP request from socket to answer.

In    an aiohttp request
Out   Binance's JSON, status and headers; the order log; effects to the streams
Flow  socket -> faults -> limits -> signature -> endpoint -> HERE -> socket
Why   a plain table instead of a router and middlewares: this is the hot path of every load test
"""

import asyncio
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from quantum_simulator.core.accounts import Account
from quantum_simulator.faults import Fault, FaultKind
from quantum_simulator.refusals import VenueRefusal, Words, refuse
from quantum_simulator.rest import parameters, signature
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.endpoints import ENDPOINTS, Endpoint, Security
from quantum_simulator.rest.limits import RateRefusal
from quantum_simulator.rest.parameters import Params
from quantum_simulator.state import VenueState

UNKNOWN_503 = "Unknown error, please check your request or try again later."
UNAVAILABLE_503 = "Service Unavailable."
NO_CODE = 503
"""A 503 of the gateway bears no code in its body: time, path and sentence only."""
EXECUTED_KINDS = frozenset({FaultKind.ACCEPT_THEN_503, FaultKind.DROP_ANSWER})
encode = msgspec.json.Encoder().encode


class Incoming(NamedTuple):
    method: str
    path: str
    query: str
    body: str
    api_key: str
    ip: str
    params: Params


class RestServer:
    """Answers every path under ``/fapi``."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        body = (await request.read()).decode(errors="replace") if request.body_exists else ""
        params = parameters.merge(query, body)
        incoming = Incoming(request.method, path, query, body, request.headers.get("X-MBX-APIKEY", ""), request.remote or "", params)
        endpoint = ENDPOINTS.get((incoming.method, path))
        if endpoint is None:
            return web.Response(status=404, body=b"", headers=self._used_weight(incoming), content_type="text/html")
        fault = await self._struck(incoming)
        headers: dict[str, str] = {"Content-Type": "application/json"}
        status, reply = self._outcome(incoming, endpoint, fault, headers)
        headers |= self._used_weight(incoming)
        self._state.flush()
        if fault is not None and fault.kind is FaultKind.DROP_ANSWER and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status, body=encode(reply), headers=headers)

    async def _struck(self, incoming: Incoming) -> Fault | None:
        """Live through the ordered delays; the other fault, if any, is for the outcome."""
        state = self._state
        if not state.faults.ordered:
            return None
        owner = state.by_api_key.get(incoming.api_key)
        reduces = incoming.params.get("reduceOnly", "").lower() == "true"
        found: Fault | None = None
        for fault in state.faults.strike(owner.name if owner else "", incoming.path, incoming.method, state.clock.now_ms(), reduces):
            if fault.kind is FaultKind.DELAY_MS:
                await asyncio.sleep(fault.delay_ms / 1_000)
            else:
                found = fault
        return found

    def _outcome(self, incoming: Incoming, endpoint: Endpoint, fault: Fault | None, headers: dict[str, str]) -> tuple[int, Any]:
        account: Account | None = None
        refusal: VenueRefusal | None = None
        status, reply = 200, None
        try:
            if fault is not None and fault.kind not in EXECUTED_KINDS:
                raise self._as_refusal(fault, incoming)
            self._state.limits.use_weight(incoming.ip, endpoint.cost(incoming.params), self._state.wall.now_ms())
            account = self._identify(incoming, endpoint)
            if endpoint.order_count and account is not None:
                self._count_order(account, endpoint.order_count, headers)
            reply = endpoint.handle(Call(self._state, incoming.params, self._state.clock.now_ms(), account))
        except VenueRefusal as caught:
            refusal = caught
            status, reply = caught.http_status, {"code": caught.code, "msg": caught.message}
            if caught.http_status == 503 and caught.code == NO_CODE:
                reply = self._body_503(incoming, caught.message)
            if isinstance(caught, RateRefusal):
                headers["Retry-After"] = str(caught.retry_after_seconds)
        if endpoint.is_logged:
            self._log(incoming, account, refusal, fault)
        if fault is not None and fault.kind is FaultKind.ACCEPT_THEN_503:
            return 503, self._body_503(incoming, UNKNOWN_503)
        return status, reply

    def _body_503(self, incoming: Incoming, message: str) -> dict[str, Any]:
        return {"timestamp": self._state.wall.now_ms(), "path": incoming.path, "msg": message}

    def _as_refusal(self, fault: Fault, incoming: Incoming) -> VenueRefusal:
        """What a fault that does nothing answers."""
        now_ms = self._state.wall.now_ms()
        match fault.kind:
            case FaultKind.HTTP_503_UNKNOWN:
                return VenueRefusal(NO_CODE, UNKNOWN_503, 503)
            case FaultKind.HTTP_503_SERVICE_UNAVAILABLE:
                return VenueRefusal(NO_CODE, UNAVAILABLE_503, 503)
            case FaultKind.RATE_LIMIT_429:
                limit = self._state.limits.weight_per_minute
                message = f"Too many requests; current limit of IP({incoming.ip}) is {limit} requests per minute."
                return RateRefusal(-1003, message, 429, fault.retry_after_seconds)
            case FaultKind.BAN_418:
                return self._state.limits.ban(incoming.ip, fault.retry_after_seconds, now_ms)
            case _:
                return VenueRefusal(fault.code, fault.message, fault.http_status)

    def _used_weight(self, incoming: Incoming) -> dict[str, str]:
        """On every answer, also on those of a fault: a client corrects its own count by it."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._state.limits.weight_used(incoming.ip, self._state.wall.now_ms()))}

    def _count_order(self, account: Account, cost: tuple[int, int], headers: dict[str, str]) -> None:
        limits, now_ms = self._state.limits, self._state.wall.now_ms()
        try:
            limits.use_order(account.name, now_ms, *cost)
        finally:
            short, long = limits.orders_used(account.name, now_ms)
            headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1M"] = str(short), str(long)

    def _identify(self, incoming: Incoming, endpoint: Endpoint) -> Account | None:
        if endpoint.security is Security.NONE:
            return None
        if not incoming.api_key or not incoming.api_key.isascii() or " " in incoming.api_key:
            raise refuse(Words.BAD_KEY_FORMAT)
        account = self._state.by_api_key.get(incoming.api_key)
        if account is None:
            raise refuse(Words.REJECTED_KEY)
        if endpoint.security is Security.SIGNED:
            signature.check(
                account.public_key or account.api_secret, incoming.query, incoming.body, incoming.params, self._state.wall.now_ms()
            )
        return account

    def _log(self, incoming: Incoming, account: Account | None, refusal: VenueRefusal | None, fault: Fault | None) -> None:
        owner = account or self._state.by_api_key.get(incoming.api_key)
        self._state.order_log.request(
            at_ms=self._state.clock.now_ms(),
            account=owner.name if owner else "",
            request=f"{incoming.method} {incoming.path}",
            params=incoming.params,
            code=refusal.code if refusal else 0,
            message=refusal.message if refusal else "",
            fault=fault.kind.value if fault else "",
        )

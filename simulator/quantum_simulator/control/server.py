"""Serves the control API: orders to the market and the faults, views of accounts and of the order log.

In    JSON over HTTP on the second port
Out   changed market, faults, wallets; JSON views
Flow  tests, demo -> HERE -> venue
Why   a port of its own: an engine under test can reach the venue but not its levers
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from quantum_simulator.control import views
from quantum_simulator.control.requests import (
    ORDERS,
    AdlOrder,
    DepositOrder,
    DepthOrder,
    DriftOrder,
    FaultOrder,
    FundingOrder,
    MarkOrder,
    PriceOrder,
    ShockOrder,
    StepOrder,
)
from quantum_simulator.core import forced, funding
from quantum_simulator.core.margin import available
from quantum_simulator.core.settlement import deposit
from quantum_simulator.faults import FaultKind
from quantum_simulator.market.walk import Walk
from quantum_simulator.state import VenueState
from quantum_simulator.streams.hub import Hub

Body = TypeVar("Body")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stepper(Protocol):
    """The venue's own clockwork, as far as this API may turn it."""

    def step(self, milliseconds: int) -> None: ...
    def reprice(self) -> None: ...
    @property
    def is_hand_stepped(self) -> bool: ...


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def _read(request: web.Request, body: type[Body]) -> Body:
    return msgspec.json.decode(await request.read(), type=body)


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A wrong body or an unknown name is an answer, not a stack trace."""
    try:
        return await handler(request)
    except (msgspec.MsgspecError, ValueError) as error:
        return _json({"error": str(error)}, 400)
    except KeyError as error:
        return _json({"error": f"unknown name {error}; GET /control/health lists accounts and symbols"}, 404)


class ControlServer:
    def __init__(self, state: VenueState, hub: Hub, stepper: Stepper) -> None:
        self._state = state
        self._hub = hub
        self._stepper = stepper

    def application(self) -> web.Application:
        app = web.Application(middlewares=[explain])
        app.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/control", self.schema),
                web.get("/control/health", self.health),
                web.post("/control/shock", self.shock),
                web.post("/control/drift", self.drift),
                web.post("/control/price", self.price),
                web.post("/control/depth", self.depth),
                web.post("/control/mark", self.mark),
                web.post("/control/funding", self.funding),
                web.get("/control/faults", self.faults),
                web.post("/control/faults", self.order_faults),
                web.delete("/control/faults", self.clear_faults),
                web.get("/control/accounts", self.accounts),
                web.get("/control/accounts/{name}", self.account),
                web.get("/control/orders", self.orders),
                web.post("/control/deposit", self.deposit),
                web.get("/control/recording", self.recording),
                web.post("/control/adl", self.adl),
                web.post("/control/step", self.step),
            ]
        )
        return app

    async def healthz(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def schema(self, _: web.Request) -> web.Response:
        _schemas, components = msgspec.json.schema_components(ORDERS)
        return _json({"bodies": components})

    async def health(self, _: web.Request) -> web.Response:
        return _json(views.health(self._state, self._hub, self._stepper.is_hand_stepped))

    def _walks(self, symbol: str) -> list[Walk]:
        return [self._state.market.walks[each] for each in self._state.market.chosen(symbol)]

    async def shock(self, request: web.Request) -> web.Response:
        order = await _read(request, ShockOrder)
        for walk in self._walks(order.symbol):
            walk.order_shock(order.bps, int(order.seconds * 1_000), int(order.recover_seconds * 1_000))
        return _json({"symbols": self._state.market.chosen(order.symbol), "bps": order.bps, "seconds": order.seconds})

    async def drift(self, request: web.Request) -> web.Response:
        order = await _read(request, DriftOrder)
        for walk in self._walks(order.symbol):
            walk.drift_bps_per_minute = order.bps_per_minute
        return _json({"symbols": self._state.market.chosen(order.symbol), "bpsPerMinute": order.bps_per_minute})

    async def price(self, request: web.Request) -> web.Response:
        order = await _read(request, PriceOrder)
        price = None if order.price is None else float(order.price)
        if price is not None and price <= 0:
            raise msgspec.ValidationError("price must be above 0")
        for walk in self._walks(order.symbol):
            walk.set_price(walk.price if price is None else price, order.hold)
        self._stepper.reprice()
        return _json({"prices": views.prices(self._state, self._state.market.chosen(order.symbol)), "hold": order.hold})

    async def depth(self, request: web.Request) -> web.Response:
        order = await _read(request, DepthOrder)
        for walk in self._walks(order.symbol):
            walk.depth, walk.gap_bps = order.scale, order.gap_bps
        self._stepper.reprice()
        return _json({"symbols": self._state.market.chosen(order.symbol), "scale": order.scale, "gapBps": order.gap_bps})

    async def mark(self, request: web.Request) -> web.Response:
        order = await _read(request, MarkOrder)
        for walk in self._walks(order.symbol):
            walk.mark_bps = order.bps
        self._stepper.reprice()
        return _json({"prices": views.prices(self._state, self._state.market.chosen(order.symbol)), "bps": order.bps})

    async def funding(self, request: web.Request) -> web.Response:
        order = await _read(request, FundingOrder)
        symbols = self._state.market.chosen(order.symbol)
        funding.order_rate(self._state.floor, symbols, Decimal(order.rate))
        return _json({"symbols": symbols, "rate": order.rate, "nextFundingMs": self._state.floor.next_funding_ms})

    async def faults(self, _: web.Request) -> web.Response:
        return _json([views.fault(each) for each in self._state.faults.ordered])

    async def order_faults(self, request: web.Request) -> web.Response:
        is_list = (await request.read()).lstrip().startswith(b"[")
        orders = await _read(request, list[FaultOrder]) if is_list else [await _read(request, FaultOrder)]
        now_ms = self._state.clock.now_ms()
        ordered = [self._state.faults.order(each.as_fault(now_ms)) for each in orders]
        for fault in ordered:
            if fault.kind is FaultKind.STREAM_CUT:
                self._hub.cut(fault.account, fault.path)
        return _json([views.fault(each) for each in ordered])

    async def clear_faults(self, request: web.Request) -> web.Response:
        number = request.query.get("id")
        removed = self._state.faults.clear(int(number) if number and number.isdecimal() else None)
        self._state.limits.lift_bans()
        return _json({"removed": removed})

    async def accounts(self, _: web.Request) -> web.Response:
        return _json([views.account_summary(self._state, each) for each in self._state.floor.accounts.values()])

    async def account(self, request: web.Request) -> web.Response:
        return _json(views.account(self._state, self._state.floor.accounts[request.match_info["name"]]))

    async def orders(self, request: web.Request) -> web.Response:
        query = request.query
        entries = self._state.order_log.entries(
            account=query.get("account", ""),
            symbol=query.get("symbol", ""),
            client_id=query.get("clientId", ""),
            what=query.get("what", ""),
            since_seq=int(query.get("sinceSeq", "0")),
            limit=int(query.get("limit", "10000")),
        )
        return _json(entries)

    async def deposit(self, request: web.Request) -> web.Response:
        order = await _read(request, DepositOrder)
        account = self._state.floor.accounts[order.account]
        amount, most = Decimal(order.amount_usdt), available(self._state.floor, account)
        if -amount > most:
            raise ValueError(f"{account.name} can withdraw at most {most} USDT, what is bound in positions and orders stays")
        deposit(self._state.floor, account, amount, self._state.clock.now_ms())
        self._state.flush()
        return _json(views.account_summary(self._state, account))

    async def recording(self, request: web.Request) -> web.Response:
        symbol, kind = request.query.get("symbol", ""), request.query.get("kind", "1s")
        lines = views.recording(self._state, self._state.market.instruments[symbol].symbol, kind)
        return web.Response(text="".join(f"{line}\n" for line in lines), content_type="text/csv")

    async def adl(self, request: web.Request) -> web.Response:
        order = await _read(request, AdlOrder)
        account = self._state.floor.accounts[order.account]
        position = account.position(self._state.market.instruments[order.symbol].symbol, order.position_side)
        quantity, price = (None if each is None else Decimal(each) for each in (order.quantity, order.price))
        forced.deleverage(self._state.floor, account, position, quantity, price, self._state.clock.now_ms())
        self._state.flush()
        return _json(views.account_summary(self._state, account))

    async def step(self, request: web.Request) -> web.Response:
        order = await _read(request, StepOrder)
        if not self._stepper.is_hand_stepped:
            return _json({"error": "this venue runs by itself; start it with --hand-stepped"}, 409)
        self._stepper.step(order.ms)
        return _json({"nowMs": self._state.clock.now_ms(), "prices": views.prices(self._state, list(self._state.floor.books))})

"""What can happen, as values: a history is a list of them, and prints as the code that lives it again.

Flow  histories (chance) or a recorded list -> HERE -> world
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from tests.live.laws.venue_side import SYMBOLS
from tests.live.laws.world import World

from quantum_api.gate import Gate
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import OnLeaseExpiry, StopAction
from quantum_engine.domain import OrderIntent, Purpose, Side
from quantum_simulator.faults import FaultKind

BTC, ETH = SYMBOLS
LOT = Decimal("0.001")
PLACE, CANCEL, ASK, LOOK, HELD = "place", "cancel", "ask", "look", "held"
WHERE = {
    PLACE: (("POST", "/fapi/v1/order"),),
    CANCEL: (("DELETE", "/fapi/v1/allOpenOrders"), ("DELETE", "/fapi/v1/algoOpenOrders")),
    ASK: (("GET", "/fapi/v1/order"),),
    LOOK: (("GET", "/fapi/v1/openOrders"), ("GET", "/fapi/v1/openAlgoOrders")),
    HELD: (("GET", "/fapi/v3/positionRisk"),),
    "account": (("GET", "/fapi/v3/account"),),
    "key": (("POST", "/fapi/v1/listenKey"),),
    "all": (("", "/fapi"),),
}


class Step(Protocol):
    async def live(self, world: World) -> None: ...


@dataclass(frozen=True)
class Order:
    """Intent ``name``: the same name is the same intent.  ``lots`` thousandths, plus the name's own, so that its quantity is its own.

    ``bps`` None = market, else a limit so far on the passive side of the mark.
    """

    name: int
    side: str = "BUY"
    lots: int = 100
    symbol: str = BTC
    bps: int | None = None
    reduce: bool = False

    def intent(self, world: World) -> OrderIntent:
        side, price = Side(self.side), None
        if self.bps is not None:
            price = (world.side.mark(self.symbol) * (1 - side.sign * Decimal(self.bps) / 10_000)).quantize(Decimal("0.1"))
        return OrderIntent(
            f"intent-{self.name}", self.symbol, side, (self.lots + self.name) * LOT, price, self.reduce,
            Purpose.REDUCE if self.reduce else Purpose.ENTRY,
        )  # fmt: skip


@dataclass(frozen=True)
class Submit:
    """At once; the same intent may be among them twice."""

    orders: tuple[Order, ...]
    seconds: float = 0.5

    async def live(self, world: World) -> None:
        await world.submit(*(order.intent(world) for order in self.orders), seconds=self.seconds)


@dataclass(frozen=True)
class Document:
    """The operator says what holds from now on."""

    gate: Gate = Gate.ACTIVE
    lease_seconds: int = 3_600
    on_lease_expiry: OnLeaseExpiry = OnLeaseExpiry.REDUCE_ONLY

    async def live(self, world: World) -> None:
        people = world.people
        people.gate, people.lease_seconds, people.on_lease_expiry = self.gate, self.lease_seconds, self.on_lease_expiry
        await world.push()


@dataclass(frozen=True)
class Engage:
    """Somebody applies an EmergencyStop."""

    name: int
    action: StopAction
    symbols: tuple[str, ...] = ()

    async def live(self, world: World) -> None:
        stop_id, people = f"stop-{self.name}", world.people
        if stop_id not in people.released:  # an object's uid comes never again
            known = people.stops.get(stop_id)
            action = max(self.action, known.action, key=lambda each: each.strength) if known else self.action
            symbols = known.symbols if known else list(self.symbols)  # the scope of an object is immutable
            people.stops[stop_id] = StopOrder(id=stop_id, name=stop_id, action=action, symbols=symbols, reason="storm")
        await world.push()


@dataclass(frozen=True)
class Release:
    """Enough people approve the release of a stop; None = of everything that is latched."""

    name: int | None = None

    async def live(self, world: World) -> None:
        latched, people = {latch.id for latch in world.life.status.latches}, world.people
        ids = latched if self.name is None else {f"stop-{self.name}"}
        people.released |= ids & (latched | people.stops.keys())
        for stop_id in ids:
            people.stops.pop(stop_id, None)
        await world.push()


@dataclass(frozen=True)
class Halt:
    """POST /v1/halt."""

    action: StopAction = StopAction.FLATTEN

    async def live(self, world: World) -> None:
        await world.people.halt(world.life, self.action)


@dataclass(frozen=True)
class Replay:
    """An old document is offered again."""

    back: int

    async def live(self, world: World) -> None:
        await world.people.replay(world.life, self.back)


@dataclass(frozen=True)
class Trouble:
    """The venue fails.  ``times`` None = until cured."""

    kind: FaultKind
    where: str = PLACE
    times: int | None = 1
    code: int = -1000
    delay_ms: int = 0

    async def live(self, world: World) -> None:
        for method, path in WHERE[self.where]:
            world.side.order_fault(
                kind=self.kind, path=path, method=method, left=self.times, code=self.code, delay_ms=self.delay_ms, message="ordered fault",
                http_status=408 if self.code == -1007 else 503 if self.code == -1008 else 400,
            )  # fmt: skip


@dataclass(frozen=True)
class Deaf:
    """The user stream is cut, silent while its connection stays, late, out of order or told twice."""

    kind: FaultKind = FaultKind.STREAM_SILENT
    seconds: float = 5.0

    async def live(self, world: World) -> None:
        until_ms = world.clock.wall_ms() + round(self.seconds * 1_000)
        world.side.order_fault(kind=self.kind, path="/private", until_ms=until_ms, delay_ms=700)


@dataclass(frozen=True)
class Foreign:
    """Another program trades on the account: "market", "limit", "reduce" (rests, reduce-only), "algo" (closes all at a trigger)."""

    what: str
    side: str = "BUY"
    lots: int = 50
    symbol: str = BTC
    bps: int = 40

    async def live(self, world: World) -> None:
        sign = 1 if self.side == "BUY" else -1
        aside = (world.side.mark(self.symbol) * (1 - sign * Decimal(self.bps) / 10_000)).quantize(Decimal("0.1"))
        beyond = (world.side.mark(self.symbol) * (1 + sign * Decimal(self.bps) / 10_000)).quantize(Decimal("0.1"))
        base = {"symbol": self.symbol, "side": self.side}
        if self.what == "algo":
            more: dict[str, object] = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": beyond, "closePosition": "true"}
            await world.side.foreign("POST", "/fapi/v1/algoOrder", **base, **more, clientAlgoId=f"foreign-{world.clock.wall_ms()}")
            return
        more = {"type": "MARKET"} if self.what == "market" else {"type": "LIMIT", "timeInForce": "GTC", "price": aside}
        more |= {"reduceOnly": "true"} if self.what == "reduce" else {}
        await world.side.foreign(
            "POST", "/fapi/v1/order", **base, **more, quantity=self.lots * LOT, newClientOrderId=f"foreign-{world.clock.wall_ms()}"
        )


@dataclass(frozen=True)
class Move:
    """The price jumps."""

    bps: int
    symbol: str = BTC

    async def live(self, world: World) -> None:
        world.side.move(self.symbol, self.bps)
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Together:
    """All begin in the same turn of the loop."""

    steps: tuple[Step, ...]

    async def live(self, world: World) -> None:
        await asyncio.gather(*(step.live(world) for step in self.steps))


@dataclass(frozen=True)
class Wait:
    seconds: float

    async def live(self, world: World) -> None:
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Cure:
    async def live(self, world: World) -> None:
        world.cure()


@dataclass(frozen=True)
class Crash:
    """Now, or with a name as soon as that point is passed."""

    at: str = ""
    seconds: float = 0.0
    """How long the new process has before the next step."""

    async def live(self, world: World) -> None:
        if self.at:
            world.life.crash_at = self.at
        else:
            await world.crash()
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Restart:
    async def live(self, world: World) -> None:
        await world.restart()


@dataclass(frozen=True)
class DiskIs:
    full: bool

    async def live(self, world: World) -> None:
        world.set_disk_full(self.full)


@dataclass(frozen=True)
class RedisIs:
    up: bool

    async def live(self, world: World) -> None:
        if self.up and not world.redis.is_up:
            world.redis.start()
        elif not self.up:
            world.redis.kill()


@dataclass(frozen=True)
class Deposit:
    usdt: int

    async def live(self, world: World) -> None:
        world.side.deposit(self.usdt)


History = Sequence[Step]

"""The whole system under test: objects, pods, engines and the venue, with short ways to act on each and to wait.

In    a running stack (quantum_demo.stack.installed)
Out   objects read and written, processes killed, a clean state between tests
Flow  conftest -> HERE -> tests
Why   reads go straight to the API server (a few milliseconds), what a person does goes through kubectl
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import aiohttp
from tests.chaos.laws import Closed, entries
from tests.chaos.witness import Witness

from quantum_api import names
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import UNREACHABLE, ApiError, KubeClient
from quantum_cluster.process import start_ticks
from quantum_demo.fleet import condition, is_ready
from quantum_demo.kubectl import Kubectl, Ran
from quantum_demo.stack import Stack
from quantum_demo.venue import long_exposure_usdt

Object = dict[str, Any]
Seen = TypeVar("Seen")
CORE = "/api/v1/namespaces/default"
OURS = f"/apis/{names.API_VERSION}/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
OFFICERS = ("system:authenticated", "risk-officers")
NAME = "quantum-trader"
POLICY = {
    "instruments": ["BTCUSDT", "ETHUSDT", "SOLUSDT"], "maxOrderNotionalUsdt": 5_000, "maxPositionNotionalUsdt": 6_000,
    "maxGrossExposureUsdt": 18_000, "maxDrawdownBps": 1_000, "warnDrawdownBps": 500, "onDrawdown": "Flatten", "stopCooldownSeconds": 1,
    "maxIntentsPerMinute": 6_000, "priceCollarBps": 1_000, "leaseSeconds": 30,
}  # fmt: skip
MODE = {
    "mode": "aggressive",
    "parameters": {"barSeconds": 1, "fastBars": 2, "slowBars": 4, "atrBars": 4, "maxLeverageBps": 20_000, "cooldownSeconds": 0},
}
CAPITAL_USDT = 10_000


async def eventually(check: Callable[[], Awaitable[Seen | None]], what: str, within_seconds: float = 20.0) -> Seen:
    """Wait until ``check`` gives something other than None and False.  An API server or engine that is away counts as not yet."""
    deadline, trouble = time.monotonic() + within_seconds, ""
    while True:
        try:
            found = await check()
        except (ApiError, *UNREACHABLE) as error:
            found, trouble = None, f" ({error})"
        if found is not None and found is not False:
            return found
        assert time.monotonic() < deadline, f"not within {within_seconds:g} s: {what}{trouble}"
        await asyncio.sleep(0.05)


class System:
    """One namespace with everything in it."""

    def __init__(self, stack: Stack, api: KubeClient, venue: Witness, http: aiohttp.ClientSession) -> None:
        self.cluster: EmbeddedCluster = stack.cluster
        self.kubectl: Kubectl = stack.kubectl
        self.api = api
        self.venue = venue
        self.http = http
        self.engines = [f"{NAME}-engine-{n}" for n in range(3)]
        self.addresses: dict[str, str] = {}
        self.began_at = 0

    # objects

    async def apply(self, kind: str, name: str, spec: Object) -> Ran:
        body = {"apiVersion": names.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
        return await self.kubectl.must("apply", "-f", "-", stdin=json.dumps(body))

    async def stop(self, name: str, action: str = "Flatten") -> Ran:
        return await self.apply("EmergencyStop", name, {"action": action, "reason": f"drill: {name}"})

    async def policy(self, **changes: Any) -> Ran:
        return await self.apply("TradingPolicy", "house", {**POLICY, **changes})

    async def stops(self) -> dict[str, Object]:
        return {s["metadata"]["name"]: s for s in (await self.api.get(f"{OURS}/emergencystops"))["items"]}

    async def own_stops(self) -> dict[str, Object]:
        """Stops that engines pulled themselves, by engine."""
        return {s["spec"]["origin"]["engine"]: s for s in (await self.stops()).values() if s["spec"].get("origin")}

    async def until(self, plural: str, name: str, kind: str, status: str = "True", within_seconds: float = 20.0) -> Object:
        """Until the object's condition of its present generation is so."""

        async def look() -> Object | None:
            found = await self.api.get(f"{OURS}/{plural}/{name}")
            now = condition(found, kind)
            current = now.get("observedGeneration") == found["metadata"]["generation"]
            return found if now["status"] == status and current else None

        return await eventually(look, f"{plural}/{name} {kind}={status}", within_seconds)

    async def approve(self, stop: str, person: str, comment: str = "reviewed") -> Ran:
        patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": {"by": person, "comment": comment}}])
        return await self.kubectl.run("patch", "estop", stop, "--type=json", "-p", patch, as_user=person, groups=OFFICERS)

    # pods

    async def pods(self, component: str) -> list[Object]:
        items = (await self.api.get(f"{CORE}/pods", labelSelector=f"app.kubernetes.io/component={component}"))["items"]
        return sorted(items, key=lambda pod: str(pod["metadata"]["name"]))

    async def ready(self, component: str, count: int, within_seconds: float = 40.0) -> list[Object]:
        async def look() -> list[Object] | None:
            pods = await self.pods(component)
            return pods if len(pods) == count and all(is_ready(pod) for pod in pods) else None

        return await eventually(look, f"{count} {component} pods Ready", within_seconds)

    async def kill_operator(self) -> None:
        """SIGKILL of the process, as soon as there is one; its container is started again by the node, ever later."""
        (pod,) = await self.pods("operator")
        name = pod["metadata"]["name"]

        async def runs() -> bool:
            return any(record.labels["pod"] == name for record in self.cluster.pods.records())

        await eventually(runs, "the operator's process")
        self.cluster.pods.kill(name)

    async def scale_operator(self, replicas: int) -> None:
        await self.api.patch(f"{APPS}/deployments/{NAME}-operator", {"spec": {"replicas": replicas}})
        await self.ready("operator", replicas)

    async def fresh_operator(self) -> None:
        """A new pod, with no crash back-off to wait for."""
        await self.scale_operator(0)
        await self.scale_operator(1)

    async def kill_engine(self, engine: str) -> None:
        """SIGKILL of the process; it is gone when this returns, and what it had sent has reached the venue."""
        process = self.cluster.pods.record(engine)
        self.cluster.pods.kill(engine)

        async def gone() -> bool:
            return start_ticks(process.pid) != process.start_ticks

        await eventually(gone, f"the process of {engine} is gone")

    # engines

    async def status(self, engine: str) -> Object:
        """What the engine says of itself."""
        async with self.http.get(f"http://{self.addresses[engine]}:8080{names.STATUS_PATH}") as answer:
            found: Object = await answer.json()
            return found

    async def until_engine(self, engine: str, holds: Callable[[Object], bool], what: str, within_seconds: float = 20.0) -> Object:
        async def look() -> Object | None:
            found = await self.status(engine)
            return found if holds(found) else None

        return await eventually(look, f"{engine}: {what}", within_seconds)

    async def until_engines(self, holds: Callable[[Object], bool], what: str, within_seconds: float = 20.0) -> None:
        await asyncio.gather(*(self.until_engine(engine, holds, what, within_seconds) for engine in self.engines))

    async def learn_addresses(self) -> None:
        """A pod keeps its address as long as it lives."""
        pods = await self.ready("engine", len(self.engines))
        self.addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods}

    # market

    async def go_long(self, least_usdt: int = 12_000) -> None:
        """Every engine holds long positions at the venue: the market falls until what was long is closed, then it rises."""
        await self._until_exposure(lambda usdt: usdt <= 0 or usdt >= least_usdt, -600, "long enough, or not long at all")
        await self._until_exposure(lambda usdt: usdt >= least_usdt, 600, "long")
        await self.venue.drift(0)

    async def _until_exposure(self, holds: Callable[[Decimal], bool], bps_per_minute: int, what: str) -> None:
        async def seen() -> bool:
            return all(holds(long_exposure_usdt(account)) for account in await self.venue.accounts())

        if not await seen():
            await self.venue.drift(bps_per_minute)
            await eventually(seen, f"every engine is {what}, says the venue", 40)

    @asynccontextmanager
    async def busy_market(self) -> AsyncIterator[None]:
        """Up and down every three seconds, so that engines close and open all the time."""

        async def swing() -> None:
            bps = 400
            while True:
                await self.venue.drift(bps)
                bps = -bps
                await asyncio.sleep(3)

        swinging = asyncio.create_task(swing())
        try:
            since = await self.venue.newest(self.began_at)
            await self.until_trading(since)
            yield
        finally:
            swinging.cancel()
            await asyncio.gather(swinging, return_exceptions=True)
            await self.venue.drift(0)

    async def until_trading(self, since: int, within_seconds: float = 40.0) -> None:
        """Until every engine had an entry accepted after log entry ``since``."""

        async def traded() -> bool:
            return {e["account"] for e in entries(await self.venue.log(since))} == set(self.engines)

        await eventually(traded, "every engine opens something, says the venue", within_seconds)

    # evidence

    async def closings(self, stop: str) -> list[Closed]:
        """Since when each engine's gate is shut, by the stamps on the stop."""
        found = await self.api.get(f"{OURS}/emergencystops/{stop}")
        rows = found["status"]["progress"]
        return [Closed(row["name"], unix_ms(row["gateClosedAt"]), _maybe_ms(row.get("releasedAt"))) for row in rows]

    async def quiet_log(self) -> tuple[list[Object], list[Object]]:
        """The venue's whole log and its books, read at a moment between two entries."""

        async def still() -> tuple[list[Object], list[Object]] | None:
            log, accounts = await self.venue.log(), await self.venue.accounts()
            return None if await self.venue.log(len(log)) else (log, accounts)

        return await eventually(still, "a moment without an entry in the venue's log")

    async def described(self) -> str:
        """What a person would look at when a test has failed."""
        self.cluster.apiserver.thaw()
        said = [
            (await self.kubectl.run("get", *what)).out for what in (("pods", "-o", "wide"), ("quantumtrader", "-o", "yaml"), ("events",))
        ]
        for engine in self.engines:
            try:
                said.append(json.dumps(await self.status(engine)))
            except UNREACHABLE as error:
                said.append(f"{engine}: {error!r}")
        return "\n".join(said)

    # clean state

    async def calm(self) -> None:
        """No faults, nothing stopped, every engine ACTIVE under the standard policy and mode."""
        self.cluster.apiserver.thaw()
        await self.cluster.apiserver.start()
        await self.cluster.apiserver.wait_ready()
        await self.venue.end_faults()
        await self.venue.drift(0)
        if len(await self.pods("operator")) != 1:
            await self.scale_operator(1)
        for component, count in (("operator", 1), ("redis", 1), ("simulator", 1), ("engine", len(self.engines))):
            await self.ready(component, count)
        await self.learn_addresses()
        await self.policy()
        await self.apply("StrategyMode", "house", MODE)
        await self.release_all()
        for account in await self.venue.accounts():
            missing = CAPITAL_USDT - float(account["equityUsdt"])
            if missing > CAPITAL_USDT * 0.05:
                await self.venue.deposit(account["name"], f"{missing:.2f}")
        await self.until("tradingpolicies", "house", "EnginesAcknowledged")
        await self.until("strategymodes", "house", "EnginesAcknowledged")
        await self.until_engines(lambda s: s["gate"] == "ACTIVE" and s["reconciled"], "ACTIVE again", 30)
        self.began_at = await self.venue.newest(self.began_at)

    async def release_all(self) -> None:
        """As people would: two approvals each, then the objects go."""
        for name, stop in (await self.stops()).items():
            given = {approval["by"] for approval in stop["spec"].get("approvals", [])}
            for person in {"alice", "bob"} - given:
                ran = await self.approve(name, person)
                assert ran.code == 0, ran.err
        for name in await self.stops():
            await self.until("emergencystops", name, "Released")
            await self.api.delete(f"{OURS}/emergencystops/{name}")


def unix_ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _maybe_ms(stamp: str | None) -> int | None:
    return unix_ms(stamp) if stamp else None

"""It runs with namespaced rights only, says what it checked, and mirrors to Redis without needing it."""

import asyncio
import json
import shutil

import aiohttp
import pytest
import redis.asyncio as redis
import yaml
from tests.live.operator.desk import Desk, eventually

from quantum_api import names
from quantum_api.policy_document import Jwks, Verified, verify
from quantum_cluster.address_block import free_port
from quantum_cluster.redis_package import ensure_redis

pytestmark = pytest.mark.asyncio(loop_scope="session")

RULES = [
    {"apiGroups": [names.GROUP], "resources": ["tradingpolicies", "strategymodes", "emergencystops"], "verbs": ["list", "watch"]},
    {"apiGroups": [names.GROUP], "resources": ["emergencystops"], "verbs": ["create"]},
    {
        "apiGroups": [names.GROUP],
        "resources": ["tradingpolicies/status", "strategymodes/status", "emergencystops/status"],
        "verbs": ["patch"],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["quantum-trader-signing"], "verbs": ["get", "patch"]},
    {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["quantum-trader-jwks"], "verbs": ["get", "patch"]},
]


async def kubeconfig_of_a_service_account(desk: Desk) -> str:
    name, group = "operator", "rbac.authorization.k8s.io"
    await desk.api.create(desk.core("serviceaccounts"), {"metadata": {"name": name}})
    base = f"/apis/{group}/v1/namespaces/{desk.namespace}"
    await desk.api.create(f"{base}/roles", {"metadata": {"name": name}, "rules": RULES})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": desk.namespace}
    binding = {"metadata": {"name": name}, "roleRef": {"apiGroup": group, "kind": "Role", "name": name}, "subjects": [subject]}
    await desk.api.create(f"{base}/rolebindings", binding)
    token = (await desk.kubectl("create", "token", name)).strip()
    config = yaml.safe_load(desk.cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = desk.cluster.state.root / f"{desk.namespace}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


async def test_the_namespaced_rights_that_are_written_down_are_enough(desk: Desk) -> None:
    desk.kubeconfig = await kubeconfig_of_a_service_account(desk)
    port = free_port("127.0.0.1", 18_080)
    operator = await desk.operator(http_port=str(port))
    engine = await desk.engine("engine-0")
    await desk.share_jwks()
    await desk.policy()
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    engine.trip("trip-1")
    await desk.until("TradingPolicy", "base", "EmergencyStopActive")
    await eventually(lambda: desk.all("EmergencyStop"), "the object of the latch")
    await eventually(lambda: desk.events("base"), "an event")
    await eventually(lambda: _ready(port), "ready")
    assert "403" not in operator.log.read_text()


async def _ready(port: int) -> bool:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "quantum_operator_pushes_total" in await answer.text()
        async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            found = json.loads(await answer.text())
            names_ = {check["name"] for check in found["checks"]}
            assert {"last LIST of tradingpolicies", "last watch event of pods", "signing key"} <= names_
            return answer.status == 200


async def test_the_newest_document_is_mirrored_and_again_after_redis_lost_it(desk: Desk) -> None:
    binary = shutil.which("redis-server") or str(ensure_redis())
    port = free_port("127.0.0.1", 16_399)

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", stdout=asyncio.subprocess.DEVNULL
        )

    server = await start()
    client = redis.Redis(port=port)
    try:
        await desk.operator(redis_url=f"redis://127.0.0.1:{port}")
        engine = await desk.engine("engine-0")
        await desk.share_jwks()
        await desk.policy(leaseSeconds=5)
        await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
        first = await eventually(lambda: client.get(names.document_key(engine.id)), "the mirrored document")
        assert isinstance(verify(first, engine.jwks or Jwks({}), engine.id), Verified)
        server.kill()
        await server.wait()
        await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 7})
        await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
        server = await start()

        async def mirrored() -> bool:
            try:
                token = await client.get(names.document_key(engine.id))
            except redis.RedisError:
                return False
            found = verify(token, engine.jwks or Jwks({}), engine.id) if token else None
            return isinstance(found, Verified) and found.document.limits is not None and found.document.limits.max_order_notional_usdt == 7

        await eventually(mirrored, "the newest document is mirrored again", 20)
    finally:
        await client.aclose()
        server.kill()
        await server.wait()

"""Names and addresses of services lead to ready pods, and to nobody else."""

import asyncio
import urllib.request

import pytest

from quantum_cluster.embedded import EmbeddedCluster

from .conftest import POD_IP, Kube, eventually, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWER_NAME = (
    "import http.server as h, os\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.end_headers(); self.wfile.write(os.environ['HOSTNAME'].encode())\n"
    "h.ThreadingHTTPServer((os.environ['POD_IP'], 8080), H).serve_forever()"
)


def server(name: str) -> dict:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    return pod(name, "python", "-c", ANSWER_NAME, labels={"app": "front"}, env=[POD_IP], readinessProbe=probe)


def service(name: str, **spec) -> dict:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "front"}, "ports": ports, **spec},
    }


async def fetch(url: str) -> str:
    return await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())


async def test_a_service_shares_out_and_fails_over(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(service("front"), server("a"), server("b"))
    await kube.ready("a", "b")
    address = (await kube.get("service", "front"))["spec"]["clusterIP"]
    assert {await fetch(f"http://{address}/") for _ in range(4)} == {"a", "b"}
    await kube("delete", "pod", "a")
    assert {await fetch(f"http://{address}/") for _ in range(4)} == {"b"}


async def test_a_service_with_nobody_ready_refuses_at_once(kube: Kube) -> None:
    await kube.apply(service("front"), server("a"))
    await kube.ready("a")
    address = (await kube.get("service", "front"))["spec"]["clusterIP"]
    assert await fetch(f"http://{address}/") == "a"
    await kube("delete", "pod", "a")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address, 80)


async def test_a_frozen_backend_is_left_out_while_it_is_not_ready(kube: Kube, cluster: EmbeddedCluster) -> None:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1}
    a, b = server("a"), server("b")
    for each in (a, b):
        each["spec"]["containers"][0]["readinessProbe"] = probe
    await kube.apply(service("front"), a, b)
    await kube.ready("a", "b")
    address = (await kube.get("service", "front"))["spec"]["clusterIP"]
    cluster.pods.freeze("a", kube.namespace)
    await kube("wait", "--for=condition=Ready=False", "pod/a", "--timeout=10s")
    assert {await fetch(f"http://{address}/") for _ in range(3)} == {"b"}
    cluster.pods.thaw("a", kube.namespace)


async def test_service_names_resolve_inside_a_pod(kube: Kube) -> None:
    headless = service("peers", clusterIP="None")
    named = server("a")
    named["spec"] |= {"hostname": "first", "subdomain": "peers"}
    await kube.apply(service("front"), headless, named, pod("client", "sleep", "600"))
    await kube.ready("a", "client")
    namespace = kube.namespace
    program = "import sys, urllib.request as u\nfor url in sys.argv[1:]: print(u.urlopen(url, timeout=5).read().decode())"
    urls = [
        "http://front/",
        f"http://front.{namespace}.svc.cluster.local/",
        "http://peers:8080/",
        f"http://first.peers.{namespace}.svc:8080/",
    ]

    async def answers() -> bool:
        return (await kube.inside("client", "python", "-c", program, *urls)).split() == ["first"] * 4

    await eventually(answers, "all four names answer")
    assert (await kube.inside("client", "sh", "-c", "echo $FRONT_SERVICE_PORT")).strip() == "80"

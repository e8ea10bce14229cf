"""The baseline: watch -> PUT to three trivial servers -> status patch, with no framework, no signing, no disk.

Run as processes of its own, as operator and engines are: `python -m benchmarks.bare_loop serve ADDRESS PORT` and
`python -m benchmarks.bare_loop loop KUBECONFIG NAMESPACE NAME URL…`.
"""

import asyncio
import base64
import json
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
import yaml
from aiohttp import web

PATH = "/apis/quantumtrader.io/v1alpha1/namespaces/{namespace}/tradingpolicies"


def connection(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Server and client TLS context of a kubeconfig with certificate files or data."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cafile=_file(cluster, "certificate-authority"))
    context.load_cert_chain(_file(user, "client-certificate"), _file(user, "client-key"))
    return cluster["server"], context


def _file(entry: dict[str, str], name: str) -> str:
    if name in entry:
        return entry[name]
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(base64.b64decode(entry[f"{name}-data"]))
    return file.name


def serve(address: str, port: int) -> None:
    """One trivial engine: answers 200."""

    async def put(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_put("/v1/policy", put)
    web.run_app(app, host=address, port=port, print=None)


async def loop(kubeconfig: Path, namespace: str, name: str, urls: list[str]) -> None:
    """Watch one object; for each generation PUT to all, then patch status."""
    server, context = connection(kubeconfig)
    url = server + PATH.format(namespace=namespace)
    connector = aiohttp.TCPConnector(ssl=context)
    forever = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=forever) as kube, aiohttp.ClientSession() as engines:
        done = 0
        async for obj in watch(kube, url, name):
            if obj["metadata"]["generation"] == done:
                continue
            done = obj["metadata"]["generation"]
            await asyncio.gather(*(_put(engines, u, json.dumps(obj["spec"])) for u in urls))
            patch = {"status": {"observedGeneration": done}}
            headers = {"Content-Type": "application/merge-patch+json"}
            async with kube.patch(f"{url}/{name}/status", data=json.dumps(patch), headers=headers) as answer:
                await answer.read()


async def watch(session: aiohttp.ClientSession, url: str, name: str) -> Any:
    """Objects named ``name`` as they change."""
    params = {"watch": "1", "fieldSelector": f"metadata.name={name}"}
    async with session.get(url, params=params) as response:
        async for line in response.content:
            yield json.loads(line)["object"]


async def _put(session: aiohttp.ClientSession, url: str, body: str) -> None:
    async with session.put(f"{url}/v1/policy", data=body) as answer:
        await answer.read()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        uvloop.run(loop(Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]))

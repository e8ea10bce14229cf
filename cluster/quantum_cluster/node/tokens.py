"""Gets service-account tokens for a pod and says when to get new ones.

In    a pod, the audience and lifetime a volume asks for
Out   a token bound to the pod, and when it is due for renewal
Flow  pod worker -> HERE -> API server (TokenRequest)
Why   bound tokens die with their pod, and expire: a pod that lives longer needs fresh ones in its file
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from quantum_cluster.kube_client import UNREACHABLE, ApiError, KubeClient
from quantum_cluster.node.fields import NotYetError, Object
from quantum_cluster.node.volumes import token_requests

_RENEW_AT: Final = 0.8
_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Tokens:
    """Tokens by audience, and the monotonic time at which the first is due for renewal."""

    by_audience: dict[str, str]
    renew_at: float


async def request_tokens(client: KubeClient, pod: Object) -> Tokens:
    """NotYetError when the API server is away or refuses: the pod waits, as it would with any kubelet."""
    wanted = [request for volume in pod["spec"].get("volumes", []) for request in token_requests(volume)]
    by_audience, renew_at = {}, float("inf")
    for audience, lifetime_seconds in wanted:
        try:
            by_audience[audience] = await _request(client, pod, audience, lifetime_seconds)
        except (ApiError, *UNREACHABLE) as error:
            raise NotYetError("ContainerCreating", f"service-account token: {error}") from error
        renew_at = min(renew_at, time.monotonic() + _RENEW_AT * lifetime_seconds)
    return Tokens(by_audience, renew_at)


async def renewed(client: KubeClient, pod: Object, held: Tokens) -> Tokens:
    """Sleep until renewal is due, then try until it succeeds."""
    await asyncio.sleep(held.renew_at - time.monotonic())
    while True:
        try:
            return await request_tokens(client, pod)
        except NotYetError:
            await asyncio.sleep(_RETRY_SECONDS)


async def _request(client: KubeClient, pod: Object, audience: str, lifetime_seconds: int) -> str:
    meta, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    spec = {"audiences": [audience] if audience else [], "expirationSeconds": lifetime_seconds, "boundObjectRef": bound}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    answer = await client.create(f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token", body)
    return str(answer["status"]["token"])

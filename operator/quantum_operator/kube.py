"""Speaks to the API server through kubernetes.aio: plain JSON in and out, every foreign error translated.

In    paths and manifests
Out   dictionaries; RefusedError for an answer that says no, RetryableError when there was none
Flow  relist, status writer, stop creator, key store, event poster -> HERE -> kube-apiserver
Why   raw JSON keeps a LIST of a thousand pods cheap, and the typed models would drop nothing that is needed here
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import kopf
from kubernetes.aio import client, config

from quantum_api import names
from quantum_api.kinds import Kind
from quantum_operator.errors import RefusedError, RetryableError
from quantum_operator.world import KIND_OF, Resource

Json = dict[str, Any]

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
_REQUEST_TIMEOUT_SECONDS: Final = 10.0
_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_UNREACHABLE: Final = (aiohttp.ClientError, TimeoutError, OSError)


async def load_configuration() -> client.Configuration:
    """KUBECONFIG or ~/.kube/config if there is one, else the service account of the pod."""
    configuration, kubeconfig = client.Configuration(), _kubeconfig()
    if kubeconfig is None:
        config.load_incluster_config(client_configuration=configuration)
    else:
        await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)
    return configuration


def _kubeconfig() -> str | None:
    named, home = os.environ.get("KUBECONFIG"), Path("~/.kube/config").expanduser()
    in_pod = (_SERVICE_ACCOUNT / "token").exists()
    return named or (str(home) if home.exists() and not in_pod else None)


def own_namespace() -> str:
    """Namespace of the pod's service account; ``default`` outside a cluster."""
    path = _SERVICE_ACCOUNT / "namespace"
    return path.read_text().strip() if path.exists() else "default"


async def kopf_connection() -> kopf.ConnectionInfo:
    """The same credentials for the framework's watches; read again whenever it asks, because tokens expire."""
    configuration = await load_configuration()
    authorization = await configuration.get_api_key_with_prefix("BearerToken") or ""
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        token=authorization.split(" ", 1)[-1] or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )


class Kube:
    """One client session for one namespace.  Use as an async context manager."""

    def __init__(self, configuration: client.Configuration, namespace: str) -> None:
        self._client = client.ApiClient(configuration)
        self.namespace = namespace

    async def __aenter__(self) -> "Kube":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.close()

    async def list(self, resource: Resource) -> tuple[int, list[Json]]:
        """The list's own resourceVersion and its items, read with quorum."""
        path = self.objects(KIND_OF[resource]) if resource in KIND_OF else self._core("pods")
        query = {} if resource in KIND_OF else {"labelSelector": names.ENGINE_SELECTOR}
        answer = await self.request("GET", path, query=query)
        return int(answer["metadata"]["resourceVersion"]), answer["items"]

    async def apply_status(self, kind: Kind, name: str, uid: str, status: Mapping[str, Any]) -> Json:
        """Server-side apply of the whole status.  ``uid`` makes it miss an object that was made anew under the same name."""
        metadata = {"name": name, "namespace": self.namespace, "uid": uid}
        body = {"apiVersion": names.API_VERSION, "kind": kind.kind, "metadata": metadata, "status": status}
        return await self.apply(f"{self.objects(kind)}/{quote(name)}/status", body)

    async def apply(self, path: str, body: Json) -> Json:
        return await self.request(
            "PATCH", path, body=body, content_type=APPLY, query={"fieldManager": names.FIELD_MANAGER, "force": "true"}
        )

    async def create(self, path: str, body: Json) -> Json:
        return await self.request("POST", path, body=body, query={"fieldManager": names.FIELD_MANAGER})

    def objects(self, kind: Kind) -> str:
        return f"/apis/{names.GROUP}/{names.VERSION}/namespaces/{self.namespace}/{kind.plural}"

    def secrets(self) -> str:
        return self._core("secrets")

    def config_maps(self) -> str:
        return self._core("configmaps")

    def events(self) -> str:
        return self._core("events")

    def _core(self, plural: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{plural}"

    async def request(
        self, method: str, path: str, *, body: Json | None = None, content_type: str = JSON, query: Mapping[str, str] | None = None
    ) -> Json:
        headers = {"Accept": JSON, "Content-Type": content_type}
        try:
            configuration = self._client.configuration
            authorization = await configuration.get_api_key_with_prefix("BearerToken")
            if authorization:
                headers["Authorization"] = authorization
            url = f"{configuration.host}{path}{'?' + urlencode(query) if query else ''}"
            response = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT_SECONDS)
            )
            data = await response.read()
        except _UNREACHABLE as error:
            raise RetryableError(f"{method} {path}: {error or type(error).__name__}") from error
        return _answer(method, path, response.status, data)


def _answer(method: str, path: str, status: int, data: bytes) -> Json:
    try:
        document: Json = json.loads(data) if data else {}
    except ValueError as error:
        raise RetryableError(f"{method} {path}: {status} with a body that is not JSON") from error
    if status >= 500 or status == 429:
        raise RetryableError(f"{method} {path}: {status} {document.get('message', '')}")
    if status >= 400:
        raise RefusedError(status, str(document.get("reason", "")), str(document.get("message", "")))
    return document

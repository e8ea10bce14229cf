"""Keeps the signing keys in a Secret and publishes their public halves in a ConfigMap.

In    Kube, names of both objects, wall clock
Out   the ring to sign with; the JWKS where engines mount it
Flow  start and every few seconds -> HERE -> signing
Why   the Secret is the only truth: whoever writes it first wins, everyone else reads it again
"""

from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quantum_api import names
from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.errors import RefusedError, RetryableError
from quantum_operator.keys import JWKS_KEY, KeyRing, after_due_steps, as_published, first_ring, read_ring, secret_data, with_pending
from quantum_operator.kube import MERGE, Json, Kube
from quantum_operator.logs import logger

_LABELS: Final = {"app.kubernetes.io/part-of": "quantum-trader", "app.kubernetes.io/managed-by": names.FIELD_MANAGER}
_log = logger("keys")


class KeyStore:
    """The ring in the cluster."""

    def __init__(self, kube: Kube, secret: str, config_map: str, grace_seconds: int, clock: Clock) -> None:
        self._kube = kube
        self._secret = secret
        self._config_map = config_map
        self._grace_ms = grace_seconds * 1000
        self._clock = clock
        self._published = ""
        self.ring: KeyRing | None = None

    async def refresh(self) -> KeyRing:
        """Read the ring, make the first key if there is none, take the step of a rotation that is due, publish.

        Publishing comes before every step, so nothing is ever signed with a key that no engine could know.
        """
        ring, version = await self._read()
        await self._publish(ring)
        now_ms = self._clock.wall_ms()
        stepped = after_due_steps(as_published(ring, now_ms), now_ms, self._grace_ms)
        if stepped != ring:
            await self._write(stepped, version)
            await self._publish(stepped)
            ring = stepped
        if self.ring is None or ring.active_id != self.ring.active_id:
            _log.info("signing_key_active", key_id=ring.active_id, keys=len(ring.keys))
        self.ring = ring
        metrics.SIGNING_KEYS.set(len(ring.keys))
        return ring

    async def rotate(self) -> KeyRing:
        """Add a pending key and publish it; the running operator makes it active when the grace is over."""
        ring, version = await self._read()
        rotated = with_pending(ring, self._clock.wall_ms(), Ed25519PrivateKey.generate())
        if rotated != ring:
            await self._write(rotated, version)
        await self._publish(rotated)
        return rotated

    async def _read(self) -> tuple[KeyRing, str]:
        try:
            secret = await self._kube.request("GET", f"{self._kube.secrets()}/{quote(self._secret)}")
        except RefusedError as error:
            if not error.is_gone:
                raise
            secret = await self._create()
        return read_ring(secret.get("data") or {}), str(secret["metadata"]["resourceVersion"])

    async def _create(self) -> Json:
        ring = first_ring(self._clock.wall_ms(), Ed25519PrivateKey.generate())
        try:
            return await self._kube.create(self._kube.secrets(), self._manifest(ring, None))
        except RefusedError as error:
            if not error.is_conflict:
                raise
            return await self._kube.request("GET", f"{self._kube.secrets()}/{quote(self._secret)}")

    async def _write(self, ring: KeyRing, version: str) -> None:
        try:
            path = f"{self._kube.secrets()}/{quote(self._secret)}"
            await self._kube.request("PATCH", path, body=self._manifest(ring, version), content_type=MERGE)
        except RefusedError as error:
            if error.is_conflict:
                raise RetryableError("the signing Secret was changed by somebody else meanwhile") from error
            raise

    def _manifest(self, ring: KeyRing, version: str | None) -> Json:
        metadata: Json = {"name": self._secret, "namespace": self._kube.namespace, "labels": _LABELS}
        if version is not None:
            metadata["resourceVersion"] = version
        return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": secret_data(ring)}

    async def _publish(self, ring: KeyRing) -> None:
        jwks = ring.jwks()
        if jwks == self._published and await self._is_published(jwks):
            return
        metadata = {"name": self._config_map, "namespace": self._kube.namespace, "labels": _LABELS}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {JWKS_KEY: jwks}}
        await self._kube.apply(f"{self._kube.config_maps()}/{quote(self._config_map)}", body)
        self._published = jwks

    async def _is_published(self, jwks: str) -> bool:
        try:
            found = await self._kube.request("GET", f"{self._kube.config_maps()}/{quote(self._config_map)}")
        except RefusedError as error:
            if error.is_gone:
                return False
            raise
        return (found.get("data") or {}).get(JWKS_KEY) == jwks

"""Keeps a ring of signing keys and says when each may sign.  Pure.

In    the ring as stored in the Secret, wall time
Out   the ring after the step that is due, the JWKS that engines need
Flow  Secret -> HERE -> signing; JWKS -> ConfigMap -> engines
Why   a key must be known to every engine before it signs, and must stay known while any document that it signed may still be valid

A key is pending from its making until a grace after its publication (kubelets take up to 90 s to refresh a mounted ConfigMap), then
active, then retired until every document it signed has expired, then dropped.  Exactly one key is active.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from quantum_api.policy_document import jwk_of, key_id
from quantum_operator.errors import KeyRingError

RING_KEY: Final = "keyring.json"
JWKS_KEY: Final = "jwks.json"
MAX_LEASE_MS: Final = 3_600_000
"""Upper bound of leaseSeconds: no document outlives it."""


@dataclass(frozen=True)
class SigningKey:
    """One private key and its story, in Unix milliseconds."""

    private: Ed25519PrivateKey
    created_at_ms: int
    published_at_ms: int | None = None
    retired_at_ms: int | None = None

    @cached_property
    def id(self) -> str:
        return key_id(self.private.public_key())


@dataclass(frozen=True)
class KeyRing:
    """All keys, oldest first."""

    keys: tuple[SigningKey, ...]
    active_id: str

    @property
    def active(self) -> SigningKey:
        return next(key for key in self.keys if key.id == self.active_id)

    @property
    def pending(self) -> tuple[SigningKey, ...]:
        return tuple(key for key in self.keys if key.id != self.active_id and key.retired_at_ms is None)

    def jwks(self) -> str:
        """Public halves of all of them, as engines read it."""
        return json.dumps({"keys": [jwk_of(key.private.public_key()) for key in self.keys]}, indent=1, sort_keys=True)


def first_ring(now_ms: int, private: Ed25519PrivateKey) -> KeyRing:
    """A ring whose only key is active at once: no engine has ever known another."""
    key = SigningKey(private, now_ms, published_at_ms=now_ms)
    return KeyRing((key,), key.id)


def with_pending(ring: KeyRing, now_ms: int, private: Ed25519PrivateKey) -> KeyRing:
    """Begin a rotation; while one is under way, nothing changes."""
    return ring if ring.pending else replace(ring, keys=(*ring.keys, SigningKey(private, now_ms)))


def as_published(ring: KeyRing, now_ms: int) -> KeyRing:
    """The JWKS with every key of the ring is in the ConfigMap now: the grace of new ones begins."""
    return replace(ring, keys=tuple(replace(k, published_at_ms=now_ms) if k.published_at_ms is None else k for k in ring.keys))


def after_due_steps(ring: KeyRing, now_ms: int, grace_ms: int) -> KeyRing:
    """Promote the pending key once its grace is over; drop retired keys whose documents have all expired."""
    ripe = next((k for k in ring.pending if k.published_at_ms is not None and now_ms >= k.published_at_ms + grace_ms), None)
    if ripe is not None:
        keys = tuple(replace(k, retired_at_ms=now_ms) if k.id == ring.active_id else k for k in ring.keys)
        ring = KeyRing(keys, ripe.id)
    kept = tuple(k for k in ring.keys if k.retired_at_ms is None or now_ms < k.retired_at_ms + MAX_LEASE_MS + grace_ms)
    return replace(ring, keys=kept)


def secret_data(ring: KeyRing) -> dict[str, str]:
    """``data`` of the Secret."""
    entries = [
        {"pem": _pem(k.private), "createdAtMs": k.created_at_ms, "publishedAtMs": k.published_at_ms, "retiredAtMs": k.retired_at_ms}
        for k in ring.keys
    ]
    document = json.dumps({"active": ring.active_id, "keys": entries})
    return {RING_KEY: base64.b64encode(document.encode()).decode()}


def read_ring(data: Mapping[str, str]) -> KeyRing:
    """Raises KeyRingError, naming what is wrong."""
    try:
        document = json.loads(base64.b64decode(data[RING_KEY]))
        ring = KeyRing(tuple(_key(entry) for entry in document["keys"]), str(document["active"]))
    except (KeyError, ValueError, TypeError) as error:
        raise KeyRingError(f"{RING_KEY} cannot be read: {error!r}; restore the Secret, or delete it to start with a new key") from error
    if ring.active_id not in {key.id for key in ring.keys}:
        raise KeyRingError(f"{RING_KEY}: active key {ring.active_id!r} is not among its keys")
    return ring


def _key(entry: dict[str, Any]) -> SigningKey:
    private = load_pem_private_key(entry["pem"].encode(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("every key must be Ed25519")
    published, retired = (None if entry.get(name) is None else int(entry[name]) for name in ("publishedAtMs", "retiredAtMs"))
    return SigningKey(private, int(entry["createdAtMs"]), published, retired)


def _pem(private: Ed25519PrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

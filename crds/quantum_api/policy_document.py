"""What one engine is told, as signed bytes.  Pure.

In    a PolicyDocument and a private key; or signed bytes and a JWKS
Out   a compact JWS (EdDSA, key id in the header); or the verified document, or the word why not
Flow  operator: resolve -> HERE sign -> HTTP push | Redis mirror | local file -> HERE verify -> engine
Why   the same bytes on every channel, so no channel needs to be trusted (DESIGN 4)

The fence is a vector: ``seen`` holds, per watched resource, the resourceVersion up to which the operator had seen the world.  An engine
takes a document only if no component goes back, so an operator that lags on any one watch can never undo what another has said.
``epoch`` is the vector's maximum, one number for people and logs.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm
from pydantic import Field, ValidationError

from quantum_api.gate import Gate
from quantum_api.model import ApiModel
from quantum_api.refusals import DocumentRefusal
from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits, StopAction

SCHEMA_VERSION: Final = 1
TYPE: Final = "quantum-policy+jws"
ALGORITHM: Final = "EdDSA"
MAX_BYTES: Final = 8 * 1_048_576
"""Some ten thousand stops; an operator that has more to say sends ``tightest`` instead (quantum_operator.resolve)."""
MAX_HEADER_BYTES: Final = 4_096
"""Read before the signature can be checked, so by whoever sends it: a large one would hold up the engine's event loop for seconds."""


class Seen(ApiModel):
    """resourceVersion up to which each watched resource had been seen; 0 = nothing yet."""

    trading_policies: Annotated[int, Field(ge=0)] = 0
    strategy_modes: Annotated[int, Field(ge=0)] = 0
    emergency_stops: Annotated[int, Field(ge=0)] = 0
    engine: Annotated[int, Field(ge=0)] = 0

    def _components(self) -> tuple[int, int, int, int]:
        return (self.trading_policies, self.strategy_modes, self.emergency_stops, self.engine)

    @property
    def epoch(self) -> int:
        return max(self._components())

    def covers(self, other: "Seen") -> bool:
        """Whether no component is behind ``other``."""
        return all(mine >= theirs for mine, theirs in zip(self._components(), other._components(), strict=True))

    def join(self, other: "Seen") -> "Seen":
        """The least vector that covers both."""
        return Seen.model_validate({name: max(getattr(self, name), getattr(other, name)) for name in type(self).model_fields})


class Source(ApiModel):
    """One object that the document was resolved from."""

    kind: str
    name: str
    uid: str
    generation: Annotated[int, Field(ge=0)]


class StopOrder(ApiModel):
    """A stop in force for this engine."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    """Latch id: the object's uid, or the engine's own id for a stop that it pulled itself."""
    name: str
    """Name of the object, for people."""
    action: Annotated[StopAction, Field(strict=False)]
    symbols: list[str] = []
    reason: str


class PolicyDocument(ApiModel):
    """Everything one engine may do, until ``expires_at_ms``."""

    schema_version: int = SCHEMA_VERSION
    engine: str
    """``namespace/pod``: documents are for one engine."""
    epoch: Annotated[int, Field(ge=0)]
    seen: Seen
    issued_at_ms: Annotated[int, Field(ge=0)]
    """Unix milliseconds."""
    expires_at_ms: Annotated[int, Field(ge=0)]
    lease_seconds: Annotated[int, Field(ge=1)]
    gate: Annotated[Gate, Field(strict=False)]
    """HALTED when no policy selects the engine."""
    limits: Limits | None
    strategy: Strategy | None
    stops: list[StopOrder] = []
    released: list[str] = []
    """Latch ids that enough people have approved to release."""
    sources: list[Source] = []


@dataclass(frozen=True)
class Verified:
    """A document whose signature held, with the bytes that it came in."""

    document: PolicyDocument
    token: bytes
    key_id: str

    @property
    def digest(self) -> str:
        return digest(self.token)


@dataclass(frozen=True)
class Rejected:
    """Why signed bytes are not a document."""

    reason: DocumentRefusal
    message: str


def digest(token: bytes) -> str:
    """sha256 of the signed bytes, hex: names exactly what an engine enforces."""
    return hashlib.sha256(token).hexdigest()


def key_id(public_key: Ed25519PublicKey) -> str:
    """RFC 7638 thumbprint of the public key."""
    jwk = json.loads(OKPAlgorithm.to_jwk(public_key))
    members = {name: jwk[name] for name in ("crv", "kty", "x")}
    return hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def jwk_of(public_key: Ed25519PublicKey) -> dict[str, Any]:
    """One entry of a JWKS."""
    jwk = json.loads(OKPAlgorithm.to_jwk(public_key))
    return {"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "alg": ALGORITHM, "use": "sig", "kid": key_id(public_key)}


class Jwks:
    """The public keys that an engine accepts, parsed once."""

    def __init__(self, keys: dict[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def parse(cls, text: str | bytes) -> "Jwks":
        """Read a JWKS.  Raises ValueError, naming what is wrong, rather than accept a set with an unusable key."""
        keys: dict[str, Ed25519PublicKey] = {}
        document = json.loads(text)
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise ValueError("JWKS must be an object with a list 'keys'")
        for jwk in document["keys"]:
            public_key = OKPAlgorithm.from_jwk(jwk)
            if not isinstance(public_key, Ed25519PublicKey):
                raise ValueError(f"JWKS key {jwk.get('kid')!r} must be an Ed25519 public key")
            keys[str(jwk["kid"])] = public_key
        return cls(keys)

    def get(self, kid: str) -> Ed25519PublicKey | None:
        return self._keys.get(kid)

    def __len__(self) -> int:
        return len(self._keys)


_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


def sign(document: PolicyDocument, private_key: Ed25519PrivateKey, kid: str) -> bytes:
    """Compact JWS of ``document``."""
    payload = document.model_dump_json(by_alias=True).encode()
    return _JWS.encode(payload, private_key, algorithm=ALGORITHM, headers={"kid": kid, "typ": TYPE}).encode()


def verify(token: bytes, jwks: Jwks, engine: str) -> Verified | Rejected:
    """Check shape, key, signature, schema and addressee; time and fence are the policy store's to check."""
    too_large = _too_large(token)
    if too_large:
        return Rejected(DocumentRefusal.MALFORMED, too_large)
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        return Rejected(DocumentRefusal.MALFORMED, f"not a JWS: {error}")
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE:
        return Rejected(DocumentRefusal.BAD_SIGNATURE, f"header must say alg {ALGORITHM} and typ {TYPE}")
    kid = str(header.get("kid", ""))
    public_key = jwks.get(kid)
    if public_key is None:
        return Rejected(DocumentRefusal.UNKNOWN_KEY, f"key id {kid!r} is not in the JWKS; compare the operator's JWKS ConfigMap")
    try:
        payload = _JWS.decode(token, public_key, algorithms=[ALGORITHM])
    except jwt.PyJWTError as error:
        return Rejected(DocumentRefusal.BAD_SIGNATURE, f"signature does not verify: {error}")
    try:
        document = PolicyDocument.model_validate_json(payload)
    except ValidationError as error:
        return Rejected(DocumentRefusal.MALFORMED, f"payload breaks the schema: {error.errors(include_url=False)[:3]}")
    if document.schema_version > SCHEMA_VERSION:
        return Rejected(
            DocumentRefusal.MALFORMED, f"schema version {document.schema_version} is newer than {SCHEMA_VERSION}: update the engine"
        )
    if document.engine != engine:
        return Rejected(DocumentRefusal.WRONG_ENGINE, f"document is for {document.engine}, this engine is {engine}")
    return Verified(document, token, kid)


def _too_large(token: bytes) -> str:
    """What is, or nothing."""
    if len(token) > MAX_BYTES:
        return f"document is {len(token)} bytes, the limit is {MAX_BYTES}"
    if token.find(b".", 0, MAX_HEADER_BYTES + 1) < 0:
        return f"not a JWS: no header within {MAX_HEADER_BYTES} bytes"
    return ""

"""Promise 1 and 4: what an engine accepts is exactly what the operator signed, for this engine."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quantum_api.gate import Gate
from quantum_api.policy_document import Jwks, PolicyDocument, Rejected, Seen, Verified, jwk_of, key_id, sign, verify
from quantum_api.refusals import DocumentRefusal

ENGINE = "default/engine-0"
KEY = Ed25519PrivateKey.generate()
KID = key_id(KEY.public_key())
JWKS = Jwks.parse(json.dumps({"keys": [jwk_of(KEY.public_key())]}))


def document(**changes: Any) -> PolicyDocument:
    fields = {
        "engine": ENGINE, "epoch": 7, "seen": Seen(trading_policies=7), "issued_at_ms": 1, "expires_at_ms": 2, "lease_seconds": 60,
        "gate": Gate.HALTED, "limits": None, "strategy": None,
    }  # fmt: skip
    return PolicyDocument(**{**fields, **changes})


def refusal(token: bytes, jwks: Jwks = JWKS, engine: str = ENGINE) -> DocumentRefusal:
    outcome = verify(token, jwks, engine)
    assert isinstance(outcome, Rejected)
    return outcome.reason


def test_what_was_signed_is_what_is_verified() -> None:
    outcome = verify(sign(document(), KEY, KID), JWKS, ENGINE)
    assert isinstance(outcome, Verified)
    assert outcome.document == document()
    assert outcome.key_id == KID


def test_a_document_for_another_engine_is_refused() -> None:
    assert refusal(sign(document(engine="default/engine-1"), KEY, KID)) is DocumentRefusal.WRONG_ENGINE


def test_a_foreign_key_is_refused_by_its_id() -> None:
    foreign = Ed25519PrivateKey.generate()
    assert refusal(sign(document(), foreign, key_id(foreign.public_key()))) is DocumentRefusal.UNKNOWN_KEY


def test_a_foreign_key_that_borrows_our_id_is_refused() -> None:
    assert refusal(sign(document(), Ed25519PrivateKey.generate(), KID)) is DocumentRefusal.BAD_SIGNATURE


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_a_changed_byte_is_refused(position: float) -> None:
    token = bytearray(sign(document(), KEY, KID))
    at = int(len(token) * position)
    token[at] = ord("A") if token[at] != ord("A") else ord("B")
    assert isinstance(verify(bytes(token), JWKS, ENGINE), Rejected)


def test_an_unsigned_document_is_refused() -> None:
    token = jwt.encode(json.loads(document().model_dump_json(by_alias=True)), key="", algorithm="none", headers={"kid": KID})
    assert refusal(token.encode()) is DocumentRefusal.BAD_SIGNATURE


def test_a_public_key_cannot_be_used_as_a_shared_secret() -> None:
    """The classic confusion: HS256 keyed with the public key."""
    secret = KEY.public_key().public_bytes_raw() + b"\0" * 32
    token = jwt.encode(
        json.loads(document().model_dump_json(by_alias=True)), secret, "HS256", headers={"kid": KID, "typ": "quantum-policy+jws"}
    )
    assert refusal(token.encode()) is DocumentRefusal.BAD_SIGNATURE


def test_a_payload_that_breaks_the_schema_is_refused_although_signed() -> None:
    payload = {**json.loads(document().model_dump_json(by_alias=True)), "leaseSeconds": "60"}
    token = jwt.PyJWS(algorithms=["EdDSA"]).encode(
        json.dumps(payload).encode(), KEY, algorithm="EdDSA", headers={"kid": KID, "typ": "quantum-policy+jws"}
    )
    assert refusal(token.encode()) is DocumentRefusal.MALFORMED


def test_an_empty_body_is_refused() -> None:
    assert refusal(b"") is DocumentRefusal.MALFORMED


def test_a_key_set_with_a_foreign_kind_of_key_is_an_error_not_a_smaller_set() -> None:
    with pytest.raises((ValueError, jwt.InvalidKeyError)):
        Jwks.parse(json.dumps({"keys": [jwk_of(KEY.public_key()), {"kty": "oct", "k": "AAAA", "kid": "x"}]}))


def test_a_header_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to sign it: read, two million lists hold up the engine for two seconds, its stops too."""
    monkeypatch.setattr(jwt, "get_unverified_header", lambda _: pytest.fail("it was read"))
    refused = verify(b"a" * 5_000 + b".e30.AAAA", Jwks({}), "t/e")
    assert isinstance(refused, Rejected)
    assert "no header within 4096 bytes" in refused.message

"""Is this request from who it says, and fresh?  Pure.

In    raw query string, raw body, parsed parameters, the account's secret or public key, the venue's wall time
Out   nothing, or -1021, -1022, -1102
Flow  rest.server -> HERE
Why   the signature covers query + body as sent, without a separator, so it is computed on the raw text: HMAC-SHA256 in
      hex, or Ed25519 in base64
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quantum_simulator.refusals import Words, missing, refuse

DEFAULT_RECV_WINDOW_MS = 5_000
LONGEST_RECV_WINDOW_MS = 60_000
AHEAD_MS = 1_000


def unsigned(text: str) -> str:
    """The text without its signature, wherever that stands."""
    head, found, signature = text.rpartition("&signature=")
    if found and "&" not in signature and not head.startswith("signature=") and "&signature=" not in head:
        return head
    if "signature=" not in text:
        return text
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def sign(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def is_valid(key: str | Ed25519PublicKey, payload: str, signature: str) -> bool:
    if isinstance(key, str):
        return hmac.compare_digest(sign(key, payload).encode(), signature.lower().encode())
    try:
        key.verify(b64decode(signature, validate=True), payload.encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def check(key: str | Ed25519PublicKey, query: str, body: str, params: Mapping[str, str], now_ms: int) -> None:
    signature = params.get("signature")
    stamp = params.get("timestamp", "")
    if not stamp.isdecimal():
        raise missing("timestamp")
    if not signature:
        raise missing("signature")
    window = params.get("recvWindow", "")
    if window and not window.isdecimal():
        raise missing("recvWindow")
    window_ms = min(int(window), LONGEST_RECV_WINDOW_MS) if window else DEFAULT_RECV_WINDOW_MS
    if int(stamp) >= now_ms + AHEAD_MS:
        raise refuse(Words.AHEAD_OF_SERVER)
    if now_ms - int(stamp) > window_ms:
        raise refuse(Words.OUTSIDE_RECV_WINDOW)
    if not is_valid(key, unsigned(query) + unsigned(body), signature):
        raise refuse(Words.BAD_SIGNATURE)

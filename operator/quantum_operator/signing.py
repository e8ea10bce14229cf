"""Stamps and signs what one engine is told, at the moment it is sent.

In    Resolved, the vector it was resolved at, what the engine holds, the key ring, the clock
Out   Issued: document, signed bytes, digest
Flow  reconciler -> HERE -> engine link, mirror
Why   signing at the last moment means a document that had to wait never arrives with half its lease gone
"""

from dataclasses import dataclass

from quantum_api.policy_document import MAX_BYTES, PolicyDocument, Seen, digest, sign
from quantum_operator.clock import Clock
from quantum_operator.keys import KeyRing
from quantum_operator.logs import logger
from quantum_operator.pushing import Sent
from quantum_operator.resolve import Resolved, document, tightest

_log = logger("signing")


@dataclass(frozen=True)
class Issued:
    """One signed document."""

    document: PolicyDocument
    token: bytes
    sent: Sent


class Signer:
    """Issue times per engine only grow, whatever the wall clock does: an engine takes only later documents."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_issued_ms: dict[str, int] = {}
        self.ring: KeyRing | None = None

    def issue(self, engine: str, resolved: Resolved, seen: Seen, held_issued_at_ms: int, confirmed_at_ms: int) -> Issued | None:
        """None while there is no key yet."""
        if self.ring is None:
            return None
        issued_at_ms = max(self._clock.wall_ms(), held_issued_at_ms + 1, self._last_issued_ms.get(engine, 0) + 1)
        self._last_issued_ms[engine] = issued_at_ms
        made = document(resolved, engine, seen, issued_at_ms, confirmed_at_ms)
        token = sign(made, self.ring.active.private, self.ring.active_id)
        if len(token) > MAX_BYTES:
            _log.error("document_too_large", engine=engine, bytes=len(token), stops=len(resolved.stops), released=len(resolved.released))
            made = document(tightest(resolved), engine, seen, issued_at_ms, confirmed_at_ms)
            token = sign(made, self.ring.active.private, self.ring.active_id)
        return Issued(made, token, Sent(digest(token), resolved, self.ring.active_id))

    def forget(self, engine: str) -> None:
        self._last_issued_ms.pop(engine, None)

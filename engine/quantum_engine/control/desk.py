"""Translates between the stages' words and the wire's.

In    a signed document, a halt; what the stages hold
Out   Acknowledgement, DocumentRefused, Latch
Flow  routes -> HERE -> policy, emergency
"""

from typing import Protocol

from quantum_api.engine_status import Acknowledgement, DocumentRefused, HeldPolicy
from quantum_api.policy_document import Verified
from quantum_api.refusals import DocumentRefusal
from quantum_engine.control.board import StatusBoard
from quantum_engine.permission import Permission


class HeldDocument(Protocol):
    """policy.service.Held, as far as the wire shows it."""

    @property
    def verified(self) -> Verified: ...
    @property
    def applied_at_ms(self) -> int: ...


def acknowledgement(engine: str, held: HeldDocument, permission: Permission, board: StatusBoard) -> Acknowledgement:
    """The status version in it is one that already shows the document."""
    return Acknowledgement(
        engine=engine,
        instance=board.instance,
        epoch=held.verified.document.epoch,
        digest=held.verified.digest,
        gate=permission.gate,
        applied_at_ms=held.applied_at_ms,
        status_version=board.publish(),
    )


def refusal(reason: DocumentRefusal, message: str, held: HeldDocument | None) -> DocumentRefused:
    if held is None:
        return DocumentRefused(reason=reason, message=message)
    return DocumentRefused(reason=reason, message=message, held_epoch=held.verified.document.epoch, held_digest=held.verified.digest)


def held_policy(held: HeldDocument, *, lease_valid: bool) -> HeldPolicy:
    """The document in force, as the status shows it."""
    document = held.verified.document
    return HeldPolicy(
        epoch=document.epoch,
        seen=document.seen,
        digest=held.verified.digest,
        key_id=held.verified.key_id,
        issued_at_ms=document.issued_at_ms,
        expires_at_ms=document.expires_at_ms,
        applied_at_ms=held.applied_at_ms,
        lease_valid=lease_valid,
        sources=list(document.sources),
        released=list(document.released),
    )

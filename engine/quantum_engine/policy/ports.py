"""What the policy stage needs of others."""

from collections.abc import Sequence
from typing import Protocol

from quantum_api.policy_document import Jwks, StopOrder
from quantum_engine.journal import Write


class Keys(Protocol):
    """The public keys that documents are verified with."""

    def current(self) -> Jwks:
        """Re-read when the file changed."""
        ...

    def reread(self) -> Jwks:
        """Read now: a key id arrived that is not known."""
        ...


class StopDesk(Protocol):
    """The emergency stage, as far as a document reaches into it."""

    def latch(self, stops: Sequence[StopOrder], released: Sequence[str]) -> None:
        """Latch what is not latched, in memory; ``engage`` follows when it is the document's turn."""
        ...

    def engage(self, stops: Sequence[StopOrder], released: Sequence[str]) -> list[Write]:
        """Latch what is not latched: the gate is closed when this returns; the writes go into the document's own transaction."""
        ...

    def committed(self) -> None:
        """Those writes are on disk."""
        ...

    def not_committed(self) -> None:
        """Those writes are not on disk."""
        ...

    def release(self, released: Sequence[str]) -> None:
        """Latch ids that people released: cleared now if their work and cooldown are over, else as soon as they are."""
        ...


class Mirror(Protocol):
    """The copy of the newest document outside the engine (Redis)."""

    async def document(self) -> bytes | None:
        """Raises RetryableError when it cannot be asked."""
        ...

"""Errors named for what the caller should do.  Foreign errors are translated at the adapter and keep their cause."""


class OperatorError(Exception):
    """Base of the operator's own errors."""


class RetryableError(OperatorError):
    """Nothing was done, or doing it again is harmless; back off and try again."""


class RefusedError(OperatorError):
    """The API server understood and said no."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason

    @property
    def is_gone(self) -> bool:
        return self.status == 404

    @property
    def is_conflict(self) -> bool:
        """Already exists, a uid or resourceVersion that does not match, or another field manager."""
        return self.status == 409


class KeyRingError(OperatorError):
    """The Secret with the signing keys cannot be used; tell the person."""

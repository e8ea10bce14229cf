"""Errors named for what the caller should do.  Foreign errors are translated at the adapter and keep their cause."""


class EngineError(Exception):
    """Base of the engine's own errors."""


class RetryableError(EngineError):
    """Nothing was done; back off and try again."""


class ThrottledError(RetryableError):
    """The exchange or a limit said: later."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnknownOutcomeError(EngineError):
    """It may or may not have been done: ask before you act."""


class PermanentError(EngineError):
    """It will not work by trying again; tell the person."""


class CorruptStateError(EngineError):
    """What is on disk contradicts itself: halt."""


class JournalUnavailableError(RetryableError):
    """The journal cannot be written: an engine that cannot remember must not open."""

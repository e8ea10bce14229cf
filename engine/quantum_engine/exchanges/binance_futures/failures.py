"""What the venue's answer is for the caller: one of the exchange port's errors.  Pure.

Flow  transport -> outcome -> HERE -> client
"""

from quantum_engine.errors import EngineError, RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.exchanges.binance_futures.codes import Outcome, advice
from quantum_engine.exchanges.binance_futures.outcome import Answer, Judged
from quantum_engine.exchanges.port import AccountRefusedError, DuplicateOrderIdError, VenueRefusedError

TAG = "[BINANCE][RATE_LIMIT]"


def error_of(what: str, judged: Judged, answer: Answer) -> EngineError:
    """``what``: method and path.  A question whose outcome is unknown can simply be asked again."""
    said = f"{what}: HTTP {answer.status}, {answer.message or 'no answer'}"
    match judged.outcome:
        case Outcome.THROTTLED:
            return ThrottledError(f"{TAG} {said}", retry_after_seconds=judged.retry_after_seconds)
        case Outcome.NOT_DONE:
            return RetryableError(said)
        case Outcome.DUPLICATE_ID:
            return DuplicateOrderIdError(said)
        case Outcome.REFUSED:
            return VenueRefusedError(answer.code, answer.message, advice(answer.code))
        case Outcome.CANNOT_TRADE:
            return AccountRefusedError(answer.code, answer.message, advice(answer.code))
        case _:
            return RetryableError(said) if what.startswith("GET ") else UnknownOutcomeError(said)


def is_illness(answer: Answer) -> bool:
    """Whether it counts against the venue: no answer at all, or that of a server that is not well."""
    return answer.status == 0 or answer.status >= 500 or answer.status == 408

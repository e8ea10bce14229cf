"""When to send again what was surely not done.  Pure.

Why   an entry that could not be sent at once is worth nothing a minute later; an exit is.  An exchange in distress is asked at most four
      times for the same thing, and never for what may have been done
"""

from typing import Final

MOST_RETRIES: Final = 3
"""Of one intent, so the average over many is at most that."""
MOST_ATTEMPTS: Final = 1 + MOST_RETRIES
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_ENTRY_WAIT_SECONDS: Final = 1.0


def wait_before_retry(attempts: int, is_exit: bool, retry_after_seconds: float) -> float | None:
    """Seconds, or None to give up.  Exits try on although the exchange asked for patience: they have reserved room."""
    if attempts >= MOST_ATTEMPTS:
        return None
    wait = FIRST_WAIT_SECONDS * float(2 ** (attempts - 1))
    if is_exit:
        return wait
    wait = max(wait, retry_after_seconds)
    return wait if wait <= LONGEST_ENTRY_WAIT_SECONDS else None

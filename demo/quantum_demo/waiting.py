"""Waits for something to be seen, with a deadline and a sentence for when it is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from quantum_demo.timeline import StepFailedError

Seen = TypeVar("Seen")
POLL_SECONDS = 0.1


async def until(look: Callable[[], Awaitable[Seen | None]], what: str, *, within_seconds: float) -> tuple[Seen, float]:
    """Look again and again until ``look`` answers something; returns it with the seconds it took."""
    began = time.monotonic()
    while True:
        seen = await look()
        if seen is not None:
            return seen, time.monotonic() - began
        if time.monotonic() - began > within_seconds:
            raise StepFailedError(f"{what}: not seen within {within_seconds:g} s")
        await asyncio.sleep(POLL_SECONDS)

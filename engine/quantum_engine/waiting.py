"""Waits for an event with a bound, without losing a cancellation.

Why   `asyncio.wait_for` of Python 3.11 swallows a cancellation that arrives just as the event is set: a task that loops on it then never
      ends, and with it the engine's shutdown.  `asyncio.timeout` does not.
"""

import asyncio


async def happens(event: asyncio.Event, within_seconds: float | None) -> bool:
    """Whether ``event`` was set before the time was over; None waits for ever."""
    try:
        async with asyncio.timeout(within_seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

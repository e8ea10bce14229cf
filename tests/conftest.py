"""What every ring of tests needs before it starts."""

import asyncio

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Own the first event loop: looptime asks for one around synchronous tests too, and asyncio would make one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    config.add_cleanup(loop.close)

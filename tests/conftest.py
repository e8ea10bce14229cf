"""What every ring of tests needs before it starts.

The laws repeat themselves: one state of the code has one verdict, wherever and however often it is asked.  ``QT_LAWS=deep`` hunts instead,
with new histories in each run and what it finds kept in ``.hypothesis``; a find becomes a test of its own.
"""

import asyncio
import os

import pytest
from hypothesis import settings

settings.register_profile("verdict", derandomize=True, deadline=None, database=None)
settings.register_profile("deep", deadline=None)
settings.load_profile("deep" if os.environ.get("QT_LAWS") == "deep" else "verdict")


def pytest_configure(config: pytest.Config) -> None:
    """Own the first event loop: looptime asks for one around synchronous tests too, and asyncio would make one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    config.add_cleanup(loop.close)

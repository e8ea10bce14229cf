"""Wires the event bus; beside node.py and trading.py, where stages meet.

In    settings, the engine's file
Out   a bus, when there is a Redis to tell
"""

from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import Clock, random_id
from quantum_engine.settings import Settings


def bus_of(settings: Settings, file: SqliteJournal, clock: Clock) -> Bus | None:
    """None without QT_ENGINE_REDIS_URL: nobody could ever hear."""
    if not settings.redis_url:
        return None
    link = RedisStreams(settings.redis_url, settings.engine)
    return Bus(settings.engine, file, link, clock, random_id, Bounds(most_bytes=settings.spool_bytes))

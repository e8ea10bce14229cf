"""Lives one history from an empty disk to everything cured and settled.

In    a history
Out   its evidence
Flow  test_laws, planted -> HERE -> world
"""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.live.laws.engine_life import crash_points
from tests.live.laws.evidence import Evidence
from tests.live.laws.judge import judge
from tests.live.laws.redis import Redis, waited_for
from tests.live.laws.settling import settle
from tests.live.laws.steps import History
from tests.live.laws.virtual_time import WorldLoop, live
from tests.live.laws.world import World

_SHOWN = bool(os.environ.get("QT_LAWS_SHOW"))
"""Print each step as it is lived, with the seconds jumped so far."""


def lived(history: History, redis: Redis) -> Evidence:
    redis.empty()
    with TemporaryDirectory(prefix="laws-") as folder:
        evidence: Evidence = live(lambda loop: _through(history, loop, Path(folder), redis))
    return evidence


def broken_laws(history: History, redis: Redis) -> list[str]:
    return judge(lived(history, redis))


async def _through(history: History, loop: WorldLoop, folder: Path, redis: Redis) -> Evidence:
    world = World(loop, folder, redis)
    with ExitStack() as stack:
        stack.enter_context(waited_for(world.clock))
        for each in crash_points(lambda: world.running):
            stack.enter_context(each)
        try:
            await world.start()
            for step in history:
                if _SHOWN:
                    print(f"{world.clock.ahead_seconds:8.2f}", step, flush=True)
                await step.live(world)
                await world.after_step()
            await settle(world)
        finally:
            await world.end()
    return world.evidence

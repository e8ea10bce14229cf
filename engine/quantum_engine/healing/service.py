"""Runs the stages' tasks and restarts the one that crashes; a stage that keeps crashing closes the gate.

In    stages as named coroutine functions that run for ever
Out   running tasks; the history of crashes; restriction "DEGRADED:<stage>" once a stage is given up
Flow  node -> HERE -> permission, /readyz, status
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from quantum_api.engine_status import StageCrash
from quantum_api.gate import Gate
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.healing.backoff import FORGIVEN_AFTER_SECONDS, LONGEST_SECONDS, delay_seconds
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "DEGRADED"
HISTORY: Final = 50
"""Crashes that are remembered, of all stages together."""
_MOST_CHARACTERS: Final = 256
_CANCEL_AGAIN_SECONDS: Final = 0.05
_log = logger("healing")


class Supervisor:
    """Every long-running task of the engine."""

    def __init__(self, permission: Permission, clock: Clock, chance: Callable[[], float]) -> None:
        self._permission = permission
        self._clock = clock
        self._chance = chance
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.history: deque[StageCrash] = deque(maxlen=HISTORY)
        """Oldest first."""
        self.given_up: dict[str, str] = {}
        """Stage -> its last error."""

    def start(self, stage: str, run: Callable[[], Awaitable[None]], *, is_vital: bool = False) -> None:
        """Run ``run`` for ever.  A vital stage, one that stops or gets us out, is tried on though it was given up and the gate closed."""
        self._tasks[stage] = asyncio.create_task(self._keep(stage, run, is_vital=is_vital), name=stage)

    async def stop(self, but: Collection[str] = ()) -> None:
        """Cancel every task, ``but`` those named, and wait for them.

        Again and again: redis-py sends with `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that arrives just as the
        bytes have gone, and the stage would live on and keep the process from ending.
        """
        ending = [task for stage, task in self._tasks.items() if stage not in but]
        while running := [task for task in ending if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)

    @property
    def running(self) -> list[str]:
        return [stage for stage, task in self._tasks.items() if not task.done()]

    async def _keep(self, stage: str, run: Callable[[], Awaitable[None]], *, is_vital: bool) -> None:
        crashes = 0
        while True:
            began = self._clock.monotonic()
            error = await _run_until_it_ends(run)
            crashes = 1 if self._clock.monotonic() - began > FORGIVEN_AFTER_SECONDS else crashes + 1
            delay = delay_seconds(crashes, self._chance())
            if delay is None:
                self._give_up(stage, error)
                delay = LONGEST_SECONDS if is_vital else None
            self._remember(stage, error, crashes, delay)
            if delay is None:
                return
            metrics.STAGE_RESTARTS.labels(stage).inc()
            await asyncio.sleep(delay)

    def _remember(self, stage: str, error: Exception, crashes: int, delay: float | None) -> None:
        seconds = None if delay is None else round(delay, 2)
        said = repr(error)[:_MOST_CHARACTERS]
        self.history.append(StageCrash(stage=stage, at_ms=self._clock.wall_ms(), error=said, crashes=crashes, delay_seconds=seconds))
        _log.error("stage_crashed", stage=stage, error=said, crashes=crashes, delay_seconds=seconds, exc_info=error)

    def _give_up(self, stage: str, error: Exception) -> None:
        self.given_up[stage] = repr(error)[:_MOST_CHARACTERS]
        metrics.STAGE_DEGRADED.labels(stage).set(1)
        _log.error("stage_given_up", stage=stage, error=repr(error))
        detail = f"stage {stage} crashed six times, last with {self.given_up[stage]}; read its log, then restart the pod"
        self._permission.restrict(Restriction(f"{SOURCE}:{stage}", Gate.REDUCE_ONLY, detail))


async def _run_until_it_ends(run: Callable[[], Awaitable[None]]) -> Exception:
    try:
        await run()
    except Exception as error:  # noqa: BLE001  whatever a stage dies of, it is named, counted and restarted
        return error
    return RuntimeError("the stage ended by itself")

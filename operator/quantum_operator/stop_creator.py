"""Makes the EmergencyStop objects that latches lack.

In    missing stops
Out   objects created; AlreadyExists is success
Flow  reconciler -> HERE -> API server
Why   one attempt per object at a time; a failure is not remembered, the next pass finds the latch still without an object
"""

import asyncio
from typing import Final

from quantum_api.kinds import EMERGENCY_STOP
from quantum_operator import metrics
from quantum_operator.errors import RefusedError, RetryableError
from quantum_operator.kube import Kube
from quantum_operator.logs import logger
from quantum_operator.stops import MissingStop

_RETRY_SECONDS: Final = 1.0
_log = logger("stops")


class StopCreator:
    """Tasks by object name."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def offer(self, missing: MissingStop) -> None:
        if missing.name not in self._tasks:
            task = asyncio.create_task(self._create(missing), name=f"create {missing.name}")
            self._tasks[missing.name] = task
            task.add_done_callback(lambda _: self._tasks.pop(missing.name, None))

    async def close(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _create(self, missing: MissingStop) -> None:
        while True:
            try:
                await self._kube.create(self._kube.objects(EMERGENCY_STOP), missing.manifest)
            except RetryableError as error:
                _log.warning("stop_not_created_yet", stop=missing.name, error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            except RefusedError as error:
                await self._refused(missing, error)
                return
            else:
                metrics.STOPS_CREATED.labels("created").inc()
                _log.warning("stop_created", stop=missing.name, engine=missing.engine, latch=missing.latch_id)
                return

    async def _refused(self, missing: MissingStop, error: RefusedError) -> None:
        if error.is_conflict:
            metrics.STOPS_CREATED.labels("existed").inc()
            return
        metrics.STOPS_CREATED.labels("refused").inc()
        _log.error("stop_refused", stop=missing.name, error=str(error))
        await asyncio.sleep(_RETRY_SECONDS)

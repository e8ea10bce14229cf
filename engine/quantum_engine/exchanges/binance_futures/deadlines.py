"""Ends requests that take too long, with one timer for all of them.

In    requests as they begin and end
Out   the overdue one's task cancelled, as asyncio.timeout does it
Flow  transport -> HERE
Why   asyncio.timeout sets and cancels a timer for every request; where nearly none is ever overdue, that is the dearest thing our own code
      does for an order, and a deadline of seconds may be a twentieth of a second late
"""

import asyncio
from typing import Final

LOOK_SECONDS: Final = 0.05


class Watch:
    """Of one request in one task."""

    __slots__ = ("_cancelling", "_is_over", "_task", "at")

    def __init__(self, task: "asyncio.Task[object]", at: float) -> None:
        self.at = at
        self._task, self._cancelling, self._is_over = task, task.cancelling(), False

    def end_task(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._task.cancel()

    def was_it(self) -> bool:
        """Whether a cancellation is this deadline's and nobody else's.  Asked once, by whoever caught it."""
        if not self._is_over:
            return False
        self._is_over = False
        return self._task.uncancel() <= self._cancelling


class Deadlines:
    """Of one client."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watches: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Watch:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "requests are made in tasks"
        watch = Watch(task, loop.time() + self._seconds)
        self._watches.add(watch)
        if self._timer is None:
            self._timer = loop.call_later(min(LOOK_SECONDS, self._seconds), self._look)
        return watch

    def end(self, watch: Watch) -> None:
        """However it ended.  A cancellation of ours that came too late to be caught is taken back."""
        self._watches.discard(watch)
        watch.was_it()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Goes on while anything is under way."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watch in tuple(self._watches):
            if watch.at <= now:
                watch.end_task()
        if self._watches:
            self._timer = loop.call_later(LOOK_SECONDS, self._look)

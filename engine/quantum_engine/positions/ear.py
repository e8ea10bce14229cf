"""Whether the user stream tells what requests show.  Pure; the time is handed in.

In    stream events, and what each comparison with the exchange found
Out   how long the stream has been deaf
Flow  service -> HERE -> restriction "stream", risk (stream_silence)
Why   a socket can stay open and answer pings while the venue has long stopped writing events into it: only a comparison finds that out

A comparison that is a few milliseconds ahead of the stream is no deafness: the event that follows takes it back.
"""

from dataclasses import dataclass
from typing import Final

from quantum_engine.exchanges.port import StreamDown, StreamUp, UserEvent

GRACE_SECONDS: Final = 5.0
"""Longest time by which a healthy stream is behind an answer."""
PROVEN_SECONDS: Final = 20.0
"""A comparison this long after the stream came up that finds nothing untold proves it, events or not."""

AGAIN_SECONDS: Final = 60.0
"""Shortest time between two subscriptions: each has had a comparison that could prove it."""


@dataclass(slots=True)
class StreamEar:
    """Mutable accumulator; no clock, no I/O."""

    _up_at: float | None = None
    _was_compared: bool = False
    """Since the stream came up: before that, everything is news."""
    _missed_at: float | None = None

    def came_up(self, now: float) -> None:
        self._up_at, self._was_compared = now, False

    def went_down(self) -> None:
        self._up_at = None

    def heard(self) -> None:
        """An event of the account."""
        self._missed_at = None

    def hear(self, event: UserEvent, now: float) -> None:
        match event:
            case StreamUp():
                self.came_up(now)
            case StreamDown():
                self.went_down()
            case _:
                self.heard()

    def compared(self, now: float, *, found_news: bool) -> None:
        if self._up_at is None:
            return
        if found_news and self._was_compared and self._missed_at is None:
            self._missed_at = now
        if not found_news and now - self._up_at >= PROVEN_SECONDS:
            self._missed_at = None
        self._was_compared = True

    def deaf_seconds(self, now: float) -> float:
        return 0.0 if self._missed_at is None else now - self._missed_at

    def is_due_anew(self, now: float) -> bool:
        """Whether to subscribe again: deaf past the grace, and not only just subscribed."""
        return self.deaf_seconds(now) > GRACE_SECONDS and self._up_at is not None and now - self._up_at >= AGAIN_SECONDS

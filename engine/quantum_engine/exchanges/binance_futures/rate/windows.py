"""One of the venue's fixed windows, as far as it can be known from outside.  Pure; the venue's time is handed in.

In    what we send and when, what the venue says is used
Out   how much is used of the window that runs now
Flow  mirror -> HERE
Why   windows are fixed on the venue's clock: whoever counts sliding ones either wastes room or bursts across the edge
"""

from dataclasses import dataclass
from typing import Final

EDGE_MS: Final = 250
"""How far our idea of the venue's time may be off, with the way of a request there.  A window begins that much late here, and what was
sent that close to its edge counts in both."""


@dataclass(slots=True)
class FixedWindow:
    """Mutable count of one limit."""

    name: str
    length_ms: int
    limit: int
    used: int = 0
    number: int = -1
    _late: int = 0

    def roll(self, now_ms: int) -> bool:
        """Whether a new window began.  A clock that was set back a little leaves us in the newer window, one that was set back far takes
        its count along: neither frees anything."""
        number = (now_ms - EDGE_MS) // self.length_ms
        if self.number - 1 <= number <= self.number:
            return False
        if number > self.number:
            self.used = self._late if number == self.number + 1 else 0
        self.number, self._late = number, 0
        return True

    def take(self, cost: int, now_ms: int) -> None:
        """Before it is sent.  ``roll`` first."""
        self.used += cost
        if self.is_at_edge(now_ms):
            self._late += cost

    def heard(self, used: int, sent_ms: int) -> None:
        """The venue's own count: others behind our address are in it.  Never below what it said; what was sent in another window says
        nothing of this one.  ``roll`` first."""
        if (sent_ms - EDGE_MS) // self.length_ms == self.number:
            self.used = max(self.used, used)

    def is_at_edge(self, now_ms: int) -> bool:
        """Whether the venue may count it in its next window."""
        return self.ms_left(now_ms) <= 2 * EDGE_MS

    def ms_left(self, now_ms: int) -> int:
        """Until it rolls."""
        return self.length_ms - (now_ms - EDGE_MS) % self.length_ms

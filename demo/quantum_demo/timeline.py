"""Prints the story as one timeline: what a person types, what was seen, how long it took.

Out   coloured lines in a terminal, plain lines when piped; the failed steps decide the exit code
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text


class StepFailedError(Exception):
    """What the story promised was not seen."""


@dataclass
class Timeline:
    """One run of the story."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    failed: list[str] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, number: int, title: str) -> Iterator[None]:
        """One step; an error inside marks it failed, is shown, and ends the story."""
        self.console.print()
        self.console.print(Text(f"{self._clock()} {number}. {title}", style="bold"))
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self.failed.append(f"{number}. {title}")
            self._line("FAILED ", f"{type(error).__name__}: {error}", "bold red")
            raise
        self._line("done   ", f"step {number} took {time.monotonic() - began:.1f} s", "green")

    def typed(self, command: str) -> None:
        """The command that a person would type."""
        self._line("$      ", command, "cyan")

    def saw(self, what: str, *, seconds: float | None = None) -> None:
        """Something observed, with its measured time."""
        self._line("       ", what + (f"   [{_duration(seconds)}]" if seconds is not None else ""), "")

    def refused(self, message: str) -> None:
        """A refusal that the story wanted."""
        self._line("refused", message, "yellow")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _line(self, mark: str, text: str, style: str) -> None:
        for number, line in enumerate(text.rstrip("\n").split("\n")):
            self.console.print(Text(f"{self._clock()}   {mark if number == 0 else '       '} {line}", style=style))

    def _clock(self) -> str:
        return f"{self.seconds:7.1f} s"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

"""Tells people, once, that something the engine depends on is lost or back.

Why   a port of one callable: a log line by default, whatever pages a person where one is wired in
"""

from collections.abc import Callable, Mapping
from typing import Final

from quantum_engine.logs import logger

Alert = Callable[[str, Mapping[str, object]], None]
"""Event and numbers.  Must neither raise nor wait."""
DEPENDENCY_FAILED: Final = "dependency.failed"
DEPENDENCY_RECOVERED: Final = "dependency.recovered"
_log = logger("alerts")


def log_alert(event: str, numbers: Mapping[str, object]) -> None:
    """One line: an error when something is lost, information when it is back."""
    (_log.info if event == DEPENDENCY_RECOVERED else _log.error)(event, **numbers)

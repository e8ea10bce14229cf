"""The JWKS file that the operator's ConfigMap mounts: re-read when it changes, and when an unknown key id arrives.

In    the path of a JWKS file
Out   the newest key set that parsed; before the first one, an empty set (nothing verifies)
Flow  ConfigMap -> file -> HERE -> policy
"""

from pathlib import Path

import jwt

from quantum_api.policy_document import Jwks
from quantum_engine.clock import Clock
from quantum_engine.logs import logger

_CHECK_SECONDS = 1.0
_log = logger("keys")


class KeyFile:
    """Implements policy.ports.Keys."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._keys = Jwks({})
        self._stamp: tuple[int, int, int] | None = None
        self._checked_at = float("-inf")
        self.problem = "not read yet"

    def current(self) -> Jwks:
        if self._clock.monotonic() - self._checked_at >= _CHECK_SECONDS:
            self.reread()
        return self._keys

    def reread(self) -> Jwks:
        """A broken file is named and the keys held before stay: a half-written key set must not lock the operator out."""
        self._checked_at = self._clock.monotonic()
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if stamp != self._stamp:
                self._keys = Jwks.parse(self._path.read_bytes())
                self._stamp = stamp
                _log.info("keys_read", keys=len(self._keys))
            self.problem = ""
        except (OSError, ValueError, KeyError, jwt.PyJWTError) as error:
            self._complain(f"{self._path.name}: {error}")
        return self._keys

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            _log.error("keys_unreadable", error=problem)
        self.problem = problem

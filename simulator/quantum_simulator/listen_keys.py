"""Listen keys: who may open a user stream, and for how long.  Pure (the key source is handed in).

In    account names, the time
Out   keys; those that have expired
Flow  listenKey endpoint -> HERE <- user stream, venue clock
Why   one key per account, sixty minutes, extended by PUT; POST returns the existing one, as Binance does
"""

import hashlib
from collections.abc import Callable
from itertools import count

LIFE_MS = 60 * 60_000


def seeded(seed: int) -> Callable[[], str]:
    """Keys that a repeated run repeats: they stand in stream messages.  For venues that are stepped by hand."""
    numbers = count()
    return lambda: hashlib.sha256(f"{seed}/listen-key/{next(numbers)}".encode()).hexdigest()


class ListenKeys:
    def __init__(self, new_key: Callable[[], str], life_ms: int = LIFE_MS) -> None:
        self._new_key = new_key
        self._life_ms = life_ms
        self._keys: dict[str, str] = {}
        self._expiry_ms: dict[str, int] = {}

    def grant(self, account: str, now_ms: int) -> str:
        """The account's key, new or extended."""
        for key, owner in self._keys.items():
            if owner == account:
                self._expiry_ms[key] = now_ms + self._life_ms
                return key
        key = self._new_key()
        self._keys[key] = account
        self._expiry_ms[key] = now_ms + self._life_ms
        return key

    def key_of(self, account: str) -> str | None:
        return next((key for key, owner in self._keys.items() if owner == account), None)

    def owner(self, key: str) -> str | None:
        return self._keys.get(key)

    def revoke(self, key: str) -> None:
        self._keys.pop(key, None)
        self._expiry_ms.pop(key, None)

    def expire(self, now_ms: int) -> list[tuple[str, str]]:
        """(key, account) whose time has come; they are revoked."""
        due = [(key, self._keys[key]) for key, expiry_ms in self._expiry_ms.items() if now_ms >= expiry_ms]
        for key, _ in due:
            self.revoke(key)
        return due

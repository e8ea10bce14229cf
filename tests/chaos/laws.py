"""What the venue's own order log must never show, whatever broke.  Pure.

In    entries of the venue's log, oldest first; when gates closed and opened again, Unix milliseconds
Out   sentences that name what broke a law; none = held
Flow  witness -> HERE -> every test of this folder
Why   an engine's word about itself proves nothing; the venue's record of what reached it does
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Entry = Mapping[str, Any]
OPENING = frozenset({"POST /fapi/v1/order", "POST /fapi/v1/algoOrder"})
ON_ITS_WAY_MS = 100
"""What had left the engine before its gate closed may reach a busy venue within this time; two whole runs at 0 saw none."""


@dataclass(frozen=True)
class Closed:
    """One engine's gate, shut from a moment to another; None = still shut."""

    engine: str
    from_ms: int
    until_ms: int | None = None

    def covers(self, entry: Entry) -> bool:
        after = entry["atMs"] > self.from_ms + ON_ITS_WAY_MS
        return entry["account"] == self.engine and after and (self.until_ms is None or entry["atMs"] < self.until_ms)


def is_order(entry: Entry) -> bool:
    return bool(entry["what"] == "accepted" and entry.get("request") in OPENING)


def is_entry(entry: Entry) -> bool:
    """An accepted order that may open or grow a position."""
    return is_order(entry) and not entry.get("reduceOnly", False)


def entries(log: Iterable[Entry], engine: str | None = None) -> list[Entry]:
    return [e for e in log if is_entry(e) and engine in (None, e["account"])]


def no_entry_while_closed(log: Iterable[Entry], closed: Sequence[Closed]) -> list[str]:
    """Promises 1 and 3: nothing opens from the closing of a gate to its release."""
    taken = entries(log)
    return [
        f"{e['account']} was let in at {e['atMs']}, its gate shut at {c.from_ms}: {_text(e)}" for c in closed for e in taken if c.covers(e)
    ]


def no_order_at_all(log: Iterable[Entry], engine: str) -> list[str]:
    """Promise 2: an engine that has not compared itself with the exchange sends nothing."""
    return [f"{engine} ordered before it knew what it holds: {_text(e)}" for e in log if is_order(e) and e["account"] == engine]


def no_client_order_id_twice(log: Iterable[Entry]) -> list[str]:
    """Promise 5: one intent, at most one order."""
    sent = Counter((e["account"], e["clientId"]) for e in log if is_order(e))
    return [f"{account} had {client_id} accepted {times} times" for (account, client_id), times in sent.items() if times > 1]


def positions_only_shrink(log: Iterable[Entry], closed: Sequence[Closed]) -> list[str]:
    """Getting out may not overshoot: no fill under a shut gate grows a position or turns it round.  ``log`` from the venue's start."""
    broken = []
    held: dict[tuple[str, str], Decimal] = {}
    for entry in log:
        if entry["what"] != "fill":
            continue
        key = (entry["account"], entry["symbol"])
        before = held.get(key, Decimal(0))
        after = held[key] = before + signed_fill(entry)
        if any(c.covers(entry) for c in closed) and (abs(after) > abs(before) or after * before < 0):
            broken.append(f"{key[0]} went from {before} to {after} {key[1]} at {entry['atMs']} with its gate shut")
    return broken


def fills_make_the_position(log: Iterable[Entry], accounts: Iterable[Mapping[str, Any]]) -> list[str]:
    """The venue's log is whole: its fills add up to its books.  ``log`` from the venue's start."""
    held: Counter[tuple[str, str]] = Counter()
    for entry in log:
        if entry["what"] == "fill":
            held[entry["account"], entry["symbol"]] += signed_fill(entry)  # type: ignore[assignment]
    books = {(a["name"], p["symbol"]): Decimal(p["amount"]) for a in accounts for p in a["positions"]}
    return [f"{key}: fills say {held[key]}, the books say {books.get(key, 0)}" for key in held | books if held[key] != books.get(key, 0)]


def entries_within(log: Iterable[Entry], most_usdt: int, from_ms: int) -> list[str]:
    """An acknowledged limit is enforced: the fills of one entry are worth no more, but for what the price slipped (2 %)."""
    log = list(log)
    late = {(e["account"], e["clientId"]) for e in entries(log) if e["atMs"] > from_ms + ON_ITS_WAY_MS}
    worth: Counter[tuple[str, str]] = Counter()
    for entry in log:
        if entry["what"] == "fill" and (entry["account"], entry["clientId"]) in late:
            worth[entry["account"], entry["clientId"]] += abs(signed_fill(entry)) * Decimal(entry["price"])  # type: ignore[assignment]
    return [
        f"{key} was worth {value:.0f} USDT, the limit was {most_usdt}"
        for key, value in worth.items()
        if value > most_usdt * Decimal("1.02")
    ]


def flat(accounts: Iterable[Mapping[str, Any]]) -> list[str]:
    """No position, no order, no conditional order."""
    return [
        f"{a['name']} is not flat: {a['positions']}, {a['openOrderCount']} orders, {a['openAlgoOrderCount']} conditional"
        for a in accounts
        if not (a["isFlat"] and a["openOrderCount"] == 0 and a["openAlgoOrderCount"] == 0)
    ]


def signed_fill(entry: Entry) -> Decimal:
    return Decimal(entry["quantity"]) * (1 if entry["side"] == "BUY" else -1)


def _text(entry: Entry) -> str:
    return f"#{entry['seq']} {entry.get('side')} {entry.get('quantity')} {entry.get('symbol')} {entry.get('clientId')}"

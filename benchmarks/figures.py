"""Percentiles and the table in which every benchmark reports.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


def percentile(samples: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; ``share`` in 0..1."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


@dataclass(frozen=True)
class Row:
    """One measured figure beside what it is held to."""

    name: str
    value: str
    budget: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        return {True: "holds", False: "MISSED", None: ""}[self.holds]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us"


def table(rows: Sequence[Row]) -> str:
    """Plain text, one row a line."""
    cells = [("figure", "measured", "budget", "")] + [(r.name, r.value, r.budget, r.verdict) for r in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)

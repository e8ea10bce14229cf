"""`python -m benchmarks [NAME …]`: runs the benchmarks and prints one table; exit code 1 when a budget is missed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from benchmarks import apply_to_ack, stop_to_gates
from benchmarks.figures import Row, table
from quantum_demo.stack import Stack, installed

ON_A_STACK: dict[str, Callable[[Stack], Awaitable[list[Row]]]] = {
    "apply-to-ack": apply_to_ack.measure,
    "stop-to-gates": stop_to_gates.measure,
}


async def run(names: list[str]) -> list[Row]:
    """The named benchmarks, or all."""
    unknown = set(names) - set(ON_A_STACK)
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(sorted(ON_A_STACK))}")
    rows: list[Row] = []
    async with installed("bench") as stack:
        for name in names or list(ON_A_STACK):
            print(f"… {name}", flush=True)
            rows += await ON_A_STACK[name](stack)
    return rows


def main() -> None:
    rows = asyncio.run(run(sys.argv[1:]))
    print(table(rows))
    raise SystemExit(any(row.holds is False for row in rows))


if __name__ == "__main__":
    main()

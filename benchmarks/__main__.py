"""`python -m benchmarks [NAME …]`: runs the benchmarks and prints one table; exit code 1 when a budget is missed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from benchmarks import (
    apply_to_ack,
    bus,
    client_cpu,
    flatten,
    flood,
    gate,
    in_process,
    order_path,
    stop_to_gates,
    thousand_engines,
    trip_to_condition,
    venue_rate,
)
from benchmarks.figures import Row, table
from quantum_demo.stack import Stack, installed

ON_A_STACK: dict[str, Callable[[Stack], Awaitable[list[Row]]]] = {
    "apply-to-ack": apply_to_ack.measure,
    "stop-to-gates": stop_to_gates.measure,
    "trip-to-condition": trip_to_condition.measure,
}


ALONE: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "flood": flood.measure,
    "gate": gate.measure,
    "bus": bus.measure,
    "client-cpu": client_cpu.measure,
    "in-process": in_process.measure,
    "order-path": order_path.measure,
    "flatten": flatten.measure,
    "thousand-engines": thousand_engines.measure,
    "venue-rate": venue_rate.measure,
}


async def run(names: list[str]) -> list[Row]:
    """The named benchmarks, or all."""
    known = [*ALONE, *ON_A_STACK]
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    wanted = names or known
    rows: list[Row] = []
    for name in (n for n in ALONE if n in wanted):
        print(f"… {name}", flush=True)
        rows += await ALONE[name]()
    on_a_stack = [n for n in ON_A_STACK if n in wanted]
    if on_a_stack:
        async with installed("bench") as stack:
            for name in on_a_stack:
                print(f"… {name}", flush=True)
                rows += await ON_A_STACK[name](stack)
    return rows


def main() -> None:
    rows = asyncio.run(run(sys.argv[1:]))
    print(table(rows))
    raise SystemExit(any(row.holds is False for row in rows))


if __name__ == "__main__":
    main()

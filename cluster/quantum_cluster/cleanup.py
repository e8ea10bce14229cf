"""Ends what an earlier supervisor left behind.

In    a cluster's directory
Out   none of its processes alive
Flow  `up`, `down`, EmbeddedCluster -> HERE
Why   records name a process by pid and start time, the mark in its environment finds children that no record names
"""

import json
import signal
import time
from typing import Final

from quantum_cluster.paths import StateDir
from quantum_cluster.process import CLUSTER_ID_VARIABLE, read_records, signal_marked, signal_recorded

_GONE_WITHIN_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02


def end_remains(state: StateDir) -> list[str]:
    """SIGKILL every recorded and every marked process; returns what was still alive."""
    records = read_records(state.processes) if state.processes.exists() else []
    alive = [f"{record.name} (pid {record.pid})" for record in records if signal_recorded(record, signal.SIGKILL)]
    cluster_id = json.loads(state.record.read_text()).get("cluster_id") if state.record.exists() else None
    if cluster_id:
        alive += [f"pid {pid}" for pid in _end_marked(cluster_id)]
    for record in records:
        (state.processes / f"{record.name}.json").unlink(missing_ok=True)
    return alive


def _end_marked(cluster_id: str) -> list[int]:
    """Again until none is found: a process may fork while it is looked for."""
    deadline, hit = time.monotonic() + _GONE_WITHIN_SECONDS, list[int]()
    while found := signal_marked(CLUSTER_ID_VARIABLE, cluster_id, signal.SIGKILL):
        hit += [pid for pid in found if pid not in hit]
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {found} do not die of SIGKILL: look with `ps -o pid,stat,wchan` what they wait for")
        time.sleep(_POLL_SECONDS)
    return hit

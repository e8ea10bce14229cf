"""Every metric of the operator, in one place.  Names bear their unit last."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

ENGINES: Final = Gauge("quantum_operator_engines", "Engine pods known.")
ENGINES_REACHABLE: Final = Gauge("quantum_operator_engines_reachable", "Engine pods whose last call was answered.")
ENGINES_ENFORCING: Final = Gauge("quantum_operator_engines_enforcing", "Engine pods that hold a document of ours under a running lease.")
PUSHES: Final = Counter("quantum_operator_pushes", "Policy documents sent, by why and how it ended.", ["reason", "outcome"])
PUSH_SECONDS: Final = Histogram(
    "quantum_operator_push_seconds", "Signing to acknowledgement of one policy document.", buckets=_LATENCY_SECONDS
)
RECONCILES: Final = Counter("quantum_operator_reconciles", "Passes of the reconciler.")
RECONCILE_SECONDS: Final = Histogram("quantum_operator_reconcile_seconds", "Duration of one pass.", buckets=_LATENCY_SECONDS)
WATCH_EVENTS: Final = Counter("quantum_operator_watch_events", "Watch events, by resource and what they changed.", ["resource", "change"])
LISTS: Final = Counter("quantum_operator_lists", "LISTs of ours, by resource and outcome.", ["resource", "outcome"])
LIST_CORRECTIONS: Final = Counter(
    "quantum_operator_list_corrections", "LISTs that changed the meaning of the world: a watch had missed something.", ["resource"]
)
STATUS_WRITES: Final = Counter("quantum_operator_status_writes", "Status writes, by kind and outcome.", ["kind", "outcome"])
STATUS_WRITE_SECONDS: Final = Histogram("quantum_operator_status_write_seconds", "Duration of one status write.", buckets=_LATENCY_SECONDS)
STOPS_CREATED: Final = Counter("quantum_operator_stops_created", "EmergencyStop objects made for latches without one.", ["outcome"])
EVENTS_POSTED: Final = Counter("quantum_operator_events_posted", "Kubernetes events posted, by outcome.", ["outcome"])
MIRROR_WRITES: Final = Counter("quantum_operator_mirror_writes", "Documents mirrored to Redis, by outcome.", ["outcome"])
MIRROR_UP: Final = Gauge("quantum_operator_mirror_up", "1 while Redis answers; 0 also when no mirror is configured.")
SIGNING_KEYS: Final = Gauge("quantum_operator_signing_keys", "Keys in the ring, retired ones included.")
WATCH_RESTARTS: Final = Counter("quantum_operator_watch_restarts", "Times the watching framework ended and was started again.")

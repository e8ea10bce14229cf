"""Every metric of the engine, in one place.

Flow  stages -> HERE -> GET /metrics -> Prometheus
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()
_FAST_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)

GATE: Final = Gauge("quantum_engine_gate", "Gate of the whole engine: 0 ACTIVE, 1 REDUCE_ONLY, 2 EXIT_ONLY, 3 HALTED.", registry=REGISTRY)
RESTRICTIONS: Final = Gauge("quantum_engine_restrictions", "Reasons that hold the gate.", registry=REGISTRY)
LEASE_REMAINING_SECONDS: Final = Gauge("quantum_engine_lease_remaining_seconds", "Seconds left of the policy lease.", registry=REGISTRY)
POLICY_EPOCH: Final = Gauge("quantum_engine_policy_epoch", "Epoch of the document in force.", registry=REGISTRY)
DOCUMENTS: Final = Counter(
    "quantum_engine_policy_documents_total",
    "Policy documents offered, by channel and result.",
    ["channel", "result"],
    registry=REGISTRY,
)
APPLY_SECONDS: Final = Histogram(
    "quantum_engine_policy_apply_seconds", "Offer of a document to its enforcement on disk.", buckets=_FAST_SECONDS, registry=REGISTRY
)
JOURNAL_COMMIT_SECONDS: Final = Histogram(
    "quantum_engine_journal_commit_seconds", "One commit as its caller sees it, fsync included.", buckets=_FAST_SECONDS, registry=REGISTRY
)
JOURNAL_FAILURES: Final = Counter("quantum_engine_journal_failures_total", "Commits that failed.", registry=REGISTRY)
LATCHES: Final = Gauge("quantum_engine_latches", "Stops in force.", registry=REGISTRY)
TRIPS: Final = Counter("quantum_engine_trips_total", "Stops engaged, by trigger and action.", ["trigger", "action"], registry=REGISTRY)
TRIP_TO_JOURNAL_SECONDS: Final = Histogram(
    "quantum_engine_trip_to_journal_seconds", "Trip to the latch on disk.", buckets=_FAST_SECONDS, registry=REGISTRY
)
BREACH_TO_GATE_SECONDS: Final = Histogram(
    "quantum_engine_breach_to_gate_seconds",
    "Breaching equity event to closed gate in memory.",
    buckets=_FAST_SECONDS,
    registry=REGISTRY,
)
STOP_ROUNDS: Final = Counter("quantum_engine_stop_rounds_total", "Rounds of cancel, close, look, by result.", ["result"], registry=REGISTRY)
DEADMAN_ARMED: Final = Gauge("quantum_engine_deadman_armed", "Symbols with a countdown running at the exchange.", registry=REGISTRY)
DEADMAN_FAILING_SECONDS: Final = Gauge(
    "quantum_engine_deadman_failing_seconds", "For how long orders rest without a countdown that could be armed.", registry=REGISTRY
)
STOP_OVERDUE: Final = Gauge("quantum_engine_stop_overdue", "Stops that are not flat after flattenDeadlineSeconds.", registry=REGISTRY)
DRAWDOWN_BPS: Final = Gauge("quantum_engine_drawdown_bps", "Fall of equity from its peak, basis points.", registry=REGISTRY)
EQUITY_USDT: Final = Gauge("quantum_engine_equity_usdt", "Equity, wallet + unrealised.", registry=REGISTRY)
PEAK_USDT: Final = Gauge("quantum_engine_equity_peak_usdt", "Persisted peak of equity.", registry=REGISTRY)
DAILY_LOSS_BPS: Final = Gauge("quantum_engine_daily_loss_bps", "Fall of equity since 00:00 UTC, basis points.", registry=REGISTRY)
STAGE_RESTARTS: Final = Counter("quantum_engine_stage_restarts_total", "Crashed stage tasks restarted.", ["stage"], registry=REGISTRY)
STAGE_DEGRADED: Final = Gauge("quantum_engine_stage_degraded", "1 = given up after six crashes.", ["stage"], registry=REGISTRY)
DEPENDENCY_UP: Final = Gauge("quantum_engine_dependency_up", "1 = reachable.", ["dependency"], registry=REGISTRY)
STATUS_VERSION: Final = Gauge("quantum_engine_status_version", "Version of the status, grows with material changes.", registry=REGISTRY)
ORDERS_REFUSED: Final = Gauge("quantum_engine_orders_refused", "Orders refused since start, by word.", ["word"], registry=REGISTRY)
INTENTS: Final = Counter(
    "quantum_engine_intents_total",
    "Intents by who asked (engine, program) and what became of them.",
    ["origin", "verdict"],
    registry=REGISTRY,
)
ORDER_SENDS: Final = Counter(
    "quantum_engine_order_sends_total",
    "Requests for orders that left: kind entry or exit, attempt first or again.  again over first is the average of retries, at most 3.",
    ["kind", "attempt"],
    registry=REGISTRY,
)
INTENTS_IN_PROGRESS: Final = Gauge(
    "quantum_engine_intents_in_progress", "Intents between arrival and verdict, by who asked.", ["origin"], registry=REGISTRY
)
INTENT_SECONDS: Final = Histogram(
    "quantum_engine_intent_seconds",
    "From an intent's arrival to its verdict: gate, journal and exchange.",
    ["origin"],
    buckets=(*_FAST_SECONDS, 1.0, 2.5, 5.0, 10.0, 40.0),
    registry=REGISTRY,
)
BALANCE_REFRESHES: Final = Counter(
    "quantum_engine_balance_refreshes_total",
    "The exchange asked for the balance before an entry was judged, by reason and result.",
    ["due", "result"],
    registry=REGISTRY,
)
LOOP_LAG_SECONDS: Final = Gauge("quantum_engine_loop_lag_seconds", "How late the event loop was at its last beat.", registry=REGISTRY)
RATE_USED: Final = Gauge(
    "quantum_engine_exchange_limit_used",
    "Used of the exchange's fixed windows, by window: weight_1m (of the address), orders_10s, orders_1m (of the account).",
    ["window"],
    registry=REGISTRY,
)
THROTTLED: Final = Counter(
    "quantum_engine_exchange_throttled_total",
    "Requests held back or refused for frequency, by whom: mirror (not sent), breaker (not sent), venue.",
    ["by"],
    registry=REGISTRY,
)
BAN_UNTIL: Final = Gauge(
    "quantum_engine_exchange_ban_until_seconds", "Unix time until which our address is banned, 0 = not.", registry=REGISTRY
)
RATE_SHARED: Final = Gauge(
    "quantum_engine_exchange_limit_shared",
    "1 = the weight is shared through Redis, 0 = only our own share of it is used.",
    registry=REGISTRY,
)
OUTBOX_ROWS: Final = Gauge("quantum_engine_outbox_rows", "Events that Redis has not confirmed.", registry=REGISTRY)
OUTBOX_AGE_SECONDS: Final = Gauge(
    "quantum_engine_outbox_age_seconds", "Age of the oldest event that Redis has not confirmed.", registry=REGISTRY
)
SPOOL_ROWS: Final = Gauge(
    "quantum_engine_spool_rows", "Events on disk: not confirmed, or not yet acknowledged by every consumer.", registry=REGISTRY
)
SPOOL_BYTES: Final = Gauge("quantum_engine_spool_bytes", "Size of the events on disk.", registry=REGISTRY)
EVENTS_SENT: Final = Counter("quantum_engine_events_sent_total", "Events that Redis confirmed.", registry=REGISTRY)
TELEMETRY_DROPPED: Final = Counter(
    "quantum_engine_telemetry_dropped_total", "Telemetry dropped because the spool was full or it was old.", registry=REGISTRY
)
REDIS_FORGOT: Final = Counter("quantum_engine_redis_forgot_total", "Times that Redis held less than it had confirmed.", registry=REGISTRY)
STREAM_ROWS: Final = Gauge(
    "quantum_engine_stream_rows", "Entries of the engine's stream that some group has not acknowledged.", registry=REGISTRY
)
FILLS_RECOVERED: Final = Counter(
    "quantum_engine_fills_recovered_total", "Fills that the user stream did not tell, read by request.", registry=REGISTRY
)

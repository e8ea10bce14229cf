"""Names that both sides and the chart agree on: API group, labels, annotations, HTTP paths, Redis keys.  Pure."""

from typing import Final

GROUP: Final = "quantumtrader.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "quantumtrader"

ENGINE_SELECTOR: Final = "app.kubernetes.io/component=engine"
POD_NAME_LABEL: Final = "statefulset.kubernetes.io/pod-name"
FIELD_MANAGER: Final = "quantum-operator"
REQUESTED_AT_ANNOTATION: Final = f"{GROUP}/requestedAt"
CONTROL_PORT_NAME: Final = "control"

POLICY_PATH: Final = "/v1/policy"
STATUS_PATH: Final = "/v1/status"
HALT_PATH: Final = "/v1/halt"
INTENTS_PATH: Final = "/execution/intents"
JOSE_MEDIA_TYPE: Final = "application/jose"


def engine_id(namespace: str, name: str) -> str:
    """``namespace/name``: who a policy document is for.  A replacement pod of a StatefulSet keeps it."""
    return f"{namespace}/{name}"


def document_key(engine: str) -> str:
    """Redis key of the newest signed policy document of one engine."""
    return f"quantum:policy:{engine}"


def latches_key(engine: str) -> str:
    """Redis hash of the engine's latched stops (latch id -> JSON), read by a replacement that lost its disk."""
    return f"quantum:latches:{engine}"


def peak_key(engine: str) -> str:
    """Redis key of the engine's equity peak (JSON), read by a replacement that lost its disk."""
    return f"quantum:peak:{engine}"


def events_key(engine: str) -> str:
    """Redis stream of everything the engine says, in order.  Braces: a Redis Cluster keeps the engine's bus keys together."""
    return f"quantum:events:{{{engine}}}"


def events_sent_key(engine: str) -> str:
    """Redis hash: numbering (epoch) -> highest sequence that is in the stream, written by the same script as the stream."""
    return f"quantum:events:{{{engine}}}:sent"


def dead_letters_key(engine: str, group: str) -> str:
    """Redis stream of entries that a consumer group gave up on, each with its reason."""
    return f"quantum:events:{{{engine}}}:dead:{group}"


EVENT_SOURCES_KEY: Final = "quantum:events:sources"
"""Redis set of every engine that has a stream."""

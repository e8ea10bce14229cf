"""Turns what the API server says into the objects and engines that the rest reasons about.  Pure.

In    raw JSON of the three kinds and of engine pods
Out   Obj (verified), Invalid (let in by the API server, unreadable here), Engine
Flow  LIST and watch -> HERE -> world -> resolve, conditions
Why   an object that cannot be read must still count, on the tight side: it is kept as Invalid and never dropped
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from quantum_api import names
from quantum_api.emergency_stop import EmergencyStopSpec
from quantum_api.kinds import Kind, Obj
from quantum_api.metadata import ObjectMeta
from quantum_api.selector import LabelSelector

Raw = Mapping[str, Any]
_TERMINAL_PHASES: Final = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Invalid:
    """An object whose spec breaks the schema that this operator was built with."""

    kind: Kind
    meta: ObjectMeta
    spec: Raw
    error: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind.kind, self.meta.namespace, self.meta.name)

    @property
    def selector(self) -> LabelSelector:
        """What can still be read of it; unreadable selects every engine of the namespace."""
        try:
            return LabelSelector.model_validate(self.spec.get("selector", {}))
        except ValidationError:
            return LabelSelector()


Known = Obj[Any] | Invalid


@dataclass(frozen=True)
class Engine:
    """One engine pod."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    resource_version: int
    host: str | None
    port: int | None
    terminal: bool = False
    """The pod has ended for good: its process does not run and never will."""

    @property
    def id(self) -> str:
        return names.engine_id(self.namespace, self.name)

    @property
    def endpoint(self) -> str | None:
        """Base URL of the control port, once the pod has an address."""
        if self.host is None or self.port is None or self.terminal:
            return None
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def parse_object(kind: Kind, raw: Raw) -> Known:
    """Verified object, or Invalid with the first errors."""
    meta = ObjectMeta.model_validate(raw["metadata"])
    spec = raw.get("spec", {})
    try:
        return Obj(kind, meta, kind.spec.model_validate(spec))
    except ValidationError as error:
        return Invalid(kind, meta, spec if isinstance(spec, Mapping) else {}, _brief(error))


def parse_engine(raw: Raw) -> Engine:
    """An engine pod; host and port stay None until the kubelet has given it an address."""
    meta, status = raw["metadata"], raw.get("status", {})
    ports = [p for c in raw.get("spec", {}).get("containers", []) for p in c.get("ports", [])]
    port = next((int(p["containerPort"]) for p in ports if p.get("name") == names.CONTROL_PORT_NAME), None)
    return Engine(
        meta.get("namespace", "default"),
        meta["name"],
        meta.get("uid", ""),
        dict(meta.get("labels", {})),
        int(meta.get("resourceVersion", "0")),
        status.get("podIP"),
        port,
        status.get("phase") in _TERMINAL_PHASES,
    )


def selects(known: Known, engine: Engine) -> bool:
    """Whether the object is for this engine.

    A stop that an engine pulled itself is always for that engine, whatever labels its pod bears today.
    """
    if engine.terminal:
        return False
    if isinstance(known, Invalid):
        return known.selector.matches(dict(engine.labels))
    spec = known.spec
    if isinstance(spec, EmergencyStopSpec) and spec.origin is not None and spec.origin.engine == engine.name:
        return True
    return bool(spec.selector.matches(dict(engine.labels)))


def requested_at(known: Known) -> str:
    """Value of the requestedAt annotation, cut to what the status can echo."""
    return known.meta.annotations.get(names.REQUESTED_AT_ANNOTATION, "")[:64]


def _brief(error: ValidationError) -> str:
    found = [f"{'.'.join(map(str, e['loc'])) or 'spec'}: {e['msg']}" for e in error.errors(include_url=False)[:3]]
    return "; ".join(found)

"""Holds what has been seen of the cluster, and up to which resourceVersion.  Pure state: no clock, no network.

In    LISTs and watch events of the three kinds and of engine pods, late, doubled or in any order
Out   a Snapshot: objects, engines, the ``seen`` vector, and per resource when its meaning last moved
Flow  LIST, kopf on.event -> HERE -> resolve, conditions
Why   the vector fences every document (DESIGN 4): claiming to have seen what is not reflected would let a lagging operator loosen

Events of different objects may overtake one another on their way, deletions may be missed while a watch is down, and a LIST may be
answered later than a newer event.  So every entry keeps the resourceVersion it was read at, deletions leave a tombstone until a LIST
has passed them, and no number ever goes back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from quantum_api.kinds import EMERGENCY_STOP, STRATEGY_MODE, TRADING_POLICY, Kind
from quantum_api.policy_document import Seen
from quantum_operator.objects import Engine, Known, Raw, parse_engine, parse_object, requested_at

Item = TypeVar("Item")


class Resource(StrEnum):
    """What is watched."""

    TRADING_POLICIES = "tradingpolicies"
    STRATEGY_MODES = "strategymodes"
    EMERGENCY_STOPS = "emergencystops"
    ENGINES = "pods"


KIND_OF: Mapping[Resource, Kind] = {
    Resource.TRADING_POLICIES: TRADING_POLICY,
    Resource.STRATEGY_MODES: STRATEGY_MODE,
    Resource.EMERGENCY_STOPS: EMERGENCY_STOP,
}


class Change(StrEnum):
    """What an event changed."""

    NOTHING = "nothing"
    """Old news."""
    STATUS = "status"
    """Only what does not enter a document."""
    MEANING = "meaning"


@dataclass(frozen=True)
class Entry(Generic[Item]):
    """One object as last seen.  ``moved`` = resourceVersion of its last change in meaning."""

    item: Item
    version: int
    moved: int
    meaning: object
    status: Raw


@dataclass
class Shelf(Generic[Item]):
    """All objects of one resource, by name (one namespace is watched)."""

    parse: Callable[[Raw], Item]
    meaning: Callable[[Item], object]
    entries: dict[str, Entry[Item]] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    listed: int | None = None
    seen: int = 0
    moved: int = 0

    def observe(self, event: str | None, raw: Raw) -> Change:
        """Take one watch event.

        ``None`` is an item of the framework's own LIST: its siblings may still be on their way, and what is missing from it is not
        said, so it counts but proves nothing about what had been seen; the caller asks for a LIST of its own.
        """
        name, version = raw["metadata"]["name"], int(raw["metadata"]["resourceVersion"])
        if version <= max(self.listed or 0, self.gone.get(name, 0), self._version(name)):
            return Change.NOTHING
        if event is not None:
            self.seen = max(self.seen, version)
        if event == "DELETED":
            return self._remove(name, version)
        return self._put(name, version, raw)

    def replace(self, version: int, items: Iterable[Raw]) -> Change:
        """Take a LIST: its contents are the world at ``version``, except where something newer is known already."""
        if self.listed is not None and version < self.listed:
            return Change.NOTHING
        listed = {raw["metadata"]["name"]: raw for raw in items}
        missing = [n for n, entry in self.entries.items() if n not in listed and entry.version <= version]
        changes = [self._remove(name, version) for name in missing]
        for name, raw in listed.items():
            own = int(raw["metadata"]["resourceVersion"])
            if own > max(self._version(name), self.gone.get(name, 0)):
                changes.append(self._put(name, own, raw))
        self.gone = {name: at for name, at in self.gone.items() if at > version}
        self.listed, self.seen = version, max(self.seen, version)
        if Change.MEANING not in changes:
            return Change.STATUS
        self.moved = max(self.moved, version)
        return Change.MEANING

    def _version(self, name: str) -> int:
        entry = self.entries.get(name)
        return entry.version if entry else 0

    def _put(self, name: str, version: int, raw: Raw) -> Change:
        item, old = self.parse(raw), self.entries.get(name)
        meaning = self.meaning(item)
        same = old is not None and old.meaning == meaning
        moved = old.moved if same and old else version
        self.entries[name] = Entry(item, version, moved, meaning, raw.get("status") or {})
        self.moved = max(self.moved, moved)
        return Change.STATUS if same else Change.MEANING

    def _remove(self, name: str, version: int) -> Change:
        known = self.entries.pop(name, None) is not None
        self.gone[name] = version
        self.moved = max(self.moved, version)
        return Change.MEANING if known else Change.NOTHING


@dataclass(frozen=True)
class Snapshot:
    """The world at one moment; nothing in it changes any more."""

    policies: tuple[Known, ...]
    modes: tuple[Known, ...]
    stops: tuple[Known, ...]
    statuses: Mapping[tuple[str, str, str], tuple[int, Raw]]
    """Object key -> (resourceVersion, status) as the API server has it."""
    engines: Mapping[str, Engine]
    seen: Seen
    moved: Seen
    engine_versions: Mapping[str, tuple[int, int]]

    @property
    def objects(self) -> tuple[Known, ...]:
        return (*self.policies, *self.modes, *self.stops)

    def seen_for(self, engine: str) -> Seen:
        """The vector that a document for this engine may claim."""
        return self._with_engine(self.seen, self.engine_versions[engine][0])

    def required_of(self, engine: str) -> Seen:
        """The vector that what the engine holds must cover: when any object last changed in meaning."""
        return self._with_engine(self.moved, self.engine_versions[engine][1])

    @staticmethod
    def _with_engine(seen: Seen, version: int) -> Seen:
        return seen.model_copy(update={"engine": version})


class World:
    """Everything seen so far."""

    def __init__(self) -> None:
        self._objects: dict[Resource, Shelf[Known]] = {
            resource: Shelf(_parser(kind), _object_meaning) for resource, kind in KIND_OF.items()
        }
        self._engines: Shelf[Engine] = Shelf(parse_engine, _engine_meaning)

    def observe(self, resource: Resource, event: str | None, raw: Raw) -> Change:
        return self._shelf(resource).observe(event, raw)

    def replace(self, resource: Resource, version: int, items: Iterable[Raw]) -> Change:
        return self._shelf(resource).replace(version, items)

    @property
    def complete(self) -> bool:
        """Whether every resource was listed once.  Before that nothing may be pushed."""
        return all(self._shelf(resource).listed is not None for resource in Resource)

    def snapshot(self) -> Snapshot:
        known = {resource: tuple(e.item for _, e in sorted(shelf.entries.items())) for resource, shelf in self._objects.items()}
        statuses = {e.item.key: (e.version, e.status) for shelf in self._objects.values() for e in shelf.entries.values()}
        engines = self._engines.entries
        return Snapshot(
            known[Resource.TRADING_POLICIES],
            known[Resource.STRATEGY_MODES],
            known[Resource.EMERGENCY_STOPS],
            statuses,
            {name: entry.item for name, entry in sorted(engines.items())},
            self._vector(lambda shelf: shelf.seen),
            self._vector(lambda shelf: min(shelf.moved, shelf.seen)),
            {name: (entry.version, entry.moved) for name, entry in engines.items()},
        )

    def _vector(self, component: Callable[[Shelf[Known]], int]) -> Seen:
        return Seen(
            trading_policies=component(self._objects[Resource.TRADING_POLICIES]),
            strategy_modes=component(self._objects[Resource.STRATEGY_MODES]),
            emergency_stops=component(self._objects[Resource.EMERGENCY_STOPS]),
        )

    def _shelf(self, resource: Resource) -> Shelf[Any]:
        return self._engines if resource is Resource.ENGINES else self._objects[resource]


def _parser(kind: Kind) -> Callable[[Raw], Known]:
    return lambda raw: parse_object(kind, raw)


def _object_meaning(known: Known) -> object:
    return (known.meta.uid, known.meta.generation, known.meta.deletion_timestamp is None, requested_at(known))


def _engine_meaning(engine: Engine) -> object:
    return (engine.uid, tuple(sorted(engine.labels.items())), engine.host, engine.port, engine.terminal)

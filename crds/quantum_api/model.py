"""What every API model has in common: strictness as the API server's, camelCase on the wire, rules in Python and CEL.  Pure.

A rule is written once as a pair: the CEL text that the API server runs and the Python predicate that pydantic runs.
tests/live/contract applies one table of accepted and refused objects to both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Tightens(StrEnum):
    """Marks a field with the direction in which a limit tightens.

    `resolve` merges by it, and the admission policy that guards loosening is generated from it.
    """

    SMALLER = "smaller"
    LARGER = "larger"
    SUBSET = "subset"
    STRONGER = "stronger"
    """Later in the enum is stronger."""


@dataclass(frozen=True)
class Rule:
    """A rule that spans fields of one object."""

    cel: str
    message: str
    holds: Callable[[Any], bool]
    field_path: str | None = None


@dataclass(frozen=True)
class Transition:
    """A rule on what an update may change (CEL sees ``oldSelf``)."""

    cel: str
    message: str
    holds: Callable[[Any, Any], bool]


class ApiModel(BaseModel):
    """Strict, frozen, camelCase.  ``"500"`` is not a number and an unknown field is an error, as for the API server."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=False
    )
    RULES: ClassVar[tuple[Rule, ...]] = ()
    TRANSITIONS: ClassVar[tuple[Transition, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for name, key in _unique_lists(type(self)):
            _refuse_duplicates(name, [getattr(item, key) if key else item for item in getattr(self, name)])
        for rule in self.RULES:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self

    def wire(self) -> dict[str, Any]:
        """JSON-ready, camelCase, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@cache
def _unique_lists(model: type[ApiModel]) -> tuple[tuple[str, str | None], ...]:
    """Fields marked as a Kubernetes set, or as a map with the attribute that is its key."""
    found: list[tuple[str, str | None]] = []
    for name, field in model.model_fields.items():
        marks = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        match marks.get("x-kubernetes-list-type"), marks.get("x-kubernetes-list-map-keys"):
            case "set", _:
                found.append((name, None))
            case "map", [str(key)]:
                found.append((name, key))
    return tuple(found)


def _refuse_duplicates(name: str, keys: list[Any]) -> None:
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"{to_camel(name)}: Duplicate value: {', '.join(twice)}")


def broken_transitions(old: ApiModel, new: ApiModel) -> list[str]:
    """Messages of the transition rules that changing ``old`` into ``new`` breaks."""
    return [rule.message for rule in new.TRANSITIONS if not rule.holds(old, new)]

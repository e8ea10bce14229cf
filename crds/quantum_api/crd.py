"""Turns the pydantic kinds into CustomResourceDefinitions.  Pure.

In    quantum_api.kinds.KINDS
Out   CRD manifests with structural schemas: descriptions, bounds, enums, defaults, CEL, printer columns
Flow  `make generate` -> HERE -> crds/*.yaml -> chart
"""

from typing import Any

from quantum_api import names
from quantum_api.kinds import Column, Kind
from quantum_api.model import ApiModel, Tightens
from quantum_api.trading_policy import TradingPolicySpec

_DROPPED = {"title", "additionalProperties", "propertyNames"}


def manifest(kind: Kind) -> dict[str, Any]:
    """The CRD of one kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{names.GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep"},
            "labels": {"app.kubernetes.io/part-of": "quantum-trader"},
        },
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short],
                "categories": [names.CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(c) for c in kind.columns],
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": kind.summary,
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": _with_defaults_said(schema_of(kind.spec)),
                    "status": schema_of(kind.status),
                },
            }
        },
    }


def _column(column: Column) -> dict[str, Any]:
    entry = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    return entry | ({"priority": column.priority} if column.priority else {})


def schema_of(model: type[ApiModel]) -> dict[str, Any]:
    """Structural schema of ``model``, with its rules as CEL."""
    rules = _rules_by_model(model)
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    return _structural(schema, definitions, rules)


def _structural(node: dict[str, Any], definitions: dict[str, Any], rules: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    title = node.get("title", "")
    if "$ref" in node:
        target = node["$ref"].rsplit("/", 1)[-1]
        own = {key: value for key, value in node.items() if key != "$ref"}
        return _structural({**definitions[target], **own, "title": target}, definitions, rules)
    if "anyOf" in node:
        branch = next(b for b in node["anyOf"] if b.get("type") != "null")
        own = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        return _structural({**branch, **own}, definitions, rules)
    result = {key: value for key, value in node.items() if key not in _DROPPED}
    if "properties" in node:
        result["properties"] = {name: _structural(child, definitions, rules) for name, child in node["properties"].items()}
    elif isinstance(node.get("additionalProperties"), dict):
        result["additionalProperties"] = _structural(node["additionalProperties"], definitions, rules)
    if "items" in node:
        result["items"] = _structural(node["items"], definitions, rules)
    if "default" in node:
        result["default"] = _without_nulls(node["default"])
    if "enum" in node:
        result["maxLength"] = max(map(len, node["enum"]))
    if rules.get(title):
        result["x-kubernetes-validations"] = rules[title]
    return result


def _without_nulls(value: Any) -> Any:
    """A default as the API server stores it: what is not set is absent, never null."""
    if isinstance(value, dict):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    return value


def _with_defaults_said(node: dict[str, Any]) -> dict[str, Any]:
    """Add the default to each description: `kubectl explain` prints descriptions, not defaults."""
    result = dict(node)
    if "default" in node and "description" in node:
        result["description"] = f"{node['description']} Default: {_said(node['default'])}."
    if "properties" in node:
        result["properties"] = {name: _with_defaults_said(child) for name, child in node["properties"].items()}
    for child in ("items", "additionalProperties"):
        if child in node:
            result[child] = _with_defaults_said(node[child])
    return result


def _said(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return "empty" if default in ("", []) or isinstance(default, dict) else str(default)


def _rules_by_model(model: type[ApiModel]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    pending: list[type[ApiModel]] = [model]
    while pending:
        current = pending.pop()
        if current.__name__ in found:
            continue
        found[current.__name__] = [
            {"rule": r.cel, "message": r.message} | ({"fieldPath": r.field_path} if r.field_path else {}) for r in current.RULES
        ] + [{"rule": t.cel, "message": t.message} for t in current.TRANSITIONS]
        pending += [m for field in current.model_fields.values() for m in _models_in(field.annotation)]
    return found


def _models_in(annotation: Any) -> list[type[ApiModel]]:
    if isinstance(annotation, type) and issubclass(annotation, ApiModel):
        return [annotation]
    return [m for argument in getattr(annotation, "__args__", ()) for m in _models_in(argument)]


def limit_fields() -> dict[str, tuple[Any, Tightens]]:
    """Wire name -> (annotation, direction in which it tightens) of every field that may loosen."""
    found: dict[str, tuple[Any, Tightens]] = {}
    for field in TradingPolicySpec.model_fields.values():
        marks = [mark for mark in field.metadata if isinstance(mark, Tightens)]
        if marks and field.alias:
            found[field.alias] = (field.annotation, marks[0])
    return found

"""metav1.LabelSelector over engine pods.  Pure.

In    a selector and a pod's labels
Out   whether it selects; an empty selector selects every engine of the namespace
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from quantum_api.citations import audited
from quantum_api.model import ApiModel, Rule

LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelExpression(ApiModel):
    """One requirement on one label."""

    RULES: ClassVar = (
        Rule(
            "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
            "values must be given for In and NotIn, and left out for Exists and DoesNotExist",
            lambda e: bool(e.values) == (e.operator in (Operator.IN, Operator.NOT_IN)),
        ),
    )
    key: Annotated[LabelKey, Field(description=audited("Label key.", unit="label key"))]
    operator: Annotated[Operator, Field(strict=False, description=audited("In, NotIn, Exists or DoesNotExist.", unit="operator"))]
    values: Annotated[
        list[LabelValue],
        Field(
            max_length=64,
            description=audited("Label values for In and NotIn.", unit="label values"),
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []

    def matches(self, labels: dict[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return value is not None and value in self.values
            case Operator.NOT_IN:
                return value is None or value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None


class LabelSelector(ApiModel):
    """Every requirement must hold."""

    match_labels: Annotated[
        dict[str, LabelValue],
        Field(max_length=16, description=audited("Labels an engine pod must bear, key to value.", unit="labels")),
    ] = {}
    match_expressions: Annotated[
        list[LabelExpression],
        Field(
            max_length=16,
            description=audited("Requirements on an engine pod's labels; every one must hold.", unit="requirements"),
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether a pod with ``labels`` is selected."""
        return all(labels.get(k) == v for k, v in self.match_labels.items()) and all(e.matches(labels) for e in self.match_expressions)


Selector = Annotated[
    LabelSelector,
    Field(
        description=audited(
            "Engine pods of this namespace that the object is for; empty or left out selects every engine.", unit="label selector"
        )
    ),
]

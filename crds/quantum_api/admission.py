"""Writes the CEL that finds which limits an update of a TradingPolicy loosens.  Pure.

In    the ``Tightens`` marks on the limits
Out   a CEL expression: list of "field old -> new" sentences, empty when nothing loosens
Flow  `make generate` -> HERE -> charts/quantum-trader/files/admission -> ValidatingAdmissionPolicy `loosen`
Why   the operator's merge and the API server's guard must read the same mark, or one of them has a hole
"""

from enum import StrEnum
from typing import Any

from quantum_api.crd import limit_fields
from quantum_api.model import Tightens


def loosened_expression() -> str:
    """One CEL term per thing that can loosen, joined by ``+``."""
    terms = [_term(name, annotation, direction) for name, (annotation, direction) in limit_fields().items()]
    return " +\n".join([*terms, _SELECTOR, _SUSPEND])


_SELECTOR = "(object.spec.selector != oldObject.spec.selector ? ['selector changed'] : [])"
_SUSPEND = "(object.spec.suspend && !oldObject.spec.suspend ? ['suspend false -> true'] : [])"


def _term(name: str, annotation: Any, direction: Tightens) -> str:
    new, old = f"object.spec.{name}", f"oldObject.spec.{name}"
    match direction:
        case Tightens.SMALLER:
            return f"({new} > {old} ? ['{name} ' + string({old}) + ' -> ' + string({new})] : [])"
        case Tightens.LARGER:
            return f"({new} < {old} ? ['{name} ' + string({old}) + ' -> ' + string({new})] : [])"
        case Tightens.SUBSET:
            return f"{new}.filter(item, !(item in {old})).map(item, '{name} + ' + item)"
        case Tightens.STRONGER:
            ranks = _ranks(annotation)
            return f"({ranks}[{new}] < {ranks}[{old}] ? ['{name} ' + {old} + ' -> ' + {new}] : [])"


def _ranks(words: type[StrEnum]) -> str:
    return "{" + ", ".join(f"'{word}': {rank}" for rank, word in enumerate(words)) + "}"

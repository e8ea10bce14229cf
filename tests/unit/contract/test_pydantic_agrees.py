"""The table of accepted and refused objects, as pydantic sees it."""

import pytest
from pydantic import ValidationError

from contract_cases import CASES, Case
from quantum_api.model import broken_transitions

IDS = [f"{case.kind.short} {case.name}" for case in CASES]


def test_no_two_cases_bear_the_same_name() -> None:
    assert len(set(IDS)) == len(IDS) >= 60


@pytest.mark.parametrize("case", [c for c in CASES if c.refused is None], ids=lambda c: c.name)
def test_pydantic_accepts_what_the_table_accepts(case: Case) -> None:
    new = case.kind.spec.model_validate(case.spec)
    if case.old is not None:
        assert broken_transitions(case.kind.spec.model_validate(case.old), new) == []


@pytest.mark.parametrize("case", [c for c in CASES if c.refused is not None and c.old is None], ids=lambda c: c.name)
def test_pydantic_refuses_what_the_table_refuses(case: Case) -> None:
    with pytest.raises(ValidationError) as refusal:
        case.kind.spec.model_validate(case.spec)
    if case.is_rule:
        assert case.refused is not None
        assert case.refused in str(refusal.value), "pydantic and CEL must say the same sentence"


@pytest.mark.parametrize("case", [c for c in CASES if c.refused is not None and c.old is not None], ids=lambda c: c.name)
def test_a_broken_transition_is_named_in_the_same_words(case: Case) -> None:
    old, new = (case.kind.spec.model_validate(spec) for spec in (case.old, case.spec))
    assert case.refused is not None
    assert any(case.refused in message for message in broken_transitions(old, new))

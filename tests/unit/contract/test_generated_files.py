"""What is generated from the contract is what is committed, and says what a person needs to know."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quantum_api import generate
from quantum_api.admission import loosened_expression
from quantum_api.crd import limit_fields, manifest
from quantum_api.kinds import KINDS, Kind
from quantum_api.refusals import DocumentRefusal, Refusal
from quantum_api.trading_policy import Limits


def spec_fields(kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    def below(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, child in node.get("properties", {}).items():
            yield f"{path}.{name}", child
            yield from below(child, f"{path}.{name}")
            yield from below(child.get("items", {}), f"{path}.{name}[]")

    schema = manifest(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    yield from below(schema["properties"]["spec"], "spec")


def test_the_committed_files_are_what_the_contract_generates() -> None:
    assert generate.drifted(generate.ROOT) == [], "run `make generate` and commit the result"


def test_check_names_the_file_that_was_edited_by_hand_and_the_one_that_nothing_generates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.main(["--root", str(tmp_path)]) == 0
    assert generate.main(["--root", str(tmp_path), "--check"]) == 0
    capsys.readouterr()
    edited = tmp_path / "crds" / "tradingpolicies.yaml"
    edited.write_text(edited.read_text().replace("10000000000", "20000000000"))
    shutil.copy(edited, tmp_path / "crds" / "left-over.yaml")
    assert generate.main(["--root", str(tmp_path), "--check"]) == 1
    assert "drifted crds/left-over.yaml\ndrifted crds/tradingpolicies.yaml\n" in capsys.readouterr().out
    assert "maximum: 20000000000" in edited.read_text(), "--check must not write"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_spec_field_says_its_unit_and_its_source(kind: Kind) -> None:
    silent = [
        path for path, node in spec_fields(kind) if "Unit: " not in node.get("description", "") or "Source: " not in node["description"]
    ]
    assert silent == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_spec_field_with_a_default_says_it(kind: Kind) -> None:
    """`kubectl explain` prints the description and not the default."""
    assert [path for path, node in spec_fields(kind) if "default" in node and "Default: " not in node["description"]] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_fits_one_screen_of_kubectl_get(kind: Kind) -> None:
    version = manifest(kind)["spec"]["versions"][0]
    assert len(version["additionalPrinterColumns"]) <= 7
    assert version["subresources"] == {"status": {}}
    assert manifest(kind)["spec"]["names"]["categories"] == ["quantumtrader"]


def test_every_limit_knows_which_way_it_tightens_and_the_guard_reads_it() -> None:
    names = {field.alias for field in Limits.model_fields.values()}
    assert set(limit_fields()) == names
    assert [name for name in names if f"object.spec.{name}" not in loosened_expression()] == []


def test_every_word_for_no_has_a_meaning_in_the_reference() -> None:
    page = generate.outputs()["docs/reference/refusals.md"]
    for word in (*Refusal, *DocumentRefusal):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{word}` |"))
        assert len(line.split("|")[2].strip()) > 15

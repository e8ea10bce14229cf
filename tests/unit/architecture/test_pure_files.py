"""A file that says it is pure touches no clock, chance, id, network or disk: what decides can then be proven by laws and replayed."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = (
    "crds/quantum_api", "operator/quantum_operator", "engine/quantum_engine", "simulator/quantum_simulator", "cluster/quantum_cluster",
    "bus/quantum_bus",
)  # fmt: skip
IMPURE = frozenset(
    {
        "time",
        "random",
        "uuid",
        "secrets",
        "socket",
        "asyncio",
        "aiohttp",
        "sqlite3",
        "redis",
        "os",
        "subprocess",
        "shutil",
        "kubernetes",
        "kopf",
    }
)


def says_it_is_pure(tree: ast.Module) -> bool:
    title = (ast.get_docstring(tree) or "").split("\n\n")[0]
    return "Pure." in title or "Pure;" in title or "Pure data" in title


def imported(tree: ast.Module) -> set[str]:
    """Top-level packages.  A seeded ``random.Random`` that is handed in is no chance."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random" and node.attr != "Random":
            found.add("random")
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} - {"random"}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def pure_files() -> list[Path]:
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in files if says_it_is_pure(ast.parse(path.read_text()))]


def test_there_are_pure_files_in_every_room() -> None:
    """Or the test below would hold for nothing."""
    rooms = {path.relative_to(ROOT).parts[0] for path in pure_files()}
    assert rooms == {room.split("/")[0] for room in ROOMS}


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_says_it_is_pure_imports_nothing_impure(path: Path) -> None:
    assert not imported(ast.parse(path.read_text())) & IMPURE

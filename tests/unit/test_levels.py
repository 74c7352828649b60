"""Data flows one way: a package of the layer imports from lower levels, and of its own level only what is listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LAYER = PROJECT / "layers" / "shared" / "sageline"
CLIENT = PROJECT / "packages" / "sageline-client" / "src"
EMULATOR = PROJECT / "packages" / "sagemaker-emulator" / "src"
LEVELS = (
    ("errors", "names", "json_objects", "arrays", "aws"),
    ("formats", "spec"),
    ("algorithms", "encoder", "runs"),
    ("dataset", "storage", "jobs", "deployment", "report", "serving"),
    ("resolve", "training", "models", "batch", "costs", "failures"),
    ("waiting", "evaluation", "sweep", "api", "configuration"),
    ("preparation",),
)
"""From the bottom up; docs/architecture.md shows the same."""
WITHIN_A_LEVEL = {
    ("aws", "errors"),
    ("aws", "json_objects"),
    ("aws", "names"),
    ("jobs", "deployment"),
    ("models", "training"),
    ("report", "jobs"),
    ("costs", "resolve"),
    ("spec", "formats"),
    ("storage", "dataset"),
}
NOT_IMPORTED = "scripts"
"""What runs in a training job, not in the layer."""
MOST_FILES = 15


@cache
def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The import statements of a module, in whatever block of it."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported(path: Path) -> Iterator[str]:
    """The packages of ``sageline`` that a module imports."""
    for node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sageline":
            rest = node.module.split(".")[1:]
            yield from rest[:1] or [alias.name for alias in node.names]
        else:
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sageline."))


def refused(package: str, target: str) -> bool:
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    if package == target or level[target] < level[package]:
        return False
    return (package, target) not in WITHIN_A_LEVEL


def upward(root: Path) -> list[str]:
    """Each import below ``root`` that the levels do not allow."""
    found = []
    for path in sorted(root.rglob("*.py")):
        package = path.relative_to(root).with_suffix("").parts[0]
        if package not in ("__init__", NOT_IMPORTED):
            found += [f"{path.relative_to(root)} imports {name}" for name in imported(path) if refused(package, name)]
    return found


def test_the_layer_imports_downwards_only() -> None:
    assert upward(LAYER) == []


def test_an_arrow_that_is_turned_round_is_found(tmp_path: Path) -> None:
    for name, line in {"formats": "from sageline.runs.store import RunStore", "runs": "import sageline.formats.csv"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text(f"def late():\n    {line}\n")

    assert upward(tmp_path) == ["formats/module.py imports runs"]


def test_every_arrow_within_a_level_is_one_that_is_there() -> None:
    there = {
        (package.name, target)
        for package in LAYER.iterdir()
        if package.is_dir() and package.name not in (NOT_IMPORTED, "__pycache__")
        for path in package.rglob("*.py")
        for target in imported(path)
    }

    assert WITHIN_A_LEVEL - there == set()


def test_no_folder_of_the_layer_is_too_full_to_be_looked_through() -> None:
    folders = [LAYER, *(path for path in LAYER.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    sizes = {str(folder.relative_to(LAYER)): sum(path.is_file() for path in folder.iterdir()) for folder in folders}

    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_the_page_on_architecture_shows_the_same_levels_and_arrows() -> None:
    page = (PROJECT / "docs" / "architecture.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if re.match(r"\| [1-9] \| `", line)]
    shown = {name: int(level) for level, names, *_ in rows for name in in_code(names)}
    arrows = {(in_code(names)[0], other) for _, names, _, also in rows for other in in_code(also)}

    assert shown == {name: number for number, names in enumerate(LEVELS, start=1) for name in names}
    assert arrows == WITHIN_A_LEVEL


@pytest.mark.parametrize("root", ["sageline_local", "sageline_cli", "functions"])
def test_the_layer_knows_nothing_of_what_uses_it(root: str) -> None:
    knows = [path for path in LAYER.rglob("*.py") for node in imports(path) if root in _top_level(node)]

    assert knows == []


def test_the_client_for_applications_knows_nothing_of_sageline() -> None:
    others = {"sageline", "sageline_cli", "sageline_local", "functions", "sagemaker_emulator", "boto3", "tests"}
    modules = list(CLIENT.rglob("*.py"))

    knows = [path.name for path in modules for node in imports(path) if others & set(_top_level(node))]

    assert modules
    assert knows == []


@pytest.mark.parametrize("root", [LAYER, PROJECT / "functions", EMULATOR])
def test_only_tools_use_the_client_for_applications(root: Path) -> None:
    knows = [path for path in root.rglob("*.py") for node in imports(path) if "sageline_client" in _top_level(node)]

    assert knows == []


def in_code(cell: str) -> list[str]:
    return re.findall("`([a-z_]+)`", cell)


def _top_level(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names]

"""The package stands on its own: what it imports, what it says that it needs, and which way its imports go."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2]
SOURCE = PACKAGE / "src" / "sagemaker_emulator"
NAME = SOURCE.name
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
FOREIGN = {"sageline", "sageline_local", "sageline_cli", "tests"}
OPTIONAL = {"ministack": "iam", "pytest": "pytest", "tensorflow": "tensorflow"}
"""What may be absent, and the extra that brings it."""


@cache
def modules() -> dict[str, Path]:
    """Every module by its name below the package; a package's is that of its ``__init__``."""
    return {
        ".".join(part for part in path.relative_to(SOURCE).with_suffix("").parts if part != "__init__"): path
        for path in sorted(SOURCE.rglob("*.py"))
    }


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, in whatever block of it; those of ``from`` with what is taken from there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def own_imports(path: Path) -> set[str]:
    """The package's modules that a module imports."""
    found = set()
    for name in imports(path):
        if name.startswith(f"{NAME}."):
            below = name.removeprefix(f"{NAME}.")
            found.add(below if below in modules() else below.rpartition(".")[0])
    return found


def cycle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.slow
@pytest.mark.parametrize("directory", [SOURCE, PACKAGE / "tests"], ids=["src", "tests"])
def test_no_file_knows_the_bundle_that_the_package_comes_from(directory: Path) -> None:
    files = sorted(directory.rglob("*.py"))
    knows = {str(path.relative_to(directory)): sorted(roots(path) & FOREIGN) for path in files}

    assert {name: found for name, found in knows.items() if found} == {}


@pytest.mark.slow
def test_the_package_needs_what_it_imports_and_nothing_else() -> None:
    distributions = packages_distributions()
    imported = set().union(*map(roots, modules().values())) - {NAME, *OPTIONAL} - sys.stdlib_module_names
    # Type stubs are asked for under TYPE_CHECKING only.
    others = {root for root in imported if not root.startswith("mypy_boto3")}
    needed = {normal(distributions.get(root, [root])[0]) for root in others}

    assert {normal(re.split("[=<>]", text)[0]) for text in PROJECT["dependencies"]} == needed


def test_what_may_be_absent_has_an_extra_that_brings_it() -> None:
    imported = set().union(*map(roots, modules().values()))

    assert {extra for root, extra in OPTIONAL.items() if root in imported} == set(PROJECT["optional-dependencies"])


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {name: own_imports(path) - {name} for name, path in modules().items()}

    assert cycle(graph) == []


def test_sub_packages_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, path in modules().items():
        unit = name.split(".")[0]
        graph.setdefault(unit, set()).update({other.split(".")[0] for other in own_imports(path)} - {unit})

    assert cycle(graph) == []


def test_a_circle_is_found() -> None:
    assert set(cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def normal(name: str) -> str:
    return name.lower().replace("_", "-")

"""A name means one thing: no two classes, and no two named types, of the layer and its tools are called alike."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROOTS = (PROJECT / "layers" / "shared" / "sageline", PROJECT / "sageline_cli", PROJECT / "sageline_local")


def named_types(source: str) -> Iterator[str]:
    """The public classes and type aliases at the top of a module."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                pass
            case _:
                continue
        if not name.startswith("_"):
            yield name


@pytest.mark.slow
def test_every_type_has_a_name_of_its_own() -> None:
    modules = defaultdict(list)
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            for name in named_types(path.read_text()):
                modules[name].append(str(path.relative_to(PROJECT)))

    assert {name: files for name, files in modules.items() if len(files) > 1} == {}


def test_classes_and_aliases_count_and_what_is_private_does_not() -> None:
    assert list(named_types("class A: ...\nclass _B: ...\nC: TypeAlias = int\nd = 1\n")) == ["A", "C"]

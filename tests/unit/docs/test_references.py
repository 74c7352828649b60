"""What docstrings and comments point to is there: names by their roles, and documents by their paths."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
LAYER = PROJECT / "layers" / "shared"
CLIENT = PROJECT / "packages" / "sageline-client" / "src"
ROOTS = (LAYER / "sageline", PROJECT / "sageline_cli", PROJECT / "sageline_local", PROJECT / "functions", CLIENT)
ROLE = re.compile(r":(mod|class|func|meth|data|attr):`([^`]+)`")
PATH = re.compile(
    r"(?<![\w/.-])(?:layers|functions|sageline_local|sageline_cli|packages|tests|events|statemachine|examples|docs)/[\w./*-]*[\w*]"
)
MODULE = re.compile(r"`((?:\w+/)+\w+\.py)`")
BASES = (PROJECT, LAYER, LAYER / "sageline", PROJECT / "packages/sagemaker-emulator/src/sagemaker_emulator")
"""Where a page's paths begin."""
DOCUMENT = re.compile(r"(?<![\w/.-])docs/[\w/-]+\.\w+")


def sources() -> Iterator[tuple[Path, str]]:
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            yield path, path.read_text()


def names_in(tree: ast.Module) -> dict[str, str | None]:
    """Each name that a module binds, those of its classes' members too; where it is from, if it is imported."""
    found: dict[str, str | None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.setdefault(node.name, None)
            case ast.ImportFrom(module=str(module)):
                found |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            case ast.Import():
                found |= {alias.asname or alias.name: alias.name for alias in node.names}
            case ast.Name(ctx=ast.Store()):
                found.setdefault(node.id, None)
            case ast.Attribute(ctx=ast.Store()):
                found.setdefault(node.attr, None)
            case _:
                pass
    return found


def is_there(target: str, names: dict[str, str | None]) -> bool:
    first, _, rest = target.partition(".")
    if first in names:
        imported = names[first]
        if imported is None:
            return all(part in names for part in rest.split(".") if part)
        target = f"{imported}.{rest}" if rest else imported
    elif not rest:
        return False
    return is_importable(target) or is_field(target)


def is_importable(target: str) -> bool:
    try:
        pkgutil.resolve_name(target)
    except (ImportError, AttributeError):
        return False
    return True


def is_field(target: str) -> bool:
    """Whether it is an annotated attribute of a class, which has no value there."""
    owner, _, name = target.rpartition(".")
    return is_importable(owner) and name in getattr(pkgutil.resolve_name(owner), "__annotations__", {})


def dead_references(source: str) -> list[str]:
    """The roles in the strings of a module whose target is neither a name of the module nor importable."""
    tree = ast.parse(source)
    names = names_in(tree)
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [target for text in texts for _, target in ROLE.findall(text) if not is_there(target, names)]


@pytest.mark.slow
def test_docstrings_refer_to_names_that_are_there() -> None:
    dead = [f"{path.relative_to(PROJECT)}: {target}" for path, source in sources() for target in dead_references(source)]

    assert dead == []


@pytest.mark.parametrize(
    ("line", "dead"),
    [
        (":func:`sageline.names.run_id` and :mod:`sageline.runs.store`", []),
        (":func:`sageline.names.gone` and :mod:`sageline.gone`", ["sageline.names.gone", "sageline.gone"]),
        (":class:`Here`, :meth:`Here.method` and :meth:`method`", []),
        (":class:`There`, :meth:`Here.gone` and :class:`RunStore.put_token`", ["There", "Here.gone"]),
        (":meth:`RunStore.gone` and :attr:`RunRecord.details`", ["RunStore.gone"]),
    ],
)
def test_a_reference_to_what_is_gone_is_found(line: str, dead: list[str]) -> None:
    source = f'"""{line}."""\nfrom sageline.runs.store import RunRecord, RunStore\nclass Here:\n    def method(self): ...\n'

    assert dead_references(source) == dead


def test_documents_that_the_code_names_are_there() -> None:
    gone = {
        f"{path.relative_to(PROJECT)}: {name}"
        for path, source in sources()
        for name in DOCUMENT.findall(source)
        if not (PROJECT / name).is_file()
    }

    assert gone == set()


def test_paths_that_the_documents_name_are_there() -> None:
    gone = [
        f"{page.name}: {name}"
        for page in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"))
        for name in (*PATH.findall(page.read_text()), *MODULE.findall(page.read_text()))
        if not any(any(base.glob(name)) for base in BASES)
    ]

    assert gone == []

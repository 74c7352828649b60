"""A state holds instances of the classes that are listed, and whatever these keep is listed too."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from sageline.aws.settings import RunSettings
from sageline.storage.shards.state_classes import STATE_CLASSES
from sageline.storage.shards.state_codec import UnknownState, decode_state, encode_state

NOT_KEPT = {
    "sageline.arrays.strings:StringArray": "has a place by itself, as have those of its kind",
    "sageline.dataset.profiles.examples:ExampleColumn": "a block's, while it is counted",
    "sageline.dataset.splits.plan:FirstChannels": "a protocol",
    "sageline.dataset.statistics:_Statistics": "a protocol",
    "sageline.dataset.statistics:_Images": "of image files, which one function prepares",
    "sageline.encoder.decision:Decision": "is made when the model is evaluated",
    "sageline.encoder.fitting:ImageFileFit": "of image files",
    "sageline.encoder.image_file:ImageFileEncoder": "of image files",
    "sageline.encoder.text.read_text:ReadWords": "of a block, while it is read",
    "sageline.evaluation.metrics.ranking:Ranking": "is computed when the rows are merged",
    "sageline.errors:InvalidDataset": "is kept as its text",
    "sageline.preparation.packed_file:Place": "of one function's disk",
}


def class_named(name: str) -> type:
    module, _, of_module = name.partition(":")
    found = getattr(importlib.import_module(module), of_module)
    assert isinstance(found, type), name
    return found


def kept_by(kind: type) -> Iterator[type]:
    """Classes of the package that are named where a class says what its attributes are, or gives them values."""
    module = importlib.import_module(kind.__module__)
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(found, ast.ClassDef)
    said = [node.annotation for node in found.body if isinstance(node, ast.AnnAssign)]
    for method in found.body:
        if isinstance(method, ast.FunctionDef):
            said += [argument.annotation for argument in method.args.args if method.name == "__init__" and argument.annotation]
            said += [node.annotation for node in ast.walk(method) if isinstance(node, ast.AnnAssign)]
            said += [
                node.value
                for node in ast.walk(method)
                if isinstance(node, ast.Assign) and any(isinstance(target, ast.Attribute) for target in node.targets)
            ]
    for node in said:
        yield from named_in(node, module)


def named_in(node: ast.AST, module: ModuleType) -> Iterator[type]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield from classes_of(getattr(module, part.id, None))


def classes_of(found: Any) -> Iterator[type]:  # Any: what a module has by a name
    if isinstance(found, type):
        if found.__module__.startswith("sageline."):
            yield found
    else:
        for argument in get_args(found):
            yield from classes_of(argument)


@pytest.mark.parametrize("name", sorted(STATE_CLASSES))
def test_what_a_class_keeps_is_listed(name: str) -> None:
    kind = class_named(name)
    if issubclass(kind, BaseModel):
        return  # it goes as its own JSON document
    kept = {f"{other.__module__}:{other.__qualname__}" for other in kept_by(kind)}

    assert kept - STATE_CLASSES - set(NOT_KEPT) == set()


def test_a_class_of_the_package_that_is_not_listed_has_no_place() -> None:
    settings = RunSettings(bucket_name="b", runs_table_name="t", stack_name="s")

    with pytest.raises(UnknownState, match="RunSettings has no place in a state"):
        encode_state(settings)
    document = b'{"object":["sageline.aws.settings:RunSettings",{}]}'
    with pytest.raises(UnknownState, match="no class whose instances a state holds"):
        decode_state(len(document).to_bytes(8, "little") + document)

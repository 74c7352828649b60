"""JSON Schema of the rows that a model takes: what it refuses, as constraints; what it has seen, as annotations.

A number beyond those of the dataset, or a category that training did not have, is taken (with a warning for the category): so
they are said by ``examples`` and ``x-sageline-…``, which no validator looks at. https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from sageline.arrays.dates import EXAMPLES, written
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.fitted import FittedEncoder
from sageline.json_objects import Document, Json

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

MOST_DESCRIBED = 1000  # columns of which more is told than what they take
_MOST_VALUES = 100
_MOST_LABELS = 1000
_LARGEST = float(np.finfo(np.float32).max)
_WORDS: Json = {"type": "array", "items": {"type": "string"}}
_DOT: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""


def row_schema(encoder: FittedEncoder, seen: Mapping[str, Document], example: object | None = None) -> Json:
    """The schema of one instance: an object of columns, an array of all values, or the one text.

    Args:
        seen: of the dataset's columns what their profile says: ``minimum`` and ``maximum`` of numbers. May lack any.
        example: an instance that the model takes, if one is known; otherwise one is made.
    """
    forms = _image_forms(encoder) if encoder.image_shape is not None and not encoder.reads_files else _table_forms(encoder, seen)
    return {
        "$schema": DIALECT,
        "anyOf": forms,
        "examples": [_made_example(encoder, seen) if example is None else example],
        "x-sageline-label": _label(encoder, seen.get(encoder.label_column, {})),
        "x-sageline-ignored": [encoder.label_column, *encoder.unused_columns][:MOST_DESCRIBED],
    }


def _label(encoder: FittedEncoder, seen: Document) -> Json:
    """What is predicted: the labels in class order, or the range that the values of the dataset have."""
    about: Json = {"name": encoder.label_column, "task": encoder.task}
    if encoder.classes is None:
        return about | _range(seen)
    return about | {"classes": len(encoder.classes), "labels": encoder.classes[:_MOST_LABELS]}


def _range(seen: Document) -> Json:
    return {f"x-sageline-{name}": seen[name] for name in ("minimum", "maximum") if isinstance(seen.get(name), int | float)}


def _table_forms(encoder: FittedEncoder, seen: Mapping[str, Document]) -> list[Json]:
    names = list(encoder.feature_columns)
    takes = {name: _takes(name, encoder) for name in names}
    described = names if len(names) <= MOST_DESCRIBED else []
    as_object = {name: _with_words(encoder.feature_columns[name], taken) for name, taken in takes.items()}
    for name in described:
        as_object[name] = {**as_object[name], **_about(name, encoder, seen.get(name, {}))}
    rows: Json = {"type": "object", "properties": as_object}
    if required := [name for name in names if name in encoder.required_columns and "." not in name]:
        rows["required"] = required
    else:  # one of them must be there; a column "a.b" may stand in an object "a"
        rows["anyOf"] = [{"required": [key]} for key in dict.fromkeys([*names, *(name.split(".")[0] for name in names)])]
    values = {"type": "array", "prefixItems": list(takes.values()), "items": False, "minItems": len(names)}
    forms = [rows, values]
    if list(encoder.feature_columns.values()) in (["text"], ["image"]):
        forms.append(takes[names[0]] | {"type": "string"})
    return forms


def _with_words(kind: str, taken: Json) -> Json:
    """In an object a text may be a list of words."""
    return {"anyOf": [taken, _WORDS]} if kind in ("text", "category") else taken


def _takes(name: str, encoder: FittedEncoder) -> Json:
    """The values that a column takes."""
    may_miss = [] if name in encoder.required_columns else ["null"]
    match encoder.feature_columns[name]:
        case "number":
            numbers = encoder.features.numbers if isinstance(encoder.features, ColumnsEncoder) else {}
            binary = ["boolean"] if name in numbers and numbers[name].binary else []
            return {"type": ["number", "string", *binary, *may_miss], "minimum": -_LARGEST, "maximum": _LARGEST}
        case "category":
            return {"type": ["string", "number", "boolean", "null"]}
        case "date":
            return {"type": ["string", "number", "null"]}
        case "pixel":
            return _pixel()
        case "image":
            return {"type": "string", "contentEncoding": "base64"}
        case _:
            return {"type": ["string", *may_miss]}


def _about(name: str, encoder: FittedEncoder, seen: Document) -> Json:
    """What is known of a column beside what it takes."""
    kind = encoder.feature_columns[name]
    about: Json = {"x-sageline-kind": kind, **_range(seen)}
    features = encoder.features
    if kind == "image":
        about["description"] = "The image file in base64, also as a data: URL."
    if not isinstance(features, ColumnsEncoder):
        return about
    if name in features.categories:
        values = [value for value in features.categories[name].values if value]
        about |= {"examples": values[:_MOST_VALUES], "x-sageline-different-values": len(values)}
    elif name in features.dates:
        spelled = features.dates[name].format
        about |= {"description": f"A date, {written(spelled)}.", "examples": [EXAMPLES[spelled.order]]}
    elif name in features.numbers and (words := features.numbers[name].spelling.words):
        about["description"] = f"A number; as a text spelled {words}."
    return about


def _pixel() -> Json:
    return {"type": ["number", "string"], "minimum": -_LARGEST, "maximum": _LARGEST}


def _image_forms(encoder: FittedEncoder) -> list[Json]:
    """Images of pixels: an object of all of them, the numbers in their order, or an array nested as the shape is."""
    names, shape = list(encoder.feature_columns), encoder.image_shape or ()
    listed = [name for name in names if "." not in name]
    needed: Json = {"required": listed} if len(names) <= MOST_DESCRIBED else {}
    properties = {"properties": {name: _pixel() for name in names}} if len(names) <= MOST_DESCRIBED else {}
    nested = _pixel()
    for size in reversed(shape):
        nested = {"type": "array", "items": nested, "minItems": size, "maxItems": size}
    flat = {"type": "array", "items": _pixel(), "minItems": len(names), "maxItems": len(names)}
    return [nested, flat, {"type": "object", **properties, **needed}]


def _made_example(encoder: FittedEncoder, seen: Mapping[str, Document]) -> object:
    """An instance that the model takes without a warning."""
    if encoder.image_shape is not None and not encoder.reads_files:
        return np.zeros(encoder.image_shape, dtype=int).tolist()
    return {name: _value(name, encoder, seen.get(name, {})) for name in encoder.feature_columns}


def _value(name: str, encoder: FittedEncoder, seen: Document) -> Any:  # Any: JSON
    features = encoder.features
    match encoder.feature_columns[name]:
        case "number":
            middle = seen.get("mean")
            return middle if isinstance(middle, int | float) and math.isfinite(middle) else 0
        case "category":
            values = features.categories[name].values if isinstance(features, ColumnsEncoder) else []
            return next((value for value in values if value), None)
        case "date":
            return EXAMPLES[features.dates[name].format.order] if isinstance(features, ColumnsEncoder) else None
        case "image":
            return _DOT
        case _:
            return "text"

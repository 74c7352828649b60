"""Tables and bags of words that encoders up to version 4 have saved, as the encoder of columns that encodes the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sageline.arrays.matrix import AnyArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.columns import ColumnsEncoder, Part
from sageline.encoder.columns.number import NumberPart, NumberScaling
from sageline.encoder.columns.part import unpacked
from sageline.encoder.columns.text import TextPart
from sageline.encoder.text.words import TextEncoder


# Any: JSON
def bag_of_words(document: Mapping[str, Any], columns: Mapping[str, str], arrays: Mapping[str, AnyArray]) -> ColumnsEncoder:
    """All text columns as one text, and nothing else."""
    return ColumnsEncoder((TextPart(tuple(columns), TextEncoder.from_state(document, arrays)),), "sparse")


# Any: JSON
def table(document: Mapping[str, Any], columns: Mapping[str, str], arrays: Mapping[str, AnyArray]) -> ColumnsEncoder:
    """Numbers and categories. Version 1 had neither modes of categories nor ways to encode numbers, and up to version 3 all
    numbers were plain ones and all categories exact."""
    numbers = document.get("numbers", {})
    encoding, exact = document.get("category_mode", "one-hot"), document.get("exact_categories", True)
    parts: list[Part] = []
    for index, (name, kind) in enumerate(columns.items()):
        if kind == "category":
            parts.append(CategoryPart(name, unpacked(f"categories_{index}", arrays), encoding, exact))
        else:
            parts.append(_number(name, numbers.get(name, {})))
    return ColumnsEncoder(tuple(parts), "dense")


def _number(name: str, saved: Mapping[str, Any]) -> NumberPart:  # Any: JSON
    scaling = NumberScaling(saved.get("fill"), saved.get("offset", 0.0), saved.get("divisor", 1.0))
    spelling = Spelling(*saved.get("spelling", PLAIN))
    return NumberPart(name, scaling, spelling=spelling, binary=saved.get("binary", False))

"""Small fitted encoders of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.number import NumberPart, NumberScaling
from sageline.encoder.columns.text import TextPart
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text.words import TextEncoder


class Number(NamedTuple):
    """How a column of numbers of a :func:`table` is encoded."""

    fill: float | None = None
    offset: float = 0.0
    divisor: float = 1.0
    spelling: Spelling = PLAIN
    binary: bool = False


def table(
    columns: Mapping[str, Sequence[str] | None], numbers: Mapping[str, Number] | None = None, encoding: str = "one-hot"
) -> ColumnsEncoder:
    """Columns of categories, with their values, and of numbers (None)."""
    parts: list[NumberPart | CategoryPart] = []
    for name, values in columns.items():
        if values is not None:
            parts.append(CategoryPart(name, list(values), encoding))
            continue
        number = (numbers or {}).get(name, Number())
        scaling = NumberScaling(number.fill, number.offset, number.divisor)
        parts.append(NumberPart(name, scaling, spelling=number.spelling, binary=number.binary))
    return ColumnsEncoder(tuple(parts))


def words_of_texts(
    words: list[str], columns: Sequence[str] = ("post",), mode: str = "count", idf: DoubleArray | None = None
) -> ColumnsEncoder:
    """Columns of text that are read as one."""
    return ColumnsEncoder((TextPart(tuple(columns), TextEncoder(words, mode, idf)),), "sparse")


def text_encoder(classes: list[str] | None = None, mode: str = "count") -> FittedEncoder:
    idf = np.array([1.5, 2.5]) if mode == "tf-idf" else None
    labels = ["ham", "spam"] if classes is None else classes
    features = words_of_texts(["hello", "wörld"], mode=mode, idf=idf)
    return FittedEncoder("classification", {"post": "text"}, "label", labels, features)


def table_encoder(classes: list[str] | None = None) -> FittedEncoder:
    columns = table({"age": None, "colour": ["red", "3.0", "True"], "income": None})
    task = "regression" if classes is None else "classification"
    return FittedEncoder(task, {"age": "number", "colour": "category", "income": "number"}, "price", classes, columns)


def one_number_encoder() -> FittedEncoder:
    return FittedEncoder("regression", {"x": "number"}, "y", None, table({"x": None}))

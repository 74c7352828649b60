"""Labels: classes in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.numbers import is_number
from sageline.arrays.strings import StringArray
from sageline.encoder.values import ValueIndex


def class_order(labels: Iterable[str]) -> list[str]:
    """The distinct labels, sorted: by value when all are numbers, else as text."""
    distinct = sorted(set(labels))
    return sorted(distinct, key=float) if all(is_number(label) for label in distinct) else distinct


def encode_classes(column: StringArray, classes: Sequence[str]) -> FloatArray:
    """``float32[n]``: the index of each label in ``classes``, NaN for a label that is not there."""
    indexes = ValueIndex(classes).indexes_of(column)
    return np.where(indexes < 0, np.nan, indexes).astype(np.float32)

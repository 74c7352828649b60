"""Labels as a model learns them: classes in a fixed order; a regression's values as they are (the transform ``none``), or the
logarithms of 1 + value (``log``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.numbers import is_number
from sageline.arrays.strings import StringArray
from sageline.encoder.values import ValueIndex

TRANSFORMS = ("none", "log")

_MOST = float(np.finfo(np.float32).max)


def class_order(labels: Iterable[str]) -> list[str]:
    """The distinct labels, sorted: by value when all are numbers, else as text."""
    distinct = sorted(set(labels))
    return sorted(distinct, key=float) if all(is_number(label) for label in distinct) else distinct


def encode_classes(column: StringArray, classes: Sequence[str]) -> FloatArray:
    """``float32[n]``: the index of each label in ``classes``, NaN for a label that is not there."""
    indexes = ValueIndex(classes).indexes_of(column)
    return np.where(indexes < 0, np.nan, indexes).astype(np.float32)


def learnt_values(values: FloatArray, transform: str) -> FloatArray:
    """``float32[n]``: what a model learns of labels, which are at least 0 for ``log``."""
    return values if transform == "none" else np.log1p(values.astype(np.float64)).astype(np.float32)


def answered_values(learnt: FloatArray, transform: str) -> FloatArray:
    """``float32[n]``: what a model's answers say on the scale of the labels.

    For ``log`` none is below 0, because no label was, and none is infinite, which JSON cannot say.
    """
    if transform == "none":
        return learnt
    with np.errstate(over="ignore"):
        return np.clip(np.expm1(learnt.astype(np.float64)), 0, _MOST).astype(np.float32)

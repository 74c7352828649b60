"""Numbers and categories of a request without the detour by text, which takes tens of milliseconds for an image.

What is written here is bit for bit what the columns of a block would have become. Whatever is not plainly right gives None: then
the way by text is taken, which knows every spelling and every error.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray
from sageline.encoder.values import ValueIndex

_NUMBERS = {int, float}
_NUMBERS_OR_NONE = {int, float, type(None)}
_LARGEST = float(np.finfo(np.float32).max)


def rows_of(instances: Sequence[object], names: Sequence[str], shape: Sequence[int] = ()) -> list[list[object]] | None:
    """Each instance's values in the order of the columns; arrays may be nested as the shape says."""
    rows = []
    for instance in instances:
        if isinstance(instance, dict):
            if len(instance) != len(names) or not all(name in instance for name in names):
                return None
            rows.append([instance[name] for name in names])
        elif isinstance(instance, list):
            row = _flat(instance, shape)
            if row is None or len(row) != len(names):
                return None
            rows.append(row)
        else:
            return None
    return rows


# Any: JSON
def _flat(nested: list[Any], shape: Sequence[int]) -> list[object] | None:
    if not nested or not isinstance(nested[0], list):
        return nested
    if not shape or len(nested) != shape[0]:
        return None
    for size in shape[1:]:
        if set(map(type, nested)) != {list} or set(map(len, nested)) != {size}:
            return None
        nested = list(chain.from_iterable(nested))
    return nested


def numbers_of(rows: Sequence[Sequence[object]], *, may_miss: bool) -> FloatArray | None:
    """``float32[rows, columns]``, NaN for None, of values that are numbers within float32's range."""
    flat = list(chain.from_iterable(rows))
    if not set(map(type, flat)) <= (_NUMBERS_OR_NONE if may_miss else _NUMBERS):
        return None
    try:
        numbers = np.array(flat, dtype=np.float64)  # None becomes NaN
    except OverflowError:
        return None
    missing = np.isnan(numbers)
    if np.count_nonzero(missing) != (flat.count(None) if may_miss else 0):
        return None
    if np.abs(numbers[~missing]).max(initial=0.0) > _LARGEST:
        return None
    return numbers.astype(np.float32).reshape(len(rows), -1)


def codes_of(values: Sequence[object], known: ValueIndex) -> IntArray | None:
    """``int64[rows]``: each category's index, -1 for a missing or unknown one."""
    codes = []
    for value in values:
        if value is None:
            codes.append(-1)
        elif not isinstance(value, str):
            return None
        elif value in known.indexes:
            codes.append(known.indexes[value])
        elif value.isascii():
            codes.append(known.index(value))
        else:
            return None
    return np.array(codes, dtype=np.int64)

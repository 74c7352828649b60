"""Blocks, and what is made of them, as bytes for the disk and for another process: arrays are not copied on the way."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from sageline.arrays.late_text import DictionaryArray, ImageArray, NumberText
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.numbers import read_cells
from sageline.arrays.strings import ByteArray, IntArray, StringArray


def pack(value: object) -> list[ByteArray]:
    """The value as parts, ``uint8[n]`` each: what it is, and the contents of its arrays.

    Lengths take as few bytes as they need, and a column of plain numbers has these beside its text, so that nobody parses it a
    second time.
    """
    arrays: list[ByteArray] = []
    head = io.BytesIO()
    packer = _Packer(head, protocol=5, buffer_callback=lambda buffer: arrays.append(np.frombuffer(buffer.raw(), dtype=np.uint8)))
    packer.dump(value)
    return [np.frombuffer(head.getvalue(), dtype=np.uint8), *arrays]


def unpack(parts: Sequence[ByteArray]) -> Any:  # Any: what was packed
    """The value of these parts, whose arrays are the parts themselves: they are not to be changed otherwise."""
    head, *arrays = parts
    return pickle.loads(head.data, buffers=arrays)  # noqa: S301 - only what this function's own processes have written


class _Packer(pickle.Pickler):
    def reducer_override(self, obj: object) -> Any:  # Any: what pickle takes
        if isinstance(obj, DictionaryArray):
            return _dictionary_array, (obj.dictionary, _narrow(obj.indices))
        if isinstance(obj, ImageArray):
            return ImageArray, (obj.pixels, obj.why)
        if not isinstance(obj, StringArray):
            return NotImplemented
        cells = read_cells(obj)
        if len(cells.others) or np.isnan(cells.numbers).all():
            return _string_array, (obj.data, _narrow(obj.lengths))
        return _number_text, (obj.data, _narrow(obj.lengths), _narrow_floats(cells.numbers))


def _string_array(data: ByteArray, lengths: IntArray) -> StringArray:
    return StringArray(data, np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)]))


def _number_text(data: ByteArray, lengths: IntArray, numbers: DoubleArray) -> NumberText:
    return NumberText(numbers.astype(np.float64), lengths.astype(np.int64), lambda: _string_array(data, lengths))


def _dictionary_array(dictionary: StringArray, indices: IntArray) -> DictionaryArray:
    return DictionaryArray(dictionary, indices.astype(np.int64))


def _narrow(numbers: IntArray) -> np.ndarray[Any, Any]:  # Any: numpy's shape parameter, and any width of integers
    """Numbers from 0 on in as few bytes as they need."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _narrow_floats(numbers: DoubleArray) -> np.ndarray[Any, Any]:  # Any: numpy's shape parameter, and any width of floats
    with np.errstate(over="ignore"):
        narrow = numbers.astype(np.float32)
    return narrow if np.array_equal(narrow, numbers, equal_nan=True) else numbers

"""Columns that are no text where they come from: their text is made when somebody asks for it, and hardly anybody does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray


class LateText(StringArray):
    """Strings that are made of something else when their bytes are asked for."""

    __setattr__ = object.__setattr__  # a block of images has thousands of columns, and a frozen one's takes long

    def __init__(self, make: Callable[[], StringArray]) -> None:
        self._make = make

    @cached_property
    def _text(self) -> StringArray:
        return self._make()

    @property
    def data(self) -> ByteArray:
        return self._text.data

    @property
    def offsets(self) -> IntArray:
        return self._text.offsets


class NumberArray(LateText):
    """Numbers of a request.

    Attributes:
        numbers: ``float64[n]``, NaN for a missing one.
    """

    def __init__(self, numbers: DoubleArray, make_text: Callable[[], StringArray]) -> None:
        super().__init__(make_text)
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: BoolArray | IntArray) -> NumberArray:
        return NumberArray(self.numbers[rows], lambda: self._text.take(rows))


class DictionaryArray(LateText):
    """Strings of which few differ: the different ones, and which of them each is.

    Attributes:
        dictionary: the different strings; columns may share it.
        indices: ``int64[n]``: string ``i`` is ``dictionary[indices[i]]``.
    """

    def __init__(self, dictionary: StringArray, indices: IntArray) -> None:
        super().__init__(lambda: dictionary.take(indices))
        self.dictionary = dictionary
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def lengths(self) -> IntArray:
        return self.dictionary.lengths[self.indices]

    @property
    def offsets(self) -> IntArray:
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.lengths)])

    def take(self, rows: BoolArray | IntArray) -> DictionaryArray:
        return DictionaryArray(self.dictionary, self.indices[rows])

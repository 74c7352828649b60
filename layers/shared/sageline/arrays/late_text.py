"""Columns that are no text where they come from: their text is made when somebody asks for it, and hardly anybody does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray


class _LateText(StringArray):
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


class NumberArray(_LateText):
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

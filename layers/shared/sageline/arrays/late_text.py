"""Columns that are no text where they come from: their text is made when somebody asks for it, and hardly anybody does."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cached_property

import numpy as np

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
    """Numbers of a request, or of a file that has numbers.

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


class NumberText(_LateText):
    """A column of text of which every value is a plain number or empty, with these numbers.

    Attributes:
        numbers: ``float64[n]``, NaN where the value is empty.
    """

    def __init__(self, numbers: DoubleArray, lengths: IntArray, make_text: Callable[[], StringArray]) -> None:
        super().__init__(make_text)
        self.numbers = numbers
        self._lengths = lengths

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def lengths(self) -> IntArray:
        return self._lengths

    @property
    def offsets(self) -> IntArray:
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self._lengths)])

    def take(self, rows: BoolArray | IntArray) -> NumberText:
        return NumberText(self.numbers[rows], self._lengths[rows], lambda: self._text.take(rows))


class DictionaryArray(_LateText):
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


class ImageArray(_LateText):
    """Images.

    The text of each is base64 of a Netpbm file (PGM or PPM, https://netpbm.sourceforge.net/doc/), which holds the pixels as
    they are: what reads image files gets the same ones out of it.

    Attributes:
        pixels: ``uint8[n, height, width]`` in grey, or ``[n, height, width, channels]`` with 1 or 3 channels.
        why: how the shape was chosen, where nobody has said it.
    """

    def __init__(self, pixels: ByteArray, why: str | None = None) -> None:
        super().__init__(self._as_text)
        self.pixels = pixels
        self.why = why

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def lengths(self) -> IntArray:
        size = len(self._header) + self.pixels[:1].size
        return np.full(len(self.pixels), -(-size // 3) * 4, dtype=np.int64)

    @property
    def offsets(self) -> IntArray:
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.lengths)])

    def take(self, rows: BoolArray | IntArray) -> ImageArray:
        return ImageArray(self.pixels[rows], self.why)

    def raw(self) -> StringArray:
        """The pixels of each image as if they were a text, for what takes bytes only: hashes."""
        size = int(np.prod(self.pixels.shape[1:]))
        return StringArray(self.pixels.reshape(-1), np.arange(len(self) + 1, dtype=np.int64) * size)

    @property
    def _header(self) -> bytes:
        height, width, *channels = self.pixels.shape[1:]
        return f"{'P6' if channels == [3] else 'P5'} {width} {height} 255\n".encode()

    def _as_text(self) -> StringArray:
        return StringArray.from_list([base64.b64encode(self._header + image.tobytes()).decode() for image in self.pixels])

"""Strings as whole arrays of UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

ByteArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"  # Any: numpy's shape parameter
IntArray: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"  # Any: numpy's shape parameter
BoolArray: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"  # Any: numpy's shape parameter

WordArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter

FIRST_BYTES: WordArray = np.array([(1 << 8 * length) - 1 for length in range(9)], dtype=np.uint64)
"""Masks of the first bytes of a word of eight, by how many they are."""

_SHORT, _SPARSE = 32, 8  # bytes of a string, and bytes to look at for each one that is taken: where indexes are the quicker way
_ROWS_AT_A_TIME = 1 << 14

CHUNK_BYTES = 512 << 10  # what is made of so many bytes at a time stays in the processor's cache


def gather(data: ByteArray, starts: IntArray, lengths: IntArray) -> StringArray:
    """The slices ``data[starts[i] : starts[i] + lengths[i]]``, one after the other, as a string array."""
    offsets = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    ends = starts + lengths
    is_long = offsets[-1] > _SHORT * len(starts)
    if is_long and ends[-1] - starts[0] <= _SPARSE * offsets[-1] and (starts[1:] >= ends[:-1]).all():
        # In order, apart, and much of what is there: a mask over the bytes takes a fifth of the time that indexes take.
        runs = np.empty(2 * len(starts), dtype=np.int64)  # bytes left out and bytes taken, alternately
        runs[0::2] = starts - np.append(starts[0], ends[:-1])
        runs[1::2] = lengths
        taken = np.arange(len(runs)) % 2 == 1
        return StringArray(data[starts[0] : ends[-1]][np.repeat(taken, runs)], offsets)
    gathered = np.empty(offsets[-1], dtype=np.uint8)
    for first in range(0, len(starts), _ROWS_AT_A_TIME):
        bounds = offsets[first : first + _ROWS_AT_A_TIME + 1]
        some = slice(first, first + _ROWS_AT_A_TIME)
        indexes = np.arange(bounds[0], bounds[-1]) + np.repeat(starts[some] - bounds[:-1], lengths[some])
        gathered[bounds[0] : bounds[-1]] = data.take(indexes, mode="clip")  # to clip what is in range anyway is quicker
    return StringArray(gathered, offsets)


class Eights:
    """Eight bytes from any position of some data on, as one number: the first byte lowest, zeros behind the end.

    Two aligned words are put together, which numpy does in a third of the time that it takes to read one across their border.
    """

    def __init__(self, data: ByteArray | bytes) -> None:
        padded = np.zeros(len(data) + 16 - len(data) % 8, dtype=np.uint8)
        padded[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        self._words: WordArray = padded.view("<u8")

    def __getitem__(self, positions: IntArray) -> WordArray:
        words = positions >> 3
        bits = ((positions & 7) << 3).view(np.uint64)
        found: WordArray = self._words.take(words, mode="clip")  # told to clip what is in range anyway, it is quicker
        found >>= bits
        words += 1
        rest = self._words.take(words, mode="clip")
        rest <<= np.uint64(64) - bits  # by 64, which leaves none of them, where the first word has all eight
        found |= rest
        return found


@dataclass(frozen=True, eq=False)
class StringArray:
    """Strings as UTF-8 bytes: string ``i`` is ``data[offsets[i]:offsets[i + 1]]``.

    Attributes:
        data: ``uint8[nbytes]``, valid UTF-8.
        offsets: ``int64[n + 1]``, ascending, from 0 to ``nbytes``.
    """

    data: ByteArray
    offsets: IntArray

    @classmethod
    def from_list(cls, values: Sequence[str]) -> StringArray:
        """UnicodeEncodeError when a value holds a lone surrogate, which UTF-8 cannot express."""
        encoded = [value.encode() for value in values]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(value) for value in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    @classmethod
    def empty(cls, rows: int) -> StringArray:
        """Empty strings."""
        return cls(np.zeros(0, dtype=np.uint8), np.zeros(rows + 1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} of {len(self)} strings")
        index %= len(self)
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    @property
    def lengths(self) -> IntArray:
        """Length of each string in bytes, ``int64[n]``."""
        return np.diff(self.offsets)

    def tolist(self) -> list[str]:
        data = self.data.tobytes()
        bounds = self.offsets.tolist()
        text = data.decode()
        if len(text) == len(data):  # ASCII only: bytes and characters have the same positions
            return [text[start:end] for start, end in pairwise(bounds)]
        return [data[start:end].decode() for start, end in pairwise(bounds)]

    def take(self, rows: BoolArray | IntArray) -> StringArray:
        """The strings that a boolean mask selects, or those at the given indexes, in that order."""
        if rows.dtype == np.bool_ and rows.all():
            return self
        indexes = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if len(indexes) > 1 and indexes[0] >= 0 and (np.diff(indexes) == 1).all():
            offsets = self.offsets[int(indexes[0]) : int(indexes[-1]) + 2]
            return StringArray(self.data[offsets[0] : offsets[-1]], offsets - offsets[0])  # as they stand, so nothing is copied
        return gather(self.data, self.offsets[:-1][indexes], self.lengths[indexes])


def row_chunks(columns: Sequence[StringArray], chunk_bytes: int = CHUNK_BYTES) -> Iterator[tuple[int, int]]:
    """Ranges of rows whose texts, all columns together, are about ``chunk_bytes`` long."""
    total: IntArray = sum((column.offsets for column in columns), np.zeros(1, dtype=np.int64))
    start, rows = 0, len(total) - 1
    while start < rows:
        end = int(np.searchsorted(total, total[start] + chunk_bytes, side="right")) - 1
        end = min(max(end, start + 1), rows)
        yield start, end
        start = end

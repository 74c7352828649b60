"""Bytes of many rows at once, each piece at an offset of its own, and base-128 varints.

A varint is a number as protobuf writes it: seven bits a byte, least significant first, the high bit set on all but the last.
"""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import AnyArray
from sageline.arrays.strings import ByteArray, IntArray

MAX_BYTES = 9  # of a non-negative int64


def at_any_byte(data: ByteArray, dtype: str) -> AnyArray:
    """The items of ``dtype`` that begin at each byte of ``data``: a view, in which item ``i`` is the bytes from ``i`` on."""
    size = np.dtype(dtype).itemsize
    return np.ndarray(max(len(data) - size + 1, 0), dtype, data, strides=(1,))


class RowWriter:
    """Writes the same sequence of pieces into every row of a buffer.

    Args:
        data: the buffer.
        starts: ``int64[rows]``, where each row begins in it.
    """

    def __init__(self, data: ByteArray, starts: IntArray) -> None:
        self._data = data
        self._at = starts

    def constant(self, content: bytes) -> None:
        """The same bytes in every row."""
        items = at_any_byte(self._data, f"V{len(content)}")
        items[self._at] = np.frombuffer(content, dtype=items.dtype)
        self._at = self._at + len(content)

    def words(self, values: AnyArray) -> None:
        """Four bytes in every row: ``uint32[rows]`` or ``float32[rows]``."""
        at_any_byte(self._data, "<u4")[self._at] = values.view("<u4")
        self._at = self._at + 4

    def varints(self, values: IntArray) -> None:
        """The varint of each row's number."""
        self._at = self._at + put_varints(self._data, self._at, values)

    def many_words(self, values: AnyArray, firsts: IntArray, counts: IntArray) -> None:
        """``values[firsts[i] : firsts[i] + counts[i]]``, four bytes each, in row ``i``; together they are all values."""
        offsets = np.repeat(self._at - 4 * firsts, counts) + 4 * np.arange(len(values))
        at_any_byte(self._data, "<u4")[offsets] = values.view("<u4")
        self._at = self._at + 4 * counts

    def many_varints(self, values: IntArray, firsts: IntArray, counts: IntArray, ends: IntArray) -> None:
        """The varints of the values that :meth:`many_words` would write; ``ends`` is :func:`varint_ends` of them."""
        offsets = np.repeat(self._at - ends[firsts], counts) + ends[:-1]
        put_varints(self._data, offsets, values)
        self._at = self._at + ends[firsts + counts] - ends[firsts]


class RowReader:
    """Reads the same sequence of pieces from every row of a buffer.

    Args:
        data: the buffer.
        starts: ``int64[rows]``, where each row begins in it.

    Raises:
        ValueError, IndexError: from every method: a row holds something else, or the buffer ends.
    """

    def __init__(self, data: ByteArray, starts: IntArray) -> None:
        self._data = data
        self.at = starts

    def constant(self, content: bytes) -> None:
        """The same bytes in every row."""
        for index, byte in enumerate(content):
            if (self._data[self.at + index] != byte).any():
                raise ValueError(f"a row does not hold {content!r}")
        self.at = self.at + len(content)

    def varints(self) -> IntArray:
        """A varint of at most four bytes from each row."""
        values = np.zeros(len(self.at), dtype=np.int64)
        more = np.arange(len(self.at))
        for byte in range(4):
            septets = self._data[self.at[more]].astype(np.int64)
            values[more] |= (septets & 0x7F) << 7 * byte
            self.at = self.at.copy()
            self.at[more] += 1
            more = more[septets >= 0x80]
            if len(more) == 0:
                return values
        raise ValueError("a varint of more than four bytes")

    def skip(self, lengths: IntArray, ends: IntArray) -> IntArray:
        """Where the next piece begins, which is as long as given and must not reach beyond the end of its row."""
        starts = self.at
        self.at = starts + lengths
        if (self.at > ends).any():
            raise ValueError("a piece is longer than its row")
        return starts


def put_varints(data: ByteArray, offsets: IntArray, values: IntArray) -> IntArray:
    """Write each number's varint from its offset on; how many bytes each took, ``int64[n]``."""
    lengths = varint_lengths(values)
    for byte in range(int(lengths.max(initial=0))):
        has = np.flatnonzero(lengths > byte) if byte else slice(None)
        more = lengths[has] > byte + 1
        data[offsets[has] + byte] = (values[has] >> 7 * byte & 0x7F) | more * 0x80
    return lengths


def varint(value: int) -> bytes:
    """One number that is not negative."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def varint_lengths(values: IntArray) -> IntArray:
    """How many bytes each of these non-negative numbers takes, ``int64[n]``."""
    lengths = np.ones(len(values), dtype=np.int64)
    largest = int(values.max(initial=0))
    for byte in range(1, MAX_BYTES):
        if largest < 1 << 7 * byte:
            break
        lengths += values >= (1 << 7 * byte)
    return lengths


def varint_ends(values: IntArray) -> IntArray:
    """Where the varint of each number ends when they follow one after the other, after a zero: ``int64[n + 1]``."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(varint_lengths(values))])


def unpack_varints(data: ByteArray) -> IntArray:
    """The numbers whose varints follow one after the other in ``data``; ValueError when the last one is cut off."""
    if len(data) == 0:
        return np.zeros(0, dtype=np.int64)
    ends = np.flatnonzero(data < 0x80)
    if len(ends) == 0 or ends[-1] != len(data) - 1:
        raise ValueError("a varint is cut off")
    starts = np.append(0, ends[:-1] + 1)
    lengths = ends + 1 - starts
    longest = int(lengths.max())
    if longest > MAX_BYTES + 1:
        raise ValueError(f"a varint of {longest} bytes")
    values = np.zeros(len(starts), dtype=np.uint64)
    for byte in range(longest):
        has = np.flatnonzero(lengths > byte)
        values[has] |= (data[starts[has] + byte] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * byte)
    return values.view(np.int64)

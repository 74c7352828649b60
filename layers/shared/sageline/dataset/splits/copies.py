"""In which channel rows of a content come first, so that equal rows do not stand in a later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sageline.arrays.hashing import INCREMENT, HashArray, mix
from sageline.arrays.strings import ByteArray, IntArray
from sageline.dataset.split import CHANNELS, PositionArray, channels_of
from sageline.dataset.splits.plan import FirstChannels

MOST_CONTENTS = 1 << 22
"""Different contents that are compared one by one; of more, some are taken for equal that are not."""

_TRAIN_BITS, _VALIDATION_BITS = 30, 28  # of the sizes of the filters in bits: 128 and 32 MiB
_OFFSETS = np.arange(1, 5, dtype=np.uint64) * INCREMENT  # of one hash, as many as bits are set
_NOWHERE = len(CHANNELS)


class ContentPositions:
    """The first and the last position at which there are rows of each content. What comes of it does not depend on their order.

    Attributes:
        is_full: there are more different contents than are kept; none are then.
    """

    def __init__(self, most: int = MOST_CONTENTS) -> None:
        self.is_full = False
        self._most = most
        self._contents: HashArray = np.zeros(0, dtype=np.uint64)  # ascending
        self._first: PositionArray = np.zeros(0)
        self._last: PositionArray = np.zeros(0)
        self._pending: list[tuple[HashArray, PositionArray]] = []
        self._pending_rows = 0

    def add(self, contents: HashArray, positions: PositionArray) -> None:
        """Note rows, each of which has a position."""
        if self.is_full:
            return
        self._pending.append((contents, positions))
        self._pending_rows += len(contents)
        if self._pending_rows >= max(1 << 16, len(self._contents) // 2):
            self.settle()

    def settle(self) -> None:
        """Merge what is pending, or give up."""
        if not self._pending:
            return
        pending = [positions for _, positions in self._pending]
        contents = np.concatenate([self._contents, *(contents for contents, _ in self._pending)])
        self._pending, self._pending_rows = [], 0
        self._join(contents, np.concatenate([self._first, *pending]), np.concatenate([self._last, *pending]))

    def _join(self, contents: HashArray, firsts: PositionArray, lasts: PositionArray) -> None:
        """Keep each content once, with its first and its last position; or give up."""
        order = np.argsort(contents, kind="stable")
        contents = contents[order]
        starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(contents)), dtype=np.bool_), contents[1:] != contents[:-1]]))
        self.is_full = self.is_full or len(starts) > self._most
        if self.is_full:
            self._contents, self._first, self._last = np.zeros(0, dtype=np.uint64), np.zeros(0), np.zeros(0)
        elif len(starts):
            self._first = np.minimum.reduceat(firsts[order], starts)
            self._last = np.maximum.reduceat(lasts[order], starts)
            self._contents = contents[starts]

    def merge(self, after: ContentPositions) -> None:
        """Add what another one has noted of other rows."""
        self.settle()
        after.settle()
        self.is_full = self.is_full or after.is_full
        firsts, lasts = [self._first, after._first], [self._last, after._last]
        self._join(np.concatenate([self._contents, after._contents]), np.concatenate(firsts), np.concatenate(lasts))

    def first_channels(self, bounds: tuple[float, float]) -> FirstChannels:
        """For a split with these bounds."""
        self.settle()
        first = channels_of(self._first, bounds)
        is_shared = first < channels_of(self._last, bounds)
        return SharedContents(self._contents[is_shared], first[is_shared])


@dataclass(frozen=True, eq=False)
class SharedContents:
    """The contents of which there are rows in more than one channel.

    Attributes:
        contents: ``uint64[n]``, ascending.
        channels: ``int64[n]``, the first of the channels.
    """

    contents: HashArray
    channels: IntArray
    is_exact = True

    def of(self, contents: HashArray) -> IntArray:
        """As :class:`FirstChannels` says."""
        if not len(self.contents):
            return np.full(len(contents), _NOWHERE, dtype=np.int64)
        at = np.searchsorted(self.contents, contents).clip(max=len(self.contents) - 1)
        return np.where(self.contents[at] == contents, self.channels[at], _NOWHERE)


class ContentFilters:
    """The same of any number of contents, by Bloom filters (1970) of the train rows and of the validation rows: some contents are
    said to be there that are not, none the other way round. Of 40 million train rows some 0.04 % are, of 100 million some 1 %."""

    is_exact = False

    def __init__(self, train_bits: int = _TRAIN_BITS, validation_bits: int = _VALIDATION_BITS) -> None:
        self._filters = [BloomFilter(train_bits), BloomFilter(validation_bits)]

    def add(self, contents: HashArray, channels: IntArray) -> None:
        """Note rows and the channels that their positions make."""
        for channel, filtered in enumerate(self._filters):
            filtered.add(contents[channels == channel])

    def merge(self, after: ContentFilters) -> None:
        """Add what another one, of the same sizes, has noted of other rows."""
        for mine, its in zip(self._filters, after._filters, strict=True):
            mine.merge(its)

    def of(self, contents: HashArray) -> IntArray:
        """As :class:`FirstChannels` says."""
        first = np.full(len(contents), _NOWHERE, dtype=np.int64)
        for channel in reversed(range(len(self._filters))):
            first[self._filters[channel].may_have(contents)] = channel
        return first


class BloomFilter:
    """A set of hashes that takes ``2 ** bits`` bits, however many there are."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._bytes: ByteArray = np.zeros(1 << (bits - 3), dtype=np.uint8)

    def add(self, hashes: HashArray) -> None:
        for at in self._places(hashes):
            index, bit = at >> np.uint64(3), at & np.uint64(7)
            for number in range(8):
                self._bytes[index[bit == number]] |= np.uint8(1 << number)

    def merge(self, after: BloomFilter) -> None:
        """Add the hashes of another one of the same size."""
        self._bytes |= after._bytes

    def may_have(self, hashes: HashArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """``bool[n]``: True for each that was added, and for a few others."""
        found = np.ones(len(hashes), dtype=np.bool_)
        for at in self._places(hashes):
            found &= (self._bytes[at >> np.uint64(3)] >> (at & np.uint64(7)).astype(np.uint8)) & 1 == 1
        return found

    def _places(self, hashes: HashArray) -> list[HashArray]:
        shift = np.uint64(64 - self._bits)
        return [mix(hashes + offset) >> shift for offset in _OFFSETS]

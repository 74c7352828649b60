"""The blocks of a dataset on the disk, as they were read: for a second reading nothing is fetched, parsed or hashed again."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.strings import ByteArray
from sageline.dataset.splits.standing import RowKeys, keyed_by
from sageline.preparation.packing import pack, unpack
from sageline.spec.model import SplitSpec

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ALIGNED = 8  # where arrays begin, so that their numbers are read at once


class Spilled(NamedTuple):
    """A block, and the keys of its rows (:func:`sageline.dataset.splits.standing.row_keys`)."""

    block: Block
    keys: RowKeys


class Place(NamedTuple):
    """Where in the spill a block is, and the sizes of its parts in bytes."""

    offset: int
    sizes: list[int]


class Spill:
    """Keeps blocks in a file without a name, which is gone when it is closed, or when the process ends, however it ends.

    A process that is forked meanwhile can read it too. On Lambda, what is below ``/tmp`` is encrypted at rest.

    Args:
        folder: where the file is.
        most_bytes: of the file. When a block does not fit, the spill gives up: it takes no more, and is not complete.

    Attributes:
        is_complete: whether it has all blocks of the dataset.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.is_complete = False
        self._keyed_by: tuple[object, ...] = ()
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - open for as long as the spill is
        self._most_bytes = most_bytes
        self._has_room = True
        self._places: list[Place] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Spilled]:
        return map(self.read, range(len(self)))

    def add(self, spilled: Spilled) -> Place | None:
        """Keep a block; where it is, or None where there is no room for it."""
        if not self._has_room:
            return None
        parts = pack(spilled)
        place = Place(self._size, [len(part) for part in parts])
        size = sum(map(_padded, place.sizes))
        self._has_room = self._size + size <= self._most_bytes and self._write(parts)
        if not self._has_room:
            return None
        self._size += size
        self._places.append(place)
        return place

    def complete(self, split: SplitSpec) -> None:
        """Say that the dataset has no other blocks than were to be added, and which split the keys of their rows are for."""
        self.is_complete = self._has_room
        self._keyed_by = keyed_by(split)

    def has_all(self, split: SplitSpec) -> bool:
        """Whether it has all blocks, and their rows the keys that this split needs."""
        return self.is_complete and self._keyed_by == keyed_by(split)

    def read(self, index: int) -> Spilled:
        """The block that was added as number ``index``."""
        return self.read_at(self._places[index])

    def read_at(self, place: Place) -> Spilled:
        """The block at a place; several processes may read at the same time."""
        data = np.empty(sum(map(_padded, place.sizes)), dtype=np.uint8)
        at = 0
        while at < len(data):
            at += os.preadv(self._file.fileno(), [data.data[at:]], place.offset + at)
        parts, at = [], 0
        for size in place.sizes:
            parts.append(data[at : at + size])
            at += _padded(size)
        return Spilled(*unpack(parts))

    def _write(self, parts: Sequence[ByteArray]) -> bool:
        try:
            for part in parts:
                self._write_all(part.data)
                self._write_all(memoryview(bytes(_padded(len(part)) - len(part))))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return False
        return True

    def _write_all(self, data: memoryview) -> None:
        while data:
            data = data[self._file.write(data) :]


def _padded(size: int) -> int:
    return size + -size % _ALIGNED

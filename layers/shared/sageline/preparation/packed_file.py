"""A file without a name that packed values are written to and read from."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.strings import ByteArray
from sageline.preparation.packing import pack, unpack

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ALIGNED = 8  # where arrays begin, so that their numbers are read at once


class Place(NamedTuple):
    """Where in the file a value is, and the sizes of its parts in bytes."""

    offset: int
    sizes: list[int]


class PackedFile:
    """A file that is gone when it is closed, or when the process ends, however it ends.

    One process writes; those that are forked meanwhile can read too.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - open for as long as it is used
        self._next = 0

    def close(self) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes that it takes on the disk, whichever process has written them."""
        return os.fstat(self._file.fileno()).st_size

    def add(self, value: object, most_bytes: int) -> Place | None:
        """Write a value behind the last one; where it is, or None where it takes more than ``most_bytes`` or the disk is full."""
        parts = pack(value)
        place = Place(self._next, [len(part) for part in parts])
        size = sum(map(_padded, place.sizes))
        if size > most_bytes or not self._write(parts):
            return None
        self._next += size
        return place

    def read(self, place: Place) -> Any:  # Any: what was written there
        """The value at a place; several processes may read at the same time."""
        data = np.empty(sum(map(_padded, place.sizes)), dtype=np.uint8)
        at = 0
        while at < len(data):
            at += os.preadv(self._file.fileno(), [data.data[at:]], place.offset + at)
        parts, at = [], 0
        for size in place.sizes:
            parts.append(data[at : at + size])
            at += _padded(size)
        return unpack(parts)

    def _write(self, parts: list[ByteArray]) -> bool:
        at = self._next
        try:
            for part in parts:
                for data in (part.data, memoryview(bytes(_padded(len(part)) - len(part)))):
                    at = self._write_all(data, at)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return False
        return True

    def _write_all(self, data: memoryview, at: int) -> int:
        while data:
            count = os.pwrite(self._file.fileno(), data, at)
            data, at = data[count:], at + count
        return at


def _padded(size: int) -> int:
    return size + -size % _ALIGNED

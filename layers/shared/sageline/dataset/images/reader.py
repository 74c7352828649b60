"""Reading a ZIP archive with a folder for each class in blocks: a column of images, and one of labels.

The archive is read where it lies, file by file in its order, so the stream must be able to seek; nothing is written to disk, and
the images of a block alone are in memory.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from sageline.arrays.blocks import Block, Coverage
from sageline.arrays.late_text import ImageArray
from sageline.arrays.strings import StringArray
from sageline.dataset.images.archive import Entry, check_count, list_images
from sageline.dataset.images.shape import ChosenShape, choose_shape
from sageline.errors import InvalidDataset
from sageline.formats.image_files import Looks, NoImage, Pixels, check_shape, look_at, read_image

IMAGE, LABEL = "image", "label"
"""Names of the columns."""

_SLOWER = 8  # than JPEG and PNG, byte for byte

_PIECES = 8  # of an archive, evenly spread, from which the shape is found out
_PIECE_FILES = 32
_PIECE_BYTES = 4 << 20

_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises on damaged archives, and on ways of compressing that it does not know."""


def read_images(
    stream: BinaryIO,
    source: str,
    block_bytes: int,
    *,
    shape: tuple[int, ...] | None,
    notes: list[str],
    sample: Coverage | None = None,
) -> Iterator[Block]:
    """The images in the order of the archive, resized to one shape, with the names of their folders.

    Args:
        block_bytes: about the size of a block, as pixels.
        shape: (height, width), or (height, width, channels); None chooses one by some of the images: the same for the same file.
        notes: get what was ignored, and what was changed of the images.
        sample: read those images only by which the shape is chosen; gets whether these are all.

    Raises:
        InvalidDataset: while iterating; names the file in the archive.
        InvalidSpec: images cannot have the shape.
    """
    if shape is not None:
        check_shape(shape)
    try:
        check_count(stream, source)
        with zipfile.ZipFile(stream) as archive:
            entries = list_images(archive, source, notes)
            some = _some(entries)
            chosen = ChosenShape(shape, "") if shape else _choose(archive, some, source)
            read = entries if sample is None else some
            if sample is not None:
                sample.is_all = len(some) == len(entries)
            changes = _Changes(source, notes)
            step = max(1, block_bytes // int(np.prod(chosen.shape)))
            for start in range(0, len(read), step):
                yield _block(archive, read[start : start + step], start, chosen=chosen, source=source, changes=changes)
            changes.tell()
    except _DAMAGED as error:
        raise InvalidDataset(f"{source}: the ZIP archive is damaged: {error}. Pack it again.") from None


def count_images(stream: BinaryIO, source: str) -> tuple[int, int]:
    """How many images an archive has, and how many bytes they have together, WebP counted for as long as it takes to read.

    Raises:
        InvalidDataset: as :func:`read_images`.
    """
    with zipfile.ZipFile(stream) as archive:
        entries = list_images(archive, source, [])
    sizes = (entry.info.file_size * (_SLOWER if entry.name.lower().endswith(".webp") else 1) for entry in entries)
    return len(entries), sum(sizes)


def _some(entries: Sequence[Entry]) -> list[Entry]:
    """Images from all over the archive, those that lie beside each other read at once; all of a small one."""
    if len(entries) <= _PIECES * _PIECE_FILES:
        return list(entries) if sum(entry.info.compress_size for entry in entries) <= _PIECES * _PIECE_BYTES else _spread(entries)
    return _spread(entries)


def _spread(entries: Sequence[Entry]) -> list[Entry]:
    some: dict[str, Entry] = {}
    for start in np.linspace(0, len(entries) - 1, _PIECES).astype(int).tolist():
        size = 0
        for entry in entries[start : start + _PIECE_FILES]:
            size += entry.info.compress_size
            if size > _PIECE_BYTES and entry is not entries[start]:
                break
            some[entry.name] = entry
    return list(some.values())


def _choose(archive: zipfile.ZipFile, entries: Sequence[Entry], source: str) -> ChosenShape:
    looks: list[Looks] = []
    coloured = False
    for entry in entries:
        data = _unpack(archive, entry, source)
        try:
            looks.append(look_at(data, at_colours=not coloured))
        except NoImage as error:
            raise _named(error, entry, source) from None
        coloured = coloured or looks[-1].is_coloured
    return choose_shape(looks)


def _block(
    archive: zipfile.ZipFile, entries: Sequence[Entry], start: int, *, chosen: ChosenShape, source: str, changes: _Changes
) -> Block:
    pixels = np.empty((len(entries), *chosen.shape), dtype=np.uint8)
    for index, entry in enumerate(entries):
        try:
            read = read_image(_unpack(archive, entry, source), chosen.shape)
        except NoImage as error:
            raise _named(error, entry, source) from None
        pixels[index] = read.values
        changes.note(entry, read)
    labels = StringArray.from_list([entry.label for entry in entries])
    return Block.of({IMAGE: ImageArray(pixels, chosen.why or None), LABEL: labels}, first_row=start + 1, source=source)


def _unpack(archive: zipfile.ZipFile, entry: Entry, source: str) -> bytes:
    try:
        return archive.read(entry.info)  # no more than the size that was checked
    except _DAMAGED as error:
        raise InvalidDataset(f"{source}: {entry.name} cannot be unpacked: {error}. Pack the archive again.") from None


def _named(error: NoImage, entry: Entry, source: str) -> InvalidDataset:
    return InvalidDataset(f"{source}: {entry.name} {error.problem}. Repair it, or leave it out of the archive.")


class _Changes:
    """What was changed of the images, to be told at the end."""

    def __init__(self, source: str, notes: list[str]) -> None:
        self._source = source
        self._notes = notes
        self._animated = self._lost = 0
        self._first_animated = self._first_lost = ""

    def note(self, entry: Entry, read: Pixels) -> None:
        if read.is_animated:
            self._animated += 1
            self._first_animated = self._first_animated or entry.name
        if read.lost_colours:
            self._lost += 1
            self._first_lost = self._first_lost or entry.name

    def tell(self) -> None:
        if self._animated:
            which = _which(self._animated, self._first_animated)
            self._notes.append(f"{self._source}: of animated images the first frame is read ({which}).")
        if self._lost:
            which = _which(self._lost, self._first_lost)
            self._notes.append(
                f"{self._source}: images with colours are read in grey ({which}); "
                "`encoder.shape` [height, width, 3] keeps colours."
            )


def _which(count: int, first: str) -> str:
    return first if count == 1 else f"{count:,}, such as {first}"

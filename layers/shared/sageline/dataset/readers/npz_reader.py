"""Reading a ``.npz`` file in blocks: one array of features, one of labels, a row of each per example.

A ``.npz`` file is a ZIP archive with a ``.npy`` file per array (numpy.lib.format). The labels are read first and kept, the
features a block at a time, straight from the archive, compressed or not: so the stream must be able to seek, and nothing is
written to disk. Numbers are the text of the float32 that they are cast to, as if they had been read from CSV; where few differ,
as in images, only the different ones are written and read.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import IO, Any, BinaryIO

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.strings import StringArray
from sageline.errors import InvalidDataset
from sageline.formats.spelling.decimals import write_lines

FEATURES = ("x", "images", "features", "data", "x_train")
LABELS = ("y", "labels", "label", "target", "targets", "y_train")
"""Names of the arrays, in any case; the first that is there is taken."""

_TEXT_BYTES = 4  # of a value as text, about
MAX_LABEL_BYTES = 128 << 20
"""The size of the array of labels, unpacked: a function of 512 MB holds it, twice for a moment."""
_MAX_HEADER_BYTES = 64 << 10
_MAX_COLUMNS = 100_000

_MOST_DIFFERENT = 1 << 12
"""Numbers of a block that are written once each; the pixels of an image in bytes are 256."""
_SOME_CELLS = 1 << 14

_Dtype = np.dtype[Any]  # Any: any kind of number or text


@dataclass(frozen=True)
class _Member:
    """An array in the archive."""

    name: str
    file: str
    dtype: _Dtype
    shape: tuple[int, ...]


def read_npz(stream: BinaryIO, source: str, block_bytes: int, *, labelled: bool = True) -> Iterator[Block]:
    """The rows as columns of text. Features ``(n, height, width[, channels])`` become the columns ``pixel_<row>_<column>``
    (``_<channel>``), ``(n, columns)`` the columns ``<array>0``, ``<array>1`` and so on. The column of labels has the name of its
    array; it is not read unless ``labelled``.

    Raises:
        InvalidDataset: while iterating; damaged, arrays of Python objects, no features or labels, shapes that do not fit, a
            number beyond float32.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [_member(archive, file, source) for file in archive.namelist()]
            features = _pick(members, FEATURES, "features", source)
            _check_features(features, source)
            labels = _labels(archive, _pick(members, LABELS, "labels", source), features, source) if labelled else None
            yield from _blocks(archive, features, labels, source, block_bytes)
    # NotImplementedError is zipfile's for a way of compressing that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InvalidDataset(f"{source}: the npz file is damaged: {error}. Write it again with numpy.savez.") from None


def text_bytes(stream: BinaryIO, source: str) -> int:
    """About how many bytes of text the features of a ``.npz`` file are read as.

    Raises:
        InvalidDataset: no features, arrays of Python objects.
    """
    with zipfile.ZipFile(stream) as archive:
        features = _pick([_member(archive, file, source) for file in archive.namelist()], FEATURES, "features", source)
    return int(np.prod(features.shape, dtype=np.int64)) * _TEXT_BYTES


def _member(archive: zipfile.ZipFile, file: str, source: str) -> _Member:
    name = file.removesuffix(".npy")
    try:
        with archive.open(file) as content:
            shape, in_fortran_order, dtype = _header(content)
    except (ValueError, RuntimeError) as error:
        raise InvalidDataset(f"{source}: {file} is no array: {error}. Write the file with numpy.savez.") from None
    if dtype.hasobject:
        raise InvalidDataset(
            f"{source}: the array {name!r} holds Python objects, which only pickle can read: reading a pickle runs "
            f"what it says. Save numbers or text: {name}.astype(float) or {name}.astype(str)."
        )
    if in_fortran_order and len(shape) > 1:
        raise InvalidDataset(f"{source}: the array {name!r} is in Fortran order; save numpy.ascontiguousarray({name}).")
    return _Member(name, file, dtype, shape)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, _Dtype]:
    """Shape, order and dtype of the array whose numbers follow; ValueError when it is no such file."""
    start = _Start(file)
    version = np.lib.format.read_magic(start)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(start)
    return np.lib.format.read_array_header_2_0(start)


class _Start:
    """The beginning of an array's file. NumPy reads a header of any length before it looks at the length."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if size > _MAX_HEADER_BYTES:
            raise ValueError(f"its header has {size:,} bytes")
        return self._file.read(size)


def _pick(members: list[_Member], names: tuple[str, ...], what: str, source: str) -> _Member:
    by_name = {member.name.lower(): member for member in reversed(members)}
    for name in names:
        if name in by_name:
            return by_name[name]
    held = ", ".join(repr(member.name) for member in members) or "none"
    raise InvalidDataset(
        f"{source}: no array of {what}: name it {names[0]!r} or {names[1]!r}, as in numpy.savez(file, x=..., y=...). "
        f"The arrays are: {held}."
    )


def _labels(archive: zipfile.ZipFile, labels: _Member, features: _Member, source: str) -> tuple[str, AnyArray]:
    """The name of the array of labels, and all of them."""
    _check_labels(labels, features, source)
    with archive.open(labels.file) as file:
        _header(file)
        return labels.name, _read_rows(file, labels, labels.shape[0]).reshape(-1)


def _check_features(features: _Member, source: str) -> None:
    if not 1 <= len(features.shape) <= 4 or 0 in features.shape[1:]:
        raise InvalidDataset(
            f"{source}: the array {features.name!r} has shape {features.shape}; expected (rows, columns) or "
            f"(rows, height, width) or (rows, height, width, channels)."
        )
    if features.dtype.kind not in "biuf":
        raise InvalidDataset(f"{source}: the array {features.name!r} holds {features.dtype}; expected numbers.")
    columns = int(np.prod(features.shape[1:], dtype=np.int64))
    if columns > _MAX_COLUMNS:
        raise InvalidDataset(f"{source}: a row of {features.name!r} has {columns:,} numbers; the limit is {_MAX_COLUMNS:,}.")


def _check_labels(labels: _Member, features: _Member, source: str) -> None:
    if labels.dtype.kind not in "biufU":
        raise InvalidDataset(f"{source}: the array {labels.name!r} holds {labels.dtype}; expected numbers or text.")
    if labels.shape[:1] != features.shape[:1] or labels.shape[1:] not in ((), (1,)):
        hint = f" For one column per class, save {labels.name}.argmax(axis=1)." if len(labels.shape) > 1 else ""
        raise InvalidDataset(
            f"{source}: the array {labels.name!r} has shape {labels.shape}, and {features.name!r} {features.shape}; "
            f"expected one label per row.{hint}"
        )
    size = labels.shape[0] * labels.dtype.itemsize
    if size > MAX_LABEL_BYTES:
        raise InvalidDataset(
            f"{source}: the array {labels.name!r} has {size:,} bytes, and {MAX_LABEL_BYTES:,} are the limit: labels are read at "
            f"once. Save them as numbers of fewer bytes ({labels.name}.astype(numpy.int16)), or fewer rows."
        )


def _blocks(
    archive: zipfile.ZipFile, features: _Member, labels: tuple[str, AnyArray] | None, source: str, block_bytes: int
) -> Iterator[Block]:
    names = _column_names(features)
    step = max(1, block_bytes // (_TEXT_BYTES * len(names)))
    with archive.open(features.file) as file:
        _header(file)
        for start in range(0, features.shape[0], step):
            rows = min(step, features.shape[0] - start)
            table = _read_rows(file, features, rows).reshape(rows, len(names))
            columns = dict(zip(names, _columns(table, start, features.name, source), strict=True))
            if labels is not None:
                columns[labels[0]] = StringArray.from_list(_label_texts(labels[1][start : start + rows]))
            yield Block.of(columns, first_row=start + 1, source=source)


def _column_names(features: _Member) -> list[str]:
    match features.shape[1:]:
        case ():
            return [features.name]
        case (columns,):
            return [f"{features.name}{column}" for column in range(columns)]
        case shape:
            return ["_".join(["pixel", *map(str, index)]) for index in product(*map(range, shape))]


def _read_rows(file: IO[bytes], member: _Member, rows: int) -> AnyArray:
    """The next rows of an array."""
    shape = (rows, *member.shape[1:])
    size = int(np.prod(shape, dtype=np.int64)) * member.dtype.itemsize
    data = bytearray()
    while len(data) < size and (part := file.read(size - len(data))):
        data += part
    if len(data) < size:
        raise EOFError(f"{member.file} ends early")
    return np.frombuffer(data, dtype=member.dtype).reshape(shape)


def _columns(table: AnyArray, start: int, name: str, source: str) -> list[StringArray]:
    """The columns of a table; NaN is the empty string."""
    with np.errstate(over="ignore"):
        numbers = table.astype(np.float32)
    if np.isinf(numbers).any():
        row, column = (int(index) for index in np.argwhere(np.isinf(numbers))[0])
        raise InvalidDataset(
            f"{source}: row {start + row + 1}, array {name!r}: {table[row, column]} is beyond the range of float32 (3.4e38)."
        )
    bits = np.ascontiguousarray(numbers.T).reshape(-1).view(np.uint32)  # so 0 and -0 differ
    if len(np.unique(bits[:: len(bits) // _SOME_CELLS + 1])) > _MOST_DIFFERENT:
        return _as_text(numbers)
    different, indices = np.unique(bits, return_inverse=True)
    if len(different) > _MOST_DIFFERENT:
        return _as_text(numbers)
    dictionary = _as_text(different.view(np.float32)[:, None])[0]
    return [DictionaryArray(dictionary, column) for column in indices.reshape(numbers.shape[::-1])]


def _as_text(numbers: FloatArray) -> list[StringArray]:
    text = np.frombuffer(write_lines(numbers.T, None), dtype=np.uint8)
    is_end = (text == ord(",")) | (text == ord("\n"))
    # Of each cell, where it ends in the text without separators.
    ends = np.flatnonzero(is_end) - np.arange(numbers.size)
    data = text[~is_end]
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    columns = []
    for first in range(0, numbers.size, len(numbers)):
        bounds = offsets[first : first + len(numbers) + 1]
        columns.append(StringArray(data[bounds[0] : bounds[-1]], bounds - bounds[0]))
    return columns


def _label_texts(labels: AnyArray) -> list[str]:
    """Labels as CSV would spell them; NaN is the empty string, true and false are these words."""
    if labels.dtype.kind == "b":
        return ["true" if label else "false" for label in labels.tolist()]
    if labels.dtype.kind == "f":
        return ["" if np.isnan(label) else str(label).removesuffix(".0") for label in labels]
    return [str(label) for label in labels.tolist()]

"""Reading a Parquet file in blocks, by ranges: the row groups one after the other, and some rows of each at a time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sageline.arrays.blocks import Block, Coverage
from sageline.arrays.strings import StringArray
from sageline.dataset.label_column import several_labels
from sageline.dataset.readers.arrow_columns import UnreadableColumn, as_text, flat, leaves
from sageline.dataset.readers.dialect import index_name
from sageline.errors import InvalidDataset

_PROBED_ROWS = 1000
_MOST_ROWS = 1 << 18
_HELD_BYTES = 64 << 20
"""A row group of so many bytes is fetched at once; of a larger one, each column is read piece by piece."""

_PIECE_BYTES = 1 << 20
_INDEX = "__index_level_0__"  # what pandas calls an index without a name


def _every_column(name: str) -> bool:
    return True


def _no_column(name: str) -> bool:
    return False


File: TypeAlias = Any  # pyarrow has no types
ArrowBatch: TypeAlias = Any
ArrowArray: TypeAlias = Any


def read_parquet(
    stream: BinaryIO,
    source: str,
    block_bytes: int,
    notes: list[str],
    *,
    label: str | None = None,
    wants: Callable[[str], bool] = _every_column,
    groups: range | None = None,
) -> Iterator[Block]:
    """All rows, or those of some row groups; ``stream`` needs ``read``, ``seek`` and ``tell``.

    Args:
        label: the column that is to be predicted, if it is known.
        wants: whether a column must be readable; another one that is not has missing values.
        groups: indexes of row groups; None for all.

    Raises:
        InvalidDataset: while iterating: damaged, encrypted, a column whose type has no meaning here; names row group and column.
    """
    with _opened(stream, source) as (file, ranges):
        reader = _Reader(file, ranges, source, notes, label=label, wants=wants)
        for group in range(file.num_row_groups) if groups is None else groups:
            yield from reader.blocks(group, block_bytes)


def sample_parquet(
    stream: BinaryIO,
    source: str,
    pieces: int,
    piece_bytes: int,
    notes: list[str],
    *,
    label: str | None = None,
    wants: Callable[[str], bool] = _every_column,
    coverage: Coverage,
) -> Iterator[Block]:
    """The first ``piece_bytes`` of ``pieces`` row groups that are spread evenly, or more of each where there are fewer; all rows
    of a small file. Raises as :func:`read_parquet`."""
    with _opened(stream, source) as (file, ranges):
        reader = _Reader(file, ranges, source, notes, label=label, wants=wants)
        groups = file.num_row_groups
        chosen = np.unique(np.linspace(0, groups - 1, min(groups, pieces)).astype(np.int64)).tolist() if groups else []
        rows = 0
        for group in chosen:
            for block in islice(reader.blocks(group, piece_bytes), -(-pieces // len(chosen))):
                rows += block.rows
                yield block
        if rows == 0:
            raise InvalidDataset(f"{source} has no rows; save at least one.")
        if rows < file.metadata.num_rows:
            coverage.is_all = False
            notes.append(
                f"{source}: what the columns hold is found out from {rows:,} rows of {len(chosen)} row groups, and not from all "
                "of the file."
            )


def text_bytes(stream: BinaryIO, source: str) -> int:
    """About how many bytes of text the rows are read as, by the first of them. Raises as :func:`read_parquet`."""
    with _opened(stream, source) as (file, ranges):
        reader = _Reader(file, ranges, source, [], label=None, wants=_no_column)
        first = next(reader.blocks(0, _PIECE_BYTES), None) if file.num_row_groups else None
        if first is None:
            return 0
        size = sum(int(column.lengths.sum()) + first.rows for column in first.columns.values())
        return size * int(file.metadata.num_rows) // first.rows


def row_group_bytes(stream: BinaryIO, source: str) -> list[int]:
    """How many bytes of the file each row group takes. Raises as :func:`read_parquet`."""
    with _opened(stream, source) as (file, _):
        groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
        return [sum(group.column(index).total_compressed_size for index in range(group.num_columns)) for group in groups]


@contextmanager
def _opened(stream: BinaryIO, source: str) -> Iterator[tuple[File, _Ranges]]:
    """The file, and what it is read from; what is wrong with it, also while it is read, is an error of the dataset."""
    ranges = _Ranges(stream)
    try:
        with pq.ParquetFile(ranges, pre_buffer=False, buffer_size=_PIECE_BYTES) as file:
            yield file, ranges
    except UnreadableColumn as error:
        raise InvalidDataset(f"{source}: column {error.column!r} {error.problem}.") from None
    # OSError is pyarrow's for a page that does not unpack, and so for a damaged file; ours has errors of its own for S3.
    except (pa.ArrowException, OSError) as error:
        problem = str(error).partition("\n")[0].rstrip(".")
        raise InvalidDataset(f"{source}: it cannot be read as Parquet: {problem}. Write the file again.") from None


class _Reader:
    """Reads the row groups of a file."""

    def __init__(
        self, file: File, ranges: _Ranges, source: str, notes: list[str], *, label: str | None, wants: Callable[[str], bool]
    ) -> None:
        self._wants = wants
        self._unread: set[str] = set()  # columns that have no meaning, and need not have one
        self._file = file
        self._ranges = ranges
        self._source = source
        schema = file.schema_arrow
        self._names = self._columns(schema, label, notes)
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        self._first_rows = np.concatenate([[1], 1 + np.cumsum(sizes)]).astype(np.int64).tolist()
        self._row_bytes = 0.0

    def blocks(self, group: int, block_bytes: int) -> Iterator[Block]:
        """The rows of one row group."""
        first_row = self._first_rows[group]
        rows = self._first_rows[group + 1] - first_row
        self._hold(group)
        if rows and not self._row_bytes:
            probe = next(self._batches(group, min(rows, _PROBED_ROWS)))
            self._row_bytes = max(1.0, probe.nbytes / probe.num_rows)
        step = max(1, min(_MOST_ROWS, int(block_bytes / max(1.0, self._row_bytes))))
        try:
            for batch in self._batches(group, step):
                for start, length in _cuts(batch, block_bytes):
                    yield self._block(batch.slice(start, length), first_row)
                    first_row += length
        except UnreadableColumn as error:
            where = f"row group {group + 1} (from row {first_row:,})"
            raise InvalidDataset(f"{self._source}: {where}, column {error.column!r} {error.problem}.") from None
        except (pa.ArrowException, OSError) as error:
            problem = str(error).partition("\n")[0].rstrip(".")
            raise InvalidDataset(
                f"{self._source}: row group {group + 1} (from row {first_row:,}) cannot be read: {problem}. Write the file again."
            ) from None

    def _hold(self, group: int) -> None:
        described = self._file.metadata.row_group(group)
        columns = [described.column(index) for index in range(described.num_columns)]
        starts = [min(filter(None, (column.dictionary_page_offset, column.data_page_offset))) for column in columns]
        ends = [start + column.total_compressed_size for start, column in zip(starts, columns, strict=True)]
        if columns and max(ends) - min(starts) <= _HELD_BYTES:
            self._ranges.hold(min(starts), max(ends))

    def _batches(self, group: int, rows: int) -> Iterator[ArrowBatch]:
        if self._file.metadata.row_group(group).num_rows == 0:
            return iter(())
        batches: Iterator[ArrowBatch] = self._file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)
        return batches

    def _block(self, batch: ArrowBatch, first_row: int) -> Block:
        arrays = [
            array for name, column in zip(batch.schema.names, batch.columns, strict=True) for _, array in flat(name, column)
        ]
        columns = {name: self._as_text(name, array) for name, array in zip(self._names, arrays, strict=True)}
        return replace(Block.of(columns, first_row, self._source), lists=self._lists)

    def _as_text(self, name: str, array: ArrowArray) -> StringArray:
        if name in self._unread:
            return StringArray.empty(len(array))
        try:
            return as_text(name, array)
        except UnreadableColumn:
            if self._wants(name):
                raise
            return StringArray.empty(len(array))

    def _columns(self, schema: Any, label: str | None, notes: list[str]) -> list[str]:  # Any: pyarrow has no types
        """The names of the columns; says what is made of their types."""
        found = [leaf for field in schema for leaf in leaves(field.name, field.type, self._wants)]
        names = [name.strip() for name, _ in found]
        if _INDEX in names:
            names[names.index(_INDEX)] = index_name(names)
        if not names or not all(names):
            raise InvalidDataset(f"{self._source}: a column has no name; name every column.")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidDataset(f"{self._source}: two columns have the name {twice!r}; rename one.")
        lists = [name for name, (_, kind) in zip(names, found, strict=True) if "list" in str(kind)]
        self._lists = frozenset(lists)
        if label in lists:
            raise several_labels(self._source, str(label))
        self._unread = {name for name, (_, kind) in zip(names, found, strict=True) if kind is None}
        if self._unread:
            notes.append(f"{self._source}: {_named(sorted(self._unread))} what is not read, and is left out.")
        if lists:
            notes.append(f"{self._source}: {_named(lists)} lists of words, which are joined by blanks.")
        zoned = [name for name, (_, kind) in zip(names, found, strict=True) if getattr(kind, "tz", None) not in (None, "UTC")]
        if zoned:
            notes.append(f"{self._source}: {_named(zoned)} times of a time zone, which are read in UTC.")
        return names


def _named(names: list[str]) -> str:
    some = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"column {some} holds" if len(names) == 1 else f"columns {some} hold"


def _cuts(batch: ArrowBatch, block_bytes: int) -> Iterator[tuple[int, int]]:
    """Start and length of pieces of about ``block_bytes``."""
    pieces = max(1, round(batch.nbytes / block_bytes))
    bounds = np.linspace(0, batch.num_rows, min(pieces, batch.num_rows) + 1).astype(np.int64).tolist()
    return ((start, end - start) for start, end in pairwise(bounds))


class _Ranges(io.RawIOBase):
    """A stream that is read in ranges of the size that is asked for: what reads ahead would fetch again for each column."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream.raw if isinstance(stream, io.BufferedReader) else stream
        self._position = 0
        self._size = self._stream.seek(0, io.SEEK_END)
        self._start, self._held = 0, b""

    def hold(self, start: int, end: int) -> None:
        """Read a range at once, and keep it until the next one."""
        self._start, self._held = start, b""
        self._held = self._read(start, end - start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        size = self._size - self._position if size < 0 else size
        first = self._position - self._start
        if first >= 0 and first + size <= len(self._held):
            data = self._held[first : first + size]
        else:
            data = self._read(self._position, size)
        self._position += len(data)
        return data

    def _read(self, start: int, size: int) -> bytes:
        self._stream.seek(start)
        parts = []
        while size > 0 and (part := self._stream.read(size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

"""Rows from the whole of a dataset, without reading all of it: what sniffing looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import numpy as np

from sageline.arrays.blocks import Block, Coverage
from sageline.arrays.strings import StringArray
from sageline.dataset.images.reader import read_images
from sageline.dataset.readers.csv_reader import CsvReader, ValueLeftOut
from sageline.dataset.readers.csv_scan import Scan, TextAfterQuote
from sageline.dataset.readers.jsonl_reader import JsonLinesReader
from sageline.dataset.readers.source import FIND_OUT, ReadOptions, check_is_text, open_blocks, open_text, read_up_to
from sageline.errors import InvalidDataset
from sageline.formats.other_formats import advice_on_content
from sageline.formats.text_encoding import UTF_8, Utf8Text, chosen_encoding, guess_encoding, guess_note

PIECES = 8
PIECE_BYTES = 1 << 20

_BEYOND_ASCII = bytes(range(0x80, 0x100))


@dataclass(frozen=True)
class FileChunk:
    """Bytes from the middle or the end of a file, which begin ``start`` bytes after its beginning."""

    start: int
    data: bytes
    is_last: bool


def sample_blocks(
    stream: BinaryIO,
    size: int,
    source: str,
    data_format: str,
    *,
    options: ReadOptions = FIND_OUT,
    notes: list[str] | None = None,
    pieces: int = PIECES,
    piece_bytes: int = PIECE_BYTES,
    may_be_empty: bool = False,
    coverage: Coverage | None = None,
) -> Iterator[Block]:
    """Rows of a dataset: all of them where it is small, else those of ``pieces`` of ``piece_bytes`` each.

    The pieces of a ``csv`` or ``jsonl`` file are spread evenly: the first is its beginning, the last its end. A piece is left out
    if it is not certain where its rows begin. The numbers of rows after the first piece are not known (:meth:`Block.near`).
    Of a Parquet file they are the first rows of its row groups, of a workbook any of its rows, of an archive the images by which
    their shape is chosen. Compressed text, libsvm and ``npz`` are read forwards only: there the pieces are the first ones.

    Args:
        stream: at its beginning; needs ``read`` and ``seek``.
        size: of the stream, in bytes.
        options, notes, may_be_empty: as in :func:`sageline.dataset.readers.source.open_blocks`.
        pieces: of one, the beginning is read.
        coverage: gets whether these are all rows.

    Raises:
        InvalidDataset: while iterating.
    """
    notes, coverage = [] if notes is None else notes, coverage or Coverage()
    if data_format == "zip":
        yield from read_images(stream, source, piece_bytes, shape=options.image_shape, notes=notes, sample=coverage)
        return
    if data_format == "parquet":
        from sageline.dataset.readers import parquet_reader  # noqa: PLC0415 # as in open_blocks

        yield from parquet_reader.sample_parquet(
            stream, source, pieces, piece_bytes, notes, label=options.label, wants=options.wants, coverage=coverage
        )
        return
    if data_format == "xlsx":
        from sageline.dataset.readers import xlsx_reader  # noqa: PLC0415 # as in open_blocks

        yield from xlsx_reader.sample_xlsx(stream, source, pieces, piece_bytes, notes, coverage=coverage)
        return
    in_order = open_blocks(stream, source, data_format, piece_bytes, options=options, notes=notes, may_be_empty=may_be_empty)
    if data_format not in ("csv", "tsv", "jsonl"):
        yield from _first(in_order, pieces, source, notes, coverage)
    elif size <= pieces * piece_bytes:
        yield from in_order
    else:
        coverage.is_all = found = False
        sample = _Sample(source, data_format, options, notes)
        for block in sample.blocks(*_read(stream, size, pieces, piece_bytes)):
            found = True
            yield block
        if not found:  # the header, or the first row, is longer than a piece
            stream.seek(0)
            yield from _first(in_order, pieces, source, notes, coverage)


def _first(blocks: Iterator[Block], count: int, source: str, notes: list[str], coverage: Coverage) -> Iterator[Block]:
    rows = 0
    for block in islice(blocks, count):
        rows += block.rows
        yield block
    if next(blocks, None) is not None:
        coverage.is_all = False
        notes.append(f"{source}: what the columns hold is found out from the first {rows:,} rows, and not from all of the file.")


def _read(stream: BinaryIO, size: int, pieces: int, piece_bytes: int) -> tuple[bytes, list[FileChunk]]:
    """The beginning, and the pieces after it.

    A piece begins at a multiple of 4, and so not within a code unit of UTF-16 or UTF-32.
    """
    head = read_up_to(stream, piece_bytes)
    starts = np.linspace(0, size - piece_bytes, pieces)[1:].astype(np.int64) // 4 * 4
    found = []
    for start in starts.tolist():
        stream.seek(start)
        is_last = start == starts[-1]
        found.append(FileChunk(start, read_up_to(stream, size - start if is_last else piece_bytes), is_last))
    return head, found


class _Sample:
    """Reads pieces of a file as its beginning says."""

    def __init__(self, source: str, data_format: str, options: ReadOptions, notes: list[str]) -> None:
        self._source = source
        self._format = data_format
        self._options = options
        self._notes = notes
        self._encoding: str | None = None

    def blocks(self, head: bytes, pieces: list[FileChunk]) -> Iterator[Block]:
        if advice := advice_on_content(head):
            raise InvalidDataset(f"{self._source} {advice}.")
        encoding, marked = chosen_encoding(head, self._options.encoding, self._source, self._notes)
        check_is_text(head, encoding, self._source)
        beginning = head[marked:]
        if encoding in (None, UTF_8):
            beginning = beginning.rstrip(_BEYOND_ASCII)  # it may end within a character
        text = Utf8Text(self._source, encoding, marked, self._notes)
        reader, chunks = open_text(text, text.chunks([beginning], cut=True), self._format, self._options, cut=True)
        found = False
        for block in reader.blocks(chunks, cut=True):
            found = True
            yield block
        self._encoding = text.encoding
        for piece in pieces if found else []:
            if (rows := self._rows(reader, piece)) is not None:
                yield rows

    def _rows(self, reader: CsvReader | JsonLinesReader, piece: FileChunk) -> Block | None:
        if isinstance(reader, JsonLinesReader):
            text = self._lines(piece, b"\n")
            return reader.piece(text, piece.start)
        text = self._lines(piece, reader.line_end)
        try:
            columns = certain_rows(reader, text, is_last=piece.is_last)
        except ValueLeftOut as error:
            raise InvalidDataset(f"{self._source}: near byte {piece.start:,}: {error.problem}.") from None
        return Block.near(columns, piece.start, self._source) if columns else None

    def _lines(self, piece: FileChunk, line_end: bytes) -> bytes:
        """The whole lines of a piece as UTF-8.

        Raises:
            InvalidDataset: they are not valid in the encoding of the file.
        """
        if self._encoding is not None and self._encoding.startswith(("utf-16", "utf-32")):
            # What is damaged at either end is not part of a whole line.
            return _whole_lines(piece.data.decode(self._encoding, "replace").encode(), line_end, piece.is_last)
        lines = _whole_lines(piece.data, line_end, piece.is_last)
        if self._encoding is None and not lines.isascii():
            self._encoding = guess_encoding(lines) or UTF_8
            if self._encoding != UTF_8:
                self._notes.append(guess_note(self._source, lines, piece.start + piece.data.index(lines)))
        try:
            return lines.decode(self._encoding or UTF_8).encode()
        except UnicodeDecodeError as error:
            raise InvalidDataset(
                f"{self._source}: near byte {piece.start:,}: byte 0x{lines[error.start]:02x} is not valid {error.encoding}; save "
                "the file as UTF-8, or name its encoding in `dataset.encoding` of the spec."
            ) from None


def certain_rows(reader: CsvReader, text: bytes, *, is_last: bool) -> dict[str, StringArray]:
    """The values of those rows, by column, that certainly are rows of the file; ``text`` begins after some end of a line.

    That end may lie inside quotes. So the text is read as if it did and as if it did not. A reading in which a row has not as
    many fields as the header is wrong. Where both may be right, the rows count from where they agree on. A text without a quote
    is taken to lie outside: else a single field would be longer than the text.

    Raises:
        ValueLeftOut: see there.
    """
    outside = _reading(reader, text, is_last, first_record=0)
    inside = _reading(reader, b'"' + text, is_last, first_record=1) if b'"' in text else None
    if outside is None:
        return {} if inside is None else _columns(reader, inside, 1)
    if inside is None:
        return _columns(reader, outside, 0)
    starts = inside.starts[inside.first_fields[1:]] - 1
    agreed = np.flatnonzero(np.isin(outside.starts[outside.first_fields], starts))
    return _columns(reader, outside, int(agreed[0])) if len(agreed) else {}


def _reading(reader: CsvReader, text: bytes, is_last: bool, first_record: int) -> Scan | None:
    """The records of ``text``; None where those from ``first_record`` on are not rows."""
    try:
        found = reader.scan(text, final=is_last)
    except TextAfterQuote:
        return None
    is_broken = (is_last and found.open_quote is not None) or bool((found.fields[first_record:] != reader.width).any())
    return None if is_broken else found


def _columns(reader: CsvReader, found: Scan, first_record: int) -> dict[str, StringArray]:
    return reader.columns(found, first_record) if len(found.fields) > first_record else {}


def _whole_lines(text: bytes, line_end: bytes, is_last: bool) -> bytes:
    first = text.find(line_end) + 1
    if first == 0:
        return b""
    return text[first:] if is_last else text[first : text.rfind(line_end) + 1]

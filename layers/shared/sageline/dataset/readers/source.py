"""Opening a dataset: its bytes in chunks, and which reader reads which format."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import BinaryIO

from sageline.arrays.blocks import Block
from sageline.dataset.images.reader import read_images
from sageline.dataset.readers import libsvm_reader
from sageline.dataset.readers.compression import decompressed
from sageline.dataset.readers.csv_reader import CsvReader
from sageline.dataset.readers.dialect import find_dialect
from sageline.dataset.readers.jsonl_reader import JsonLinesReader
from sageline.dataset.readers.npz_reader import read_npz
from sageline.errors import InvalidDataset
from sageline.formats.other_formats import advice_on_bytes, advice_on_content, advice_on_text
from sageline.formats.text_encoding import UTF_8, Utf8Text, chosen_encoding
from sageline.names import DATA_FORMATS, DATA_FORMATS_NAMED, split_format

BLOCK_BYTES = 4 << 20  # two processes that prepare text have room for what they count, and for a few blocks
_HEAD_BYTES = 64 << 10
_LONGEST_HEAD_BYTES = 1 << 20
_HEAD_LINES = 20


@dataclass(frozen=True)
class ReadOptions:
    """What is known of how a dataset is written; what is None is found out.

    Attributes:
        encoding: the name of an encoding of text that Python knows.
        delimiter: of a CSV file, one character.
        label: the column that is to be predicted; one that holds lists has several labels a row, and is refused.
        image_shape: what images are resized to, (height, width) or (height, width, channels).
        left_out: columns that nobody is to learn from: values of theirs that cannot be read are no error, and missing.
        learnt: the only columns that are learnt from, or predicted, if these are known; the others are left out.
    """

    encoding: str | None = None
    delimiter: str | None = None
    label: str | None = None
    image_shape: tuple[int, ...] | None = None
    left_out: frozenset[str] = frozenset()
    learnt: frozenset[str] | None = None

    def wants(self, column: str) -> bool:
        """Whether the column must be readable."""
        return column not in self.left_out and (self.learnt is None or column in self.learnt)


FIND_OUT = ReadOptions()


def open_blocks(
    stream: BinaryIO,
    source: str,
    data_format: str,
    block_bytes: int = BLOCK_BYTES,
    *,
    labelled: bool = True,
    options: ReadOptions = FIND_OUT,
    notes: list[str] | None = None,
    may_be_empty: bool = False,
) -> Iterator[Block]:
    """Read a dataset in blocks of about ``block_bytes`` of text; ``stream`` needs ``read(size)`` only for CSV and JSON Lines, for
    the other formats also ``seek``.

    Values are the text of the file; in JSON Lines a number keeps its spelling, ``true`` and ``false`` are these words,
    and ``null`` or an absent key is the empty string. What a Parquet file or a workbook holds is spelled as Python's ``csv``
    and ``json`` spell it (:mod:`sageline.dataset.readers.arrow_columns`), so that the same rows are the same in every format.
    Blank lines are not rows. Encoding and delimiter are found out unless the options give them: the same for the same file,
    whatever the size of the blocks.

    Args:
        source: how errors name the data: a file name or an S3 URI.
        data_format: one of :data:`sageline.names.DATA_FORMATS`.
        labelled: an npz file must have labels; the other formats have columns of any kind.
        notes: what was guessed or mended is appended to them while iterating, a sentence each.
        may_be_empty: no rows are no error, and are noted: other files have some.

    Raises:
        InvalidDataset: while iterating; names source, row, line, column and byte offset (of the decompressed data).
    """
    if data_format not in DATA_FORMATS:
        raise InvalidDataset(f"{source}: unknown format {data_format!r}; upload {DATA_FORMATS_NAMED}.")
    notes = [] if notes is None else notes
    base, compression = split_format(data_format)
    some_rows = partial(_rows_of, source=source, notes=notes, may_be_empty=may_be_empty)
    match base:
        case "npz":
            yield from some_rows(read_npz(stream, source, block_bytes, labelled=labelled))
        case "parquet":
            # These two need the layer of readers, which only some functions have, and take their time to import.
            from sageline.dataset.readers import parquet_reader  # noqa: PLC0415

            yield from some_rows(
                parquet_reader.read_parquet(stream, source, block_bytes, notes, label=options.label, wants=options.wants)
            )
        case "xlsx":
            from sageline.dataset.readers import xlsx_reader  # noqa: PLC0415

            yield from some_rows(xlsx_reader.read_xlsx(stream, source, block_bytes, notes))
        case "zip":
            yield from read_images(stream, source, block_bytes, shape=options.image_shape, notes=notes)
        case "libsvm":
            yield from some_rows(libsvm_reader.read_libsvm(stream, source, compression, block_bytes))
        case _:
            text = decompressed(stream, source, compression)
            yield from _text_blocks(text, source, base, block_bytes, options=options, notes=notes, may_be_empty=may_be_empty)


def _text_blocks(
    stream: BinaryIO, source: str, base: str, block_bytes: int, *, options: ReadOptions, notes: list[str], may_be_empty: bool
) -> Iterator[Block]:
    """The rows of CSV or JSON Lines."""
    _, reader, chunks = begin_text(stream, source, base, block_bytes, options=options, notes=notes)
    rows = 0
    for block in reader.blocks(chunks):
        rows += block.rows
        yield block
    if rows == 0:
        without_rows(source, reader, notes, may_be_empty=may_be_empty)


def without_rows(source: str, reader: CsvReader | JsonLinesReader, notes: list[str], *, may_be_empty: bool) -> None:
    """Say that a text has no rows, and what the reader has found in it; raises InvalidDataset unless it may be so."""
    if not may_be_empty:
        raise InvalidDataset(f"{source} has {reader.no_rows}; upload {reader.wanted}.")
    notes.append(f"{source}: {reader.no_rows}.")


def begin_text(
    stream: BinaryIO, source: str, base: str, block_bytes: int, *, options: ReadOptions, notes: list[str]
) -> tuple[Utf8Text, CsvReader | JsonLinesReader, Iterator[bytes]]:
    """A text whose beginning is read, its reader, and all the chunks that the reader is to read: see :func:`open_text`."""
    head = read_up_to(stream, _HEAD_BYTES)
    if advice := advice_on_content(head):
        raise InvalidDataset(f"{source} {advice}.")
    encoding, marked = chosen_encoding(head, options.encoding, source, notes)
    check_is_text(head, encoding, source)
    text = Utf8Text(source, encoding, marked, notes)
    return text, *open_text(text, text.chunks(chunks_of(stream, head[marked:], block_bytes)), base, options)


def check_is_text(head: bytes, encoding: str | None, source: str) -> None:
    """Raise InvalidDataset where a file, by its beginning, is no text of its encoding, which is UTF-8 where it is None."""
    if encoding in (None, UTF_8) and (advice := advice_on_bytes(head)):
        raise InvalidDataset(f"{source} {advice}.")


def open_text(
    text: Utf8Text, chunks: Iterable[bytes], base: str, options: ReadOptions, *, cut: bool = False
) -> tuple[CsvReader | JsonLinesReader, Iterator[bytes]]:
    """The reader of a text, and the chunks that it is to read.

    Args:
        base: ``csv``, ``tsv`` or ``jsonl``.
        cut: the chunks are not all of the text.

    Raises:
        InvalidDataset: how a CSV file is written cannot be told.
    """
    remaining = iter(chunks)
    if base == "jsonl":
        return JsonLinesReader(text, options.label, options.wants), remaining
    held: list[bytes] = []
    size = lines = 0
    complete = not cut
    for chunk in remaining:
        held.append(chunk)
        lines += chunk.count(b"\n", 0, max(0, _HEAD_BYTES - size))
        size += len(chunk)
        if size > _LONGEST_HEAD_BYTES or (size > _HEAD_BYTES and lines >= _HEAD_LINES):
            complete = False
            break
    head = b"".join(held)
    if not complete:
        head = head[: _HEAD_BYTES if head.count(b"\n", 0, _HEAD_BYTES) >= _HEAD_LINES else _LONGEST_HEAD_BYTES]
    if advice := advice_on_text(head):
        raise InvalidDataset(f"{text.source} {advice}.")
    delimiter = options.delimiter
    if base == "tsv" and delimiter is None and b"\t" in head.split(b"\n", 1)[0]:
        delimiter = "\t"
    dialect = find_dialect(head, text.source, text.notes, complete=complete, delimiter=delimiter)
    return CsvReader(text, dialect, head), _without_first(chain(held, remaining), dialect.skipped)


def _without_first(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The chunks without their first bytes."""
    for chunk in chunks:
        if len(chunk) > count:
            yield chunk[count:] if count else chunk
        count = max(0, count - len(chunk))


def open_lines(stream: BinaryIO, source: str, compression: str = "", options: ReadOptions = FIND_OUT) -> Iterator[bytes]:
    """The lines of a JSON Lines file that are rows, in UTF-8, with their ends: as :func:`open_blocks` reads them."""
    stream = decompressed(stream, source, compression)
    head = read_up_to(stream, _HEAD_BYTES)
    notes: list[str] = []
    encoding, marked = chosen_encoding(head, options.encoding, source, notes)
    yield from lines_of(Utf8Text(source, encoding, marked, notes).chunks(chunks_of(stream, head[marked:], BLOCK_BYTES)))


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a text that are not blank, with their ends."""
    rest = b""
    for chunk in chunks:
        complete, end, rest = (rest + chunk).rpartition(b"\n")
        yield from (line for line in io.BytesIO(complete + end) if line.strip())
    if rest.strip():
        yield rest


def _rows_of(blocks: Iterator[Block], *, source: str, notes: list[str], may_be_empty: bool) -> Iterator[Block]:
    """The blocks; that there is none is an error, or a note."""
    first = next(blocks, None)
    if first is not None:
        yield first
        yield from blocks
    elif may_be_empty:
        notes.append(f"{source}: no rows.")
    else:
        raise InvalidDataset(f"{source} has no rows; save at least one.")


def chunks_of(stream: BinaryIO, head: bytes, size: int) -> Iterator[bytes]:
    """``head`` and the rest of the stream in pieces of ``size`` bytes, the last one shorter."""
    pending = io.BytesIO(head)
    while True:
        chunk = pending.read(size)
        chunk += read_up_to(stream, size - len(chunk))
        if chunk:
            yield chunk
        if len(chunk) < size:
            return


def read_up_to(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, or fewer at the end of the stream, however little a single read returns."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

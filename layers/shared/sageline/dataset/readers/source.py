"""Opening a dataset: its bytes in chunks, and which reader reads which format."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from sageline.arrays.blocks import Block
from sageline.dataset.images.reader import read_images
from sageline.dataset.readers.csv_reader import CsvReader
from sageline.dataset.readers.dialect import find_dialect
from sageline.dataset.readers.jsonl_reader import JsonLinesReader
from sageline.dataset.readers.npz_reader import read_npz
from sageline.errors import InvalidDataset
from sageline.formats.other_formats import advice_on_content, advice_on_text
from sageline.formats.text_encoding import Utf8Text, chosen_encoding

BLOCK_BYTES = 8 << 20
_HEAD_BYTES = 64 << 10
_LONGEST_HEAD_BYTES = 1 << 20
_HEAD_LINES = 20


@dataclass(frozen=True)
class ReadOptions:
    """What is known of how a dataset is written; what is None is found out.

    Attributes:
        encoding: the name of an encoding of text that Python knows.
        delimiter: of a CSV file, one character.
        image_shape: what images are resized to, (height, width) or (height, width, channels).
    """

    encoding: str | None = None
    delimiter: str | None = None
    image_shape: tuple[int, ...] | None = None


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
) -> Iterator[Block]:
    """Read a dataset in blocks of about ``block_bytes`` of text; ``stream`` needs ``read(size)`` only, for npz and zip also
    ``seek``.

    Values are the text of the file; in JSON Lines a number keeps its spelling, ``true`` and ``false`` are these words,
    and ``null`` or an absent key is the empty string. Blank lines are not rows. Encoding and delimiter are found out unless the
    options give them: the same for the same file, whatever the size of the blocks.

    Args:
        source: how errors name the data: a file name or an S3 URI.
        data_format: ``csv``, ``csv.gz``, ``jsonl``, ``npz`` (:mod:`sageline.dataset.readers.npz_reader`) or ``zip``
            (:mod:`sageline.dataset.images.reader`).
        labelled: an npz file must have labels; the other formats have columns of any kind.
        notes: what was guessed or mended is appended to them while iterating, a sentence each.

    Raises:
        InvalidDataset: while iterating; names source, row, line, column and byte offset (of the decompressed data).
    """
    if data_format == "npz":
        yield from _or_no_rows(read_npz(stream, source, block_bytes, labelled=labelled), source)
        return
    notes = [] if notes is None else notes
    if data_format == "zip":
        yield from read_images(stream, source, block_bytes, shape=options.image_shape, notes=notes)
        return
    if data_format not in ("csv", "csv.gz", "jsonl"):
        raise InvalidDataset(f"{source}: unknown format {data_format!r}; upload csv, csv.gz, jsonl, npz or zip.")
    if data_format.endswith(".gz"):
        # GzipFile reads forward only, so a stream that cannot seek will do.
        stream = cast("BinaryIO", _Gunzip(stream, source))
    head = read_up_to(stream, _HEAD_BYTES)
    if advice := advice_on_content(head):
        raise InvalidDataset(f"{source} {advice}.")
    encoding, marked = chosen_encoding(head, options.encoding, source, notes)
    text = Utf8Text(source, encoding, marked, notes)
    chunks = text.chunks(_chunks(stream, head[marked:], block_bytes))
    reader, chunks = open_text(text, chunks, data_format, options)
    rows = 0
    for block in reader.blocks(chunks):
        rows += block.rows
        yield block
    if rows == 0:
        raise InvalidDataset(f"{source} has {reader.no_rows}; upload a header line and at least one row per class.")


def open_text(
    text: Utf8Text, chunks: Iterable[bytes], data_format: str, options: ReadOptions, *, cut: bool = False
) -> tuple[CsvReader | JsonLinesReader, Iterator[bytes]]:
    """The reader of a text, and the chunks that it is to read.

    Args:
        cut: the chunks are not all of the text.

    Raises:
        InvalidDataset: how a CSV file is written cannot be told.
    """
    remaining = iter(chunks)
    if data_format == "jsonl":
        return JsonLinesReader(text), remaining
    held: list[bytes] = []
    size = lines = 0
    complete = not cut
    for chunk in remaining:
        held.append(chunk)
        size += len(chunk)
        lines += chunk.count(b"\n", 0, _HEAD_BYTES)
        if size > _LONGEST_HEAD_BYTES or (size > _HEAD_BYTES and lines >= _HEAD_LINES):
            complete = False
            break
    head = b"".join(held)
    if not complete:
        head = head[: _HEAD_BYTES if head.count(b"\n", 0, _HEAD_BYTES) >= _HEAD_LINES else _LONGEST_HEAD_BYTES]
    if advice := advice_on_text(head):
        raise InvalidDataset(f"{text.source} {advice}.")
    dialect = find_dialect(head, text.source, text.notes, complete=complete, delimiter=options.delimiter)
    return CsvReader(text, dialect, head), _without_first(chain(held, remaining), dialect.skipped)


def _without_first(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The chunks without their first bytes."""
    for chunk in chunks:
        if len(chunk) > count:
            yield chunk[count:] if count else chunk
        count = max(0, count - len(chunk))


def open_lines(stream: BinaryIO, source: str, options: ReadOptions = FIND_OUT) -> Iterator[bytes]:
    """The lines of a JSON Lines file that are rows, in UTF-8, with their ends: as :func:`open_blocks` reads them."""
    head = read_up_to(stream, _HEAD_BYTES)
    notes: list[str] = []
    encoding, marked = chosen_encoding(head, options.encoding, source, notes)
    rest = b""
    for chunk in Utf8Text(source, encoding, marked, notes).chunks(_chunks(stream, head[marked:], BLOCK_BYTES)):
        complete, end, rest = (rest + chunk).rpartition(b"\n")
        yield from (line for line in io.BytesIO(complete + end) if line.strip())
    if rest.strip():
        yield rest


def _or_no_rows(blocks: Iterator[Block], source: str) -> Iterator[Block]:
    first = next(blocks, None)
    if first is None:
        raise InvalidDataset(f"{source} has no rows; save at least one row per class.")
    yield first
    yield from blocks


def _chunks(stream: BinaryIO, head: bytes, size: int) -> Iterator[bytes]:
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


class _Gunzip:
    """Reads a gzip stream; what is wrong with it is an error of the dataset."""

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self._file = gzip.GzipFile(fileobj=stream)
        self._source = source
        self._offset = 0

    def read(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except EOFError:
            raise InvalidDataset(
                f"{self._source}: the gzip data ends early, after {self._offset} decompressed bytes; upload the whole file."
            ) from None
        except gzip.BadGzipFile as error:
            raise InvalidDataset(
                f"{self._source}: not gzip data: {error}. Compress it again, or upload it as data.csv."
            ) from None
        except zlib.error as error:
            raise InvalidDataset(
                f"{self._source}: the gzip data is damaged after {self._offset} decompressed bytes ({error}); compress it again."
            ) from None
        self._offset += len(data)
        return data

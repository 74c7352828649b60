"""Opening a dataset: its bytes in chunks, and which reader reads which format."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from sageline.dataset.blocks import Block
from sageline.dataset.csv_reader import CsvReader
from sageline.dataset.jsonl_reader import JsonLinesReader
from sageline.dataset.npz_reader import read_npz
from sageline.errors import InvalidDataset

BLOCK_BYTES = 8 << 20
_HEAD_BYTES = 64 << 10

_NOT_TEXT = {
    b"\x1f\x8b": "is compressed with gzip; name it data.csv.gz",
    b"PK\x03\x04": "is a ZIP file or an Excel workbook; save it as CSV (UTF-8)",
    b"\xff\xfe": "is UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; save it as UTF-8",
    b"PAR1": "is a Parquet file; save it as CSV (UTF-8)",
}
_BOM = b"\xef\xbb\xbf"


def open_blocks(
    stream: BinaryIO, source: str, data_format: str, block_bytes: int = BLOCK_BYTES, *, labelled: bool = True
) -> Iterator[Block]:
    """Read a dataset in blocks of about ``block_bytes`` of text; ``stream`` needs ``read(size)`` only, for npz also ``seek``.

    Values are the text of the file; in JSON Lines a number keeps its spelling, ``true`` and ``false`` are these words,
    and ``null`` or an absent key is the empty string. Blank lines are not rows.

    Args:
        source: how errors name the data: a file name or an S3 URI.
        data_format: ``csv``, ``csv.gz``, ``jsonl`` or ``npz`` (:mod:`sageline.dataset.npz_reader`).
        labelled: an npz file must have labels; the other formats have columns of any kind.

    Raises:
        InvalidDataset: while iterating; names source, row, line, column and byte offset (of the decompressed data).
    """
    if data_format == "npz":
        yield from _or_no_rows(read_npz(stream, source, block_bytes, labelled=labelled), source)
        return
    if data_format not in ("csv", "csv.gz", "jsonl"):
        raise InvalidDataset(f"{source}: unknown format {data_format!r}; upload csv, csv.gz, jsonl or npz.")
    if data_format.endswith(".gz"):
        # GzipFile reads forward only, so a stream that cannot seek will do.
        stream = cast("BinaryIO", _Gunzip(stream, source))
    head = _read_up_to(stream, _HEAD_BYTES)
    for magic, advice in _NOT_TEXT.items():
        if head.startswith(magic):
            raise InvalidDataset(f"{source} {advice}.")
    skipped = len(_BOM) if head.startswith(_BOM) else 0
    reader = JsonLinesReader(source, skipped) if data_format == "jsonl" else CsvReader(source, head[skipped:], skipped)
    rows = 0
    for block in reader.blocks(_chunks(stream, head[skipped:], block_bytes)):
        rows += block.rows
        yield block
    if rows == 0:
        raise InvalidDataset(f"{source} has {reader.no_rows}; upload a header line and at least one row per class.")


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
        chunk += _read_up_to(stream, size - len(chunk))
        if chunk:
            yield chunk
        if len(chunk) < size:
            return


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
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

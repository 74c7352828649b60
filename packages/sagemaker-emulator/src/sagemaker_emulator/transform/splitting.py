"""Objects cut into records (SplitType), records packed into payloads (BatchStrategy)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sagemaker_emulator.transform.problems import ObjectFailed, client_error

_RECORDIO_MAGIC = 0xCED7230A
_RECORDIO_HEADER = struct.Struct("<II")
_RECORDIO_LENGTH = (1 << 29) - 1
_RECORDIO_WHOLE, _RECORDIO_LAST = 0, 3
_TFRECORD_LENGTH = struct.Struct("<Q")
_TFRECORD_CHECKSUM = 4


@dataclass(frozen=True)
class Batch:
    """One request: its body, and how many records are in it; ``inputs`` are the records before the input filter."""

    payload: bytes
    inputs: tuple[bytes, ...]


def too_large(most: int) -> ObjectFailed:
    return client_error(
        "Too much data for max payload size",
        f"A record, or an object that is not split, has more than MaxPayloadInMB allows ({most} bytes).",
    )


def records(stream: BinaryIO, split: str, most: int) -> Iterator[bytes]:
    """The records of an object, at most ``most`` bytes each: lines without their end, frames with their header.

    ``None`` makes the whole object one record. Raises :class:`ObjectFailed`.
    """
    if split == "Line":
        return _lines(stream, most)
    if split == "RecordIO":
        return _recordio(stream, most)
    if split == "TFRecord":
        return _tfrecords(stream, most)
    return _whole(stream, most)


def batches(pairs: Iterable[tuple[bytes, bytes]], split: str, strategy: str, most: int) -> Iterator[Batch]:
    """Pack (record as it came, record as it is sent) in their order; MultiRecord fills each payload up to ``most`` bytes.

    A line of a payload of several ends with its newline; a single record is sent without.
    """
    if split == "None" or strategy == "SingleRecord":
        for original, sent in pairs:
            yield Batch(sent, (original,))
        return
    end = b"\n" if split == "Line" else b""
    inputs: list[bytes] = []
    parts: list[bytes] = []
    size = 0
    for original, sent in pairs:
        if parts and size + len(sent) + len(end) > most:
            yield Batch(end.join([*parts, b""]), tuple(inputs))
            inputs, parts, size = [], [], 0
        inputs.append(original)
        parts.append(sent)
        size += len(sent) + len(end)
    if parts:
        yield Batch(end.join([*parts, b""]), tuple(inputs))


def _whole(stream: BinaryIO, most: int) -> Iterator[bytes]:
    content = stream.read(most + 1)
    if len(content) > most:
        raise too_large(most)
    yield content


def _lines(stream: BinaryIO, most: int) -> Iterator[bytes]:
    # A line and its newline fill a payload together.
    while line := stream.readline(most + 1):
        if len(line) > most:
            raise too_large(most)
        yield line.removesuffix(b"\n")


def _recordio(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """Frames of magic number, flag and length, and content padded to four bytes; the parts of a record stay together."""
    parts: list[bytes] = []
    size = 0
    while header := _exactly(stream, _RECORDIO_HEADER.size, "RecordIO", may_end=not parts):
        magic, word = _RECORDIO_HEADER.unpack(header)
        if magic != _RECORDIO_MAGIC:
            raise client_error(
                "Fail to parse delimiter", f"A RecordIO frame must begin with {_RECORDIO_MAGIC:#x}, not {magic:#x}."
            )
        length = -(-(word & _RECORDIO_LENGTH) // 4) * 4
        size += len(header) + length
        if size > most:
            raise too_large(most)
        parts += [header, _exactly(stream, length, "RecordIO")]
        if word >> 29 in (_RECORDIO_WHOLE, _RECORDIO_LAST):
            yield b"".join(parts)
            parts, size = [], 0


def _tfrecords(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """Length, its checksum, content, its checksum."""
    while header := _exactly(stream, _TFRECORD_LENGTH.size, "TFRecord", may_end=True):
        rest = _TFRECORD_CHECKSUM + _TFRECORD_LENGTH.unpack(header)[0] + _TFRECORD_CHECKSUM
        if len(header) + rest > most:
            raise too_large(most)
        yield header + _exactly(stream, rest, "TFRecord")


def _exactly(stream: BinaryIO, size: int, kind: str, *, may_end: bool = False) -> bytes:
    content = stream.read(size)
    if len(content) == size or (may_end and not content):
        return content
    raise client_error("Fail to parse delimiter", f"The object ends in the middle of a {kind} record.")

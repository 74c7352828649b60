"""What RecordIO-protobuf's writer and reader have in common; the format is described in :mod:`sageline.formats.recordio`."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass

from sageline.formats.recordio.packing import varint

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
KEY = b"\x0a\x06values"
LABEL_HEAD = b"\x12\x12" + KEY + b"\x12\x08\x12\x06\x0a\x04"  # the label's tensor up to its one float


@functools.lru_cache(maxsize=64)
def shape_field(width: int) -> bytes:
    """The shape of a sparse tensor."""
    return b"\x1a" + varint(len(varint(width))) + varint(width)


@dataclass(frozen=True)
class DenseLayout:
    """What all frames of dense rows have in common: a frame of zeros, and where in it the numbers are."""

    frame: bytes
    values_at: int
    label_at: int

    @classmethod
    def of(cls, width: int, *, labelled: bool) -> DenseLayout:
        tensor = b"\x0a" + varint(4 * width) if width else b""
        value = b"\x12" + varint(len(tensor) + 4 * width) + tensor
        entry = KEY + b"\x12" + varint(len(value) + 4 * width) + value
        head = b"\x0a" + varint(len(entry) + 4 * width) + entry
        label = LABEL_HEAD + bytes(4) if labelled else b""
        payload = head + bytes(4 * width) + label
        frame = struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
        return cls(frame, values_at=8 + len(head), label_at=8 + len(payload) - 4)

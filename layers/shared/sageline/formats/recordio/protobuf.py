"""Walking through a protobuf message: its fields, as they are on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: the field's number in its message.
        wire_type: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
        content: the field's bytes, without tag and length.
    """

    number: int
    wire_type: int
    content: memoryview


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in their order; ValueError where it is malformed."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            end = _varint(message, at)[1]
        elif wire_type == BYTES:
            length, at = _varint(message, at)
            end = at + length
        elif wire_type in (FIXED32, FIXED64):
            end = at + (4 if wire_type == FIXED32 else 8)
        else:
            raise ValueError(f"field {number} has wire type {wire_type}, which is not in use")
        if end > len(message):
            raise ValueError(f"field {number} is cut off")
        yield Field(number, wire_type, message[at:end])
        at = end


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The varint at an offset, and the offset after it."""
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a varint is cut off or too long")

"""RecordIO-protobuf spelled out byte by byte, as an independent reference."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    value %= 2**64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(values: bytes, keys: list[int] | None = None, shape: int | None = None) -> bytes:
    parts = [field(1, values) if values else b""]
    parts += [field(2, b"".join(map(varint, keys)))] if keys else []
    parts += [field(3, varint(shape))] if shape is not None else []
    return b"".join(parts)


def floats(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def entry(number: int, content: bytes, number_type: int = 2) -> bytes:
    return field(number, field(1, b"values") + field(2, field(number_type, content)))


def frame(payload: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(payload)) + payload + bytes(-len(payload) % 4)


def record(values: list[float], label: float | None = None, keys: list[int] | None = None, shape: int | None = None) -> bytes:
    features = entry(1, tensor(floats(values), keys, shape))
    return frame(features + (entry(2, tensor(floats([label]))) if label is not None else b""))

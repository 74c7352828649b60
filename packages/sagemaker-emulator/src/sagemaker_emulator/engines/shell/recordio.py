"""RecordIO-protobuf: frames of ``aialgs.data.Record`` messages, by protobuf's own runtime.

The message is the one that SageMaker's developer guide publishes ("Common data formats for training"). A frame is
``uint32 LE 0xCED7230A``, ``uint32 LE length``, the message, and zero bytes up to a multiple of four (MXNet's RecordIO).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_MAGIC = 0xCED7230A
_HEAD = struct.Struct("<II")
_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "aialgs.data"
# What tensors there are, with their numbers in a Value.
_TENSORS = {"float32_tensor": 2, "float64_tensor": 3, "int32_tensor": 7}
_NUMBERS = {"float32_tensor": _Field.TYPE_FLOAT, "float64_tensor": _Field.TYPE_DOUBLE, "int32_tensor": _Field.TYPE_INT32}


def _record_class() -> Any:  # Any: a class that protobuf makes
    """The message's class, from a pool of its own: what else is loaded may know the message too."""
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package=_PACKAGE, syntax="proto2")
    value = descriptor_pb2.DescriptorProto(name="Value", oneof_decl=[{"name": "value"}])
    for name, number in _TENSORS.items():
        kind = "".join(word.capitalize() for word in name.split("_"))
        tensor = file.message_type.add(name=kind)
        for at, (field, scalar) in enumerate(
            {"values": _NUMBERS[name], "keys": _Field.TYPE_UINT64, "shape": _Field.TYPE_UINT64}.items(), start=1
        ):
            tensor.field.add(name=field, number=at, type=scalar, label=_Field.LABEL_REPEATED, options={"packed": True})
        _add_message(value, name, number, kind, oneof_index=0)
    content = file.message_type.add(name="Bytes")
    content.field.add(name="value", number=1, type=_Field.TYPE_BYTES, label=_Field.LABEL_REPEATED)
    content.field.add(name="content_type", number=2, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    _add_message(value, "bytes", 9, "Bytes", oneof_index=0)
    file.message_type.append(value)
    record = file.message_type.add(name="Record")
    for number, name in enumerate(("features", "label"), start=1):
        entry = record.nested_type.add(name=f"{name.capitalize()}Entry", options={"map_entry": True})
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        _add_message(entry, "value", 2, "Value")
        _add_message(record, name, number, f"Record.{entry.name}", label=_Field.LABEL_REPEATED)
    for number, name in enumerate(("uid", "metadata", "configuration"), start=3):
        record.field.add(name=name, number=number, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Record"))


def _add_message(
    parent: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str, label: int = _Field.LABEL_OPTIONAL, **more: int
) -> None:
    type_name = f".{_PACKAGE}.{kind}"
    parent.field.add(name=name, number=number, type=_Field.TYPE_MESSAGE, type_name=type_name, label=label, **more)


Record = _record_class()


def read_messages(data: bytes) -> Iterator[Any]:  # Any: of the class that protobuf makes
    """Every record; ValueError names the first one that is none, and where it begins."""
    at, number = 0, 1
    while at < len(data):
        try:
            payload = _payload(data, at)
            yield Record.FromString(payload)
        except (ValueError, DecodeError) as error:
            raise ValueError(f"record {number} at byte {at}: {error}") from error
        at += _HEAD.size + len(payload) + -len(payload) % 4
        number += 1


def _payload(data: bytes, at: int) -> bytes:
    if len(data) - at < _HEAD.size:
        raise ValueError("the data ends within the frame's head")
    magic, length = _HEAD.unpack_from(data, at)
    if magic != _MAGIC:
        raise ValueError(f"it begins with {magic:#010x}, not with {_MAGIC:#010x}")
    start = at + _HEAD.size
    if start + length > len(data):
        raise ValueError(f"it has {length} bytes, of which {len(data) - start} are there")
    return data[start : start + length]


def write_messages(records: Iterable[Any]) -> bytes:  # Any: as above
    """Frames of records, the entries of their maps in the order of their keys."""
    frames = bytearray()
    for record in records:
        payload = record.SerializeToString(deterministic=True)
        frames += _HEAD.pack(_MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
    return bytes(frames)

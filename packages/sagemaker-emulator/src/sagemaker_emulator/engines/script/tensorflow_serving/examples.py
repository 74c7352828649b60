"""Requests of ``classify`` and ``regress``: JSON objects of features, which a model gets as serialized ``tf.train.Example``.

The formats are those of https://www.tensorflow.org/tfx/serving/api_rest#classify_and_regress_api and of TensorFlow's
``example.proto`` and ``feature.proto``.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping

# The fields of a Feature: what kind of list it has.
_BYTES, _FLOATS, _INTEGERS = 1, 2, 3
_KINDS = {_BYTES: "bytes", _FLOATS: "float", _INTEGERS: "int64"}

Feature = tuple[int, list[bytes] | list[float] | list[int]]


class InvalidExamples(ValueError):
    """A request whose examples are missing or can not be made examples of."""


def serialized_examples(request: Mapping[str, object]) -> list[bytes]:
    """The request's ``examples``, each with the features of its ``context``; raises :class:`InvalidExamples`."""
    context = _features(request.get("context", {}))
    if "examples" not in request:
        raise InvalidExamples("When method is classify, key 'examples' is expected and was not found")
    examples = request["examples"]
    if not isinstance(examples, list):
        raise InvalidExamples("Expecting 'examples' value to be an list/array")
    if not examples:
        raise InvalidExamples("'examples' value is an empty array")
    return [serialized({**context, **_features(example)}) for example in examples]


def serialized(features: Mapping[str, Feature]) -> bytes:
    """``Example { Features { map<string, Feature> } }`` on the wire."""
    entries = b"".join(
        _message(1, _message(1, name.encode()) + _message(2, _feature(*feature))) for name, feature in features.items()
    )
    return _message(1, entries)


def _features(example: object) -> dict[str, Feature]:
    if not isinstance(example, dict):
        raise InvalidExamples(f"Example must be JSON object but got JSON {_json_type(example)}")
    return {name: _listed(name, content if isinstance(content, list) else [content]) for name, content in example.items()}


def _listed(name: str, values: list[object]) -> Feature:
    pairs = [_value(name, value) for value in values]
    kinds = [kind for kind, _ in pairs] or [_BYTES]
    if len(set(kinds)) > 1:
        raise InvalidExamples(f"Unexpected element type in feature: {name} expecting type: {_KINDS[kinds[0]]}")
    return kinds[0], [value for _, value in pairs]  # type: ignore[return-value]  # all of one kind


def _value(name: str, value: object) -> tuple[int, bytes | float | int]:
    if isinstance(value, bool | int):
        if not -(1 << 63) <= value < 1 << 63:
            raise InvalidExamples(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return _INTEGERS, int(value)
    if isinstance(value, float):
        return _FLOATS, value
    if isinstance(value, str):
        return _BYTES, value.encode()
    if isinstance(value, dict) and set(value) == {"b64"}:
        try:
            return _BYTES, base64.b64decode(str(value["b64"]), validate=True)
        except binascii.Error as error:
            raise InvalidExamples(f"Unable to base64 decode: {error}") from error
    raise InvalidExamples(f"Feature: {name} has element with unexpected JSON type: {_json_type(value)}")


def _feature(kind: int, values: list[bytes] | list[float] | list[int]) -> bytes:
    if kind == _BYTES:
        content = b"".join(_message(1, value) for value in values if isinstance(value, bytes))
    elif kind == _FLOATS:
        content = _message(1, struct.pack(f"<{len(values)}f", *values))
    else:
        content = _message(1, b"".join(_varint(value & (1 << 64) - 1) for value in values if isinstance(value, int)))
    return _message(kind, content)


def _message(field: int, content: bytes) -> bytes:
    """A field of the wire type for what has a length."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _json_type(value: object) -> str:
    names = {bool: str(value), str: "String", list: "Array", dict: "Object", type(None): "Null"}
    return names.get(type(value), "Number")

"""Requests of ``classify`` and ``regress``: JSON objects of features, which a model gets as serialized ``tf.train.Example``.

The format is that of https://www.tensorflow.org/tfx/serving/api_rest#classify_and_regress_api; where TensorFlow is loaded, it
writes the examples.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

# What kind of list a Feature has.
Kind = Literal["bytes", "float", "int64"]
Feature = tuple[Kind, list[bytes | float | int]]
Features = Mapping[str, Feature]


class InvalidExamples(ValueError):
    """A request whose examples are missing or can not be made examples of."""


def read_examples(request: Mapping[str, object]) -> list[Features]:
    """The request's ``examples``, each with the features of its ``context``; raises :class:`InvalidExamples`."""
    context = _features(request.get("context", {}))
    if "examples" not in request:
        raise InvalidExamples("When method is classify, key 'examples' is expected and was not found")
    examples = request["examples"]
    if not isinstance(examples, list):
        raise InvalidExamples("Expecting 'examples' value to be an list/array")
    if not examples:
        raise InvalidExamples("'examples' value is an empty array")
    return [{**context, **_features(example)} for example in examples]


def _features(example: object) -> dict[str, Feature]:
    if not isinstance(example, dict):
        raise InvalidExamples(f"Example must be JSON object but got JSON {_json_type(example)}")
    return {name: _listed(name, content if isinstance(content, list) else [content]) for name, content in example.items()}


def _listed(name: str, values: list[object]) -> Feature:
    pairs = [_value(name, value) for value in values]
    kind: Kind = pairs[0][0] if pairs else "bytes"
    if any(other != kind for other, _ in pairs):
        raise InvalidExamples(f"Unexpected element type in feature: {name} expecting type: {kind}")
    return kind, [value for _, value in pairs]


def _value(name: str, value: object) -> tuple[Kind, bytes | float | int]:
    if isinstance(value, bool | int):
        if not -(1 << 63) <= value < 1 << 63:
            raise InvalidExamples(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64", int(value)
    if isinstance(value, float):
        return "float", value
    if isinstance(value, str):
        return "bytes", value.encode()
    if isinstance(value, dict) and set(value) == {"b64"}:
        try:
            return "bytes", base64.b64decode(str(value["b64"]), validate=True)
        except binascii.Error as error:
            raise InvalidExamples(f"Unable to base64 decode: {error}") from error
    raise InvalidExamples(f"Feature: {name} has element with unexpected JSON type: {_json_type(value)}")


def _json_type(value: object) -> str:
    names = {bool: str(value), str: "String", list: "Array", dict: "Object", type(None): "Null"}
    return names.get(type(value), "Number")

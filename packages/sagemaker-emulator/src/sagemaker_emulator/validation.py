"""Checks a request against botocore's own model of the service, in the words that AWS uses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sized
from datetime import UTC, datetime

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.patterns import matcher


def check(operation: OperationModel, request: Mapping[str, object]) -> None:
    """Raise ValidationException (or SerializationException for a wrong JSON type) unless the request fits the model."""
    if operation.input_shape is None:
        return
    problems = list(_problems(operation.input_shape, request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(problems)}")


def _problems(shape: Shape, value: object, path: str) -> Iterator[str]:
    _check_type(shape, value, path)
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, _mapping(value), path)
    elif isinstance(shape, ListShape):
        yield from _constraint_problems(shape, value, path)
        for index, item in enumerate(value if isinstance(value, list) else [], start=1):
            yield from _problems(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        yield from _map_problems(shape, _mapping(value), path)
    else:
        yield from _constraint_problems(shape, value, path)


def _structure_problems(shape: StructureShape, value: Mapping[str, object], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(member, value[name], _join(path, name))


def _map_problems(shape: MapShape, value: Mapping[str, object], path: str) -> Iterator[str]:
    yield from _constraint_problems(shape, value, path)
    shown = _shown(shape, value)
    for part, items in (("keys", value.keys()), ("value", value.values())):
        member = shape.key if part == "keys" else shape.value
        if isinstance(member, StructureShape | ListShape | MapShape):
            for key, item in value.items():
                yield from _problems(member, item, f"{path}.{key}.member")
        else:
            for item in items:
                _check_type(member, item, path)
            if any(_broken(member, item) for item in items):
                rule = f"Map {part} must satisfy constraint: [{', '.join(_constraints(member))}]"
                yield f"Value '{shown}' at '{path}' failed to satisfy constraint: {rule}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _constraint_problems(shape: Shape, value: object, path: str) -> Iterator[str]:
    for constraint in _broken(shape, value):
        yield f"Value '{_shown(shape, value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _shown(shape: Shape, value: object) -> str:
    if shape.metadata.get("sensitive"):
        return "***sensitive***"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_shown(shape, item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(shape, item) for item in value) + "]"
    return str(value)


def _broken(shape: Shape, value: object) -> list[str]:
    """The constraints of ``shape`` that ``value`` does not satisfy."""
    metadata = shape.metadata
    number = float(value) if isinstance(value, int | float) else float(len(value) if isinstance(value, Sized) else 0)
    broken = []
    if "max" in metadata and number > float(metadata["max"]):
        broken.append(_bound(shape, "less", metadata["max"]))
    if "min" in metadata and number < float(metadata["min"]):
        broken.append(_bound(shape, "greater", metadata["min"]))
    if isinstance(value, str):
        if "pattern" in metadata and not matcher(metadata["pattern"])(value):
            broken.append(f"Member must satisfy regular expression pattern: {metadata['pattern']}")
        if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
            broken.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return broken


def _constraints(shape: Shape) -> Iterator[str]:
    metadata = shape.metadata
    if "max" in metadata:
        yield _bound(shape, "less", metadata["max"])
    if "min" in metadata:
        yield _bound(shape, "greater", metadata["min"])
    if "pattern" in metadata:
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"


def _bound(shape: Shape, side: str, limit: object) -> str:
    kind = "value" if shape.type_name in ("integer", "long", "float", "double") else "length"
    return f"Member must have {kind} {side} than or equal to {limit}"


_JSON_NAMES = {
    bool: ("boolean",),
    int: ("integer", "long", "float", "double", "timestamp"),
    float: ("float", "double", "timestamp"),
    str: ("string", "blob", "timestamp"),
    dict: ("structure", "map"),
    list: ("list",),
}
# Of 32 bits, as the model's Float is.
_LARGEST_FLOAT = 3.4028234663852886e38
_TOKENS = {bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE", dict: "OBJECT", list: "ARRAY"}


def _check_type(shape: Shape, value: object, path: str) -> None:
    accepted = _JSON_NAMES.get(type(value), ())
    whole = isinstance(value, float) and value.is_integer() and math.isfinite(value)
    if shape.type_name == "float" and isinstance(value, int | float) and abs(value) > _LARGEST_FLOAT:
        raise ServiceError("SerializationException", f"{value!r} is too large for a Float (at '{path}')")
    if shape.type_name in accepted or (whole and shape.type_name in ("integer", "long")):
        return
    token = _TOKENS.get(type(value), "NULL")
    raise ServiceError("SerializationException", f"{token} can not be converted to a {shape.type_name.title()} (at '{path}')")


def timestamp(value: object) -> float:
    """Epoch seconds of a timestamp as JSON carries it: a number, or ISO 8601 text."""
    if isinstance(value, int | float):
        return float(value)
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ServiceError("SerializationException", f"{value!r} can not be converted to a Timestamp") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()

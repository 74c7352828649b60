"""States of Sageline's own classes as bytes, for a function that goes on with what another one has counted.

Not pickle: what is read comes from a bucket, and unpickling runs whatever the bytes say. Here nothing is run: a class is looked
up by its name among those that states hold (:mod:`sageline.storage.shards.state_classes`), and its instance gets its
attributes back without a call of its constructor (or by its own ``__setstate__``, where it has one).

The bytes are the length of a JSON document, the document, and the contents of the arrays that it refers to. A container that is
not a list, and an object, is a JSON object with one key, which says what it is.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cache, cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel

from sageline.arrays.strings import StringArray
from sageline.storage.shards.state_classes import STATE_CLASSES

_LENGTH_BYTES = 8
_ALIGNED = 8
_AS_IN_JSON = {type(None), bool, str, int, float}
_MANY = 64  # texts or numbers of a list that are kept together, which reads many times as quickly as JSON
_BETWEEN = "\0"  # a list in which a text has it is kept as JSON
# Any: what they hold.
_CONTAINERS: dict[str, Callable[[Iterable[Any]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}

_LISTS: dict[str, Callable[[memoryview], list[Any]]] = {
    "texts": lambda content: str(content, "utf-8", "surrogatepass").split(_BETWEEN),
    "numbers": lambda content: np.frombuffer(content, dtype="<u8").tolist(),
}


class UnknownState(Exception):
    """The bytes are not those of a state, or a value has no place in one."""


def encode_state(value: object) -> bytes:
    """A value as bytes.

    Args:
        value: None, a truth value, a number, text, bytes, an array of numpy, a container of such, or an instance of one of
            :data:`sageline.storage.shards.state_classes.STATE_CLASSES`. Cached properties are left out.

    Raises:
        UnknownState: it is or holds something else.
    """
    writer = _Writer()
    document = json.dumps(writer.document(value), separators=(",", ":")).encode()
    document += b" " * (-len(document) % _ALIGNED)
    return b"".join([len(document).to_bytes(_LENGTH_BYTES, "little"), document, *writer.contents])


def decode_state(data: bytes) -> Any:  # Any: what was encoded
    """The value of which :func:`encode_state` has made these bytes.

    Raises:
        UnknownState: they are no such bytes.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    try:
        return _Reader(memoryview(data)[start:]).value(json.loads(data[_LENGTH_BYTES:start]))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ImportError,
        ArithmeticError,
        RecursionError,
        MemoryError,
    ) as error:
        raise UnknownState(f"These bytes are no state: {error}") from error


class _Writer:
    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self._size = 0

    def document(self, value: object) -> Any:  # Any: JSON
        if isinstance(value, Enum):
            return {"enum": [_name_of(type(value)), self.document(value.value)]}
        if isinstance(value, np.generic):
            return value.item()
        if value is None or isinstance(value, (bool, str, int, float)):
            return value
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            return self._container(value)
        if isinstance(value, bytes):
            return {"bytes": self._keep(value)}
        if isinstance(value, np.ndarray):
            return self._array(value)
        return self._object(value)

    def _container(self, value: list[Any] | tuple[Any, ...] | dict[Any, Any] | set[Any] | frozenset[Any]) -> Any:  # Any: JSON
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, dict):
            kind = "counter" if isinstance(value, Counter) else "dict"
            return {kind: [self.document(list(value)), self.document(list(value.values()))]}
        items = [self.document(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": items} if type(value) is tuple else {"named": [_name_of(type(value)), items]}
        return {"frozenset" if isinstance(value, frozenset) else "set": items}

    def _list(self, value: list[Any]) -> Any:  # Any: what it holds, and JSON
        kinds = set(map(type, value))
        if len(value) >= _MANY and kinds == {str}:
            joined = _BETWEEN.join(value)
            if joined.count(_BETWEEN) == len(value) - 1:
                return {"texts": self._keep(joined.encode("utf-8", "surrogatepass"))}
        if len(value) >= _MANY and kinds == {int} and min(value) >= 0 and max(value) < 1 << 64:
            return {"numbers": self._keep(np.array(value, dtype="<u8").tobytes())}
        return value if kinds <= _AS_IN_JSON else [self.document(item) for item in value]

    def _object(self, value: object) -> Any:  # Any: JSON
        kind = type(value)
        if isinstance(value, StringArray):
            return {"strings": [self._array(value.data), self._array(value.offsets)]}
        if isinstance(value, BaseModel):
            return {"model": [_name_of(kind), value.model_dump_json(exclude_unset=True)]}
        name_of_kind = _name_of(kind)
        if hasattr(kind, "__setstate__"):
            return {"state": [name_of_kind, self.document(value.__getstate__())]}
        attributes = {name: self.document(item) for name, item in vars(value).items() if not _is_cached(kind, name)}
        return {"object": [name_of_kind, attributes]}

    def _array(self, array: np.ndarray[Any, Any]) -> Any:  # Any: numpy's shape and dtype, and JSON
        if array.dtype.hasobject:
            raise UnknownState("An array of Python objects has no place in a state.")
        kept = array.astype(_narrowest(array), order="C", copy=False)
        return {"array": [array.dtype.str, kept.dtype.str, list(array.shape), self._keep(kept.tobytes())]}

    def _keep(self, content: bytes) -> list[int]:
        """Where the content is: its first byte and how many there are."""
        at = self._size
        padding = b"\0" * (-len(content) % _ALIGNED)
        self.contents += [content, padding]
        self._size += len(content) + len(padding)
        return [at, len(content)]


class _Reader:
    def __init__(self, contents: memoryview) -> None:
        self._contents = contents

    def value(self, document: Any) -> Any:  # Any: JSON, and what was encoded
        if isinstance(document, list):
            return document if _AS_IN_JSON.issuperset(map(type, document)) else [self.value(item) for item in document]
        if not isinstance(document, dict):
            return document
        ((kind, content),) = document.items()
        if kind in _LISTS:
            return _LISTS[kind](self._kept(content))
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](self.value(item) for item in content)
        match kind:
            case "dict":
                return dict(self._pairs(content))
            case "counter":
                return Counter(dict(self._pairs(content)))
            case "bytes":
                return self._kept(content).tobytes()
            case "array":
                return self._array(*content)
            case "strings":
                return StringArray(*(self.value(part) for part in content))
        return self._instance(kind, _class_of(content[0]), content[1])

    def _array(self, dtype: str, kept_as: str, shape: list[int], place: list[int]) -> np.ndarray[Any, Any]:  # Any: as written
        if np.dtype(dtype).hasobject:
            raise UnknownState("An array of Python objects has no place in a state.")
        kept = np.frombuffer(self._kept(place), dtype=np.dtype(kept_as)).reshape(shape)
        # A copy: what is merged into is written to, and the bytes need not stay.
        return kept.astype(np.dtype(dtype), casting="safe", copy=True)

    def _pairs(self, content: list[list[Any]]) -> Iterator[tuple[Any, Any]]:  # Any: JSON, and what was encoded
        keys, values = content
        return zip(self.value(keys), self.value(values), strict=True)

    def _instance(self, kind: str, of: Any, content: Any) -> Any:  # Any: a class, JSON, and what was encoded
        if kind == "enum" and issubclass(of, Enum):
            return of(self.value(content))
        if kind == "named" and issubclass(of, tuple):
            return of(*map(self.value, content))
        if kind == "model" and issubclass(of, BaseModel):
            return of.model_validate_json(content)
        if kind == "state" and hasattr(of, "__setstate__"):
            instance = object.__new__(of)
            instance.__setstate__(self.value(content))
            return instance
        if kind == "object" and not issubclass(of, (Enum, tuple, BaseModel)):
            instance = object.__new__(of)
            vars(instance).update({name: self.value(item) for name, item in content.items()})
            return instance
        raise UnknownState(f"{of.__qualname__} is no {kind}.")

    def _kept(self, place: list[int]) -> memoryview:
        start, size = place
        if start < 0 or size < 0:
            raise UnknownState("The contents are not where the document says.")
        found = self._contents[start : start + size]
        if len(found) < size:
            raise UnknownState("The bytes end too early.")
        return found


def _narrowest(array: np.ndarray[Any, Any]) -> np.dtype[Any]:  # Any: numpy's shape and dtype
    """The type in which the array's values take the fewest bytes: counts are small numbers mostly."""
    declared: np.dtype[Any] = array.dtype
    if declared.kind not in "iu" or not array.size:
        return declared
    narrowest: np.dtype[Any] = np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max()))
    return narrowest if narrowest.kind in "iu" and narrowest.itemsize < declared.itemsize else declared


def _is_cached(kind: type, name: str) -> bool:
    return isinstance(getattr(kind, name, None), cached_property)


def _name_of(kind: type) -> str:
    name = f"{kind.__module__}:{kind.__qualname__}"
    if name not in STATE_CLASSES:
        raise UnknownState(f"{kind.__module__}.{kind.__qualname__} has no place in a state.")
    return name


@cache
def _class_of(name: str) -> type:
    if name not in STATE_CLASSES:
        raise UnknownState(f"{name} is no class whose instances a state holds.")
    module, _, of_module = name.partition(":")
    found: type = getattr(importlib.import_module(module), of_module)
    return found

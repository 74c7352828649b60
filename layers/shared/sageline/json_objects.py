"""The types of JSON objects, and objects whose keys occur once: ``json`` keeps the last of two values and says nothing.

Imports nothing but the standard library: it is on the prediction path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object. What it holds is up to whoever writes it, hence Any."""

Document: TypeAlias = Mapping[str, Any]
"""A JSON object that is only read."""


class Keywords:
    """What JSON Schema says of a value beside its type: ``Annotated[int, Keywords(minimum=1)]``.

    Pydantic asks for it when it makes a schema; nothing else looks at it.
    """

    def __init__(self, **keywords: object) -> None:
        self._keywords = keywords

    def __get_pydantic_json_schema__(self, core_schema: object, handler: Callable[[object], Json]) -> Json:
        return {**handler(core_schema), **self._keywords}


class DuplicateKey(Exception):
    """A key occurs twice in one object.

    Attributes:
        key: the first that does.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique_keys(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """The object of these keys and values: an ``object_pairs_hook`` of :func:`json.loads`.

    Raises:
        DuplicateKey: a key is there twice.
    """
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(key)
            seen.add(key)
    return result

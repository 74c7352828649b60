"""Nested objects as columns: what stands under ``b`` in the object of ``a`` is the column ``a.b``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sageline.json_objects import DuplicateKey


def flattened(row: Mapping[str, object]) -> dict[str, Any]:  # Any: JSON
    """The values of a row and of the objects in it, by column; an empty object has none.

    Raises:
        DuplicateKey: two values are of one column, ``{"a.b": 1, "a": {"b": 2}}``.
        RecursionError: objects are nested too deeply.
    """
    if not any(isinstance(value, dict) for value in row.values()):
        return dict(row)
    flat: dict[str, Any] = {}
    for key, value in row.items():
        inner = {f"{key}.{name}": leaf for name, leaf in flattened(value).items()} if isinstance(value, dict) else {key: value}
        for name, leaf in inner.items():
            if name in flat:
                raise DuplicateKey(name)
            flat[name] = leaf
    return flat

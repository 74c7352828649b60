"""What a part of an encoder of a table saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sageline.arrays.matrix import AnyArray
from sageline.arrays.strings import StringArray

State: TypeAlias = "tuple[dict[str, Any], dict[str, AnyArray]]"  # Any: JSON
"""What to save of a part: a JSON document and arrays."""


def packed(name: str, values: list[str]) -> dict[str, AnyArray]:
    """Strings as arrays to save."""
    strings = StringArray.from_list(values)
    return {f"{name}_data": strings.data, f"{name}_offsets": strings.offsets}


def unpacked(name: str, arrays: Mapping[str, AnyArray]) -> list[str]:
    """What :func:`packed` was given."""
    return StringArray(arrays[f"{name}_data"], arrays[f"{name}_offsets"]).tolist()

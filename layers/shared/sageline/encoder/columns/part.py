"""What a kind of column is to the encoder of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, Matrix
from sageline.arrays.strings import StringArray

State: TypeAlias = "tuple[dict[str, Any], dict[str, AnyArray]]"  # Any: JSON
"""What to save of a part: a JSON document and arrays."""


class Part(Protocol):
    """A fitted column, or several texts that are read as one.

    Attributes:
        kind: as the saved document names it.
        columns: names in the dataset.
        width: how many encoded columns it becomes.
    """

    kind: str

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def width(self) -> int: ...

    def encode(self, block: Block) -> Matrix:
        """``float32[rows, width]`` or sparse; NaN is a missing number.

        Raises:
            InvalidDataset: a value that cannot be encoded; names row and column.
        """
        ...

    def state(self) -> State: ...


def packed(name: str, values: list[str]) -> dict[str, AnyArray]:
    """Strings as arrays to save."""
    strings = StringArray.from_list(values)
    return {f"{name}_data": strings.data, f"{name}_offsets": strings.offsets}


def unpacked(name: str, arrays: Mapping[str, AnyArray]) -> list[str]:
    """What :func:`packed` was given."""
    return StringArray(arrays[f"{name}_data"], arrays[f"{name}_offsets"]).tolist()

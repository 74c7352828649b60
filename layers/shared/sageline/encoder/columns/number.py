"""Columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import BadNumber, parse_numbers
from sageline.encoder.columns.part import State
from sageline.errors import InvalidDataset

LARGEST = float(np.finfo(np.float32).max)
"""The largest number of float32."""


class NumberScaling(NamedTuple):
    """How numbers are encoded: missing ones are filled in, then the offset is taken off and the rest divided.

    Attributes:
        fill: what stands for a missing number; None keeps it missing (NaN).
    """

    fill: float | None = None
    offset: float = 0.0
    divisor: float = 1.0

    def encode(self, values: FloatArray) -> FloatArray:
        """``float32[n]``; what would be beyond float32 becomes its largest number."""
        if self == _AS_IT_IS:
            return values
        numbers = values.astype(np.float64)
        if self.fill is not None:
            numbers[np.isnan(numbers)] = self.fill
        return np.clip((numbers - self.offset) / self.divisor, -LARGEST, LARGEST).astype(np.float32)


_AS_IT_IS = NumberScaling()


@dataclass(frozen=True)
class NumberPart:
    """A column of numbers: one column, NaN where one is missing and not filled in; then, with an indicator, 1 where it was
    missing.

    Attributes:
        spelling: how the column spells its numbers.
        binary: the train rows held only 0 and 1, so a prediction may say false and true.
    """

    column: str
    scaling: NumberScaling = _AS_IT_IS
    indicator: bool = False
    spelling: Spelling = PLAIN
    binary: bool = False
    kind = "number"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def width(self) -> int:
        return 2 if self.indicator else 1

    @property
    def keeps_missing(self) -> bool:
        return self.scaling.fill is None

    def encode(self, block: Block) -> FloatArray:
        numbers = read_numbers(block, self.column, self.spelling)
        encoded = self.scaling.encode(numbers).reshape(-1, 1)
        return with_indicator(encoded, np.isnan(numbers)) if self.indicator else encoded

    def state(self) -> State:
        return {
            "column": self.column,
            "scaling": list(self.scaling),
            "indicator": self.indicator,
            "spelling": list(self.spelling),
            "binary": self.binary,
        }, {}

    @classmethod
    def from_state(cls, document: Mapping[str, Any]) -> NumberPart:  # Any: JSON
        scaling, spelling = NumberScaling(*document["scaling"]), Spelling(*document["spelling"])
        return cls(document["column"], scaling, document["indicator"], spelling, document["binary"])


def with_indicator(encoded: FloatArray, missing: np.ndarray[Any, np.dtype[np.bool_]]) -> FloatArray:  # Any: numpy's shape
    """One more column: 1 where the value was missing."""
    return np.concatenate([encoded, missing.astype(np.float32).reshape(-1, 1)], axis=1)


def read_numbers(block: Block, column: str, spelling: Spelling = PLAIN) -> FloatArray:
    """A number column of a block; an unusable value is an error of the dataset, which names its row."""
    try:
        return parse_numbers(block.columns[column], spelling)
    except BadNumber as error:
        where = f"{block.where(error.index)}, column {column!r}"
        raise InvalidDataset(f"{where}: {error.problem}. Correct it, or leave it empty.", column=column) from None

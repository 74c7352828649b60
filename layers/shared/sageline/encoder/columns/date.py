"""Columns of dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.calendar import DateParts, date_parts
from sageline.arrays.dates import BadDate, DateFormat, parse_dates
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.encoder.columns.number import NumberScaling, with_indicator
from sageline.encoder.columns.part import State
from sageline.errors import InvalidDataset

PARTS = DateParts._fields
"""What a date can become: days since 1970, year, month, day, weekday, hour, day of the year."""


@dataclass(frozen=True)
class DatePart:
    """A column of dates: one column for each of some numbers, NaN where the date is missing and not filled in; then, with an
    indicator, 1 where it was missing.

    Attributes:
        format: how the column spells its dates.
        parts: of :data:`PARTS`.
        scalings: one for each of them.
    """

    column: str
    format: DateFormat
    parts: tuple[str, ...]
    scalings: tuple[NumberScaling, ...]
    indicator: bool = False
    kind = "date"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def width(self) -> int:
        return len(self.parts) + self.indicator

    @property
    def keeps_missing(self) -> bool:
        return self.scalings[0].fill is None

    def encode(self, block: Block) -> FloatArray:
        seconds = dates_of(block, self.column, self.format)
        parts = [scaling.encode(part) for scaling, part in zip(self.scalings, chosen(seconds, self.parts), strict=True)]
        encoded = np.stack(parts, axis=1)
        return with_indicator(encoded, np.isnan(seconds)) if self.indicator else encoded

    def state(self) -> State:
        return {
            "column": self.column,
            "format": list(self.format),
            "parts": list(self.parts),
            "scalings": [list(scaling) for scaling in self.scalings],
            "indicator": self.indicator,
        }, {}

    @classmethod
    def from_state(cls, document: Mapping[str, Any]) -> DatePart:  # Any: JSON
        scalings = tuple(NumberScaling(*scaling) for scaling in document["scalings"])
        parts = tuple(document["parts"])
        return cls(document["column"], DateFormat(*document["format"]), parts, scalings, document["indicator"])


def chosen(seconds: DoubleArray, names: Sequence[str]) -> list[FloatArray]:
    """Some of the numbers that dates become."""
    parts = date_parts(seconds)._asdict()
    return [parts[name] for name in names]


def dates_of(block: Block, column: str, date_format: DateFormat) -> DoubleArray:
    """A date column of a block, ``float64[rows]`` in seconds since 1970, NaN where one is missing; an unusable value is an error
    of the dataset, which names its row."""
    try:
        return parse_dates(block.columns[column], date_format)
    except BadDate as error:
        where = f"{block.where(error.index)}, column {column!r}"
        raise InvalidDataset(f"{where}: {error.problem}. Correct it, or leave it empty.", column=column) from None

"""Columns of categories: a column per value, or the value's index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, Matrix, SparseMatrix
from sageline.encoder.columns.part import State, packed, unpacked
from sageline.encoder.values import ValueIndex


@dataclass(frozen=True, eq=False)
class CategoryPart:
    """A column of categories.

    ``one-hot``: one column per value: 1 in the column of the row's value, 0 in the others, all 0 when it is missing (the empty
    string) or was not seen in training. ``ordinal``: one column: the value's index, -1 when it is missing or was not seen.

    Attributes:
        values: in the order of their encoded columns or indexes.
        encoding: ``one-hot`` or ``ordinal``.
        exact: blanks around a value, and how a number is spelled, make it another one: as before version 4.
        truth: the values are a yes and a no, however a row spells them.
    """

    column: str
    values: list[str]
    encoding: str = "one-hot"
    exact: bool = False
    truth: bool = False
    kind = "category"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def width(self) -> int:
        return 1 if self.encoding == "ordinal" else len(self.values)

    @cached_property
    def index(self) -> ValueIndex:
        """Where each value is."""
        return ValueIndex(self.values, exact=self.exact, truth=self.truth)

    def encode(self, block: Block) -> Matrix:
        indexes = self.index.indexes_of(block.columns[self.column])
        if self.encoding == "ordinal":
            return indexes.astype(np.float32).reshape(-1, 1)
        is_known = indexes >= 0
        row_offsets = np.zeros(len(indexes) + 1, dtype=np.int64)
        np.cumsum(is_known, out=row_offsets[1:])
        known = indexes[is_known]
        return SparseMatrix(np.ones(len(known), dtype=np.float32), known, row_offsets, (len(indexes), self.width))

    def state(self) -> State:
        document = {"column": self.column, "encoding": self.encoding, "exact": self.exact, "truth": self.truth}
        return document, packed("values", self.values)

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> CategoryPart:  # Any: JSON
        values = unpacked("values", arrays)
        return cls(document["column"], values, document["encoding"], document["exact"], document["truth"])

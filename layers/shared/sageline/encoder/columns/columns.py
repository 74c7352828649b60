"""The encoder of tables: each column encoded as its kind is, the encoded columns side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, Matrix
from sageline.arrays.number_spelling import PLAIN, respelled
from sageline.arrays.numbers import as_number, is_number, read_cells
from sageline.arrays.strings import StringArray
from sageline.encoder.columns import side_by_side
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.date import DatePart
from sageline.encoder.columns.number import NumberPart, read_numbers
from sageline.encoder.columns.part import State
from sageline.encoder.columns.target import TargetPart
from sageline.encoder.columns.text import TextPart
from sageline.errors import InvalidDataset

Part: TypeAlias = "NumberPart | CategoryPart | TargetPart | DatePart | TextPart"
"""A fitted column, or several texts that are read as one.

``columns`` are its names in the dataset, ``width`` is of what it becomes, and ``encode`` makes ``float32[rows, width]`` or a
sparse matrix of a block; it raises InvalidDataset, with row and column, for a value that cannot be encoded.
"""


@dataclass(frozen=True, eq=False)
class ColumnsEncoder:
    """Encodes rows of a table.

    Attributes:
        parts: in the order of their encoded columns.
        layout: ``dense``: ``float32[rows, feature_dim]``, NaN where a number is missing, 0 where a sparse part has no cell.
            ``sparse``: a number is a cell, a zero too; a missing one is none.
    """

    parts: tuple[Part, ...]
    layout: str = "dense"

    @cached_property
    def feature_dim(self) -> int:
        return sum(part.width for part in self.parts)

    def encode(self, block: Block) -> Matrix:
        """``float32[rows, feature_dim]`` or sparse.

        Raises:
            InvalidDataset: a value that cannot be encoded; names the first row that has one, and the column.
        """
        try:
            encoded = [part.encode(block) for part in self.parts]
        except InvalidDataset as error:
            # Of the first column that has one; how many rows a block has must not decide which row is named.
            raise self._first_refusal(block) or error from None
        return side_by_side.sparse(encoded, block.rows) if self.layout == "sparse" else side_by_side.dense(encoded, block.rows)

    def _first_refusal(self, block: Block) -> InvalidDataset | None:
        """What is said of the first row with a value that cannot be encoded."""
        first, end = 0, block.rows
        while end - first > 1:
            middle = (first + end) // 2
            if self._refusal(block.take(np.arange(first, middle))) is None:
                first = middle
            else:
                end = middle
        return self._refusal(block.take(np.arange(first, end)))

    def _refusal(self, block: Block) -> InvalidDataset | None:
        try:
            for part in self.parts:
                part.encode(block)
        except InvalidDataset as error:
            return error
        return None

    @cached_property
    def numbers(self) -> dict[str, NumberPart]:
        """The columns of numbers."""
        return {part.column: part for part in self.parts if isinstance(part, NumberPart)}

    @cached_property
    def dates(self) -> dict[str, DatePart]:
        """The columns of dates."""
        return {part.column: part for part in self.parts if isinstance(part, DatePart)}

    @cached_property
    def categories(self) -> dict[str, CategoryPart | TargetPart]:
        """The columns of categories."""
        return {part.column: part for part in self.parts if isinstance(part, CategoryPart | TargetPart)}

    @property
    def avoids_csv(self) -> bool:
        """Whether XGBoost is better not given the rows as CSV: sparse ones, and those of a single number, as its
        container guesses the delimiter from the first line, and in a line like ``5.1`` it may take the point for one."""
        return self.layout == "sparse" or (self.feature_dim == 1 and not isinstance(self.parts[0], CategoryPart | TextPart))

    @cached_property
    def kept_missing(self) -> tuple[str, ...]:
        """The columns of numbers and dates whose missing values stay missing."""
        return tuple(part.column for part in self.parts if isinstance(part, NumberPart | DatePart) and part.keeps_missing)

    def first_missing(self, block: Block) -> tuple[int, str] | None:
        """The row and the column of the first missing value that stays missing."""
        found = []
        for name in self.kept_missing:
            part = self.numbers.get(name)
            values = read_numbers(block, name, part.spelling) if part else self.dates[name].encode(block)[:, 0]
            missing = np.flatnonzero(np.isnan(values))
            if len(missing):
                found.append((int(missing[0]), name))
        return min(found, key=lambda row_and_name: row_and_name[0], default=None)

    def respelled(self, block: Block) -> Block:
        """Rows of JSON Lines, where a number is a plain one, with the numbers spelled as the columns spell theirs."""
        columns = dict(block.columns)
        for name, number in self.numbers.items():
            if number.spelling != PLAIN and name in columns:
                texts = columns[name].tolist()
                columns[name] = StringArray.from_list(
                    [respelled(text, number.spelling) if is_number(text) else text for text in texts]
                )
        return replace(block, columns=columns)

    def with_truth_as_numbers(self, block: Block) -> Block:
        """Rows to predict, with ``true`` and ``false`` as 1 and 0 in the columns that held only these numbers in training."""
        columns = dict(block.columns)
        for name, number in self.numbers.items():
            if number.binary and name in columns and len(read_cells(columns[name]).others):
                columns[name] = StringArray.from_list([as_number(text) for text in columns[name].tolist()])
        return replace(block, columns=columns)

    def state(self) -> State:
        """What to save: a JSON document and arrays."""
        documents: list[dict[str, Any]] = []  # Any: JSON
        arrays: dict[str, AnyArray] = {}
        for index, part in enumerate(self.parts):
            document, its_arrays = part.state()
            documents.append({**document, "kind": part.kind})
            arrays |= {f"{index}_{name}": array for name, array in its_arrays.items()}
        return {"kind": "columns", "layout": self.layout, "parts": documents}, arrays

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> ColumnsEncoder:  # Any: JSON
        """What :meth:`state` returned.

        Raises:
            KeyError, ValueError: something is missing, or of an unknown kind.
        """
        return cls(tuple(_part(index, saved, arrays) for index, saved in enumerate(document["parts"])), document["layout"])


def _part(index: int, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Part:  # Any: JSON
    prefix = f"{index}_"
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    match document["kind"]:
        case "number":
            return NumberPart.from_state(document)
        case "category":
            return CategoryPart.from_state(document, own)
        case "target":
            return TargetPart.from_state(document, own)
        case "date":
            return DatePart.from_state(document)
        case "text":
            return TextPart.from_state(document, own)
        case other:
            raise ValueError(f"unknown kind of column {other!r}")

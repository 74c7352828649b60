"""Tables: columns of numbers and of categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling, respelled
from sageline.arrays.numbers import BadNumber, as_number, is_number, parse_numbers, read_cells
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.values import ValueIndex, merged
from sageline.errors import InvalidDataset

_LARGEST = float(np.finfo(np.float32).max)


class Number(NamedTuple):
    """How a column of numbers is encoded: missing ones are filled in, then the offset is taken off and the rest divided.

    Attributes:
        fill: what stands for a missing number; None keeps it missing (NaN).
        spelling: how the column spells its numbers.
        binary: the train rows held only 0 and 1, so a prediction may say false and true.
    """

    fill: float | None = None
    offset: float = 0.0
    divisor: float = 1.0
    spelling: Spelling = PLAIN
    binary: bool = False

    @property
    def keeps_values(self) -> bool:
        """Whether a number is encoded as it is."""
        return (self.fill, self.offset, self.divisor) == (None, 0.0, 1.0)

    def encode(self, values: FloatArray) -> FloatArray:
        """``float32[n]``; what would be beyond float32 becomes its largest number."""
        if self.keeps_values:
            return values
        numbers = values.astype(np.float64)
        if self.fill is not None:
            numbers[np.isnan(numbers)] = self.fill
        return np.clip((numbers - self.offset) / self.divisor, -_LARGEST, _LARGEST).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Encodes rows of numbers and categories.

    A number takes one column, NaN when it is missing and not filled in. A category takes one column per value (one-hot): 1 in
    the column of the row's value, 0 in the others, all 0 when it is missing (the empty string) or was not seen in training; or
    one column (ordinal): the value's index among the values, -1 when it is missing or was not seen.

    Attributes:
        categories: the columns in order; a category's values in the order of their encoded columns or indexes, None for a number.
        numbers: how numbers are encoded; a column that is not here is encoded as it is.
        category_mode: ``one-hot`` or ``ordinal``.
        exact_categories: blanks around a category, and how a number is spelled, make it another one: as before version 4.
    """

    categories: dict[str, list[str] | None]
    numbers: dict[str, Number] = field(default_factory=dict)
    category_mode: str = "one-hot"
    exact_categories: bool = False

    @property
    def feature_dim(self) -> int:
        return sum(self._width(values) for values in self.categories.values())

    def _width(self, values: list[str] | None) -> int:
        return 1 if values is None or self.category_mode == "ordinal" else len(values)

    def column_of(self, index: int) -> str:
        """The column that an encoded column is of."""
        for name, values in self.categories.items():
            index -= self._width(values)
            if index < 0:
                return name
        raise IndexError("there are not so many encoded columns")

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

    def columns_kept_missing(self) -> list[str]:
        """The columns of numbers whose missing values stay missing."""
        return [
            name for name, values in self.categories.items() if values is None and self.numbers.get(name, Number()).fill is None
        ]

    def encode(self, block: Block) -> FloatArray:
        """``float32[rows, feature_dim]``.

        Raises:
            InvalidDataset: a number that is none, or is beyond float32; names row and column.
        """
        columns: dict[str, FloatArray | IntArray] = {}
        for name in self.categories:
            value_index = self._value_indexes.get(name)
            if value_index is None:
                number = self.numbers.get(name, Number())
                columns[name] = number.encode(read_numbers(block, name, number.spelling))
            else:
                columns[name] = value_index.indexes_of(block.columns[name])
        return self._joined(columns, block.rows)

    @cached_property
    def _value_indexes(self) -> dict[str, ValueIndex]:
        """Of each category column, where its values are."""
        return {
            name: ValueIndex(values, exact=self.exact_categories)
            for name, values in self.categories.items()
            if values is not None
        }

    def _joined(self, columns: Mapping[str, FloatArray | IntArray], rows: int) -> FloatArray:
        """Numbers as they are, and the indexes of categories in their own way."""
        encoded = np.zeros((rows, self.feature_dim), dtype=np.float32)
        at = 0
        for name, values in self.categories.items():
            if values is None or self.category_mode == "ordinal":
                encoded[:, at] = columns[name]
            else:
                known = np.flatnonzero(columns[name] >= 0)
                encoded[known, at + columns[name][known].astype(np.int64)] = 1
            at += self._width(values)
        return encoded

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        arrays: dict[str, AnyArray] = {}
        for index, values in enumerate(self.categories.values()):
            if values is not None:
                strings = StringArray.from_list(values)
                arrays |= {f"categories_{index}_data": strings.data, f"categories_{index}_offsets": strings.offsets}
        numbers = {name: number._asdict() for name, number in self.numbers.items()}
        document = {"kind": "table", "category_mode": self.category_mode, "exact_categories": self.exact_categories}
        return document | {"numbers": numbers}, arrays

    @classmethod
    def from_state(
        cls, document: Mapping[str, Any], columns: Mapping[str, str], arrays: Mapping[str, AnyArray]
    ) -> TableEncoder:  # Any: JSON
        """The table of a saved state; version 1 had neither modes of categories nor ways to encode numbers, and up to version 3
        all numbers were plain ones and all categories exact."""
        categories: dict[str, list[str] | None] = {}
        for index, (name, kind) in enumerate(columns.items()):
            categories[name] = None
            if kind == "category":
                strings = StringArray(arrays[f"categories_{index}_data"], arrays[f"categories_{index}_offsets"])
                categories[name] = strings.tolist()
        numbers = {
            name: Number(**(number | {"spelling": Spelling(*number.get("spelling", PLAIN))}))
            for name, number in document.get("numbers", {}).items()
        }
        return cls(categories, numbers, document.get("category_mode", "one-hot"), document.get("exact_categories", True))


def read_numbers(block: Block, column: str, spelling: Spelling = PLAIN) -> FloatArray:
    """A number column of a block; an unusable value is an error of the dataset, which names its row."""
    try:
        return parse_numbers(block.columns[column], spelling)
    except BadNumber as error:
        where = f"{block.where(error.index)}, column {column!r}"
        raise InvalidDataset(f"{where}: {error.problem}. Correct it, or leave it empty.", column=column) from None


@dataclass
class CategoryCounts:
    """How often each value of a category column occurs, as it is spelled; blanks are a missing value and do not count."""

    spelled: Counter[str] = field(default_factory=Counter)
    missing: int = 0

    def update(self, column: StringArray) -> None:
        counts = Counter(column.tolist())
        self.missing += sum(counts.pop(text) for text in [text for text in counts if not text.strip()])
        self.spelled.update(counts)

    def most_frequent(self, limit: int) -> dict[str, int]:
        """The values that occur most often, with their counts; of equally frequent ones, those that sort first."""
        values = merged(self.spelled)
        return {value: values[value] for value in sorted(values, key=lambda value: (-values[value], value))[:limit]}

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {
            "missing": self.missing,
            "different_values": len(merged(self.spelled)),
            "most_frequent": self.most_frequent(20),
        }

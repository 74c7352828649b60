"""Reading the label column: which rows have a label, and what it is."""

from __future__ import annotations

from collections.abc import Collection
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import MISSING, BadNumber, is_number, parse_doubles, parse_numbers, shown
from sageline.arrays.strings import BoolArray, StringArray
from sageline.errors import InvalidDataset

_TEXTS: WeakKeyDictionary[StringArray, list[str]] = WeakKeyDictionary()
"""The labels of blocks in use."""


def only_class(column: str, label: str, rows: int) -> str:
    """That all labels are one, and what to do."""
    counted = "1 row" if rows == 1 else f"{rows} rows"
    return (
        f"every label in column {column!r} is {label!r} ({counted}); a classifier needs at least two classes. Add rows of other "
        "classes, or name another column in dataset.label."
    )


class LabelColumn:
    """Reads the labels of blocks.

    Args:
        name: of the column.
        task: ``classification`` or ``regression``.
        spelling: how a regression's numbers are spelled.
        is_number: a classification's labels are numbers: another value is a mistake, and words for a missing number are no label.
        no_label: other words, in lower case, that stand for no label.
        not_negative: a regression's values below 0 are mistakes.
    """

    def __init__(
        self,
        name: str,
        task: str,
        spelling: Spelling = PLAIN,
        *,
        is_number: bool = False,
        no_label: Collection[str] = (),
        not_negative: bool = False,
    ) -> None:
        self.name = name
        self.is_class = task == "classification"
        self._spelling = spelling
        self._is_number = is_number
        self._no_label = {"", *no_label}
        self._not_negative = not_negative

    def is_there(self, block: Block) -> BoolArray:
        """``bool[rows]``: which rows have a label.

        Raises:
            InvalidDataset: there is no such column, or a label is no number and must be one, or is below 0 and must not be; names
                the row.
        """
        if self.name not in block.columns:
            raise InvalidDataset(f"{block.source}: no column {self.name!r}; the columns are {', '.join(block.columns)}.")
        if self.is_class:
            return self._is_class_there(block)
        numbers = self.numbers(block)
        if self._not_negative and (numbers < 0).any():
            index = int(np.flatnonzero(numbers < 0)[0])
            raise InvalidDataset(
                f"{block.where(index)}, label column {self.name!r}: {shown(block.columns[self.name][index])} is below 0, and "
                "`target.transform` is log, which takes values from 0 on. Correct it, leave it empty (the row is not used then), "
                'or say "none" there.'
            )
        return ~np.isnan(numbers)

    def texts(self, block: Block) -> list[str]:
        """The labels as they are spelled; not to be changed, because whoever asks for those of a block gets the same."""
        column = block.columns[self.name]
        texts = _TEXTS.get(column)
        if texts is None:
            texts = _TEXTS[column] = column.tolist()
        return texts

    def numbers(self, block: Block) -> FloatArray:
        """A regression's labels, ``float32[rows]``, NaN where there is none.

        Raises:
            InvalidDataset: one is no number, or beyond float32; names the row.
        """
        try:
            return parse_numbers(block.columns[self.name], self._spelling)
        except BadNumber as error:
            raise InvalidDataset(f"{block.where(error.index)}, label column {self.name!r}: {error.problem}. {_ADVICE}") from None

    def exact_numbers(self, block: Block) -> DoubleArray:
        """The same as ``float64[rows]``, of blocks whose labels have been read."""
        return parse_doubles(block.columns[self.name], self._spelling)

    def _is_class_there(self, block: Block) -> BoolArray:
        texts = self.texts(block)
        missing = {text for text in set(texts) if text.strip().lower() in (MISSING if self._is_number else self._no_label)}
        odd = {text for text in set(texts) if not is_number(text)} - missing if self._is_number else set()
        if odd:
            index = next(index for index, text in enumerate(texts) if text in odd)
            raise InvalidDataset(
                f"{block.where(index)}, label column {self.name!r}: {shown(texts[index])} is not a number, and the "
                f"other labels are. {_ADVICE}"
            )
        if not missing:
            return np.ones(len(texts), dtype=np.bool_)
        return np.array([text not in missing for text in texts], dtype=np.bool_)


def several_labels(source: str, label: str) -> InvalidDataset:
    """For a label column of lists: a row has several labels, which is not learned."""
    return InvalidDataset(
        f"{source}: column {label!r} holds lists, and so several labels a row, which Sageline does not learn; give each row one "
        "label, or train one model for each of the labels, from a column of true and false."
    )


_ADVICE = 'Correct it, leave it empty (the row is not used then), or set "task": "classification" in the spec if it is a class.'

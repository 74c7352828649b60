"""What a model has answered for validation rows: of very many of them a choice, on which its decision is made."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ReadClasses
from sageline.evaluation.decision.choose import ValidationRows
from sageline.evaluation.metrics.ranking import MOST_SCORES
from sageline.evaluation.sample import Sample


class ValidationSample:
    """Rows with their probabilities, at most :data:`MOST_SCORES` of these.

    Args:
        classes: how many there are.
        first_row, of_rows: as of :class:`sageline.evaluation.sample.Sample`.
    """

    def __init__(self, classes: int, *, most_scores: int = MOST_SCORES, first_row: int = 0, of_rows: int | None = None) -> None:
        self.rows = 0
        self._classes = classes
        self._knows_probabilities = True
        self._knows_own = True
        self._is_weighted = False
        self._sample = Sample(4, max(1, most_scores // classes), first_row=first_row, of_rows=of_rows)

    def add(self, expected: IntArray, answers: ReadClasses, weights: DoubleArray | None) -> None:
        """Some more rows.

        Args:
            expected: ``int64[rows]``: the number of each row's class.
            weights: ``float64[rows]``; None where all rows count alike.
        """
        before, rows = answers.before, len(expected)
        self.rows += rows
        self._is_weighted = self._is_weighted or weights is not None
        table = before.scores if before.are_probabilities else None
        self._knows_probabilities = self._knows_probabilities and table is not None
        self._knows_own = self._knows_own and answers.own is not None
        self._sample.add(
            expected,
            np.full((rows, self._classes), np.nan, dtype=np.float32) if table is None else table,
            np.zeros(rows, dtype=np.int64) if answers.own is None else answers.own,
            np.ones(rows) if weights is None else weights,
        )

    def merge(self, after: ValidationSample) -> None:
        """Add the rows of another one, which come after these."""
        self.rows += after.rows
        self._is_weighted = self._is_weighted or after._is_weighted
        self._knows_probabilities = self._knows_probabilities and after._knows_probabilities
        self._knows_own = self._knows_own and after._knows_own
        self._sample.merge(after._sample)

    def chosen(self) -> ValidationRows:
        """The rows to choose the decision on."""
        if not self.rows:
            return ValidationRows(np.zeros(0, dtype=np.int64), None)
        expected, table, own, weights = self._sample.columns
        return ValidationRows(
            expected,
            table if self._knows_probabilities else None,
            own if self._knows_own else None,
            weights if self._is_weighted else None,
        )

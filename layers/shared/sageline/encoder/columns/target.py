"""Columns of many categories: how frequent a row's value is, and what the label is on average where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.encoder.columns.part import State, packed, unpacked
from sageline.encoder.values import ValueIndex

FOLDS: Final = 5
"""Parts of the train rows; a row is encoded with the labels of the other four."""

MOST_CLASSES: Final = 10
"""Classes that get a column each; of more classes, only how frequent a value is remains."""


@dataclass(frozen=True, eq=False)
class TargetCounts:
    """Train rows by value and fold.

    Attributes:
        rows: ``int64[values, folds]``.
        labels: ``float64[values, folds, targets]``: sums of the labels, of which a regression has one and a classification of two
            classes one as well (how many rows are of the second), otherwise one a class.
    """

    rows: AnyArray
    labels: DoubleArray

    def without(self, fold: int) -> TargetCounts:
        """The counts of the other folds."""
        others = [number for number in range(self.rows.shape[1]) if number != fold]
        return TargetCounts(self.rows[:, others], self.labels[:, others])


@dataclass(frozen=True, eq=False)
class TargetPart:
    """A column of more categories than get a column each: the share of the train rows that have the value, then the mean label
    of these rows (a class's share among them), drawn to the mean of all rows where there are few.

    A missing value is a value like any other. One that was not seen, or in one train row only, has the share 0 and the mean of
    all rows.

    Attributes:
        values: those of at least two train rows; the empty string is the missing one.
        shares: ``float32[values + 1]``, the last one 0.
        means: ``float32[values + 1, targets]``, the last ones those of all rows.
        fold_shares, fold_means: while the train rows are encoded: the same of the other folds' rows, ``[folds, ...]``.
    """

    column: str
    values: list[str]
    shares: FloatArray
    means: FloatArray
    fold_shares: FloatArray | None = None
    fold_means: FloatArray | None = None
    kind = "target"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def width(self) -> int:
        return 1 + int(self.means.shape[1])

    @cached_property
    def index(self) -> ValueIndex:
        """Where each value is."""
        return ValueIndex(self.values)

    def encode(self, block: Block) -> FloatArray:
        """``float32[rows, 1 + targets]``; rows of a block with folds are encoded without the labels of their own fold."""
        indexes = self.index.indexes_of(block.columns[self.column])  # -1 is the last one: not seen
        if block.folds is None or self.fold_shares is None or self.fold_means is None:
            return np.concatenate([self.shares[indexes].reshape(-1, 1), self.means[indexes]], axis=1)
        shares, means = self.fold_shares[block.folds, indexes], self.fold_means[block.folds, indexes]
        return np.concatenate([shares.reshape(-1, 1), means], axis=1)

    def state(self) -> State:
        return {"column": self.column}, packed("values", self.values) | {"shares": self.shares, "means": self.means}

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> TargetPart:  # Any: JSON
        return cls(document["column"], unpacked("values", arrays), arrays["shares"], arrays["means"])

    @classmethod
    def of_counts(
        cls, column: str, values: list[str], counts: TargetCounts, everywhere: TargetCounts, smoothing: float
    ) -> TargetPart:
        """Fitted to counts.

        Args:
            counts: of the values.
            everywhere: of all train rows, as of one value.
            smoothing: as many rows of the overall mean are added to a value's own.
        """
        shares, means = _tables(counts, everywhere, smoothing)
        apart = [_tables(counts.without(fold), everywhere.without(fold), smoothing) for fold in range(counts.rows.shape[1])]
        fold_shares, fold_means = (np.stack(tables) for tables in zip(*apart, strict=True))
        return cls(column, values, shares, means, fold_shares, fold_means)


def _tables(counts: TargetCounts, everywhere: TargetCounts, smoothing: float) -> tuple[FloatArray, FloatArray]:
    """``float32[values + 1]`` shares and ``float32[values + 1, targets]`` means."""
    rows, all_rows = counts.rows.sum(axis=1), int(everywhere.rows.sum())
    overall = everywhere.labels.sum(axis=(0, 1)) / max(all_rows, 1)
    weights = (rows + smoothing).reshape(-1, 1)
    sums = counts.labels.sum(axis=1) + smoothing * overall
    means = np.where(weights > 0, sums / np.where(weights > 0, weights, 1), overall)
    shares = np.append(rows / max(all_rows, 1), 0.0)
    return shares.astype(np.float32), np.concatenate([means, overall.reshape(1, -1)]).astype(np.float32)

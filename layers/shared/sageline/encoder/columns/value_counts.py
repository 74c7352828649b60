"""How often each value of a category column occurs in the train rows, and with which labels; in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from sageline.arrays.exact_sums import digits, of_digits
from sageline.arrays.factors import Factors, factors
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.columns.target import FOLDS, MOST_CLASSES, TargetCounts
from sageline.encoder.values import ValueIndex, category_names, is_truth

MOST_VALUES: Final = 1 << 17
"""Different values that are kept in memory while they are counted."""


class ValueCounts:
    """Counts by spelled value and fold, and sums of the labels.

    When more than :data:`MOST_VALUES` are there after a block, the rarest are forgotten: all values of at most ``t`` rows, with
    the smallest ``t`` that leaves at most half of that (lossy counting: Manku and Motwani, 2002).

    Attributes:
        forgotten: by how much the count of a value may be too low: the sum of all ``t``.
    """

    def __init__(self) -> None:
        self.forgotten = 0
        self._numbers: dict[str, int] = {}  # of each value, where its counts are
        self._rows: IntArray = np.zeros((0, FOLDS), dtype=np.int64)
        self._labels: IntArray = np.zeros((0, FOLDS, 0), dtype=np.int64)

    def add(self, column: Factors, folds: IntArray, targets: Targets) -> None:
        """Count the train rows of a block."""
        known = self._numbers
        numbers = np.array([known.setdefault(text, len(known)) for text in column.values.tolist()], dtype=np.int64)
        self._make_room(len(known), targets.width)
        rows = numbers[column.codes]
        cells = rows * FOLDS + folds
        np.add.at(self._rows.reshape(-1), cells, 1)  # which numpy does much more quickly than by two indexes
        targets.add_to(self._labels, cells)
        if len(known) > MOST_VALUES:
            self._forget_rare()

    def merge(self, after: ValueCounts, targets: Targets, of_targets: IntArray) -> None:
        """Count the rows that come after these, as another one has counted them.

        Args:
            targets: of both, once they are merged.
            of_targets: what merging them has returned.
        """
        known = self._numbers
        numbers = np.array([known.setdefault(text, len(known)) for text in after._numbers], dtype=np.int64)
        self._make_room(len(known), targets.width)
        self._rows[numbers] += after._rows[: len(numbers)]
        if targets.width:
            self._labels[numbers[:, np.newaxis], :, of_targets] += after._labels[: len(numbers)].transpose(0, 2, 1)
        self.forgotten += after.forgotten
        if len(known) > MOST_VALUES:
            self._forget_rare()

    def _make_room(self, values: int, targets: int) -> None:
        if values > len(self._rows):
            more = max(values, 2 * len(self._rows), 64) - len(self._rows)
            self._rows = np.concatenate([self._rows, np.zeros((more, FOLDS), dtype=np.int64)])
        if self._labels.shape[0] < len(self._rows) or self._labels.shape[2] != targets:
            labels = np.zeros((len(self._rows), FOLDS, targets), dtype=np.int64)
            kept = min(targets, self._labels.shape[2])
            labels[: self._labels.shape[0], :, :kept] = self._labels[:, :, :kept]
            self._labels = labels

    def _forget_rare(self) -> None:
        counts = self._rows[: len(self._numbers)].sum(axis=1)
        rare = int(np.sort(counts)[-(MOST_VALUES // 2) - 1])
        kept = np.flatnonzero(counts > rare)
        self.forgotten += rare
        names = list(self._numbers)
        self._numbers = {names[number]: index for index, number in enumerate(kept.tolist())}
        self._rows, self._labels = self._rows[kept], self._labels[kept]

    def _spelled(self) -> dict[str, int]:
        """Rows of each value as it is spelled."""
        counts = self._rows[: len(self._numbers)].sum(axis=1).tolist()
        return {text: count for text, count in zip(self._numbers, counts, strict=True) if count}

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return sum(count for text, count in self._spelled().items() if not text.strip())

    @property
    def is_truth(self) -> bool:
        """Whether the values are a yes and a no."""
        return is_truth(text for text in self._spelled() if text.strip())

    def values(self) -> dict[str, int]:
        """Value to its rows, missing ones aside: the most frequent first, of equally frequent ones those that sort first."""
        spelled = {text: count for text, count in self._spelled().items() if text.strip()}
        names = category_names(spelled)
        counts: dict[str, int] = {}
        for text, count in spelled.items():
            counts[names[text]] = counts.get(names[text], 0) + count
        return {value: counts[value] for value in sorted(counts, key=lambda value: (-counts[value], value))}

    def of_values(self, values: Sequence[str], targets: Targets, classes: Sequence[str] | None) -> TargetCounts:
        """The counts of these values; the empty string is the missing one."""
        names = category_names({text: count for text, count in self._spelled().items() if text.strip()})
        position = {value: index for index, value in enumerate(values)}
        to = np.array([position.get(names.get(text, ""), -1) for text in self._numbers], dtype=np.int64)
        chosen = np.flatnonzero(to >= 0)
        rows = np.zeros((len(values), FOLDS), dtype=np.int64)
        labels = np.zeros((len(values), FOLDS, self._labels.shape[2]), dtype=np.int64)
        np.add.at(rows, to[chosen], self._rows[chosen])
        np.add.at(labels, to[chosen], self._labels[chosen])
        return TargetCounts(rows, targets.read_sums(labels, classes))

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        values = self.values()
        profile = {"missing": self.missing, "different_values": len(values), "most_frequent": dict(list(values.items())[:20])}
        return profile | ({"counts_too_low_by_at_most": self.forgotten} if self.forgotten else {})


class Targets:
    """What is summed by value of the labels of train rows: of a classification, how often each spelling occurs, up to
    :data:`MOST_SPELLED` spellings; of a regression, the digits of the labels (:mod:`sageline.arrays.exact_sums`), level by level.
    These are whole numbers, so that no sum depends on the order of the rows."""

    MOST_SPELLED = 32

    def __init__(self, *, is_class: bool) -> None:
        self._is_class = is_class
        self._spelled: dict[str, int] = {}  # number of the target of a spelled label
        self._levels: dict[int, int] = {}  # or of a level of digits
        self._too_many = False
        self._read: list[tuple[int | IntArray, int | IntArray]] = []  # what to add to which targets

    @property
    def width(self) -> int:
        """How many sums there are."""
        return 0 if self._too_many else len(self._spelled) if self._is_class else len(self._levels)

    def read(self, labels: StringArray | FloatArray) -> None:
        """The labels of a block's train rows."""
        if not isinstance(labels, StringArray):
            found = digits(labels.astype(np.float64))
            self._read = [(self._levels.setdefault(level, len(self._levels)), of_level) for level, of_level in found.items()]
            return
        spelled = factors(labels)
        numbers = self._numbers_of(spelled.values.tolist())
        self._read = [] if self._too_many else [(numbers[spelled.codes], 1)]

    def _numbers_of(self, texts: Iterable[str]) -> IntArray:
        """The numbers of spelled labels, new ones too; of none where there are too many."""
        if not self._too_many:
            numbers = [self._spelled.setdefault(text, len(self._spelled)) for text in texts]
            self._too_many = len(self._spelled) > self.MOST_SPELLED
        return np.array([] if self._too_many else numbers, dtype=np.int64)

    def merge(self, after: Targets) -> IntArray:
        """Know the labels that another one has read, too.

        Returns:
            ``int64[targets of the other]``: which they are here; of none where there are too many.
        """
        if self._is_class:
            return self._numbers_of(after._spelled)
        return np.array([self._levels.setdefault(level, len(self._levels)) for level in after._levels], dtype=np.int64)

    def add_to(self, sums: IntArray, cells: IntArray) -> None:
        """Add the labels that were read.

        Args:
            sums: ``int64[values, folds, targets]``.
            cells: ``int64[rows]``, of each row's value and fold, the folds of a value one after the other.
        """
        for number, amount in self._read:
            np.add.at(sums.reshape(-1), cells * sums.shape[2] + number, amount)

    def let_go(self) -> None:
        """Forget the labels that were read, which take as much memory as those of a block."""
        self._read = []

    def read_sums(self, sums: IntArray, classes: Sequence[str] | None) -> DoubleArray:
        """Sums as ``float64[values, folds, targets]``: of a regression (``classes`` is None) one; else one a class, of two
        classes only the second's, and none of more than :data:`sageline.encoder.columns.target.MOST_CLASSES`."""
        if classes is None:
            by_level = {level: sums[:, :, number] for level, number in self._levels.items()}
            return of_digits(by_level, sums.shape[:2])[:, :, np.newaxis]
        if self._too_many or len(classes) > MOST_CLASSES:
            return np.zeros((*sums.shape[:2], 0), dtype=np.float64)
        index = ValueIndex(classes)
        found = np.zeros((*sums.shape[:2], len(classes)), dtype=np.float64)
        for text, number in self._spelled.items():
            if (at := index.index(text)) >= 0:
                found[:, :, at] += sums[:, :, number]
        return found[:, :, 1:] if len(classes) == 2 else found

"""The outermost rows of each class, so that each class gets into each share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sageline.arrays.factors import Factors
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray
from sageline.dataset.split import PositionArray, channels_of
from sageline.dataset.splits.plan import Moves

_LOWEST, _HIGHEST = 3, 2


class ClassPositions:
    """Keeps of each label the lowest three positions, the highest two, and the highest before the test rows: different ones, as
    equal rows stand at one. What comes of it does not depend on the order of the rows.

    Args:
        bounds: of the split.
    """

    def __init__(self, bounds: tuple[float, float]) -> None:
        self._bounds = bounds
        self._numbers: dict[str, int] = {}
        self._lowest: DoubleArray = np.full((0, _LOWEST), np.inf)  # ascending
        self._highest: DoubleArray = np.full((0, _HIGHEST), -np.inf)  # descending
        self._before_test: DoubleArray = np.full(0, -np.inf)

    def add(self, labels: Factors, positions: PositionArray) -> None:
        """Note the rows of a block."""
        codes = self._numbers_of(labels.values.tolist())[labels.codes]
        test_from = self._bounds[1]
        before = np.where(positions < test_from, positions, -np.inf)
        is_new = (positions < self._lowest[codes, -1]) | (positions > self._highest[codes, -1])
        rows = np.flatnonzero(is_new | (before > self._before_test[codes]))
        if not len(rows):
            return
        codes, positions = codes[rows], positions[rows]
        np.maximum.at(self._before_test, codes, before[rows])
        self._keep(codes, positions, codes, positions)

    def merge(self, after: ClassPositions) -> None:
        """Add what another one, of the same bounds, has noted of other rows."""
        numbers = self._numbers_of(list(after._numbers))
        self._before_test[numbers] = np.maximum(self._before_test[numbers], after._before_test)
        low, high = np.nonzero(after._lowest < np.inf), np.nonzero(after._highest > -np.inf)
        self._keep(numbers[low[0]], after._lowest[low], numbers[high[0]], after._highest[high])

    def _keep(self, low_codes: IntArray, low: PositionArray, high_codes: IntArray, high: PositionArray) -> None:
        """Put positions among the lowest and the highest."""
        _keep_lowest(self._lowest, low_codes, low)
        negative = -self._highest
        _keep_lowest(negative, high_codes, -high)
        self._highest = -negative

    def moves(self, names: Mapping[str, str], wanted: Iterable[str], *, validation: bool, is_given: bool) -> Moves:
        """Where rows go, so that classes are in each share.

        Of three different rows of a class at least the highest one tests, the next validates, and the lowest trains; of two, one
        tests and one trains. Rows that are in a channel stay there if these are.

        Args:
            names: the class of each label.
            wanted: the classes that lack a share.
            validation: whether there are to be validation rows.
            is_given: test rows stay what they are, and others do not become any.
        """
        lacking = set(wanted)
        of_class: dict[str, list[int]] = {}
        for label, number in self._numbers.items():
            if names[label] in lacking:
                of_class.setdefault(names[label], []).append(number)
        moved: dict[float, int] = {}
        for name in sorted(of_class):
            for position, channel in self._moves_of(of_class[name], validation=validation, is_given=is_given).items():
                moved.setdefault(position, channel)  # of one image in two folders the first class decides
        positions = np.array(sorted(moved), dtype=np.float64)
        return Moves(positions, np.array([moved[position] for position in positions.tolist()], dtype=np.int64))

    def _moves_of(self, numbers: list[int], *, validation: bool, is_given: bool) -> dict[float, int]:
        lowest = [position for position in np.unique(self._lowest[numbers]).tolist() if position < np.inf][:_LOWEST]
        highest = [position for position in np.unique(self._highest[numbers])[::-1].tolist() if position > -np.inf][:_HIGHEST]
        before_test = float(self._before_test[numbers].max())
        start, end = self._bounds
        if is_given:
            if not validation or len(lowest) < 2 or lowest[1] >= end:
                return {}
            bounds = (_clipped(start, lowest[1], before_test), end)
        elif len(lowest) < 2:
            return {}
        elif not validation or len(lowest) == 2:
            test_from = _clipped(end, lowest[1], highest[0])
            bounds = (test_from, test_from)
        else:
            test_from = _clipped(end, lowest[2], highest[0])
            last = before_test if test_from == end else highest[1] if test_from == highest[0] else lowest[1]
            bounds = (_clipped(start, lowest[1], last), test_from)
        some = np.array(sorted({*lowest, *highest, before_test} - {-np.inf}))
        before, after = channels_of(some, self._bounds), channels_of(some, bounds)
        return {float(some[index]): int(after[index]) for index in np.flatnonzero(before != after).tolist()}

    def _numbers_of(self, labels: list[str]) -> IntArray:
        """The numbers of labels, new ones included."""
        known = len(self._numbers)
        numbers = [self._numbers.setdefault(text, len(self._numbers)) for text in labels]
        more = len(self._numbers) - known
        if more:
            self._lowest = np.concatenate([self._lowest, np.full((more, _LOWEST), np.inf)])
            self._highest = np.concatenate([self._highest, np.full((more, _HIGHEST), -np.inf)])
            self._before_test = np.concatenate([self._before_test, np.full(more, -np.inf)])
        return np.array(numbers, dtype=np.int64)


def _clipped(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


def _keep_lowest(kept: DoubleArray, codes: IntArray, positions: PositionArray) -> None:
    """Put positions among the lowest that are kept, ``float64[classes, m]``; an equal one is kept once."""
    width, touched = kept.shape[1], np.unique(codes)
    all_codes = np.concatenate([np.repeat(touched, width), codes])
    all_positions = np.concatenate([kept[touched].ravel(), positions])
    order = np.lexsort((all_positions, all_codes))
    all_codes, all_positions = all_codes[order], all_positions[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (all_codes[1:] != all_codes[:-1]) | (all_positions[1:] != all_positions[:-1])
    all_codes, all_positions = all_codes[is_first], all_positions[is_first]
    rank = np.arange(len(all_codes)) - np.searchsorted(all_codes, all_codes)
    low = rank < width
    kept[touched] = np.inf
    kept[all_codes[low], rank[low]] = all_positions[low]

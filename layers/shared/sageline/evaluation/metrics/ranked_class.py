"""How well scores tell the rows of one class from all others: exactly, also without each of the jackknife's groups.

ROC AUC is the share of pairs of a row of the class and another row in which the former has the higher score; equal scores count
half (Mann and Whitney, Annals of Mathematical Statistics 18, 1947). Without a group the pairs that one of its rows is in are
missing: sums of each row's own pairs (its placement) by group tell how many that are, and pairs within a group are missing once.
That takes no longer than sorting the rows.

Average precision is the mean over the rows of the class of the precision at their score. A row's precision without a group takes
how many of the group's rows have at least that score, which is counted for each score that a row of the class has: a pass over
these scores for each group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.evaluation.jackknife import GROUPS, sums_by, sums_without_each

_CELLS = 1 << 20
"""Of tables by group and score, which are made for a few groups at a time."""


@dataclass(frozen=True, eq=False)
class RankedClass:
    """Rows in the order of their scores, ascending. Rows of equal scores are a step.

    Attributes:
        step: ``int64[rows]``: of each row, from 0.
        group: ``int64[rows]``: of the jackknife.
        is_own: ``bool[rows]``: whether the row is one of the class.
        weights: ``float64[rows]``.
    """

    step: IntArray
    group: IntArray
    is_own: BoolArray
    weights: DoubleArray

    @classmethod
    def of(cls, scores: FloatArray, is_own: BoolArray, group: IntArray, weights: DoubleArray) -> RankedClass:
        """Sort rows that have a score each, which may be infinite and is a number."""
        order = np.argsort(scores)
        ordered = scores[order]
        step = np.zeros(len(order), dtype=np.int64)
        np.cumsum(ordered[1:] != ordered[:-1], out=step[1:])
        return cls(step, group[order], is_own[order], weights[order])

    @property
    def is_there(self) -> bool:
        """Whether some rows, of some weight, are of the class and some are not."""
        return bool(self._own_steps.any() and self._other_steps.any())

    def roc_auc(self) -> tuple[float, DoubleArray]:
        """The area, and ``float64[groups]``: that without each group; NaN where then one of the two kinds of rows is missing."""
        own, other = self._own_steps, self._other_steps
        loses, pairs = own.sum() - _below(own), float((own * _below(other)).sum())
        lost = sums_by(self.group[self._own], self.weights[self._own] * _below(other)[self.step[self._own]], GROUPS)
        lost += sums_by(self.group[self._other], self.weights[self._other] * loses[self.step[self._other]], GROUPS)
        left = pairs - lost + self._pairs_within_groups()
        of_both = sums_without_each(self._by_group(self._own)) * sums_without_each(self._by_group(self._other))
        without = np.divide(left, of_both, out=np.full(GROUPS, np.nan), where=of_both > 0)
        return pairs / float(own.sum() * other.sum()), np.clip(without, 0.0, 1.0)

    def average_precision(self) -> tuple[float, DoubleArray]:
        """Like :meth:`roc_auc`."""
        has_own = self._own_steps > 0
        # Only precisions at scores that rows of the class have count: of each row, how many of these are at or below its own.
        reached = np.cumsum(has_own, dtype=np.int64)[self.step]
        size = int(has_own.sum()) + 1
        own_at = sums_by(reached[self._own], self.weights[self._own], size)
        own, every = _at_least(own_at), _at_least(sums_by(reached, self.weights, size))
        whole = float((own_at * own / np.where(every > 0, every, 1)).sum() / own_at.sum())
        without = np.empty(GROUPS)
        at_once = max(1, _CELLS // size)
        for first in range(0, GROUPS, at_once):
            last = min(first + at_once, GROUPS)
            rows = self._of_groups(first, last)
            cells, shape = (self.group[rows] - first) * size + reached[rows], (last - first, size)
            is_own, weights = self.is_own[rows], self.weights[rows]
            own_of = sums_by(cells[is_own], weights[is_own], shape[0] * size).reshape(shape)
            left_every = every - _at_least(sums_by(cells, weights, shape[0] * size).reshape(shape))
            precision = np.divide(own - _at_least(own_of), left_every, out=np.zeros(shape), where=left_every > 0)
            left_at = own_at - own_of
            with np.errstate(invalid="ignore"):
                without[first:last] = (left_at * np.clip(precision, 0.0, 1.0)).sum(axis=1) / left_at.sum(axis=1)
        return whole, np.where(sums_without_each(self._by_group(self._own)) > 0, without, np.nan)

    def chance_error(self) -> float:
        """The standard error that the ROC AUC would have if the scores had nothing to do with the class, from the number of rows
        and the ties alone (Lehmann, Nonparametrics, 1975, section 1.4). Of few rows the jackknife may happen on much less."""
        rows, own = len(self.step), len(self._own)
        ties = np.bincount(self.step).astype(np.float64)
        spread = rows + 1 - float((ties**3 - ties).sum()) / (rows * (rows - 1))
        return math.sqrt(max(spread, 0.0) / (12 * own * (rows - own)))

    def roc_curve(self) -> DoubleArray:
        """``float64[2, steps + 1]``: shares of the other rows and of the class's rows that have at least a score, from none to
        all."""
        return np.stack([_falling_shares(self._other_steps), _falling_shares(self._own_steps)])

    def precision_curve(self) -> DoubleArray:
        """``float64[2, scores]``: recall and precision at each score that a row of the class has, the highest first."""
        has_own = self._own_steps > 0
        own, other = (_at_least(steps)[has_own][::-1] for steps in (self._own_steps, self._other_steps))
        return np.stack([own / own[-1], own / (own + other)])

    @cached_property
    def _own(self) -> IntArray:
        """The places of the class's rows."""
        return np.flatnonzero(self.is_own)

    @cached_property
    def _other(self) -> IntArray:
        return np.flatnonzero(~self.is_own)

    @cached_property
    def _own_steps(self) -> DoubleArray:
        """``float64[steps]``: weight of the class's rows."""
        return self._by_step(self._own)

    @cached_property
    def _other_steps(self) -> DoubleArray:
        return self._by_step(self._other)

    @cached_property
    def _grouped(self) -> tuple[IntArray, IntArray]:
        """The places of the rows group by group, in the order of their scores, and where each group begins; the end at last."""
        begins = np.concatenate([[0], np.cumsum(np.bincount(self.group, minlength=GROUPS))])
        return np.argsort(self.group.astype(np.uint8), kind="stable"), begins

    def _of_groups(self, first: int, last: int) -> IntArray | slice:
        """The places of the rows of some groups."""
        if last - first == GROUPS:
            return slice(None)
        places, begins = self._grouped
        return places[begins[first] : begins[last]]

    def _by_step(self, rows: IntArray) -> DoubleArray:
        return sums_by(self.step[rows], self.weights[rows], int(self.step[-1]) + 1)

    def _by_group(self, rows: IntArray) -> DoubleArray:
        return sums_by(self.group[rows], self.weights[rows], GROUPS)

    def _pairs_within_groups(self) -> DoubleArray:
        """``float64[groups]``: of each group's own rows, by weight, how many pairs the class wins."""
        places, _ = self._grouped
        is_own = self.is_own[places]
        own, other = places[is_own], places[~is_own]
        width = int(self.step[-1]) + 1
        keys = self.group[other] * width + self.step[other]
        below = np.concatenate([[0.0], np.cumsum(self.weights[other])])
        begins = below[np.searchsorted(keys, np.arange(GROUPS) * width)]
        own_keys = self.group[own] * width + self.step[own]
        wins = (below[np.searchsorted(keys, own_keys)] + below[np.searchsorted(keys, own_keys, side="right")]) / 2
        group = self.group[own]
        return sums_by(group, self.weights[own] * (wins - begins[group]), GROUPS)


def _below(steps: DoubleArray) -> DoubleArray:
    """Of each step, the sum of those before it, and half of its own."""
    below: DoubleArray = np.cumsum(steps) - steps / 2
    return below


def _at_least(steps: DoubleArray) -> DoubleArray:
    """Of each step, the sum of it and those after it, along the last axis."""
    sums: DoubleArray = np.cumsum(steps[..., ::-1], axis=-1)[..., ::-1]
    return sums


def _falling_shares(steps: DoubleArray) -> DoubleArray:
    shares: DoubleArray = np.concatenate([[0.0], np.cumsum(steps[::-1])]) / steps.sum()
    return shares

"""The metrics of how a classifier's scores order the rows, from a bounded number of them: ROC AUC and average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS
from sageline.evaluation.metrics.ranked_class import RankedClass
from sageline.evaluation.sample import Sample
from sageline.spec.metrics import RANKING

MOST_SCORES = 1 << 22
"""Scores that are kept: rows times classes, or rows where one class is looked for. Of more rows it is a random choice."""

_POINTS = 200  # of a curve, besides its ends
_GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class Ranking:
    """What rows come to.

    Attributes:
        values: the metric by its name; NaN where no class has rows beside others.
        without: by its name ``float64[groups]``: the metric without each of the jackknife's groups.
        of_class: by its name ``float64[classes]``: that of each class against the others; NaN for one without rows, and for one
            that is not looked for.
        chance_error: of the ROC AUC of the one class that is looked for, if the scores had nothing to do with it; 0 without one.
        roc: ``float64[2, points]``: share of the other rows, and share of the class's rows, that have at least a score; of
            several classes the mean.
        precision_recall: ``float64[2, points]``: recall, and precision.
    """

    values: dict[str, float]
    without: dict[str, DoubleArray]
    of_class: dict[str, DoubleArray]
    chance_error: float
    roc: DoubleArray
    precision_recall: DoubleArray


class RankedRows:
    """Rows with their scores, of which the metrics are computed when somebody asks for them.

    Args:
        classes: how many there are.
        positive: the one that is looked for; None for the mean over the classes that rows have, each against all others.
        most_scores: that are kept.
        first_row, of_rows: as of :class:`sageline.evaluation.sample.Sample`.
    """

    def __init__(
        self,
        classes: int,
        positive: int | None,
        most_scores: int = MOST_SCORES,
        *,
        first_row: int = 0,
        of_rows: int | None = None,
    ) -> None:
        self._classes = [positive] if positive is not None else list(range(classes))
        self._is_of_one = positive is not None
        self._number = classes
        self._most_scores = most_scores
        self._most = max(1, most_scores // len(self._classes))
        self._sample = Sample(4, self._most, first_row=first_row, of_rows=of_rows)
        self._rows = 0
        self._are_numbers = True
        self._ranking: Ranking | None = None

    def add(self, expected: IntArray, scores: FloatArray, groups: IntArray, weights: DoubleArray) -> None:
        """Some more rows.

        Args:
            expected: ``int64[rows]``: the number of each row's class.
            scores: ``float32[rows, classes]``.
            groups: ``int64[rows]``: of the jackknife.
            weights: ``float64[rows]``.
        """
        self._rows += len(expected)
        kept = scores[:, self._classes]  # a copy, which does not keep the others
        self._are_numbers = self._are_numbers and not bool(np.isnan(kept).any())
        self._sample.add(expected.astype(np.int32), kept, groups.astype(np.uint8), weights)
        self._ranking = None

    def merge(self, after: RankedRows) -> None:
        """Add the rows of another one, which come after these."""
        self._rows += after._rows
        self._are_numbers = self._are_numbers and after._are_numbers
        self._sample.merge(after._sample)
        self._ranking = None

    def among(self, classes: int) -> RankedRows:
        """The same rows where there are more classes, which no row has and the model does not know."""
        wider = RankedRows(classes, self._classes[0] if self._is_of_one else None, self._most_scores)
        wider._rows, wider._are_numbers = self._rows, self._are_numbers
        wider._sample.merge(self._sample.mapped(lambda columns: _wider(columns, len(wider._classes))))
        return wider

    @property
    def rows(self) -> int:
        """Rows that the metrics are computed from; fewer than were added where a choice was made."""
        return min(self._rows, self._most)

    @property
    def is_choice(self) -> bool:
        return self._rows > self._most

    def ranking(self) -> Ranking:
        """What the rows come to; computed once."""
        if self._ranking is None:
            self._ranking = self._ranked()
        return self._ranking

    def document(self) -> dict[str, Any] | None:  # Any: a JSON document
        """``curves`` of ``evaluation.json``, points in order; None where no class has rows beside others."""
        found = self.ranking()
        if not found.roc.size:
            return None
        return {"roc": _pairs(found.roc), "precision_recall": _pairs(found.precision_recall)}

    def _ranked(self) -> Ranking:
        of_class = {name: np.full(self._number, np.nan) for name in RANKING}
        without = {name: np.full((len(self._classes), GROUPS), np.nan) for name in RANKING}
        curves: list[tuple[DoubleArray, DoubleArray]] = []
        chance_error = 0.0
        expected, scores, groups, weights = self._sample.columns
        for place, number in enumerate(self._classes if self._rows and self._are_numbers else []):
            ranked = RankedClass.of(scores[:, place], expected == number, groups.astype(np.int64), weights)
            if ranked.is_there:
                for name, (value, left) in (("roc_auc", ranked.roc_auc()), ("average_precision", ranked.average_precision())):
                    of_class[name][number], without[name][place] = value, left
                chance_error = ranked.chance_error() if len(self._classes) == 1 else 0.0
                curves.append((ranked.roc_curve(), ranked.precision_curve()))
                if len(self._classes) > 1:
                    curves[-1] = _on_grid(*curves[-1])
        roc, precision_recall = _drawn(curves, several=len(self._classes) > 1)
        return Ranking(
            values={name: float(_mean(of_class[name])) for name in RANKING},
            without={name: _mean(without[name]) for name in RANKING},
            of_class=of_class,
            chance_error=chance_error,
            roc=roc,
            precision_recall=precision_recall,
        )


def _wider(columns: tuple[AnyArray, ...], classes: int) -> tuple[AnyArray, ...]:
    """Rows whose scores are those of more classes."""
    expected, scores, *others = columns
    filled = np.full((len(scores), classes), -np.inf, dtype=scores.dtype)
    filled[:, : scores.shape[1]] = scores
    return expected, filled, *others


def _mean(values: DoubleArray) -> DoubleArray:
    """Along the first axis, of those that are known; NaN where none is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        found: DoubleArray = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
    return found


def _on_grid(roc: DoubleArray, precision_recall: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Both curves at the same places, so that those of several classes have a mean."""
    recall, precision = precision_recall
    reached = np.minimum(np.searchsorted(recall, _GRID), len(recall) - 1)
    return np.stack([_GRID, np.interp(_GRID, *roc)]), np.stack([_GRID, precision[reached]])


def _drawn(curves: list[tuple[DoubleArray, DoubleArray]], *, several: bool) -> tuple[DoubleArray, DoubleArray]:
    """As many points of both as can be seen."""
    if not curves:
        return np.empty((2, 0)), np.empty((2, 0))
    if several:
        roc, precision_recall = (np.mean([pair[index] for pair in curves], axis=0) for index in (0, 1))
        return roc, precision_recall
    (roc, precision_recall) = curves[0]
    return _thinned(roc, roc.sum(axis=0)), _thinned(precision_recall, precision_recall[0])


def _thinned(curve: DoubleArray, along: DoubleArray) -> DoubleArray:
    """Points that are evenly spaced along a rising measure, and both ends."""
    places = np.searchsorted(along, np.linspace(along[0], along[-1], _POINTS))
    return curve[:, np.unique(np.concatenate([[0], places, [len(along) - 1]]).clip(0, len(along) - 1))]


def _pairs(curve: DoubleArray) -> list[list[float]]:
    pairs: list[list[float]] = np.round(curve.T, 6).tolist()
    return pairs

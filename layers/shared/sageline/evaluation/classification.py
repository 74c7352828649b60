"""How good a classifier is on rows whose labels are known: sums over blocks of rows, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_without_each
from sageline.evaluation.wording import quoted
from sageline.spec.metrics import OF_ONE_CLASS, class_metric, metrics_of

BINS = 10
_TOP = 3
_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
"""What counts for 0 in the log-loss: single precision, in which models answer, tells no less from 1 (as scikit-learn does)."""

_MATRIX_CLASSES = 100
_MISTAKES = 50

MetricArrays = dict[str, DoubleArray]


class ClassificationSums:
    """What the metrics are made of, for each of the jackknife's groups; the memory that it takes does not grow with the rows, but
    for two bytes per row (whether the label was right, and whether it was among the first three).

    Args:
        classes: the labels by their number, in the answers and in the rows alike.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.rows = 0
        self.knows_scores = True
        self.knows_probabilities = True
        size = len(self.classes)
        self._by_group = {
            **{name: np.zeros((GROUPS, 1)) for name in ("rows", "right", "in_top", "log_loss")},
            **{name: np.zeros((GROUPS, size)) for name in ("support", "predicted", "hits")},
            **{name: np.zeros((GROUPS, BINS)) for name in ("bin_rows", "bin_confidence", "bin_right")},
        }
        self._cells: Counter[int] = Counter()  # expected * classes + chosen
        self._right: list[BoolArray] = []
        self._in_top: list[BoolArray] = []

    def update(self, expected: IntArray, answers: ClassAnswers) -> None:
        """Count some rows.

        Args:
            expected: ``int64[rows]``: the number of each row's class.
            answers: what the model has answered for these rows.
        """
        groups = group_of(self.rows, len(expected))
        chosen, right = answers.chosen, answers.chosen == expected
        self.rows += len(expected)
        self._right.append(right)
        self._add("rows", groups)
        self._add("right", groups[right])
        self._add("support", groups, expected)
        self._add("predicted", groups, chosen)
        self._add("hits", groups[right], chosen[right])
        cells, counts = np.unique(expected * len(self.classes) + chosen, return_counts=True)
        self._cells.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))
        self.knows_scores = self.knows_scores and answers.scores is not None
        self.knows_probabilities = self.knows_probabilities and answers.are_probabilities
        if self.knows_scores and answers.scores is not None:
            in_top = right | _among_first(answers.scores, expected, chosen)
            self._in_top.append(in_top)
            self._add("in_top", groups[in_top])
            if self.knows_probabilities:
                self._add_probabilities(answers.scores, expected, chosen, right, groups)

    def holds_per_row(self, metric: str) -> BoolArray:
        """``bool[rows]``: which rows count for a metric that is a share of rows (``accuracy``, ``top_3_accuracy``)."""
        return np.concatenate([np.zeros(0, dtype=np.bool_), *(self._right if metric == "accuracy" else self._in_top)])

    def value(self, metric: str) -> float | None:
        """The metric over all rows; None when it needs scores or probabilities, and some rows had none. For a single class
        (``recall:fraud``) also None where no row has it."""
        if (of_class := class_metric(metric)) is not None:
            return self._of_class(*of_class)
        return self._plain(_values(self._totals()).get(metric), metric)

    def metrics(self) -> dict[str, float | None]:
        """Every metric of a classification, by name."""
        values = _values(self._totals())
        return {name: self._plain(values[name], name) for name in metrics_of("classification")}

    def standard_errors(self) -> dict[str, float | None]:
        """The standard error of each metric: how far it may be off, because the rows are a sample."""
        values, without = self.metrics(), _values(self._without(self._by_group))
        sizes = self.group_rows
        return {
            name: None if value is None else standard_error(value, without[name], sizes[sizes > 0])
            for name, value in values.items()
        }

    def without_each_group(self, metric: str) -> DoubleArray:
        """The metric without each group that has rows, for :func:`sageline.evaluation.jackknife.standard_error`."""
        return _values(self._without(self._by_group))[metric]

    @property
    def baseline_answer(self) -> str:
        """What the baseline always answers, in words: the most frequent label of these rows."""
        return quoted(self.classes[int(self._frequencies.argmax())])

    def baseline_metrics(self) -> dict[str, float]:
        """Every metric of the baseline, a model that knows no more than how frequent each class is in these rows."""
        values = _values({name: table.sum(axis=0, keepdims=True) for name, table in self._baseline_by_group().items()})
        return {name: float(value[0]) for name, value in values.items()}

    def baseline_without_each_group(self, metric: str) -> DoubleArray:
        """Like :meth:`without_each_group`, for the baseline, whose answers stay those that it gives for all rows."""
        return _values(self._without(self._baseline_by_group()))[metric]

    def never_answered(self, known: Sequence[str]) -> dict[str, int]:
        """Labels that the model knows and gives to no row, with how many rows have them; the most frequent ones first.

        Args:
            known: the labels of the model, which ``classes`` may exceed.
        """
        own = set(known)
        of_model = np.array([label in own for label in self.classes])
        missed = np.flatnonzero(of_model & (self._by_group["predicted"].sum(axis=0) == 0))
        ordered = missed[np.argsort(-self._frequencies[missed], kind="stable")]
        return {self.classes[index]: int(self._frequencies[index]) for index in ordered.tolist()}

    @property
    def group_rows(self) -> DoubleArray:
        """``float64[groups]``: rows of each group."""
        return self._by_group["rows"][:, 0]

    def document(self) -> dict[str, Any]:  # Any: a JSON document
        """``baseline``, ``classes``, ``confusion``, ``calibration`` of ``evaluation.json``."""
        totals = {name: table[0] for name, table in self._totals().items()}
        return {
            "baseline": {"label": self.classes[int(self._frequencies.argmax())], "metrics": self.baseline_metrics()},
            "classes": self._per_class(totals),
            "confusion": self._confusion(),
            "calibration": self._calibration(totals) if self.knows_probabilities else None,
        }

    def _add(self, name: str, groups: IntArray, columns: IntArray | None = None, weights: AnyArray | None = None) -> None:
        table = self._by_group[name]
        width = table.shape[1]
        indexes = groups if columns is None else groups * width + columns
        table += np.bincount(indexes, weights=weights, minlength=table.size).reshape(table.shape)

    def _add_probabilities(
        self, probabilities: FloatArray, expected: IntArray, chosen: IntArray, right: BoolArray, groups: IntArray
    ) -> None:
        rows = np.arange(len(expected))
        given = np.clip(probabilities[rows, expected].astype(np.float64), _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        self._add("log_loss", groups, None, -np.log(given))
        confidence = probabilities[rows, chosen].astype(np.float64)
        bins = np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
        self._add("bin_rows", groups, bins)
        self._add("bin_confidence", groups, bins, confidence)
        self._add("bin_right", groups[right], bins[right])

    def _totals(self) -> dict[str, DoubleArray]:
        return {name: table.sum(axis=0, keepdims=True) for name, table in self._by_group.items()}

    def _without(self, by_group: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
        filled = self.group_rows > 0
        return {name: sums_without_each(table[filled]) for name, table in by_group.items()}

    @property
    def _frequencies(self) -> DoubleArray:
        """``float64[classes]``: rows that have each class."""
        frequencies: DoubleArray = self._by_group["support"].sum(axis=0)
        return frequencies

    def _baseline_by_group(self) -> dict[str, DoubleArray]:
        """The sums of the baseline: it answers the most frequent class, and its probabilities are the classes' shares."""
        rows, support, frequencies = self._by_group["rows"], self._by_group["support"], self._frequencies
        ranked = np.argsort(-frequencies, kind="stable")
        chosen = np.arange(len(self.classes)) == ranked[0]
        surprise = np.log(self.rows / np.where(frequencies > 0, frequencies, self.rows))
        bins = {name: np.zeros((GROUPS, BINS)) for name in ("bin_rows", "bin_confidence", "bin_right")}
        return {
            "rows": rows,
            "right": support[:, ranked[:1]],
            "in_top": support[:, ranked[:_TOP]].sum(axis=1, keepdims=True),
            "log_loss": (support @ surprise)[:, None],
            "support": support,
            "predicted": rows * chosen,
            "hits": support * chosen,
            **bins,  # it is as sure as it is often right
        }

    def _of_class(self, kind: str, label: str) -> float | None:
        index = self.classes.index(label) if label in self.classes else None
        totals = {name: table[0] for name, table in self._totals().items()}
        if index is None or not totals["support"][index]:
            return None
        scores = _scores_of_classes(totals["hits"], totals["support"], totals["predicted"])
        return float(scores[list(OF_ONE_CLASS).index(kind)][index])

    def _plain(self, values: DoubleArray | None, metric: str) -> float | None:
        needs = metrics_of("classification")[metric].needs
        known = {"labels": True, "scores": self.knows_scores, "probabilities": self.knows_scores and self.knows_probabilities}
        return None if values is None or not known[needs] or not self.rows else float(values[0])

    def _per_class(self, totals: Mapping[str, DoubleArray]) -> list[dict[str, Any]]:  # Any: a JSON document
        scores = _scores_of_classes(totals["hits"], totals["support"], totals["predicted"])
        columns = [totals["support"].astype(int).tolist(), totals["predicted"].astype(int).tolist()]
        columns += [values.tolist() for values in scores]
        names = ("label", "support", "predicted", "precision", "recall", "f1")
        return [dict(zip(names, row, strict=True)) for row in zip(self.classes, *columns, strict=True)]

    def _confusion(self) -> dict[str, Any]:  # Any: a JSON document
        size = len(self.classes)
        cells = [(*divmod(cell, size), count) for cell, count in self._cells.items()]
        wrong = sorted((cell for cell in cells if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell[:2]))
        matrix = None
        if size <= _MATRIX_CLASSES:
            table = np.zeros((size, size), dtype=np.int64)
            for expected, chosen, count in cells:
                table[expected, chosen] = count
            matrix = table.tolist()
        return {
            "labels": self.classes,
            "matrix": matrix,
            "mistakes": [
                {"expected": self.classes[expected], "predicted": self.classes[chosen], "rows": count}
                for expected, chosen, count in wrong[:_MISTAKES]
            ],
        }

    def _calibration(self, totals: Mapping[str, DoubleArray]) -> list[dict[str, Any]]:  # Any: a JSON document
        rows = totals["bin_rows"]
        confidence, accuracy = (_ratio(totals[name], rows).tolist() for name in ("bin_confidence", "bin_right"))
        return [
            {
                "from": index / BINS,
                "to": (index + 1) / BINS,
                "rows": int(rows[index]),
                "confidence": confidence[index] if rows[index] else None,
                "accuracy": accuracy[index] if rows[index] else None,
            }
            for index in range(BINS)
        ]


def _among_first(scores: FloatArray, expected: IntArray, chosen: IntArray) -> BoolArray:
    """Whether the expected class is among the first three: the chosen one, then the others by their scores.

    A class that the model does not know is never among them, however few it knows.
    Of equal scores the class with the lower number comes first, as in the answers to predictions.
    """
    indexes = np.arange(scores.shape[1])
    own = scores[np.arange(len(expected)), expected][:, None]
    is_ahead = (scores > own) | ((scores == own) & (indexes < expected[:, None]))
    is_ahead[np.arange(len(expected)), chosen] = True
    found: BoolArray = (is_ahead.sum(axis=1) < _TOP) & np.isfinite(own[:, 0])
    return found


def _values(sums: Mapping[str, DoubleArray]) -> MetricArrays:
    """Metric by metric, from sums with a leading axis of any length. Without rows 0, not NaN."""
    rows = sums["rows"][:, 0]
    support = sums["support"]
    there = support > 0  # a class that no row has is no part of a mean over classes
    classes = there.sum(axis=1)
    precision, recall, f1 = (
        _ratio((values * there).sum(axis=1), classes) for values in _scores_of_classes(sums["hits"], support, sums["predicted"])
    )
    gaps = np.abs(sums["bin_confidence"] - sums["bin_right"]).sum(axis=1)
    return {
        "accuracy": _ratio(sums["right"][:, 0], rows),
        "top_3_accuracy": _ratio(sums["in_top"][:, 0], rows),
        "macro_precision": precision,
        "macro_recall": recall,
        "macro_f1": f1,
        "log_loss": _ratio(sums["log_loss"][:, 0], rows),
        "expected_calibration_error": _ratio(gaps, rows),
    }


def _scores_of_classes(
    hits: DoubleArray, support: DoubleArray, predicted: DoubleArray
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Precision, recall and F1 of each class; 0 where there is nothing to divide by."""
    return _ratio(hits, predicted), _ratio(hits, support), _ratio(2 * hits, support + predicted)


def _ratio(numerator: AnyArray, denominator: AnyArray) -> DoubleArray:
    return np.divide(numerator, denominator, out=np.zeros(np.shape(denominator)), where=denominator > 0)

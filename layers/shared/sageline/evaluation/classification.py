"""How good a classifier is on rows whose labels are known: sums over blocks of rows, and what they come to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.exact_sums import ExactTable
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_without_each
from sageline.evaluation.metrics.of_classes import ratio, scores_of_classes, values_of_sums
from sageline.evaluation.metrics.ranking import MOST_SCORES, RankedRows
from sageline.evaluation.metrics.row_flags import RowFlags
from sageline.evaluation.wording import quoted
from sageline.spec.metrics import OF_ONE_CLASS, RANKING, class_metric, metrics_of

BINS = 10
_TOP = 3
_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
"""What counts for 0 in the log-loss: single precision, in which models answer, tells no less from 1 (as scikit-learn does)."""

_MATRIX_CLASSES = 100
_MISTAKES = 50

MetricArrays = dict[str, DoubleArray]


class ClassificationSums:
    """What the metrics are made of, for each of the jackknife's groups; the memory that it takes does not grow with the rows, but
    for two bits per row (whether the label was right, and whether it was among the first three), and a bounded number of rows
    with their scores for the metrics of their order. Sums are exact, so it is the same however the rows are cut.

    Args:
        classes: the labels by their number, in the answers and in the rows alike.
        positive: the number of the one that is looked for; None for none in particular.
        most_scores: that are kept for the metrics of their order.
        first_row, of_rows: the position of the first row, and how many there are, if others count some of them, to be merged.
    """

    def __init__(
        self,
        classes: Sequence[str],
        positive: int | None = None,
        *,
        most_scores: int = MOST_SCORES,
        first_row: int = 0,
        of_rows: int | None = None,
    ) -> None:
        self.classes = list(classes)
        self.positive = positive
        self.rows = 0
        self.knows_scores = True
        self.knows_probabilities = True
        self.is_weighted = False
        self._position = first_row
        self._most_scores = most_scores
        size = len(self.classes)
        self._widths = {
            **dict.fromkeys(("weight", "right", "in_top", "log_loss"), 1),
            **dict.fromkeys(("support", "predicted", "hits"), size),
            **dict.fromkeys(("bin_weight", "bin_confidence", "bin_right"), BINS),
        }
        self._tables = {name: ExactTable(GROUPS * width) for name, width in self._widths.items()}
        self._group_rows = np.zeros(GROUPS)
        self._support_rows = np.zeros(size, dtype=np.int64)
        self._predicted_rows = np.zeros(size, dtype=np.int64)
        self._bin_rows = np.zeros(BINS, dtype=np.int64)
        self._ranked = RankedRows(size, positive, most_scores, first_row=first_row, of_rows=of_rows)
        self._cells: Counter[int] = Counter()  # expected * classes + chosen
        self._right = RowFlags()
        self._in_top = RowFlags()

    def update(self, expected: IntArray, answers: ClassAnswers, weights: DoubleArray | None = None) -> None:
        """Count some rows.

        Args:
            expected: ``int64[rows]``: the number of each row's class.
            answers: what the model has answered for these rows.
            weights: ``float64[rows]``: as how many rows each counts, 0 or more; None for one each.
        """
        groups = group_of(self._position, len(expected))
        chosen, right = answers.chosen, answers.chosen == expected
        self.is_weighted = self.is_weighted or weights is not None
        weights = np.ones(len(expected)) if weights is None else weights
        self.rows += len(expected)
        self._position += len(expected)
        self.__dict__.pop("_by_group", None)
        self._right.add(right)
        self._group_rows += np.bincount(groups, minlength=GROUPS)
        self._support_rows += np.bincount(expected, minlength=len(self.classes))
        self._predicted_rows += np.bincount(chosen, minlength=len(self.classes))
        self._add("weight", groups, None, weights)
        self._add("right", groups, None, weights * right)
        self._add("support", groups, expected, weights)
        self._add("predicted", groups, chosen, weights)
        self._add("hits", groups, chosen, weights * right)
        cells, counts = np.unique(expected * len(self.classes) + chosen, return_counts=True)
        self._cells.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))
        self.knows_scores = self.knows_scores and answers.scores is not None
        self.knows_probabilities = self.knows_probabilities and answers.are_probabilities
        if self.knows_scores and answers.scores is not None:
            in_top = right | _among_first(answers.scores, expected, chosen)
            self._in_top.add(in_top)
            self._add("in_top", groups, None, weights * in_top)
            self._ranked.add(expected, answers.scores, groups, weights)
            if self.knows_probabilities:
                self._add_probabilities(answers.scores, expected, chosen, groups, weights)

    def merge(self, after: ClassificationSums) -> None:
        """Count the rows of another one of the same classes, which come after these."""
        self.rows += after.rows
        self._position = after._position
        self.knows_scores = self.knows_scores and after.knows_scores
        self.knows_probabilities = self.knows_probabilities and after.knows_probabilities
        self.is_weighted = self.is_weighted or after.is_weighted
        self.__dict__.pop("_by_group", None)
        for name, table in self._tables.items():
            table.merge(after._tables[name])
        self._group_rows += after._group_rows
        self._support_rows += after._support_rows
        self._predicted_rows += after._predicted_rows
        self._bin_rows += after._bin_rows
        self._ranked.merge(after._ranked)
        self._cells.update(after._cells)
        self._right.merge(after._right)
        self._in_top.merge(after._in_top)

    def among(self, classes: Sequence[str]) -> ClassificationSums:
        """The same rows with the metrics of more classes, which no row has or is given; the first ones are those of these."""
        own, size = len(self.classes), len(classes)
        if size == own:
            return self
        wider = ClassificationSums(classes, self.positive, most_scores=self._most_scores)
        kept = ("rows", "_position", "knows_scores", "knows_probabilities", "is_weighted", "_group_rows", "_bin_rows")
        vars(wider).update({name: vars(self)[name] for name in (*kept, "_right", "_in_top")})
        for name, table in self._tables.items():
            places = np.arange(GROUPS * self._widths[name])
            if self._widths[name] == own and name in ("support", "predicted", "hits"):
                places = places // own * size + places % own
            wider._tables[name] = table.moved(places, GROUPS * wider._widths[name])
        wider._support_rows[:own], wider._predicted_rows[:own] = self._support_rows, self._predicted_rows
        wider._cells = Counter({cell // own * size + cell % own: count for cell, count in self._cells.items()})
        wider._ranked = self._ranked.among(size)
        return wider

    def holds_per_row(self, metric: str) -> BoolArray:
        """``bool[rows]``: which rows count for a metric that is a share of rows (``accuracy``, ``top_3_accuracy``)."""
        return (self._right if metric == "accuracy" else self._in_top).all()

    def value(self, metric: str) -> float | None:
        """The metric over all rows; None when it needs scores or probabilities, and some rows had none, and for one of the order
        of scores where no class has rows beside others. For a single class (``recall:fraud``) also None where no row has it."""
        if (of_class := class_metric(metric)) is not None:
            return self._of_class(*of_class)
        values = self._ranked.ranking().values if metric in RANKING else self._values()
        return self._known(metric, values[metric])

    def metrics(self) -> dict[str, float | None]:
        """Every metric of a classification, by name."""
        values = self._values() | self._ranked.ranking().values
        return {name: self._known(name, values[name]) for name in metrics_of("classification")}

    def standard_errors(self) -> dict[str, float | None]:
        """The standard error of each metric: how far it may be off, because the rows are a sample."""
        without = values_of_sums(self._without(self._by_group)) | self._ranked_without()
        sizes = self.group_rows
        return {
            name: None if value is None else standard_error(value, without[name], sizes[sizes > 0])
            for name, value in self.metrics().items()
        }

    def without_each_group(self, metric: str) -> DoubleArray:
        """The metric without each group that has rows, for :func:`sageline.evaluation.jackknife.standard_error`."""
        return self._ranked_without()[metric] if metric in RANKING else values_of_sums(self._without(self._by_group))[metric]

    @property
    def chance_error(self) -> float:
        """The standard error of ``roc_auc`` if the scores had nothing to do with the class that is looked for; 0 without one."""
        return self._ranked.ranking().chance_error

    @property
    def ranked_rows(self) -> int | None:
        """Rows that the metrics of the scores' order are of, where these are a choice; None where they are all rows."""
        return self._ranked.rows if self.knows_scores and self._ranked.is_choice else None

    @property
    def baseline_answer(self) -> str:
        """What the baseline always answers, in words: the most frequent label of these rows."""
        return quoted(self.classes[int(self._frequencies.argmax())])

    def baseline_metrics(self) -> dict[str, float]:
        """Every metric of the baseline, a model that knows no more than how frequent each class is in these rows."""
        totals = {name: table.sum(axis=0, keepdims=True) for name, table in self._baseline_by_group().items()}
        values = self._baseline_values(totals)
        return {name: float(values[name][0]) for name in metrics_of("classification")}

    def baseline_without_each_group(self, metric: str) -> DoubleArray:
        """Like :meth:`without_each_group`, for the baseline, whose answers stay those that it gives for all rows."""
        return self._baseline_values(self._without(self._baseline_by_group()))[metric]

    def never_answered(self, known: Sequence[str]) -> dict[str, int]:
        """Labels that the model knows and gives to no row, with how many rows have them; the most frequent ones first.

        Args:
            known: the labels of the model, which ``classes`` may exceed.
        """
        own = set(known)
        of_model = np.array([label in own for label in self.classes])
        missed = np.flatnonzero(of_model & (self._predicted_rows == 0))
        ordered = missed[np.argsort(-self._support_rows[missed], kind="stable")]
        return {self.classes[index]: int(self._support_rows[index]) for index in ordered.tolist()}

    @property
    def group_rows(self) -> DoubleArray:
        """``float64[groups]``: rows of each group."""
        return self._group_rows

    def document(self) -> dict[str, Any]:  # Any: a JSON document
        """``positive``, ``ranked_rows``, ``baseline``, ``classes``, ``confusion``, ``calibration`` and ``curves`` of
        ``evaluation.json``."""
        totals = {name: table[0] for name, table in self._totals().items()}
        return {
            "positive": None if self.positive is None else self.classes[self.positive],
            "ranked_rows": self.ranked_rows,
            "baseline": {"label": self.classes[int(self._frequencies.argmax())], "metrics": self.baseline_metrics()},
            "classes": self._per_class(totals),
            "confusion": self._confusion(),
            "calibration": self._calibration(totals) if self.knows_probabilities else None,
            "curves": self._ranked.document() if self.knows_scores else None,
        }

    def _add(self, name: str, groups: IntArray, columns: IntArray | None, weights: DoubleArray) -> None:
        self._tables[name].add(groups if columns is None else groups * self._widths[name] + columns, weights)

    def _add_probabilities(
        self, probabilities: FloatArray, expected: IntArray, chosen: IntArray, groups: IntArray, weights: DoubleArray
    ) -> None:
        rows = np.arange(len(expected))
        given = np.clip(probabilities[rows, expected].astype(np.float64), _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        self._add("log_loss", groups, None, -np.log(given) * weights)
        confidence = probabilities[rows, chosen].astype(np.float64)
        bins = np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
        self._bin_rows += np.bincount(bins, minlength=BINS)
        self._add("bin_weight", groups, bins, weights)
        self._add("bin_confidence", groups, bins, confidence * weights)
        self._add("bin_right", groups, bins, weights * (chosen == expected))

    @cached_property
    def _by_group(self) -> dict[str, DoubleArray]:
        """``float64[groups, columns]`` by name."""
        return {name: table.values().reshape(GROUPS, self._widths[name]) for name, table in self._tables.items()}

    def _totals(self) -> dict[str, DoubleArray]:
        return {name: table.sum(axis=0, keepdims=True) for name, table in self._by_group.items()}

    def _without(self, by_group: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
        filled = self.group_rows > 0
        return {name: sums_without_each(table[filled]) for name, table in by_group.items()}

    def _values(self) -> dict[str, float]:
        """The metrics that follow from sums."""
        return {name: float(value[0]) for name, value in values_of_sums(self._totals()).items()}

    def _known(self, metric: str, value: float) -> float | None:
        """None where the answers do not tell the metric."""
        needs = metrics_of("classification")[metric].needs
        known = {"labels": True, "scores": self.knows_scores, "probabilities": self.knows_scores and self.knows_probabilities}
        return value if known[needs] and self.rows and math.isfinite(value) else None

    def _ranked_without(self) -> MetricArrays:
        filled = self.group_rows > 0
        return {name: values[filled] for name, values in self._ranked.ranking().without.items()}

    @property
    def _frequencies(self) -> DoubleArray:
        """``float64[classes]``: weight of the rows that have each class."""
        frequencies: DoubleArray = self._by_group["support"].sum(axis=0)
        return frequencies

    def _baseline_by_group(self) -> dict[str, DoubleArray]:
        """The sums of the baseline: it answers the most frequent class, and its probabilities are the classes' shares."""
        weight, support, frequencies = self._by_group["weight"], self._by_group["support"], self._frequencies
        ranked = np.argsort(-frequencies, kind="stable")
        chosen = np.arange(len(self.classes)) == ranked[0]
        total = frequencies.sum()
        surprise = np.log(total / np.where(frequencies > 0, frequencies, total))
        bins = {name: np.zeros((GROUPS, BINS)) for name in ("bin_weight", "bin_confidence", "bin_right")}
        return {
            "weight": weight,
            "right": support[:, ranked[:1]],
            "in_top": support[:, ranked[:_TOP]].sum(axis=1, keepdims=True),
            "log_loss": (support @ surprise)[:, None],
            "support": support,
            "predicted": weight * chosen,
            "hits": support * chosen,
            **bins,  # it is as sure as it is often right
        }

    def _baseline_values(self, sums: Mapping[str, DoubleArray]) -> MetricArrays:
        """It gives all rows the same scores: any pair of rows is a tie, and the precision at its one score is a class's share."""
        support = sums["support"]
        shares = ratio(support, sums["weight"])
        there = (support > 0).sum(axis=1)
        ranked = {
            "roc_auc": np.full(len(support), 0.5),
            "average_precision": ratio(shares.sum(axis=1), there) if self.positive is None else shares[:, self.positive],
        }
        return values_of_sums(sums) | ranked

    def _of_class(self, kind: str, label: str) -> float | None:
        index = self.classes.index(label) if label in self.classes else None
        totals = {name: table[0] for name, table in self._totals().items()}
        if index is None or not totals["support"][index]:
            return None
        scores = scores_of_classes(totals["hits"], totals["support"], totals["predicted"])
        return float(scores[list(OF_ONE_CLASS).index(kind)][index])

    def _per_class(self, totals: Mapping[str, DoubleArray]) -> list[dict[str, Any]]:  # Any: a JSON document
        scores = scores_of_classes(totals["hits"], totals["support"], totals["predicted"])
        columns = [self._support_rows.tolist(), self._predicted_rows.tolist(), *(values.tolist() for values in scores)]
        of_class = self._ranked.ranking().of_class
        columns += [[self._known(name, value) for value in of_class[name].tolist()] for name in RANKING]
        names = ("label", "support", "predicted", "precision", "recall", "f1", *RANKING)
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
        rows, weight = self._bin_rows, totals["bin_weight"]
        confidence, accuracy = (ratio(totals[name], weight).tolist() for name in ("bin_confidence", "bin_right"))
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

"""Choosing calibration, threshold and offsets on the validation rows, each only where it helps there.

What a choice is worth is measured on rows that it was not made on: the rows are dealt out to :data:`FOLDS` folds, and what is
chosen on the others answers each of them. It is kept where the metric is better by more than one standard error of the paired
difference; then it is chosen once more, on all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.encoder.decision import Decision, Isotonic, Temperature
from sageline.evaluation.decision.calibration import fit_isotonic, fit_temperature, log_losses
from sageline.evaluation.decision.counts import (
    ClassCounts,
    Improvement,
    improvement_of_labels,
    improvement_of_means,
    weight_of_each,
)

FOLDS = 5
LEAST_ROWS = 50
LEAST_OF_A_CLASS = FOLDS
LEAST_FOR_ISOTONIC = 1_000
_MOST_CELLS = 1 << 20
"""Probabilities that a temperature or a strength is fitted on, which are single numbers: more rows would not move them."""

_CURVE_POINTS = 101
_STRENGTHS = np.linspace(0, 1.5, 31)
"""How much of the classes' frequencies is taken out: 0 leaves the model's answers, 1 answers as if all were equally frequent."""

Threshold: TypeAlias = float | Literal["auto", "none"]
CalibrationKind: TypeAlias = Literal["auto", "none", "temperature", "isotonic"]


@dataclass(frozen=True, eq=False)
class ValidationRows:
    """What a classifier has answered for rows whose labels are known.

    Attributes:
        expected: ``int64[rows]``: the number of each row's class.
        probabilities: ``float32[rows, classes]``; None where the model answers no probability of every class.
        own: ``int64[rows]``: the classes that the model has chosen itself; None for one that only answers probabilities.
        weights: ``float64[rows]``; None where all rows count alike.
    """

    expected: IntArray
    probabilities: FloatArray | None
    own: IntArray | None = None
    weights: DoubleArray | None = None


@dataclass(frozen=True, eq=False)
class ChosenDecision:
    """What came of the choice.

    Attributes:
        decision: None where the model's answers stay as they are.
        measured: what was tried, as a JSON document: ``calibration`` and ``threshold`` with a metric before and after, and
            whether it is used; None where it was not tried.
        skipped: sentences on what was not tried, and why.
        curve: of two classes: precision, recall and F1 of the positive one over thresholds, on the validation rows.
    """

    decision: Decision | None
    measured: dict[str, Any]
    skipped: tuple[str, ...] = ()
    curve: tuple[dict[str, float], ...] = ()


def chosen_for(metric: str, positive: str | None) -> str | None:
    """What a threshold or offsets are chosen for where a model is judged by a metric; None where labels do not matter to it.

    Args:
        positive: of two classes; None of more.
    """
    match metric:
        case "average_precision" | "roc_auc":
            return "macro_f1" if positive is None else f"f1:{positive}"
        case "accuracy" | "balanced_accuracy" | "macro_f1" | "macro_precision" | "matthews_correlation":
            return metric
        case _:
            return None


def choose_decision(
    rows: ValidationRows,
    classes: Sequence[str],
    metric: str,
    positive: str | None,
    *,
    threshold: Threshold = "auto",
    calibration: CalibrationKind = "auto",
) -> ChosenDecision:
    """The decision of a model.

    Args:
        classes: the model's labels in class order.
        metric: what the model is judged by.
        positive: of two classes, the one that thresholds are about; None of more classes.
        threshold: a number is taken as it is; ``auto`` chooses, of more than two classes offsets.
    """
    size = len(rows.expected)
    fixed = threshold if isinstance(threshold, float) and positive is not None else None
    decision = Decision(list(classes), positive=positive, threshold=fixed, rows=size)
    if rows.probabilities is None and size:
        why = "the model answers no probability of every class, so there is nothing to calibrate or to put a threshold on."
        return ChosenDecision(None, {}, (_sentence(why),))
    if size < LEAST_ROWS:
        asked = {"calibration": calibration, "threshold": threshold}
        tried = [name for name, value in asked.items() if value not in ("none", fixed)]
        return ChosenDecision(None if fixed is None else decision, {}, (_few_rows(tried, size),) if tried else ())
    chooser = _Chooser(rows, list(classes), positive)
    calibrated = chooser.calibration(calibration)
    decision = replace(decision, calibration=calibrated.calibration)
    wanted = chosen_for(metric, positive)
    of_threshold, no_threshold = None, None
    if fixed is not None and wanted is not None:
        of_threshold = chooser.improvement(wanted, decision, lambda _: decision).to_json(used=True)
    elif threshold == "auto" and wanted is not None:
        no_threshold = chooser.too_few_of_a_class()
        if no_threshold is None:
            decision, worth, used = chooser.labels(decision, wanted)
            of_threshold = worth.to_json(used=used)
    measured = {"calibration": calibrated.measured, "threshold": of_threshold}
    decision = replace(decision, measured=measured)
    skipped = tuple(_sentence(why) for why in (calibrated.skipped, no_threshold) if why is not None)
    return ChosenDecision(None if decision.is_nothing else decision, measured, skipped, chooser.curve(decision))


class _ChosenCalibration(NamedTuple):
    calibration: Temperature | Isotonic | None = None
    measured: dict[str, Any] | None = None  # Any: a JSON document
    skipped: str | None = None


class _Chooser:
    def __init__(self, rows: ValidationRows, classes: list[str], positive: str | None) -> None:
        if rows.probabilities is None:
            raise ValueError("there is nothing to choose from without probabilities")
        self._expected, self._own = rows.expected, rows.own
        self._probabilities = rows.probabilities
        self._weights = np.ones(len(rows.expected)) if rows.weights is None else rows.weights
        self._classes = classes
        self._positive = None if positive is None else classes.index(positive)
        self._folds = np.arange(len(rows.expected)) % FOLDS

    def calibration(self, asked: CalibrationKind) -> _ChosenCalibration:
        others = len(self._expected) - int(np.bincount(self._expected).max())
        if asked == "none":
            return _ChosenCalibration()
        if others < LEAST_OF_A_CLASS:
            there = "is 1" if others == 1 else f"are {others}"
            return _ChosenCalibration(
                skipped=f"a calibration cannot be chosen: it takes {LEAST_OF_A_CLASS} validation rows of other classes than the "
                f"most frequent one, and there {there}."
            )
        fits: dict[str, Callable[[BoolArray], Temperature | Isotonic]] = {}
        if asked in ("auto", "temperature"):
            fits["temperature"] = self._fit_temperature
        if asked in ("auto", "isotonic") and self._positive is not None and len(self._expected) >= LEAST_FOR_ISOTONIC:
            fits["isotonic"] = self._fit_isotonic
        if not fits:
            return _ChosenCalibration(
                skipped=f"an isotonic calibration takes {LEAST_FOR_ISOTONIC:,} validation rows, and there are "
                f"{len(self._expected):,}."
            )
        before = log_losses(self._probabilities, self._expected)
        losses = {kind: self._held_out_losses(fit) for kind, fit in fits.items()}
        best = next(iter(losses))
        if len(losses) > 1:
            over_first = improvement_of_means("log_loss", losses[best], losses["isotonic"], self._weights)
            best = "isotonic" if over_first.is_more_than_chance else best
        worth = improvement_of_means("log_loss", before, losses[best], self._weights)
        kept = fits[best](np.ones(len(self._expected), dtype=np.bool_)) if worth.is_more_than_chance else None
        return _ChosenCalibration(kept, {"kind": best, **worth.to_json(used=kept is not None)})

    def too_few_of_a_class(self) -> str | None:
        counts = np.bincount(self._expected, minlength=len(self._classes))
        rarest = int(counts.argmin())
        if counts[rarest] >= LEAST_OF_A_CLASS:
            return None
        what = "a threshold" if self._positive is not None else "offsets of the classes"
        there = "is 1" if counts[rarest] == 1 else f"are {counts[rarest]}"
        return (
            f"{what} cannot be chosen: it takes {LEAST_OF_A_CLASS} validation rows of every class, and of "
            f"{self._classes[rarest]!r} there {there}."
        )

    def labels(self, decision: Decision, metric: str) -> tuple[Decision, Improvement, bool]:
        """The decision with a threshold or offsets if these help, what they are worth, and whether they are used."""
        table, _ = decision.decide(self._probabilities, self._own)

        def choose(among: BoolArray) -> Decision:
            if self._positive is not None:
                return replace(decision, metric=metric, threshold=self._best_threshold(table, metric, among))
            return replace(decision, metric=metric, offsets=self._best_offsets(table, metric, among))

        worth = self.improvement(metric, decision, choose)
        if not worth.is_more_than_chance:
            return decision, worth, False
        return choose(np.ones(len(self._expected), dtype=np.bool_)), worth, True

    def improvement(self, metric: str, decision: Decision, choose: Callable[[BoolArray], Decision]) -> Improvement:
        """What the threshold or the offsets are worth that are chosen on other rows than those that they answer."""
        without = replace(decision, threshold=None, offsets=None)
        _, before = without.decide(self._probabilities, self._own)
        after = before.copy()
        for fold in range(FOLDS):
            held_out = self._folds == fold
            own = None if self._own is None else self._own[held_out]
            after[held_out] = choose(~held_out).decide(self._probabilities[held_out], own)[1]
        return improvement_of_labels(metric, self._classes, self._expected, (before, after), self._weights)

    def curve(self, decision: Decision) -> tuple[dict[str, float], ...]:
        """Precision, recall and F1 of the positive class over thresholds."""
        if self._positive is None:
            return ()
        scores = decision.decide(self._probabilities, self._own)[0][:, self._positive]
        order = np.argsort(scores, kind="stable")
        thresholds = np.linspace(0, float(scores.max()), _CURVE_POINTS).astype(np.float32)
        below = np.searchsorted(scores[order], thresholds, side="left")
        is_positive = self._expected[order] == self._positive
        weights = self._weights[order]
        sums = [np.concatenate([[0.0], np.cumsum(weights * rows)]) for rows in (is_positive, ~is_positive)]
        right, wrong = (each[-1] - each[below] for each in sums)
        there = sums[0][-1]
        points = zip(thresholds.tolist(), right.tolist(), wrong.tolist(), strict=True)
        return tuple(
            {
                "at": at,
                "precision": hits / (hits + alarms) if hits + alarms > 0 else 0.0,
                "recall": hits / there if there > 0 else 0.0,
                "f1": 2 * hits / (hits + alarms + there) if there > 0 else 0.0,
            }
            for at, hits, alarms in points
        )

    def _fit_temperature(self, among: BoolArray) -> Temperature:
        rows = self._some(among)
        return fit_temperature(self._probabilities[rows], self._expected[rows], self._weights[rows])

    def _some(self, among: BoolArray) -> IntArray:
        """The numbers of these rows, or of every nth of them where their probabilities are very many."""
        numbers = np.flatnonzero(among)
        return numbers[:: max(1, -(-len(numbers) * len(self._classes) // _MOST_CELLS))]

    def _fit_isotonic(self, among: BoolArray) -> Isotonic:
        positive = self._positive or 0
        return fit_isotonic(self._probabilities[among, positive], self._expected[among] == positive, self._weights[among])

    def _held_out_losses(self, fit: Callable[[BoolArray], Temperature | Isotonic]) -> DoubleArray:
        losses = np.zeros(len(self._expected))
        for fold in range(FOLDS):
            held_out = self._folds == fold
            table = fit(~held_out).calibrated(self._probabilities[held_out], self._positive or 0)
            losses[held_out] = log_losses(table, self._expected[held_out])
        return losses

    def _best_threshold(self, table: FloatArray, metric: str, among: BoolArray) -> float:
        """The threshold, in the middle between two neighbouring probabilities; of equally good ones that nearest to one half."""
        positive = self._positive or 0
        scores, is_positive, weights = table[among, positive], self._expected[among] == positive, self._weights[among]
        order = np.argsort(-scores, kind="stable")
        scores, is_positive, weights = scores[order], is_positive[order], weights[order]
        last = np.flatnonzero(np.append(scores[:-1] != scores[1:], True))  # of each run of equal ones
        given = np.cumsum(weights)[last]
        hits = np.cumsum(weights * is_positive)[last]
        support = np.array([weights[is_positive].sum(), weights[~is_positive].sum()])
        of_both = [hits, support[1] - (given - hits)]
        predicted = [given, weights.sum() - given]
        as_classes = [positive, 1 - positive]
        counts = ClassCounts(
            np.stack(of_both, axis=1)[:, np.argsort(as_classes)],
            np.broadcast_to(support[np.argsort(as_classes)], (len(last), 2)),
            np.stack(predicted, axis=1)[:, np.argsort(as_classes)],
        )
        values = counts.value(metric, self._classes)
        lowest = scores[last]
        below = np.append(lowest[1:], np.float32(0))
        middle = ((lowest.astype(np.float64) + below) / 2).astype(np.float32)
        at = np.where(middle > below, middle, lowest)
        best = np.flatnonzero(values >= values.max() - 1e-12)
        nearest = best[np.abs(at[best] - 0.5).argmin()]
        return float(str(at[nearest]))

    def _best_offsets(self, table: FloatArray, metric: str, among: BoolArray) -> tuple[float, ...]:
        """The classes' frequencies taken out to the degree that is best: one number is chosen, however many classes there are.

        Source: Menon, Jayasumana, Rawat, Jain, Veit and Kumar, Long-tail learning via logit adjustment (2021).
        """
        rows = self._some(among)
        scores, expected, weights = table[rows], self._expected[rows], self._weights[rows]
        shares = weight_of_each(expected, weights, len(self._classes)) / weights.sum()
        rarity = np.log(shares.max()) - np.log(np.maximum(shares, 1 / (len(expected) + 1)))
        best: tuple[float, float] = (-np.inf, 0.0)
        for strength in _STRENGTHS.tolist():
            chosen = (scores * np.exp(strength * rarity)).argmax(axis=1)
            value = float(ClassCounts.of_all(expected, chosen, weights, len(self._classes)).value(metric, self._classes)[0])
            best = max(best, (value, -strength))
        return tuple((-best[1] * rarity).tolist())


def _few_rows(tried: Sequence[str], rows: int) -> str:
    there = "is 1" if rows == 1 else f"are {rows}" if rows else "are none"
    return _sentence(f"no {' and no '.join(tried)} was chosen: it takes {LEAST_ROWS} validation rows, and there {there}.")


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"

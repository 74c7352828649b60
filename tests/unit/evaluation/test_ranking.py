"""ROC AUC and average precision, beside scikit-learn's."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.jackknife import GROUPS
from tests.unit.evaluation.cases import answers, labels, names, probabilities

EXACT = 1e-9


@dataclass(frozen=True, repr=False)
class Scored:
    """Rows with their scores; in eighths there are ties."""

    expected: IntArray
    scores: FloatArray
    weights: DoubleArray | None

    def sums(self, positive: int | None, block: int = 37) -> ClassificationSums:
        sums = ClassificationSums(names(self.scores.shape[1]), positive)
        for at in range(0, len(self.expected), block):
            part = slice(at, at + block)
            sums.update(self.expected[part], answers(self.scores[part]), None if self.weights is None else self.weights[part])
        return sums

    def of_scikit_learn(self, positive: int | None, kept: slice | np.ndarray = slice(None)) -> tuple[float, float]:
        """Macro: the mean over the classes that rows have."""
        expected, scores = self.expected[kept], self.scores[kept]
        weights = None if self.weights is None else self.weights[kept]
        classes = np.unique(expected) if positive is None else [positive]
        found = [
            (measure(expected == number, scores[:, number], sample_weight=weights))
            for measure in (sk.roc_auc_score, sk.average_precision_score)
            for number in classes
        ]
        return float(np.mean(found[: len(classes)])), float(np.mean(found[len(classes) :]))


@st.composite
def scored(draw: st.DrawFn) -> Scored:
    classes, rows, seed = draw(st.integers(2, 5)), draw(st.integers(60, 250)), draw(st.integers(0, 2**32 - 1))
    expected = labels(rows, classes, seed)
    expected[: 2 * classes] = np.tile(np.arange(classes), 2)  # each class in two rows, so none is gone with a group
    scores = probabilities(expected, classes, draw(st.floats(-1, 4)), seed)
    if draw(st.booleans()):
        scores = (np.round(scores * 8) / 8).astype(np.float32)
    weights = np.random.default_rng(seed).choice([0.25, 0.1, 1.0, 3.7], rows) if draw(st.booleans()) else None
    return Scored(expected, scores, weights)


@settings(max_examples=12, deadline=None)
@given(scored(), st.booleans())
def test_areas_are_those_of_scikit_learn(case: Scored, one_is_looked_for: bool) -> None:
    positive = 1 if one_is_looked_for else None

    found = case.sums(positive).metrics()

    assert (found["roc_auc"], found["average_precision"]) == pytest.approx(case.of_scikit_learn(positive), rel=EXACT, abs=EXACT)


@settings(max_examples=6, deadline=None)
@given(scored(), st.booleans())
def test_without_a_group_they_are_those_of_the_other_rows(case: Scored, one_is_looked_for: bool) -> None:
    positive = 0 if one_is_looked_for else None
    sums = case.sums(positive)
    areas, precisions = (sums.without_each_group(name) for name in ("roc_auc", "average_precision"))

    for group in range(0, min(len(case.expected), GROUPS), 19):
        others = np.arange(len(case.expected)) % GROUPS != group
        assert (areas[group], precisions[group]) == pytest.approx(case.of_scikit_learn(positive, others), rel=EXACT, abs=EXACT)


def test_their_mean_over_classes_is_scikit_learns_own() -> None:
    expected = labels(400, 4)
    scores = probabilities(expected, 4, 1.0, 3)
    scores /= scores.sum(axis=1, keepdims=True)
    found = Scored(expected, scores, None).sums(None).metrics()

    assert found["roc_auc"] == pytest.approx(
        sk.roc_auc_score(expected, scores, multi_class="ovr", average="macro"), rel=EXACT, abs=EXACT
    )
    assert found["average_precision"] == pytest.approx(
        sk.average_precision_score(expected, scores, average="macro"), rel=EXACT, abs=EXACT
    )


def test_scores_that_are_no_probabilities_have_them_too() -> None:
    expected = labels(200, 2)
    margins = np.random.default_rng(5).normal(size=200).astype(np.float32) * 30 + 20 * expected.astype(np.float32)
    sums = ClassificationSums(names(2), 1)
    scores = np.column_stack([-margins, margins])
    sums.update(expected, ClassAnswers(scores.argmax(axis=1), scores, are_probabilities=False))

    assert sums.value("roc_auc") == pytest.approx(sk.roc_auc_score(expected, margins), rel=EXACT, abs=EXACT)
    assert sums.value("average_precision") == pytest.approx(sk.average_precision_score(expected, margins), rel=EXACT, abs=EXACT)
    assert sums.value("log_loss") is None


def test_a_class_that_no_row_has_is_no_part_of_the_mean_and_where_all_have_one_nothing_is_known() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.4, 0.3, 0.3]], dtype=np.float32)
    sums = ClassificationSums(names(3))
    sums.update(np.array([0, 1, 0]), answers(scores))
    alone = ClassificationSums(names(3), 2)
    alone.update(np.array([0, 1, 0]), answers(scores))

    assert (sums.value("roc_auc"), sums.value("average_precision")) == (1.0, 1.0)
    assert [row["roc_auc"] for row in sums.document()["classes"]] == [1.0, 1.0, None]
    assert (alone.value("roc_auc"), alone.value("average_precision")) == (None, None)
    assert (alone.standard_errors()["roc_auc"], alone.document()["curves"]) == (None, None)


def test_what_an_area_would_be_without_the_only_row_that_weighs_anything_is_not_known() -> None:
    """Whatever is left of it by rounding."""
    expected = np.array([1, 1] + [0] * 28)
    weights = np.array([0.1, 0.0] + [0.7] * 28)
    sums = Scored(expected, probabilities(expected, 2, 1.0, 3), weights).sums(1)

    assert np.isnan(sums.without_each_group("roc_auc")).tolist() == [True] + [False] * 29
    assert np.isnan(sums.without_each_group("average_precision")).tolist() == [True] + [False] * 29
    assert sums.standard_errors()["roc_auc"] is None


def test_scores_that_are_not_a_number_rank_nothing() -> None:
    sums = ClassificationSums(names(2), 1)
    scores = np.array([[0.5, 0.5], [np.nan, np.nan]], dtype=np.float32)
    sums.update(np.array([0, 1]), ClassAnswers(np.array([0, 0]), scores, are_probabilities=False))

    assert sums.value("roc_auc") is None


def test_a_class_that_a_model_does_not_know_is_ranked_by_chance() -> None:
    """As the champion's answers are where the new model has a class more."""
    known = answers(np.array([[0.9, 0.1], [0.2, 0.8]] * 5, dtype=np.float32)).among(["a", "b"], ["a", "b", "c"])
    sums = ClassificationSums(["a", "b", "c"])
    sums.update(np.array([0, 1, 2, 1, 0] * 2), known)

    assert sums.document()["classes"][2]["roc_auc"] == 0.5


def test_of_more_scores_than_are_kept_it_is_a_choice_that_blocks_do_not_change() -> None:
    expected = labels(6_000, 2, 9)
    scores = probabilities(expected, 2, 1.0, 1)

    def of(block: int) -> ClassificationSums:
        sums = ClassificationSums(names(2), 1, most_scores=1_000)
        for at in range(0, 6_000, block):
            sums.update(expected[at : at + block], answers(scores[at : at + block]))
        return sums

    small, large = of(70), of(6_000)

    assert small.ranked_rows == 1_000
    assert small.document()["ranked_rows"] == 1_000
    assert small.value("roc_auc") == large.value("roc_auc")
    assert small.value("roc_auc") == pytest.approx(sk.roc_auc_score(expected, scores[:, 1]), abs=0.04)
    assert small.value("accuracy") == np.mean(scores.argmax(axis=1) == expected)
    assert Scored(expected, scores, None).sums(1).ranked_rows is None


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "matthews_correlation", "balanced_accuracy"])
def test_standard_errors_cover_what_other_rows_give(metric: str) -> None:
    values, errors = [], []
    for seed in range(60):
        expected = (np.random.default_rng(seed).random(400) < 0.3).astype(np.int64)
        sums = Scored(expected, probabilities(expected, 2, 1.2, seed + 1_000), None).sums(1, 400)
        values.append(sums.value(metric))
        errors.append(sums.standard_errors()[metric])

    assert np.array(errors, dtype=np.float64).mean() == pytest.approx(np.array(values, dtype=np.float64).std(), rel=0.25)


@settings(max_examples=15, deadline=None)
@given(scored(), st.booleans())
def test_curves_begin_and_end_where_they_must_and_enclose_the_area(case: Scored, one_is_looked_for: bool) -> None:
    sums = case.sums(0 if one_is_looked_for else None)
    curves = sums.document()["curves"]
    json.dumps(curves, allow_nan=False)

    roc, precision_recall = np.array(curves["roc"]), np.array(curves["precision_recall"])

    assert (np.diff(roc, axis=0) >= 0).all()
    assert (roc[0, 0], *roc[-1]) == (0, 1, 1)
    assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(sums.value("roc_auc"), abs=0.02)
    assert (np.diff(precision_recall[:, 0]) >= 0).all()
    assert precision_recall[-1, 0] == 1


def test_weights_count_as_rows_do() -> None:
    """A row that weighs three counts as three rows, in every metric of a classification."""
    expected = labels(120, 3)
    scores = probabilities(expected, 3, 1.0, 4)
    weights = np.random.default_rng(6).integers(0, 4, 120)
    weighted = Scored(expected, scores, weights.astype(np.float64)).sums(None)
    repeated = Scored(np.repeat(expected, weights), np.repeat(scores, weights, axis=0), None).sums(None)

    assert weighted.metrics() == pytest.approx(repeated.metrics())
    assert weighted.baseline_metrics() == pytest.approx(repeated.baseline_metrics())
    assert weighted.value("recall:class 1") == pytest.approx(repeated.value("recall:class 1"))
    assert (weighted.rows, sum(row["support"] for row in weighted.document()["classes"])) == (120, 120)
    assert weighted.standard_errors() == pytest.approx(
        Scored(expected, scores, (5.0 * weights).astype(np.float64)).sums(None).standard_errors()
    )

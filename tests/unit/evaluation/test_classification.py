"""Metrics of a classifier, beside scikit-learn's."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics as sk

from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.spec.metrics import metrics_of
from tests.unit.evaluation.cases import (
    Case,
    answers,
    classifications,
    coarse_classifications,
    counted,
    labels,
    names,
    probabilities,
)


def matthews(expected: IntArray, chosen: IntArray) -> float:
    """scikit-learn's; of a single label, 0, it warns."""
    return float(sk.matthews_corrcoef(expected, chosen)) if len({*expected.tolist(), *chosen.tolist()}) > 1 else 0.0


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(classifications())
def test_metrics_are_those_of_scikit_learn(case: Case) -> None:
    expected, scores = case
    chosen, classes = scores.argmax(axis=1), scores.shape[1]

    found = counted(expected, scores).metrics()

    there = np.unique(expected)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        expected, chosen, labels=there, average="macro", zero_division=0
    )
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(expected, chosen))
    assert (found["macro_precision"], found["balanced_accuracy"], found["macro_f1"]) == pytest.approx((precision, recall, f1))
    assert found["matthews_correlation"] == pytest.approx(matthews(expected, chosen), rel=1e-9, abs=1e-9)
    rounded = scores.astype(np.float64) / scores.astype(np.float64).sum(axis=1, keepdims=True)
    assert found["log_loss"] == pytest.approx(sk.log_loss(expected, rounded, labels=range(classes)), rel=1e-5)
    if classes > 3:
        top = sk.top_k_accuracy_score(expected, scores, k=3, labels=range(classes))
        assert found["top_3_accuracy"] == pytest.approx(top)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(coarse_classifications())
def test_ties_certainties_and_classes_that_do_not_occur_are_counted_as_by_scikit_learn(case: Case) -> None:
    expected, scores = case
    chosen, classes = scores.argmax(axis=1), scores.shape[1]

    sums = counted(expected, scores, 7)
    found = sums.metrics()

    there = np.unique(expected)
    macro = sk.precision_recall_fscore_support(expected, chosen, labels=there, average="macro", zero_division=0)[:3]
    assert (found["macro_precision"], found["balanced_accuracy"], found["macro_f1"]) == pytest.approx(macro)
    assert found["matthews_correlation"] == pytest.approx(matthews(expected, chosen), rel=1e-9, abs=1e-9)
    assert found["log_loss"] == pytest.approx(sk.log_loss(expected, scores, labels=range(classes)), rel=1e-5)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    assert found["top_3_accuracy"] == pytest.approx((first == expected[:, None]).any(axis=1).mean())
    assert sums.document()["confusion"]["matrix"] == sk.confusion_matrix(expected, chosen, labels=range(classes)).tolist()
    json.dumps([sums.document(), sums.standard_errors()], allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(classifications())
def test_each_class_is_scored_as_by_scikit_learn(case: Case) -> None:
    expected, scores = case
    chosen, classes = scores.argmax(axis=1), scores.shape[1]

    document = counted(expected, scores).document()

    rows = zip(*sk.precision_recall_fscore_support(expected, chosen, labels=range(classes), zero_division=0), strict=True)
    found = [tuple(row[key] for key in ("precision", "recall", "f1", "support")) for row in document["classes"]]
    assert found == [pytest.approx(tuple(row)) for row in rows]
    assert document["confusion"]["matrix"] == sk.confusion_matrix(expected, chosen, labels=range(classes)).tolist()


def test_a_class_has_metrics_by_its_name_unless_no_row_has_it() -> None:
    sums = ClassificationSums(["ok", "a: b", "never"])
    sums.update(np.array([0, 0, 1, 1, 1]), ClassAnswers(np.array([0, 1, 1, 2, 0]), None, are_probabilities=False))

    assert sums.value("precision:a: b") == 0.5
    assert sums.value("recall:a: b") == pytest.approx(1 / 3)
    assert sums.value("f1:a: b") == pytest.approx(0.4)
    assert sums.value("recall:ok") == 0.5
    assert (sums.value("precision:never"), sums.value("recall:unheard of")) == (None, None)


@settings(max_examples=30, deadline=None)
@given(classifications())
def test_blocks_of_any_size_come_to_the_same(case: Case) -> None:
    expected, scores = case
    whole, pieces = counted(expected, scores, 10_000), counted(expected, scores, 7)

    assert pieces.metrics() == pytest.approx(whole.metrics())
    assert pieces.document()["confusion"] == whole.document()["confusion"]
    assert {name: error for name, error in pieces.standard_errors().items() if error is not None} == pytest.approx(
        {name: error for name, error in whole.standard_errors().items() if error is not None}, abs=1e-9
    )


def test_calibration_is_the_difference_between_confidence_and_accuracy() -> None:
    scores = np.array([[0.95, 0.05]] * 10 + [[0.35, 0.65]] * 10, dtype=np.float32)
    expected = np.array([0] * 8 + [1] * 2 + [1] * 6 + [0] * 4)

    sums = counted(expected, scores)

    bins = [row for row in sums.document()["calibration"] if row["rows"]]
    assert [(row["from"], row["to"], row["rows"]) for row in bins] == [(0.6, 0.7, 10), (0.9, 1.0, 10)]
    assert [row["confidence"] for row in bins] == pytest.approx([0.65, 0.95])
    assert [row["accuracy"] for row in bins] == pytest.approx([0.6, 0.8])
    assert sums.value("expected_calibration_error") == pytest.approx((0.05 + 0.15) / 2, abs=1e-6)


def test_certainty_belongs_to_the_last_bin_and_empty_bins_have_no_accuracy() -> None:
    bins = counted(np.array([0]), np.array([[1.0, 0.0]], dtype=np.float32)).document()["calibration"]

    assert [row["rows"] for row in bins] == [0] * 9 + [1]
    assert bins[0] == {"from": 0.0, "to": 0.1, "rows": 0, "confidence": None, "accuracy": None}


def test_a_right_label_without_a_chance_costs_as_much_as_single_precision_can_tell() -> None:
    sums = counted(np.array([1]), np.array([[1.0, 0.0]], dtype=np.float32))

    assert sums.value("log_loss") == pytest.approx(-np.log(np.finfo(np.float32).eps))


def test_labels_without_scores_leave_out_what_needs_them() -> None:
    sums = ClassificationSums(["a", "b"])
    sums.update(np.array([0, 1, 1]), ClassAnswers(np.array([0, 1, 0]), None, are_probabilities=False))

    needing = {name for name, metric in metrics_of("classification").items() if metric.needs != "labels"}
    assert {name for name, value in sums.metrics().items() if value is None} == needing
    assert sums.value("accuracy") == pytest.approx(2 / 3)
    assert (sums.value("log_loss"), sums.document()["calibration"]) == (None, None)


def test_scores_that_are_no_probabilities_rank_only() -> None:
    sums = ClassificationSums(names(4))
    sums.update(
        np.array([0, 1]), ClassAnswers(np.array([3, 3]), np.array([[1, 2, 3, 4]] * 2, dtype=np.float32), are_probabilities=False)
    )

    assert (sums.value("top_3_accuracy"), sums.value("log_loss")) == (0.5, None)


def test_once_without_probabilities_is_without_them_altogether() -> None:
    scores = np.array([[0.9, 0.1]], dtype=np.float32)
    sums = ClassificationSums(["a", "b"])
    sums.update(np.array([0]), answers(scores))
    sums.update(np.array([0]), ClassAnswers(np.array([0]), None, are_probabilities=False))

    assert (sums.value("log_loss"), sums.value("top_3_accuracy"), sums.value("accuracy")) == (None, None, 1.0)


def test_the_chosen_label_is_the_first_of_three_even_where_it_is_not_the_most_probable() -> None:
    scores = np.array([[0.1, 0.2, 0.3, 0.4]] * 2, dtype=np.float32)
    sums = ClassificationSums(names(4))
    sums.update(np.array([0, 1]), ClassAnswers(np.array([0, 0]), scores, are_probabilities=True))

    # Chosen 0, then 3 and 2: 1 is not among the first three.
    assert sums.value("top_3_accuracy") == 0.5


@pytest.mark.parametrize("are_probabilities", [True, False])
def test_a_label_that_a_model_cannot_give_is_not_among_its_first_three_however_few_it_knows(are_probabilities: bool) -> None:
    scores = np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    known = ClassAnswers(np.array([0, 0]), scores, are_probabilities).among(["b", "c"], ["a", "b", "c", "d"])
    sums = ClassificationSums(["a", "b", "c", "d"])
    sums.update(np.array([0, 2]), known)

    assert sums.value("top_3_accuracy") == 0.5
    least = -np.log(np.finfo(np.float32).eps)
    assert sums.value("log_loss") == (pytest.approx(least) if are_probabilities else None)


def test_of_equal_scores_the_class_with_the_lower_number_comes_first() -> None:
    sums = ClassificationSums(names(5))
    sums.update(np.array([2, 3]), answers(np.full((2, 5), 0.2, dtype=np.float32)))

    assert sums.value("top_3_accuracy") == 0.5


def test_the_baseline_knows_how_frequent_the_classes_are() -> None:
    baseline = counted(np.array([0, 1, 1, 1]), np.full((4, 2), 0.5, dtype=np.float32)).document()["baseline"]

    assert (baseline["label"], baseline["metrics"]["accuracy"]) == ("class 1", 0.75)
    assert baseline["metrics"]["log_loss"] == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))


def test_the_most_frequent_mistakes_are_told_and_of_many_classes_nothing_else() -> None:
    expected = labels(2_000, 101)
    chosen = np.where(np.arange(2_000) % 10 < 3, 100, expected)
    sums = ClassificationSums(names(101))
    sums.update(expected, ClassAnswers(chosen, None, are_probabilities=False))
    confusion = sums.document()["confusion"]

    assert (confusion["matrix"], len(confusion["mistakes"])) == (None, 50)
    counts = [mistake["rows"] for mistake in confusion["mistakes"]]
    assert counts == sorted(counts, reverse=True)
    assert {mistake["predicted"] for mistake in confusion["mistakes"]} == {"class 100"}


def test_a_document_is_json_of_plain_values() -> None:
    expected = labels(50, 3)
    document = counted(expected, probabilities(expected, 3, 1, 1)).document()

    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_standard_errors_cover_what_other_rows_give() -> None:
    """Over many samples the values spread as the standard error of one of them says."""
    values, errors = [], []
    for seed in range(60):
        expected = labels(400, 4, seed)
        sums = counted(expected, probabilities(expected, 4, 1.5, seed + 1_000))
        values.append([sums.value(name) for name in ("accuracy", "macro_f1", "log_loss")])
        errors.append([sums.standard_errors()[name] for name in ("accuracy", "macro_f1", "log_loss")])

    spread = np.array(values, dtype=np.float64).std(axis=0)
    assert np.array(errors, dtype=np.float64).mean(axis=0) == pytest.approx(spread, rel=0.25)


def test_one_row_has_no_standard_error() -> None:
    sums = counted(np.array([0]), np.array([[0.9, 0.1]], dtype=np.float32))
    assert set(sums.standard_errors().values()) == {None}


def test_a_hundred_thousand_rows_of_twenty_classes_take_little_memory() -> None:
    expected = labels(100_000, 20)
    scores = probabilities(expected, 20, 1.5, 0)

    tracemalloc.start()
    counted(expected, scores, 5_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20  # 8 MB of it scores, of which never more than 16 MB are kept

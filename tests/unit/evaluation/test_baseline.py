"""Whether a model is better than the baseline, by two standard errors on the same rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.baseline import BaselineComparison, compare_with_baseline
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from tests.unit.evaluation.cases import counted, labels, probabilities, summed

NEW = ["balanced_accuracy", "roc_auc", "average_precision", "matthews_correlation"]
RANDOM = np.random.default_rng(7)


def compared(metric: str, sums: Sums) -> BaselineComparison:
    found = compare_with_baseline(metric, sums)
    assert found is not None
    return found


def labels_only(expected: IntArray, chosen: IntArray, classes: int = 2) -> ClassificationSums:
    """As k nearest neighbours answer."""
    sums = ClassificationSums([f"class {number}" for number in range(classes)])
    sums.update(expected, ClassAnswers(chosen, None, are_probabilities=False))
    return sums


def won_and_lost(won: int, lost: int, rows: int = 81) -> ClassificationSums:
    """So many rows that only the model has right, and so many that only the baseline has, which answers class 0."""
    expected = np.arange(rows) >= rows - 31
    chosen = expected.copy()
    chosen[:lost] = True
    chosen[rows - 31 + won :] = False
    return labels_only(expected.astype(np.int64), chosen.astype(np.int64))


@pytest.mark.parametrize(("rows", "told"), [(49, False), (50, True)])
def test_fewer_than_fifty_rows_do_not_tell(rows: int, told: bool) -> None:
    assert (compare_with_baseline("accuracy", labels_only(labels(rows, 2), labels(rows, 2))) is not None) is told


@pytest.mark.parametrize(("won", "better"), [(14, False), (15, True), (16, True)])
def test_two_standard_errors_themselves_are_enough(won: int, better: bool) -> None:
    found = compared("accuracy", won_and_lost(won, 6))

    differences = np.repeat([1.0, -1.0, 0.0], [won, 6, 81 - won - 6])
    assert found.improvement == pytest.approx(differences.mean())
    assert found.standard_error == pytest.approx(differences.std(ddof=1) / 9)
    assert found.better is better
    if won == 15:
        assert differences.mean() == pytest.approx(2 * differences.std(ddof=1) / 9)  # exactly two, but for rounding


def test_a_model_that_always_gives_the_baselines_answer_is_not_better() -> None:
    expected = labels(200, 2)
    found = compared("accuracy", labels_only(expected, np.zeros(200, dtype=np.int64)))
    assert (found.improvement, found.standard_error, found.better) == (0.0, 0.0, False)
    assert (
        "not better than always answering 'class 0': its accuracy is 0.585, and that of the one answer 0.585 on 200 test rows"
        in found.words
    )


def test_a_difference_that_may_be_chance_is_said_to_be_one_with_the_least_that_would_count() -> None:
    found = compared("accuracy", won_and_lost(10, 6))
    assert found.words.startswith(
        "the model may be no better than always answering 'class 0': its accuracy is 0.6667, and that of the "
        "one answer 0.6173, and on 81 test "
        "rows a difference below 0.099 (two standard errors) may be chance. Is `dataset.label` the column to predict"
    )


def test_where_one_label_prevails_another_metric_is_named() -> None:
    rare = (np.arange(400) % 20 == 0).astype(np.int64)
    assert 'Where 95% of the rows have one label, `"evaluation": {"metric": "macro_f1"}` says more.' in (
        compared("accuracy", labels_only(rare, np.zeros(400, dtype=np.int64))).words
    )
    assert "macro_f1" not in compared("accuracy", won_and_lost(10, 6)).words


def test_a_rare_label_that_is_found_at_the_price_of_false_alarms_counts_by_the_mean_over_classes_only() -> None:
    rare = (np.arange(400) % 20 == 0).astype(np.int64)
    alarms = rare | (np.arange(400) % 20 == 1)
    assert not compared("accuracy", labels_only(rare, alarms)).better
    by_classes = compared("macro_f1", labels_only(rare, alarms))
    assert (by_classes.metric, by_classes.better) == ("macro_f1", True)


@pytest.mark.parametrize("metric", ["accuracy", "top_3_accuracy", "macro_f1", "log_loss", *NEW])
def test_each_metric_tells_a_model_that_has_learnt_something_from_one_that_guesses(metric: str) -> None:
    told_by = "roc_auc" if metric == "average_precision" else metric
    expected = labels(600, 6)
    skilled = compared(metric, counted(expected, probabilities(expected, 6, 2.0, 1)))
    assert (skilled.metric, skilled.better) == (told_by, True)
    guessing = np.tile(np.bincount(expected, minlength=6) / 600, (600, 1)).astype(np.float32)
    same = compared(metric, counted(expected, guessing))
    assert same.metric == told_by
    assert same.improvement == pytest.approx(0, abs=1e-6)
    assert not same.better


@pytest.mark.parametrize(
    ("metric", "classes"),
    [("expected_calibration_error", 6), ("top_3_accuracy", 3)],
)
def test_a_metric_by_which_the_baseline_is_perfect_leaves_it_to_accuracy_and_the_words_say_so(metric: str, classes: int) -> None:
    expected = labels(600, classes)
    found = compared(metric, counted(expected, probabilities(expected, classes, 2.0, 1)))
    assert (found.metric, found.better) == ("accuracy", True)
    assert f"({metric} cannot tell them apart, so accuracy decides)" in found.words


def test_labels_without_probabilities_are_compared_by_accuracy() -> None:
    found = compared("log_loss", won_and_lost(31, 0))
    assert (found.metric, found.found, found.better) == ("accuracy", 1.0, True)


def test_rows_that_all_have_one_label_cannot_tell_and_the_words_say_why() -> None:
    for metric in ("accuracy", "macro_f1"):
        found = compared(metric, labels_only(np.zeros(60, dtype=np.int64), np.zeros(60, dtype=np.int64)))
        assert not found.better
        assert "cannot be told: all 60 test rows have the same label" in found.words


def test_a_regression_is_compared_with_the_mean() -> None:
    expected = RANDOM.normal(100, 5, 150)
    found = compared("rmse", summed(expected, (expected + RANDOM.normal(0, 2, 150)).astype(np.float32), 40))
    assert found.baseline == pytest.approx(expected.std())
    assert found.better
    assert f"always answering the mean ({expected.mean():.4g}): its rmse is " in found.words
    off = compared("rmse", summed(expected, (expected + RANDOM.normal(0, 9, 150)).astype(np.float32), 40))
    assert off.improvement is not None
    assert off.improvement < 0
    assert off.words.startswith("the model is not better than always answering the mean (")


def test_the_error_of_a_regression_is_that_of_the_paired_difference() -> None:
    """Over many samples the differences spread as the standard error of one of them says."""
    differences, errors = [], []
    for seed in range(80):
        random = np.random.default_rng(seed)
        expected = random.normal(100, 5, 300)
        predicted = (expected + random.normal(0, 4, 300)).astype(np.float32)
        found = compared("rmse", summed(expected, predicted, 90))
        differences.append(found.improvement)
        errors.append(found.standard_error)
    assert np.array(errors, dtype=np.float64).mean() == pytest.approx(np.array(differences, dtype=np.float64).std(), rel=0.2)


@pytest.mark.parametrize("metric", ["rmse", "r2", "mae", "median_absolute_error", "mape"])
def test_each_metric_of_a_regression_tells_a_model_from_the_mean(metric: str) -> None:
    expected = RANDOM.normal(1e6, 5, 120)
    found = compared(metric, summed(expected, (expected + RANDOM.normal(0, 2, 120)).astype(np.float32), 50))
    assert (found.metric, found.asked, found.better) == (metric, metric, True)


def test_of_more_rows_than_the_sample_has_the_baselines_mean_errors_are_not_those_of_the_same_rows() -> None:
    expected = RANDOM.normal(1e6, 5, 300)
    predicted = (expected + RANDOM.normal(0, 2, 300)).astype(np.float32)
    assert compared("mae", summed(expected, predicted, sample_size=200)).metric == "rmse"
    assert compared("median_absolute_error", summed(expected, predicted, sample_size=200)).metric == "median_absolute_error"


def test_a_value_of_0_leaves_it_to_rmse_because_no_error_is_a_share_of_it() -> None:
    expected = np.arange(120.0)
    found = compared("mape", summed(expected, (expected + 0.5).astype(np.float32)))
    assert (found.metric, found.better) == ("rmse", True)
    json.dumps(summed(expected * 1e100, expected.astype(np.float32)).document(), allow_nan=False)


def test_a_rare_label_that_one_row_alone_has_leaves_it_to_accuracy() -> None:
    """What the area would be without that row nobody can tell."""
    expected = (np.arange(80) == 7).astype(np.int64)
    sums = ClassificationSums(["no", "yes"], 1)
    sums.update(expected, ClassAnswers(expected, probabilities(expected, 2, 9.0, 1), are_probabilities=True))
    assert compared("average_precision", sums).metric == "accuracy"


def ranked(rows: int, rare: int, skill: float, seed: int) -> ClassificationSums:
    random = np.random.default_rng(seed)
    expected = (np.arange(rows) < rare).astype(np.int64)
    scores = random.permuted(np.arange(rows)) / rows + skill * expected
    sums = ClassificationSums(["no", "yes"], 1)
    both = np.column_stack([-scores, scores]).astype(np.float32)
    sums.update(expected, ClassAnswers(np.zeros(rows, dtype=np.int64), both, are_probabilities=False))
    return sums


@pytest.mark.slow
def test_of_four_rows_of_a_rare_label_chance_is_seldom_taken_for_skill_and_skill_is_found() -> None:
    def better(skill: float) -> int:
        return sum(compared("average_precision", ranked(300, 4, skill, seed)).better for seed in range(100))

    assert better(0.0) <= 7  # 2 are expected; more than 7 in 1 of 1,000 cases
    assert better(0.7) >= 90


def test_the_error_of_an_area_is_no_less_than_what_chance_would_bring() -> None:
    """As the normal approximation of Mann and Whitney's test has it."""
    sums = ranked(100, 3, 0.305, 5)
    found = compared("roc_auc", sums)
    scores = np.arange(100) % 7  # with ties
    tied = ClassificationSums(["no", "yes"], 1)
    expected = (np.arange(100) < 40).astype(np.int64)
    tied.update(expected, ClassAnswers(expected, np.column_stack([-scores, scores]).astype(np.float32), are_probabilities=False))

    assert found.standard_error is not None
    assert found.standard_error >= sums.chance_error == pytest.approx((101 / (12 * 3 * 97)) ** 0.5)
    test = stats.mannwhitneyu(scores[:40], scores[40:], alternative="greater", method="asymptotic", use_continuity=False)
    area = tied.value("roc_auc")
    assert area is not None
    assert stats.norm.sf((area - 0.5) / tied.chance_error) == pytest.approx(test.pvalue)


def test_a_rare_label_that_is_ranked_first_is_better_than_the_baseline_even_where_it_is_never_answered() -> None:
    rare = (np.arange(400) % 20 == 0).astype(np.int64)
    scores = np.column_stack([np.full(400, 0.9), np.where(rare, 0.1, 0.02)]).astype(np.float32)
    sums = ClassificationSums(["no", "yes"], 1)
    sums.update(rare, ClassAnswers(np.zeros(400, dtype=np.int64), scores, are_probabilities=False))
    found = compared("average_precision", sums)
    assert (found.metric, found.found, found.baseline, found.better) == ("roc_auc", 1.0, 0.5, True)
    assert "(of few rows of a class average_precision tells less, so roc_auc decides)" in found.words
    assert not compared("accuracy", sums).better


def test_values_that_are_all_the_same_cannot_tell_a_model() -> None:
    for metric in ("rmse", "r2"):
        found = compared(metric, summed(np.full(60, 3.5), np.full(60, 3.5, dtype=np.float32)))
        assert (found.metric, found.better) == ("rmse", False)
        assert "all 60 test rows have the same label" in found.words


@pytest.mark.parametrize("answered", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_not_better_and_the_words_say_why(answered: float) -> None:
    expected = RANDOM.normal(size=80)
    predicted = expected.astype(np.float32)
    predicted[7] = answered
    found = compared("r2", summed(expected, predicted))
    assert (found.found, found.better) == (None, False)
    assert "rmse is not known of the model, whose answers are not all finite numbers" in found.words
    json.dumps(found.to_json(), allow_nan=False)


def test_the_baseline_stays_the_same_without_a_group() -> None:
    """Its answer is chosen from all rows: left out one by one, rows do not change it."""
    expected = np.array([0, 1] * 30 + [0])
    sums = labels_only(expected, expected)
    without = sums.baseline_without_each_group("accuracy")
    assert without == pytest.approx(np.where(expected == 0, 30 / 60, 31 / 60))

"""Whether one model is better than another by more than chance, beside scipy's tests."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Comparison, compare
from sageline.evaluation.student_t import upper_quantile, upper_tail
from sageline.spec.metrics import METRICS, metrics_of
from tests.unit.evaluation.cases import counted, labels, probabilities, summed


def decided(won: int, lost: int, same: int) -> Comparison:
    """By accuracy: rows that only the challenger, only the champion, or both have right."""
    rows = won + lost + same
    expected = np.zeros(rows, dtype=np.int64)
    old, new = expected.copy(), expected.copy()
    old[:won] = 1
    new[won : won + lost] = 1
    return compare("accuracy", chosen(expected, old), chosen(expected, new))


def chosen(expected: IntArray, labels: IntArray) -> ClassificationSums:
    sums = ClassificationSums(["a", "b"])
    sums.update(expected, ClassAnswers(labels, None, are_probabilities=False))
    return sums


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 500))
def test_accuracy_is_compared_by_mcnemars_exact_test(won: int, lost: int, same: int) -> None:
    if won + lost + same == 0:
        return
    comparison = decided(won, lost, same)

    expected = stats.binomtest(won, won + lost, 0.5, alternative="greater").pvalue if won + lost else 1.0
    assert comparison.p_value == pytest.approx(expected)
    assert comparison.test == "mcnemar-exact"
    assert comparison.improvement == pytest.approx((won - lost) / (won + lost + same))
    assert comparison.better == (expected < 0.05)


def test_many_rows_are_compared_by_the_normal_approximation_which_is_close() -> None:
    comparison = decided(1_100, 1_000, 5_000)

    assert comparison.test == "mcnemar-normal"
    assert comparison.p_value == pytest.approx(stats.binomtest(1_100, 2_100, 0.5, alternative="greater").pvalue, rel=1e-2)


@pytest.mark.parametrize("rows", [5, 12, 100, 999, 3_000])
def test_an_improvement_of_the_margin_counts_and_one_row_less_does_not(rows: int) -> None:
    margin = decided(rows // 2, rows - rows // 2, 100).margin
    assert margin is not None
    ahead = round(margin * (rows + 100))
    won = (rows + ahead) // 2

    assert decided(won, rows - won, 100).better
    assert not decided(won - 1, rows - won + 1, 100).better


def test_where_fewer_rows_differ_than_count_the_margin_is_what_the_fewest_would_be() -> None:
    comparison = decided(2, 1, 97)

    assert (comparison.better, comparison.margin) == (False, 0.05)
    assert decided(5, 0, 95).better


def test_so_few_rows_that_nothing_counts_have_no_margin() -> None:
    comparison = decided(4, 0, 0)

    assert (comparison.better, comparison.margin) == (False, None)
    assert "no difference would count" in comparison.words


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 100), st.integers(0, 2**32 - 1))
def test_a_mean_over_few_rows_is_compared_by_the_paired_t_test(rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    expected = random.normal(size=rows)
    old, new = ((expected + random.normal(0, scale, rows)).astype(np.float32) for scale in (1.1, 1.0))

    comparison = compare("mae", summed(expected, old), summed(expected, new))

    losses = [np.abs(predicted - expected) for predicted in (old, new)]
    expected_p = max(stats.ttest_rel(*losses, alternative="greater").pvalue, 2.0**-rows)
    assert comparison.p_value == pytest.approx(expected_p, rel=1e-6)
    assert comparison.improvement == pytest.approx(losses[0].mean() - losses[1].mean())
    assert comparison.test == "jackknife-t"


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_chance_is_seldom_taken_for_an_improvement_and_an_improvement_is_found(metric: str) -> None:
    """At a level of 5 % two equally good models differ in about 5 of 100 cases; a much better one is always better."""

    def comparison(seed: int, skill: float) -> Comparison:
        if metric in metrics_of("classification"):
            expected = labels(300, 5, seed)
            # A sharper model is also better calibrated here: the duller one is sure of what it does not know.
            old = probabilities(expected, 5, 1.0, seed + 1_000)
            return compare(metric, counted(expected, old), counted(expected, probabilities(expected, 5, skill, seed + 2_000)))
        random = np.random.default_rng(seed)
        values = random.normal(size=300)
        old, new = ((values + random.normal(0, scale, 300)).astype(np.float32) for scale in (1.0, 1 / skill))
        return compare(metric, summed(values, old), summed(values, new))

    taken = sum(comparison(seed, 1.0).better for seed in range(100))
    assert taken <= 12  # 5 are expected; more than 12 in 1 of 1,000 cases
    if metric != "expected_calibration_error":
        assert all(comparison(seed, 3.0).better for seed in range(5))


def test_the_same_answers_are_no_improvement() -> None:
    expected = labels(100, 3)
    scores = probabilities(expected, 3, 1, 1)
    for metric in metrics_of("classification"):
        comparison = compare(metric, counted(expected, scores), counted(expected, scores))
        assert (comparison.improvement, comparison.better) == (0, False), metric
        assert "is as good as the one in service" in comparison.words


def test_an_improvement_that_is_the_same_in_every_row_is_no_more_certain_than_the_rows_are_many() -> None:
    expected = np.arange(6.0)
    few = compare(
        "mae",
        summed(expected[:4], (expected[:4] + 2).astype(np.float32)),
        summed(expected[:4], (expected[:4] + 1).astype(np.float32)),
    )
    six = compare("mae", summed(expected, (expected + 2).astype(np.float32)), summed(expected, (expected + 1).astype(np.float32)))

    assert (few.better, few.margin) == (False, None)
    assert (six.better, six.p_value) == (True, 2.0**-6)


def test_what_is_lower_may_be_better() -> None:
    expected = np.arange(50.0)
    good, bad = ((expected + np.sin(expected) * size).astype(np.float32) for size in (1, 3))
    for metric in ("rmse", "mae", "r2"):
        assert compare(metric, summed(expected, bad), summed(expected, good)).better, metric
        worse = compare(metric, summed(expected, good), summed(expected, bad))
        assert (worse.better, worse.improvement < 0) == (False, True), metric
        assert worse.words.startswith("the new model is worse: "), metric


def test_the_words_say_what_would_have_counted() -> None:
    words = decided(6, 4, 90).words

    assert words == (
        "the new model is not better by more than chance: accuracy is 0.96, the one in service has 0.94 (p = 0.38, less than 0.05"
        " is needed; on these 100 rows an improvement of at least 0.08 would count)"
    )
    assert decided(20, 2, 78).words == (
        "the new model is better: accuracy is 0.98, the one in service has 0.8 (p = 6.1e-05; on these 100 rows an improvement "
        "of at least 0.1 counts)"
    )
    assert decided(4, 6, 90).words.endswith("has 0.96 (on these 100 rows an improvement of at least 0.08 counts)")
    assert decided(5, 5, 90).words.endswith("has 0.95 (on these 100 rows an improvement of at least 0.08 counts)")
    json.dumps(decided(6, 4, 90).to_json())


def test_models_of_other_rows_or_without_the_metric_cannot_be_compared() -> None:
    expected = labels(20, 2)
    known = counted(expected, probabilities(expected, 2, 1, 1))
    with pytest.raises(ValueError, match="cannot be compared"):
        compare("log_loss", known, chosen(expected, expected))
    with pytest.raises(ValueError, match="cannot be compared"):
        compare("accuracy", known, chosen(expected[:5], expected[:5]))


@settings(max_examples=200, deadline=None)
@given(st.floats(-60, 60), st.floats(1, 2_000))
def test_students_t_is_that_of_scipy(t: float, degrees: float) -> None:
    assert upper_tail(t, degrees) == pytest.approx(stats.t.sf(t, degrees), rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("degrees", [1, 4, 29, 99])
def test_quantiles_of_students_t_are_those_of_scipy(degrees: int) -> None:
    assert upper_quantile(0.05, degrees) == pytest.approx(stats.t.isf(0.05, degrees))
    assert (upper_tail(math.inf, degrees), upper_tail(-math.inf, degrees)) == (0.0, 1.0)

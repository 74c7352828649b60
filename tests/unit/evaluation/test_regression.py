"""Metrics of a regression, beside scikit-learn's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from sageline.evaluation.regression import RegressionSums
from tests.unit.evaluation.cases import summed

ROWS = np.random.default_rng(3)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 300), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e4, -3e6]), st.sampled_from([0.01, 1.0, 1e5]))
def test_metrics_are_those_of_scikit_learn(rows: int, seed: int, center: float, scale: float) -> None:
    random = np.random.default_rng(seed)
    expected = center + scale * random.normal(size=rows)
    predicted = (expected + scale * random.normal(size=rows)).astype(np.float32)

    found = summed(expected, predicted, 7).metrics()

    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(expected, predicted))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(expected, predicted))
    assert found["r2"] == pytest.approx(sk.r2_score(expected, predicted), rel=1e-6, abs=1e-6)
    assert found["median_absolute_error"] == pytest.approx(sk.median_absolute_error(expected, predicted), rel=1e-9)
    assert found["mape"] == pytest.approx(sk.mean_absolute_percentage_error(expected, predicted), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 200), st.integers(0, 2**32 - 1), st.sampled_from([(1.0, 2.0, 3.0), (0.0, 0.1, 7.3), (1e-6, 1.0, 1e6)]))
def test_weights_count_as_in_scikit_learn(rows: int, seed: int, choice: tuple[float, ...]) -> None:
    random = np.random.default_rng(seed)
    expected = random.normal(10, 3, rows)
    predicted = (expected + random.normal(size=rows).round(1)).astype(np.float32)
    weights = random.choice(choice, rows)
    weights[0] = 1.0
    sums = RegressionSums()
    for part in (slice(0, 50), slice(50, None)):
        sums.update(expected[part], predicted[part], weights[part])

    found = sums.metrics()

    for name, measure in {
        "rmse": sk.root_mean_squared_error,
        "mae": sk.mean_absolute_error,
        "median_absolute_error": sk.median_absolute_error,
        "mape": sk.mean_absolute_percentage_error,
    }.items():
        assert found[name] == pytest.approx(measure(expected, predicted, sample_weight=weights), rel=1e-9), name
    mean = np.average(expected, weights=weights)
    assert sums.document()["baseline"]["value"] == pytest.approx(mean)
    constant = np.full(rows, mean)
    assert sums.baseline_metrics()["mae"] == pytest.approx(sk.mean_absolute_error(expected, constant, sample_weight=weights))


def test_weighted_values_that_are_close_together_far_from_0_keep_their_variance() -> None:
    random = np.random.default_rng(5)
    apart = random.normal(size=500).round(6)
    weights = random.choice([0.1, 0.7, 1.3], 500)
    sums = RegressionSums()
    sums.update(1e9 + apart, (1e9 + apart).astype(np.float32), weights)

    exact = np.average((apart - np.average(apart, weights=weights)) ** 2, weights=weights)
    assert sums.baseline_metrics()["rmse"] == pytest.approx(exact**0.5, rel=1e-6)


def test_the_median_without_each_group_is_that_of_the_other_rows() -> None:
    expected = ROWS.normal(size=250)
    predicted = (expected + ROWS.normal(size=250)).astype(np.float32)
    without = summed(expected, predicted, 30).without_each_group("median_absolute_error")

    others = [np.arange(250) % 100 != group for group in range(100)]
    medians = [sk.median_absolute_error(expected[kept], predicted[kept]) for kept in others]
    assert without == pytest.approx(medians, rel=1e-9)


def test_a_value_of_0_has_no_error_that_is_a_share_of_it() -> None:
    sums = summed(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0], dtype=np.float32))

    assert (sums.value("mape"), sums.standard_errors()["mape"]) == (None, None)
    assert "mape" not in sums.baseline_metrics()
    assert sums.value("median_absolute_error") == 1.0


def test_values_that_are_all_the_same_have_no_variance_to_explain() -> None:
    sums = summed(np.full(20, 0.1), np.full(20, 0.2, dtype=np.float32))

    assert sums.metrics()["r2"] is None
    assert sums.standard_errors()["r2"] is None
    assert sums.value("mae") == pytest.approx(0.1)


def test_the_baseline_answers_the_mean() -> None:
    expected = ROWS.normal(100, 5, 500)
    baseline = summed(expected, expected.astype(np.float32)).document()["baseline"]

    assert baseline["value"] == pytest.approx(expected.mean())
    off = np.abs(expected - expected.mean())
    errors = {"mae": off.mean(), "median_absolute_error": np.median(off), "mape": (off / expected).mean()}
    assert baseline["metrics"] == pytest.approx({"rmse": expected.std(), "r2": 0.0, **errors})


def test_residuals_are_answers_minus_values() -> None:
    expected = ROWS.normal(size=1_000)
    errors = ROWS.normal(2, 1, 1_000)
    residuals = summed(expected, (expected + errors).astype(np.float32)).document()["residuals"]

    assert residuals["rows"] == 1_000
    for quantile in (0, 0.05, 0.5, 0.99, 1):
        assert residuals["quantiles"][f"{quantile:g}"] == pytest.approx(np.quantile(errors, quantile), abs=1e-5)
    histogram = residuals["histogram"]
    assert len(histogram["edges"]) == len(histogram["rows"]) + 1
    assert sum(histogram["rows"]) + histogram["below"] + histogram["above"] == 1_000
    assert 0 < histogram["below"] + histogram["above"] <= 12
    assert [point[1] - point[0] for point in residuals["points"]] == pytest.approx(errors.tolist(), abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.integers(-30, 37), st.sampled_from([0.0, 1.0, 1e3]))
def test_values_of_any_size_have_metrics_and_a_document(rows: int, seed: int, power: int, center: float) -> None:
    random = np.random.default_rng(seed)
    expected = 10.0**power * (center + random.normal(size=rows)) / max(center, 1)
    predicted = (expected + 10.0**power * random.normal(size=rows) / max(center, 1)).astype(np.float32)
    sums = summed(expected, predicted, 7)

    json.dumps([sums.metrics(), sums.standard_errors(), sums.document()], allow_nan=False)

    assert sums.value("rmse") == pytest.approx(sk.root_mean_squared_error(expected, predicted))
    assert sum(sums.document()["residuals"]["histogram"]["rows"]) == rows


@pytest.mark.parametrize("error", [1e16, -3e37, 1e-30])
def test_an_error_that_is_the_same_in_every_row_has_a_histogram_whatever_its_size(error: float) -> None:
    histogram = summed(np.zeros(5), np.full(5, error, dtype=np.float32)).document()["residuals"]["histogram"]

    assert (sum(histogram["rows"]), histogram["below"], histogram["above"]) == (5, 0, 0)
    assert (np.diff(histogram["edges"]) > 0).all()


@pytest.mark.parametrize("place", [0, 500])
def test_an_outlier_leaves_the_explained_variance_of_the_other_rows_as_it_is(place: int) -> None:
    expected = ROWS.normal(size=1_000)
    predicted = (expected + 0.5 * ROWS.normal(size=1_000)).astype(np.float32)
    expected[place], predicted[place] = 1e9, 1e9
    sums = summed(expected, predicted, 1_000)

    others = np.arange(1_000) % 100 != place % 100
    without = sums.without_each_group("r2")[place % 100]
    assert without == pytest.approx(sk.r2_score(expected[others], predicted[others]), abs=1e-3)


def test_a_model_without_errors_has_a_histogram_too() -> None:
    expected = np.arange(10.0)
    histogram = summed(expected, expected.astype(np.float32)).document()["residuals"]["histogram"]

    assert (sum(histogram["rows"]), histogram["edges"][0], histogram["edges"][-1]) == (10, -0.5, 0.5)


def test_of_more_rows_than_fit_a_random_choice_is_kept_and_the_extremes() -> None:
    expected = np.arange(20_000.0)
    predicted = expected.astype(np.float32)
    predicted[7] += 1_000
    sums = summed(expected, predicted, 1_000, sample_size=500)
    residuals = sums.document()["residuals"]

    assert residuals["rows"] == 500
    assert residuals["quantiles"]["1"] == pytest.approx(1_000)
    values = np.array(residuals["points"])[:, 0]
    assert len(values) == 500
    assert values.mean() == pytest.approx(10_000, rel=0.1)
    assert (np.diff(values) > 0).all()
    assert sums.value("rmse") == pytest.approx(1_000 / 20_000**0.5)


def test_at_most_a_thousand_points_are_shown() -> None:
    expected = np.arange(5_000.0)
    assert len(summed(expected, expected.astype(np.float32)).document()["residuals"]["points"]) == 1_000


def test_a_document_is_json_of_plain_values() -> None:
    document = summed(np.arange(5.0), np.arange(5, dtype=np.float32)).document()

    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_without_rows_there_is_no_metric() -> None:
    assert set(RegressionSums().metrics().values()) == {None}


def test_values_whose_squares_are_beyond_float64_have_a_baseline_without_an_rmse() -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        sums = summed(np.array([1.0, 1e200, 2.0]), np.array([1.0, 2.0, 3.0], dtype=np.float32))

        assert not np.isfinite(sums.baseline_metrics()["rmse"])

"""A model's threshold, offsets and calibration, chosen on validation rows where they help there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
)

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray
from sageline.encoder.decision import Isotonic, Temperature
from sageline.evaluation.decision.calibration import fit_isotonic, fit_temperature, log_losses
from sageline.evaluation.decision.choose import ChosenDecision, ValidationRows, choose_decision
from sageline.evaluation.decision.counts import ClassCounts

TWO, THREE = ["no", "yes"], ["a", "b", "c"]


def rare(rows: int = 4_000, share: float = 0.05, temperature: float = 1.0, seed: int = 0) -> ValidationRows:
    """A model that ranks a rare class well, and whose probabilities hardly ever reach one half."""
    random = np.random.default_rng(seed)
    logit = random.normal(np.log(share / (1 - share)), 1.2, rows)
    expected = (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    told = (1 / (1 + np.exp(-logit / temperature))).astype(np.float32)[:, None]
    return ValidationRows(expected, np.column_stack([1 - told, told]))


def labels(chosen: ChosenDecision, rows: ValidationRows) -> IntArray:
    assert chosen.decision is not None
    assert rows.probabilities is not None
    return chosen.decision.decide(rows.probabilities, rows.own)[1]


@pytest.mark.parametrize("metric", ["average_precision", "roc_auc", "balanced_accuracy", "macro_f1", "matthews_correlation"])
def test_of_a_rare_class_a_threshold_is_chosen_that_answers_it(metric: str) -> None:
    rows, unseen = rare(), rare(seed=1)

    chosen = choose_decision(rows, TWO, metric, "yes", calibration="none")

    assert chosen.decision is not None
    assert chosen.decision.threshold is not None
    assert chosen.decision.threshold < 0.4
    assert chosen.skipped == ()
    told = chosen.measured["threshold"]
    assert told["used"] is True
    assert told["improvement"] > told["standard_error"] > 0
    assert unseen.probabilities is not None
    before = f1_score(unseen.expected, unseen.probabilities.argmax(axis=1))
    assert f1_score(unseen.expected, labels(chosen, unseen)) > before + 0.05


def test_no_threshold_answers_the_validation_rows_better() -> None:
    rows = rare(600)
    chosen = choose_decision(rows, TWO, "average_precision", "yes", calibration="none")
    assert rows.probabilities is not None
    scores = rows.probabilities[:, 1]
    best = max(f1_score(rows.expected, scores >= at) for at in np.unique(scores))
    assert f1_score(rows.expected, labels(chosen, rows)) == pytest.approx(best)


def test_by_accuracy_the_labels_of_a_calibrated_model_stay() -> None:
    chosen = choose_decision(rare(), TWO, "accuracy", "yes")
    assert chosen.decision is None
    assert chosen.measured["threshold"]["used"] is False


@pytest.mark.parametrize("metric", ["log_loss", "expected_calibration_error", "top_3_accuracy"])
def test_where_labels_do_not_matter_only_the_calibration_is_chosen(metric: str) -> None:
    chosen = choose_decision(rare(temperature=0.4), TWO, metric, "yes")
    assert chosen.decision is not None
    assert (chosen.decision.threshold, chosen.measured["threshold"]) == (None, None)
    assert chosen.decision.calibration is not None


def test_a_model_that_is_too_sure_gets_its_temperature_back() -> None:
    chosen = choose_decision(rare(800, share=0.4, temperature=0.5), TWO, "accuracy", "yes")
    assert chosen.decision is not None
    assert isinstance(chosen.decision.calibration, Temperature)
    assert chosen.decision.calibration.temperature == pytest.approx(2, abs=0.4)
    told = chosen.measured["calibration"]
    assert (told["kind"], told["metric"], told["used"]) == ("temperature", "log_loss", True)


def test_where_the_probabilities_are_bent_otherwise_than_by_a_temperature_the_calibration_is_isotonic() -> None:
    rows = rare(6_000, share=0.3)
    assert rows.probabilities is not None
    bent = rows.probabilities[:, 1:] ** 3
    bent_rows = replace(rows, probabilities=np.column_stack([1 - bent, bent]))

    chosen = choose_decision(bent_rows, TWO, "log_loss", "yes")

    assert chosen.decision is not None
    assert isinstance(chosen.decision.calibration, Isotonic)
    calibrated, _ = chosen.decision.decide(np.column_stack([1 - bent, bent]), None)
    assert np.abs(calibrated[:, 1] - rows.probabilities[:, 1]).mean() < 0.03
    few = slice(0, 900)
    fewer = ValidationRows(rows.expected[few], bent_rows.probabilities[few] if bent_rows.probabilities is not None else None)
    assert (choose_decision(fewer, TWO, "log_loss", "yes").measured["calibration"] or {}).get("kind") == "temperature"


def test_an_isotonic_calibration_keeps_the_order_of_the_rows() -> None:
    rows = rare()
    assert rows.probabilities is not None
    scores = rows.probabilities[:, 1]
    found = fit_isotonic(scores, rows.expected == 1, np.ones(len(scores)))
    distinct = np.unique(scores)
    calibrated = np.interp(distinct, found.scores, found.probabilities)
    assert (np.diff(calibrated) > 0).all()
    assert (calibrated[0], calibrated[-1]) > (0, 0)
    by_scikit_learn = IsotonicRegression(out_of_bounds="clip").fit(scores, rows.expected).predict(distinct)
    assert np.abs(calibrated - by_scikit_learn).mean() < 0.02


@pytest.mark.parametrize("classes", [2, 5])
def test_no_other_temperature_has_a_lower_log_loss(classes: int) -> None:
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.full(classes, 0.5), 500).astype(np.float32)
    expected = np.array([random.choice(classes, p=row / row.sum()) for row in np.sqrt(probabilities).astype(np.float64)])
    weights = random.random(500)

    def loss(temperature: float) -> float:
        calibrated = Temperature(temperature).calibrated(probabilities, 0)
        others = [log_losses(calibrated, (expected + more) % classes) for more in range(1, classes)]
        return float(weights @ (501 * log_losses(calibrated, expected) + np.mean(others, axis=0)))

    found = fit_temperature(probabilities, expected, weights).temperature
    assert found == pytest.approx(2, abs=0.5)
    assert loss(found) <= min(loss(found * 0.99), loss(found * 1.01))


@pytest.mark.parametrize(("rows", "most"), [(20, 0.98), (60, 0.99), (6_000, 0.9999)])
def test_rows_of_which_none_is_wrong_make_no_answer_certain(rows: int, most: float) -> None:
    expected = np.arange(rows) % 3
    probabilities = np.where(np.arange(3) == expected[:, None], np.float32(0.94), np.float32(0.03))

    calibrated = fit_temperature(probabilities, expected, np.ones(rows)).calibrated(probabilities, 0)

    assert 0.94 < calibrated.max() < most


def test_of_many_classes_the_rare_ones_are_lifted() -> None:
    random = np.random.default_rng(5)
    shares = np.array([0.9, 0.06, 0.04])
    expected = random.choice(3, 3_000, p=shares)
    logits = np.log(shares) + random.normal(0, 1, (3_000, 3)) + 2.0 * (np.arange(3) == expected[:, None])
    powers = np.exp(logits)
    probabilities: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    rows = ValidationRows(expected, probabilities)

    chosen = choose_decision(rows, THREE, "balanced_accuracy", None, calibration="none")

    assert chosen.decision is not None
    assert chosen.decision.offsets is not None
    assert chosen.decision.offsets[0] == 0 < chosen.decision.offsets[1] < chosen.decision.offsets[2]
    before = balanced_accuracy_score(expected, probabilities.argmax(axis=1))
    assert balanced_accuracy_score(expected, labels(chosen, rows)) > before + 0.1


def test_without_a_validation_row_that_is_said_and_a_number_is_taken_all_the_same() -> None:
    none = ValidationRows(np.empty(0, dtype=np.int64), None)

    chosen, fixed = choose_decision(none, TWO, "accuracy", "yes"), choose_decision(none, TWO, "accuracy", "yes", threshold=0.2)

    assert chosen.skipped == ("No calibration and no threshold was chosen: it takes 50 validation rows, and there are none.",)
    assert fixed.decision is not None
    assert fixed.decision.threshold == 0.2


def test_with_few_rows_nothing_is_chosen_and_said() -> None:
    chosen = choose_decision(rare(49), TWO, "average_precision", "yes")
    assert (chosen.decision, chosen.curve) == (None, ())
    assert chosen.skipped == ("No calibration and no threshold was chosen: it takes 50 validation rows, and there are 49.",)
    empty = ValidationRows(np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.float32))
    assert choose_decision(empty, TWO, "accuracy", "yes").skipped[0].endswith("and there are none.")


def test_with_few_rows_of_a_class_there_is_no_threshold_and_that_is_said() -> None:
    rows = rare(300)
    expected = np.where(np.arange(300) < 4, 1, 0)
    chosen = choose_decision(replace(rows, expected=expected), TWO, "average_precision", "yes", calibration="none")
    assert chosen.decision is None
    assert chosen.skipped == (
        "A threshold cannot be chosen: it takes 5 validation rows of every class, and of 'yes' there are 4.",
    )


def test_with_hardly_a_row_of_another_class_there_is_no_calibration_and_that_is_said() -> None:
    rows = rare(300)
    chosen = choose_decision(replace(rows, expected=np.where(np.arange(300) < 1, 1, 0)), TWO, "log_loss", "yes")
    assert chosen.decision is None
    [skipped] = chosen.skipped
    assert skipped.startswith("A calibration cannot be chosen: it takes 5 validation rows of other classes")
    assert skipped.endswith("and there is 1.")


def test_a_model_without_probabilities_keeps_its_labels_and_that_is_said() -> None:
    rows = ValidationRows(np.zeros(100, dtype=np.int64), None, np.zeros(100, dtype=np.int64))
    chosen = choose_decision(rows, TWO, "accuracy", "yes", threshold=0.3)
    assert chosen.decision is None
    assert chosen.skipped[0].startswith("The model answers no probability")


def test_a_threshold_of_the_spec_is_taken_as_it_is_however_few_rows_there_are() -> None:
    for rows in (rare(), rare(20)):
        chosen = choose_decision(rows, TWO, "average_precision", "yes", threshold=0.123, calibration="none")
        assert chosen.decision is not None
        assert (chosen.decision.threshold, chosen.skipped) == (0.123, ())


def test_what_is_not_asked_for_is_not_chosen() -> None:
    rows = rare(temperature=0.3)
    chosen = choose_decision(rows, TWO, "average_precision", "yes", threshold="none", calibration="none")
    assert (chosen.decision, chosen.measured) == (None, {"calibration": None, "threshold": None})


def test_an_isotonic_calibration_that_is_asked_for_and_cannot_be_is_said() -> None:
    chosen = choose_decision(rare(500), TWO, "accuracy", "yes", calibration="isotonic")
    assert chosen.skipped == ("An isotonic calibration takes 1,000 validation rows, and there are 500.",)


def test_rows_of_double_weight_count_twice() -> None:
    rows = rare(1_500)
    twice = np.arange(1_500) % 3 == 0
    weighted = choose_decision(replace(rows, weights=np.where(twice, 2.0, 1.0)), TWO, "macro_f1", "yes", calibration="none")
    assert rows.probabilities is not None
    repeated = np.repeat(np.arange(1_500), np.where(twice, 2, 1))
    doubled = ValidationRows(rows.expected[repeated], rows.probabilities[repeated])
    plain = choose_decision(doubled, TWO, "macro_f1", "yes", calibration="none")
    assert weighted.decision is not None
    assert plain.decision is not None
    assert weighted.decision.threshold == plain.decision.threshold


def test_the_curve_tells_precision_and_recall_over_thresholds() -> None:
    rows = rare(500)
    chosen = choose_decision(rows, TWO, "average_precision", "yes", calibration="none")
    assert rows.probabilities is not None
    for point in (chosen.curve[0], chosen.curve[40], chosen.curve[-1]):
        given = rows.probabilities[:, 1] >= np.float32(point["at"])
        assert point["precision"] == pytest.approx(precision_score(rows.expected, given, zero_division=0))
        assert point["f1"] == pytest.approx(f1_score(rows.expected, given))
    assert chosen.curve[0]["recall"] == 1.0


@pytest.mark.parametrize("weighted", [False, True])
def test_the_counts_come_to_scikit_learns_metrics(weighted: bool) -> None:
    random = np.random.default_rng(9)
    expected, chosen = random.integers(0, 3, 200), random.integers(0, 3, 200)
    weights = random.random(200) if weighted else np.ones(200)
    counts = ClassCounts.of_all(expected, chosen, weights, 3)
    right = {
        "accuracy": accuracy_score(expected, chosen, sample_weight=weights),
        "balanced_accuracy": balanced_accuracy_score(expected, chosen, sample_weight=weights),
        "macro_f1": f1_score(expected, chosen, average="macro", sample_weight=weights),
        "macro_precision": precision_score(expected, chosen, average="macro", sample_weight=weights),
        "matthews_correlation": matthews_corrcoef(expected, chosen, sample_weight=weights),
        "f1:b": f1_score(expected == 1, chosen == 1, sample_weight=weights),
    }
    for metric, value in right.items():
        assert float(counts.value(metric, THREE)[0]) == pytest.approx(value, abs=1e-9), metric

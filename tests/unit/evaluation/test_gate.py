"""Decisions and their reasons."""

from __future__ import annotations

import json

import pytest

from sageline.evaluation.baseline import BaselineComparison
from sageline.evaluation.comparison import Comparison
from sageline.evaluation.gate import (
    GateCheck,
    GateDecision,
    baseline_not_checked,
    champion_unknown,
    check_baseline,
    check_comparison,
    check_limits,
    without_champion,
)
from sageline.spec.metrics import default_metric, hint


def decide(*checks: GateCheck) -> tuple[bool, str]:
    decision = GateDecision(checks)
    return decision.accepted, decision.reason


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (
            49,
            "whether the model is better than always answering 'rose' was not checked: it takes 50 test rows to tell, and there "
            "are 49",
        ),
        (50, "the model need not be better than always answering 'rose': `evaluation.better_than_baseline` is false"),
    ],
)
def test_a_model_of_which_nothing_was_checked_passes_and_the_reason_says_so(rows: int, why: str) -> None:
    decision = GateDecision((), baseline_not_checked("'rose'", rows))
    assert (decision.accepted, decision.reason) == (True, f"The spec sets no limit; {why}.")


def test_what_was_not_checked_is_told_of_an_accepted_model_beside_its_limits_and_not_of_a_refused_one() -> None:
    not_checked = baseline_not_checked("'rose'", 12)
    for found, expected in [
        (0.9, f"Accuracy is 0.9, at least 0.8 is asked for; {not_checked}."),
        (0.7, "Accuracy is 0.7, at least 0.8 is asked for."),
    ]:
        checks = check_limits({"accuracy": found}, {"accuracy": 0.8}, None)
        assert GateDecision(tuple(checks), not_checked).reason == expected


@pytest.mark.parametrize(("found", "passed"), [(0.9, True), (0.55, False)])
def test_the_baseline_must_be_beaten_and_who_does_not_learns_how_to_deploy_all_the_same(found: float, passed: bool) -> None:
    check = check_baseline(BaselineComparison("accuracy", "accuracy", "'rose'", 100, found, 0.5, 0.05))
    assert (check.rule, check.wanted, check.found, check.passed) == ("better_than_baseline", None, found, passed)
    assert (
        check.reason.endswith('{"evaluation": {"better_than_baseline": false}} in the spec deploys the model all the same')
        is not passed
    )


@pytest.mark.parametrize(("found", "passed"), [(0.8, True), (0.81, True), (0.79, False)])
def test_at_least_is_reached_by_the_limit_itself(found: float, passed: bool) -> None:
    [check] = check_limits({"accuracy": found}, {"accuracy": 0.8}, None)
    assert (check.passed, check.wanted, check.found) == (passed, 0.8, found)


@pytest.mark.parametrize(("found", "passed"), [(60, True), (59, True), (60.5, False)])
def test_at_most_is_kept_by_the_limit_itself(found: float, passed: bool) -> None:
    assert [check.passed for check in check_limits({"rmse": found}, None, {"rmse": 60})] == [passed]


def test_a_metric_that_is_not_known_passes_no_limit() -> None:
    checks = check_limits({"log_loss": None}, None, {"log_loss": 1})
    assert decide(*checks) == (False, "Log_loss is not known of this model, and at most 1 is asked for.")


def test_the_reason_names_everything_that_failed_and_nothing_else() -> None:
    checks = check_limits({"accuracy": 0.7, "macro_f1": 0.9, "log_loss": 2}, {"accuracy": 0.8, "macro_f1": 0.5}, {"log_loss": 1})
    assert decide(*checks) == (False, "Accuracy is 0.7, at least 0.8 is asked for; log_loss is 2, at most 1 is asked for.")


def test_a_value_that_misses_by_little_is_told_apart_from_the_limit() -> None:
    [check] = check_limits({"accuracy": 0.799999}, {"accuracy": 0.8}, None)
    assert check.reason == "accuracy is 0.799999, at least 0.8 is asked for"
    [check] = check_limits({"accuracy": 0.8}, {"accuracy": 0.8}, None)
    assert check.reason == "accuracy is 0.8, at least 0.8 is asked for"


def test_large_values_are_written_out() -> None:
    [check] = check_limits({"rmse": 33603.9}, None, {"rmse": 2_000_000})
    assert check.reason == "rmse is 33604, at most 2000000 is asked for"
    [check] = check_limits({"rmse": 60000.2}, None, {"rmse": 60000})
    assert check.reason == "rmse is 60000.2, at most 60000 is asked for"
    words = Comparison("rmse", 33603.9, 31210.4, 2393.5, 4711.0, 0.2, "jackknife-t", 500, False).words
    assert "rmse is 31210, the one in service has 33604" in words
    assert "at least 4711 would count" in words


@pytest.mark.parametrize("better", [True, False])
def test_a_comparison_decides_by_whether_the_new_model_is_better(better: bool) -> None:
    comparison = Comparison("accuracy", 0.8, 0.9, 0.1, 0.02, 0.001 if better else 0.2, "mcnemar-exact", 500, better)
    accepted, reason = decide(check_comparison(comparison))
    assert accepted is better
    assert reason.startswith("The new model is better" if better else "The new model is not better")


def test_nobody_to_beat_is_passed_and_an_unknown_champion_is_not() -> None:
    assert decide(without_champion("accuracy", 0.9)) == (True, "No model is in service that the new one must beat.")
    accepted, reason = decide(champion_unknown("accuracy", 0.9, "its encoder is gone"))
    assert (accepted, reason) == (False, "It is not known whether the new model is better: its encoder is gone.")


def test_a_decision_is_a_json_document() -> None:
    document = GateDecision(tuple(check_limits({"accuracy": 0.7}, {"accuracy": 0.8}, None))).to_json()
    assert json.loads(json.dumps(document))["checks"][0] == {
        "rule": "at_least",
        "metric": "accuracy",
        "wanted": 0.8,
        "found": 0.7,
        "passed": False,
        "reason": "accuracy is 0.7, at least 0.8 is asked for",
    }


def test_the_defaults_and_the_nearest_names() -> None:
    assert (default_metric("classification"), default_metric("regression")) == ("accuracy", "rmse")
    assert hint("Macro F1") == "did you mean `macro_f1`?"
    assert hint("zzz").startswith("known metrics: accuracy, ")

"""Alarms by dimensions. The first two tests guard the places where this leans on MiniStack's inside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch

from sageline_local.alarms import evaluate, install, judge

ONE, OTHER = {"EndpointName": "e", "VariantName": "v-1"}, {"EndpointName": "e", "VariantName": "v-2"}


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    """MiniStack's CloudWatch, with nothing in it."""
    cloudwatch.reset()
    yield
    cloudwatch.reset()


def put(value: float, dimensions: dict[str, str], ago: float = 0, times: float = 1) -> None:
    cloudwatch._store_datum(
        "AWS/SageMaker", "Invocation5XXErrors", dimensions, time.time() - ago, "None", None, [value], [times], None
    )


def alarm(dimensions: dict[str, str] | None = None, changes: dict[str, object] | None = None) -> dict[str, Any]:
    return {
        "AlarmName": "errors",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": name, "Value": value} for name, value in (dimensions or ONE).items()],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.05,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
        **(changes or {}),
    }


def state(**changes: object) -> str:
    return judge(alarm(changes=changes), time.time())[0]


def test_ministack_still_ignores_the_dimensions_of_alarms() -> None:
    put(1, OTHER)
    watching = alarm(ONE)

    cloudwatch._evaluate_alarm(watching)

    assert watching["StateValue"] == "ALARM", (
        "MiniStack looks at dimensions by now: sageline_local/alarms.py is not needed any more"
    )


def test_ministack_still_has_what_this_leans_on() -> None:
    for name in ("_record_history", "_dispatch_alarm_actions", "_evaluate_parent_alarms", "_evaluate_all_alarms"):
        assert callable(getattr(cloudwatch, name))
    assert (
        cloudwatch._dims_key(cloudwatch._dims_from_list([{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}])) == "a=1|b=2"
    )


def test_an_alarm_looks_at_the_points_of_its_own_dimensions() -> None:
    put(1, OTHER)
    put(0, ONE)

    assert state() == "OK"
    assert judge(alarm(OTHER), time.time())[0] == "ALARM"


def test_the_average_of_an_error_metric_is_the_share_of_errors() -> None:
    put(0, ONE, times=95)
    put(1, ONE, times=5)
    assert state() == "OK"

    put(1, ONE)

    assert state() == "ALARM"


def test_points_of_before_the_last_periods_do_not_count() -> None:
    put(1, ONE, ago=70)

    assert state() == "OK"
    assert state(EvaluationPeriods=2) == "OK", "one of two"
    assert state(EvaluationPeriods=2, DatapointsToAlarm=1) == "ALARM"


@pytest.mark.parametrize(
    ("treat", "before", "after"),
    [
        ("notBreaching", "ALARM", "OK"),
        ("breaching", "OK", "ALARM"),
        ("ignore", "ALARM", "ALARM"),
        ("missing", "OK", "INSUFFICIENT_DATA"),
    ],
)
def test_missing_points_are_treated_as_the_alarm_says(treat: str, before: str, after: str) -> None:
    assert state(TreatMissingData=treat, StateValue=before) == after


def test_where_some_points_are_missing_those_that_are_there_decide() -> None:
    put(1, ONE)

    assert state(EvaluationPeriods=3, TreatMissingData="missing") == "ALARM"
    assert state(EvaluationPeriods=3, TreatMissingData="notBreaching") == "OK"


def test_a_percentile_is_looked_at() -> None:
    put(1_000, ONE, times=94)
    put(900_000, ONE, times=6)

    assert state(Statistic=None, ExtendedStatistic="p95", Threshold=500_000) == "ALARM"
    assert state(Statistic=None, ExtendedStatistic="p90", Threshold=500_000) == "OK"


def test_a_change_of_state_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(cloudwatch, "_dispatch_alarm_actions", lambda alarm, old, new, reason: told.append(f"{old} {new}"))
    put(1, ONE)
    watching = alarm()

    evaluate(watching)
    evaluate(watching)

    assert told == ["OK ALARM"]
    assert (watching["StateValue"], "1 of the last 1 datapoints [1]" in watching["StateReason"]) == ("ALARM", True)


def test_ministack_evaluates_so_when_a_metric_is_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "_evaluate_alarm", cloudwatch._evaluate_alarm)
    install()
    cloudwatch._alarms["errors"] = alarm()
    put(1, OTHER)

    cloudwatch._evaluate_all_alarms()

    assert cloudwatch._alarms["errors"]["StateValue"] == "OK"

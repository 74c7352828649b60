"""A report from a run's record."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.report.data import JobTime
from sageline.report.from_record import report_data
from sageline.report.page import render
from sageline.runs.store import RunRecord, RunStatus
from tests.unit.report import samples


def record(status: RunStatus = "Running", **changes: Any) -> RunRecord:  # Any: whatever fields a test is about
    details = {
        "training": {"training_job_name": "job-1", "metrics": {"validation:rmse": 3, "odd": "Infinity"}},
        "trials": [{"name": "trial-1", "objective": 1.0, "hyperparameters": {}}],
        "cost": samples.COSTS,
    }
    values: dict[str, Any] = {
        "details": details,
        "state": "EvaluateModel",
        "created_at": "2026-11-20T10:00:00.000Z",
    }  # Any: as above
    return RunRecord(run_id="wines-1", name="wines", execution_arn="arn", status=status, **(values | changes))


ACCEPTED, REJECTED = samples.classification(3), samples.classification(3, at_least=0.999)


@pytest.mark.parametrize(
    ("status", "evaluation", "deployment", "outcome"),
    [
        ("Running", ACCEPTED, {}, "Accepted"),
        ("Running", REJECTED, {}, "Rejected"),
        ("Rejected", REJECTED, {}, "Rejected"),
        ("Succeeded", ACCEPTED, {"endpoint": "wines"}, "Deployed"),
        ("Succeeded", ACCEPTED, None, "Succeeded"),
        ("Failed", None, {}, "Failed"),
        ("Stopped", ACCEPTED, {}, "Stopped"),
    ],
)
def test_the_outcome_follows_from_the_record_and_the_gate(
    status: RunStatus, evaluation: samples.Document | None, deployment: samples.Document | None, outcome: str
) -> None:
    spec = samples.spec() | {"deployment": deployment}

    assert report_data(record(status), evaluation=evaluation, spec=spec, profile=None).outcome == outcome


def test_the_reason_is_the_gates_or_what_went_wrong() -> None:
    failed = record("Failed", error={"message": "Training job job-1 failed: out of memory."})

    assert report_data(record(), evaluation=REJECTED, spec=None, profile=None).reason == REJECTED["gate"]["reason"]
    assert report_data(record(), evaluation=None, spec=None, profile=None).reason.startswith("The model has passed")
    assert report_data(failed, evaluation=ACCEPTED, spec=None, profile=None).reason == "Training job job-1 failed: out of memory."
    assert (
        report_data(record("Stopped"), evaluation=None, spec=None, profile=None).reason
        == "The run ended in the state EvaluateModel."
    )


def test_what_the_record_knows_is_in_the_report() -> None:
    data = report_data(record(), evaluation=ACCEPTED, spec=samples.spec(), profile=samples.profile(3))

    assert (data.training_job, data.metrics, data.costs) == ("job-1", {"validation:rmse": 3}, samples.COSTS)
    assert [trial["name"] for trial in data.trials] == ["trial-1"]
    assert report_data(record(), evaluation=None, spec=None, profile=None, trials=()).trials == ()
    assert b"wines: accepted" in render(data)


def test_the_jobs_whose_end_the_record_notes_are_in_the_report() -> None:
    ended = {"status": "Completed", "transform_seconds": 61}
    details = {
        "training": {
            "training_job_name": "job-1",
            "training_seconds": 212,
            "billable_seconds": None,
            "tuning": {"name": "tuning"},
        },
        "evaluation_transform": {"transform_job_name": "wines-1-test", **ended},
        "champion_transform": {"transform_job_name": "wines-1-champion", **ended},
        "champion_job": {"name": "wines-1-champion"},
    }

    jobs = report_data(record(details=details), evaluation=None, spec=None, profile=None).jobs

    assert jobs == [
        JobTime("job-1", "training: the best of the tuning", 212, None),
        JobTime("wines-1-test", "answering the test rows", 61, 61),
        JobTime("wines-1-champion", "answering them as the model in service", 61, 61),
    ]


def test_warnings_are_those_of_the_model_then_those_about_the_data() -> None:
    evaluation = ACCEPTED | {"warnings": ["The model never answers 'iam'."]}
    about_data = record(details={"schema": {"warnings": ["Column 'id' alone tells the label.", 7]}})

    both = report_data(about_data, evaluation=evaluation, spec=None, profile=None).warnings
    assert both == ["The model never answers 'iam'.", "Column 'id' alone tells the label."]
    assert report_data(record(), evaluation=None, spec=None, profile=None).warnings == []


def test_a_record_that_knows_nothing_gives_a_report_all_the_same() -> None:
    page = render(report_data(record("Failed", details={}), evaluation=None, spec=None, profile=None))

    assert b"wines: failed" in page
    assert b"<section" not in page

"""The report that a judged run leaves."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from sageline.evaluation.evaluate import evaluate_model
from sageline.jobs.logs import TRAINING_JOBS, log_lines
from sageline.json_objects import Json
from sageline.report import write as report_module
from sageline.report.data import Curve
from sageline.report.write import read_curves
from tests.unit.evaluation.evaluations import answer, answered, judge, prepared, right_but
from tests.unit.world.waiting import log
from tests.unit.world.world import BUCKET, RUN_ID, World, logged_warnings, logs_client

REPORT = f"runs/{RUN_ID}/evaluation/report.html"
EVALUATION = f"runs/{RUN_ID}/evaluation/evaluation.json"
LOG = [f"[{number}]\ttrain-logloss:{1 / (number + 1)}\tvalidation-logloss:{2 / (number + 1)}" for number in range(3)]


def logged(world: World, lines: list[str]) -> None:
    """A training job's log."""
    log(world, *lines, stream=f"{RUN_ID}/algo-1-1795168900")


def reported(world: World, wrong: int = 3, **spec: Any) -> str:
    prepared(world, **spec)
    answer(world, "evaluation", right_but(world, wrong))
    judge(world)
    return world.get(REPORT).decode()


def test_a_run_that_goes_on_has_a_report_and_says_where(world: World) -> None:
    page = reported(world)
    assert f"<title>flowers: accepted ({RUN_ID})</title>" in page
    assert "Confusion" in page
    assert world.s3.head_object(Bucket=BUCKET, Key=REPORT)["ContentType"] == "text/html; charset=utf-8"
    assert world.record().details["evaluation"]["report"] == f"s3://{BUCKET}/{REPORT}"


def test_a_refused_model_has_a_report_that_says_why(world: World) -> None:
    page = reported(world, 30, evaluation={"at_least": {"accuracy": 0.95}})
    assert "flowers: rejected" in page
    assert "at least 0.95 is asked for" in page


def test_a_run_that_ends_with_its_model_says_so(world: World) -> None:
    assert "flowers: succeeded" in reported(world, deployment=None)


def test_nothing_is_reported_before_the_model_in_service_has_answered(world: World) -> None:
    answered(world)
    assert judge(world)["decision"] == "compare"
    assert world.keys(REPORT) == []


def what_it_is_made_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Json:
    given: Json = {}

    def render(data: Any) -> bytes:
        given.update(vars(data))
        return b""

    monkeypatch.setattr(report_module, "render", render)
    prepared(world)
    answer(world, "evaluation", right_but(world, 3))
    return given


def test_it_has_the_learning_curves_of_the_training_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = what_it_is_made_of(world, monkeypatch)
    world.run.store.note(RUN_ID, training={"training_job_name": "the-best", "metrics": {}})
    monkeypatch.setattr(report_module, "read_curves", lambda job, **_: [Curve(f"loss of {job}", (1.0,))])
    evaluate_model(RUN_ID, run=world.run)
    assert given["curves"] == [Curve("loss of the-best", (1.0,))]


def test_it_has_the_times_of_the_states_until_it_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = what_it_is_made_of(world, monkeypatch)
    judge(world)
    entered = {state["state"]: datetime.fromisoformat(state["entered_at"]) for state in world.record().states}
    took = entered["PrepareData"] - entered["ConfigureRun"]
    assert [(state.state, state.outcome) for state in given["states"]] == [
        ("ConfigureRun", "done"),
        ("PrepareData", "done"),
        ("EvaluateModel", "running"),
    ]
    assert given["states"][0].seconds == took.total_seconds()
    assert given["states"][-1].seconds > 0


def broken(world: World, monkeypatch: pytest.MonkeyPatch, what: str, **spec: Any) -> list[str]:
    """A run whose report meets an error in one of its parts; what was warned of."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"no {what}")

    prepared(world, **spec)
    answer(world, "evaluation", right_but(world, 3))
    world.run.store.note(RUN_ID, training={"training_job_name": "job", "metrics": {}})
    if what == "page":
        monkeypatch.setattr(report_module, "render", fail)
    if what == "spec":
        monkeypatch.setattr(report_module, "report_data", fail)
    if what == "curves":
        monkeypatch.setattr(report_module, "read_curves", fail)
    with logged_warnings() as warnings:
        evaluate_model(RUN_ID, run=world.run)
    return warnings


@pytest.mark.parametrize("what", ["page", "spec", "curves"])
def test_an_error_in_the_report_is_noted_and_the_run_goes_on(world: World, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    warnings = broken(world, monkeypatch, what)
    noted = world.record().details["evaluation"]
    assert (world.record().status, noted["decision"]) == ("Running", "accepted")
    assert (noted["report"], noted["report_error"]) == (None, f"ValueError: no {what}")
    assert warnings == [f"The report of run {RUN_ID} could not be written: ValueError: no {what}"]
    assert json.loads(world.get(EVALUATION))["gate"]["decision"] == "accepted"
    assert world.keys(REPORT) == []


def test_a_refused_model_is_refused_without_a_report_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(world, monkeypatch, "page", evaluation={"at_least": {"accuracy": 0.999}})
    assert (world.record().status, world.record().details["evaluation"]["report"]) == ("Rejected", None)


def test_the_curves_are_read_from_the_jobs_log_as_its_description_says(world: World) -> None:
    logged(world, LOG)
    found = [{"Name": "validation:logloss", "Regex": r"validation-logloss:(\S+)"}]
    world.fake.jobs[RUN_ID] = {"TrainingJobName": RUN_ID, "AlgorithmSpecification": {"MetricDefinitions": found}}
    curves = read_curves(RUN_ID, run=world.run)
    assert curves == [Curve("validation:logloss", (2.0, 1.0, 2 / 3))]


def test_a_job_that_is_not_there_has_no_curves(world: World) -> None:
    assert read_curves(RUN_ID, run=world.run) == []


def test_it_has_all_trials_and_the_profile_of_the_data(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = what_it_is_made_of(world, monkeypatch)
    trials = [{"name": f"trial-{number}"} for number in range(60)]
    world.put(f"runs/{RUN_ID}/training/trials.json", json.dumps(trials).encode())
    judge(world)
    assert given["trials"] == trials
    assert given["profile"] == json.loads(world.get(f"runs/{RUN_ID}/data/profile.json"))


def test_a_log_is_read_from_its_beginning_to_its_end(world: World) -> None:
    lines = [f"line {number}" for number in range(25_000)]
    logged(world, lines)
    assert list(log_lines(TRAINING_JOBS, RUN_ID, logs_client())) == lines


def test_a_log_that_is_not_there_has_no_lines(world: World) -> None:
    assert list(log_lines(TRAINING_JOBS, RUN_ID, logs_client())) == []
    logged(world, LOG)
    assert list(log_lines(TRAINING_JOBS, "another-job", logs_client())) == []

"""Runs without a spec on the real state machine: algorithms are trained side by side, and validation rows choose the model."""

from __future__ import annotations

import pytest

from sageline.json_objects import Json
from sageline.names import candidate_run_id, tuning_job_name
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

ALGORITHMS = ["xgboost", "linear-learner"]
FLOWERS: list[Json] = [
    {"length": 5.0, "width": 1.5, "ground": "wet"},
    {"length": 9.0, "width": 4.0, "ground": "dry"},
    {"length": 14.0, "width": 7.0, "ground": "wet"},
]

CHOOSES = [
    *("ConfigureRun", "KindOfRun", "TrainCandidates", "ChooseCandidate", "CreateChosenModel"),
    *("EvaluateModel", "Gate", "DeployEndpoint", "CheckEndpoint", "SmokeTest", "PromoteVariant", "Succeeded"),
]
TRAINS = [
    *("ConfigureRun", "KindOfRun", "PrepareData", "StartTraining", "CheckTraining", "CreateModel"),
    *("RunEvaluationTransform", "EvaluateModel"),
]


def labels(workbench: Workbench, endpoint: str) -> list[str]:
    """What the endpoint says of a flower of each kind."""
    answer = workbench.connection.api.predict(endpoint, FLOWERS, 1)
    return [prediction["label"] for prediction in answer["predictions"]]


def candidates(run: Json) -> dict[str, Json]:
    return {candidate["algorithm"]: candidate for candidate in run["details"]["candidates"]}


def training_of(workbench: Workbench, run_id: str) -> str:
    """The status of a run's training job, once there is one."""

    def look() -> str | None:
        jobs = workbench.sagemaker.list_training_jobs(NameContains=run_id)["TrainingJobSummaries"]
        return jobs[0]["TrainingJobStatus"] if jobs else None

    return until(look)


def tuning_of(workbench: Workbench, run_id: str) -> str:
    """The status of a run's tuning job, once there is one."""

    def look() -> str | None:
        name = tuning_job_name(run_id)
        jobs = workbench.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
        return jobs[0]["HyperParameterTuningJobStatus"] if jobs else None

    return until(look)


def test_an_upload_without_a_spec_serves_the_best_of_its_algorithms(workbench: Workbench) -> None:
    uploaded = workbench.submit("anything", flowers(200))
    run = workbench.wait(uploaded.run_id)
    assert run["status"] == "Succeeded", run["error"]

    tried = candidates(run)
    [chosen] = [name for name, candidate in tried.items() if candidate["chosen"]]

    assert set(tried) == set(ALGORITHMS)
    assert [candidate["problem"] for candidate in tried.values()] == [None, None]
    assert tried[chosen]["value"] == max(candidate["value"] for candidate in tried.values()) > 0.9
    # Step Functions tells of each iteration of a Map, MiniStack does not.
    assert [state for state in workbench.states(run["execution_arn"]) if state != "RunCandidate"] == CHOOSES
    assert labels(workbench, "anything") == ["iris", "rose", "tulip"]
    assert workbench.sagemaker.describe_model(ModelName=run["run_id"])["ModelName"] == run["run_id"]
    for candidate in tried.values():
        its_run = workbench.run(candidate["run_id"]) or {}
        assert its_run["status"] == "Succeeded"
        assert workbench.states(its_run["execution_arn"])[: len(TRAINS)] == TRAINS
        assert workbench.inventory.left_of(its_run) == [], "the model serves as the run's"
    listed = {found["run_id"] for found in workbench.connection.api.runs(100)}
    assert run["run_id"] in listed
    assert listed.isdisjoint(candidate["run_id"] for candidate in tried.values())
    workbench.delete("anything")


def test_an_algorithm_that_fails_leaves_the_run_to_the_others(workbench: Workbench) -> None:
    run_id = workbench.submit("one-fails", flowers(200)).run_id
    job = candidate_run_id(run_id, "linear-learner")
    assert training_of(workbench, job) == "InProgress"

    workbench.sagemaker.stop_training_job(TrainingJobName=job)

    run = workbench.wait(run_id)
    assert run["status"] == "Succeeded", run["error"]
    tried = candidates(run)
    assert [name for name, candidate in tried.items() if candidate["chosen"]] == ["xgboost"]
    assert "was stopped" in tried["linear-learner"]["problem"]
    failed = workbench.wait(job)
    assert (failed["status"], failed["error"]["error"]) == ("Failed", "TrainingJobStopped")
    assert labels(workbench, "one-fails") == ["iris", "rose", "tulip"]
    workbench.delete("one-fails")


def test_a_run_that_is_stopped_stops_every_algorithm_that_trains(workbench: Workbench) -> None:
    # Tuning jobs take long enough for a test to act.
    run_id = workbench.submit("all-stop", flowers(200), {"algorithm": {"preset": "good"}}).run_id
    trained = [candidate_run_id(run_id, algorithm) for algorithm in ALGORITHMS]
    assert [tuning_of(workbench, candidate) for candidate in trained] == ["InProgress", "InProgress"]

    assert workbench.connection.api.stop_run(run_id)["status"] == "Stopped"

    assert [workbench.wait(candidate)["status"] for candidate in trained] == ["Stopped", "Stopped"]
    assert [until_ended(workbench, candidate) for candidate in trained] == ["Stopped", "Stopped"]
    assert workbench.wait(run_id)["status"] == "Stopped"
    assert workbench.inventory.of("all-stop") == []


def until_ended(workbench: Workbench, run_id: str) -> str:
    return until(lambda: status if (status := tuning_of(workbench, run_id)) not in ("InProgress", "Stopping") else None)

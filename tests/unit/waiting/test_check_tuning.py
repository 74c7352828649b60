"""A state that waits for a tuning job: its best job is the answer, and its trials are kept."""

from __future__ import annotations

import json

import pytest

from sageline.runs.context import RunContext
from sageline.waiting.check_status import handle_change
from tests.unit.world.waiting import TUNING, TUNING_CHANGED, WAIT_FOR_TUNING, Answers, log, run_tuning, tried, wait
from tests.unit.world.world import RUN_ID, World


def test_the_best_job_of_a_tuning_is_the_answer_and_all_trials_are_kept_best_first(
    world: World, watch: RunContext, answers: Answers
) -> None:
    tried(world, 1, 3.0)
    best = tried(world, 2, 1.5, "Stopped")
    failed = tried(world, 3, None, "Failed", FailureReason="ClientError: 'k' is a required property")
    tied = tried(world, 4, 1.5)
    run_tuning(world, "Completed", best=best)
    wait(WAIT_FOR_TUNING, watch)
    ((operation, request),) = answers.sent
    output = json.loads(request["output"])
    assert operation == "SendTaskSuccess"
    assert output == {
        "status": "Completed",
        "training_job_name": best,
        "model_artifact_uri": f"s3://b/{best}/model.tar.gz",
        "training_seconds": 12,
        "billable_seconds": None,
        "metrics": {"validation:rmse": 1.5},
        "tuning": {"name": TUNING, "best": best, "jobs": 4, "counters": {"completed": 2, "stopped": 1, "failed": 1}},
    }
    trials = json.loads(world.get(f"runs/{RUN_ID}/training/trials.json"))
    assert [trial["name"] for trial in trials] == [best, tied, f"{TUNING}-001-0a1b2c3d", failed]
    assert trials[0] == {
        "name": best,
        "status": "Stopped",
        "objective": 1.5,
        "hyperparameters": {"eta": "0.1", "max_depth": "2"},
        "seconds": 12,
    }
    assert (trials[-1]["objective"], trials[-1]["reason"]) == (None, "ClientError: 'k' is a required property")
    details = world.record().details
    assert (details["trials"], details["training"]) == (trials, output)
    assert world.record().state == "CheckTraining"


def test_where_more_is_better_the_largest_objective_comes_first(world: World, watch: RunContext) -> None:
    worse, best = tried(world, 1, 0.5), tried(world, 2, 0.75)
    run_tuning(world, "Completed", best=best, goal="Maximize")
    wait(WAIT_FOR_TUNING, watch)
    assert [trial["name"] for trial in world.record().details["trials"]] == [best, worse]


def test_a_record_holds_the_best_fifty_trials_and_the_file_all(world: World, watch: RunContext) -> None:
    names = [tried(world, number, float(number)) for number in range(1, 61)]
    run_tuning(world, "Completed", best=names[0])
    wait(WAIT_FOR_TUNING, watch)
    assert [trial["name"] for trial in world.record().details["trials"]] == names[:50]
    assert len(json.loads(world.get(f"runs/{RUN_ID}/training/trials.json"))) == 60


def test_the_event_of_a_tuning_job_wakes_the_state_that_waits(world: World, watch: RunContext, answers: Answers) -> None:
    run_tuning(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_TUNING, watch)
    assert (answers.sent, world.record().details.get("trials")) == ([], None)
    run_tuning(world, "Completed", best=tried(world, 1, 1.0))
    handle_change(TUNING_CHANGED, run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


def test_a_tuning_without_a_best_job_has_failed(world: World, watch: RunContext, answers: Answers) -> None:
    tried(world, 1, None)
    log(world, "epoch 1", stream=f"{TUNING}-001-0a1b2c3d/algo-1-1795168800")
    run_tuning(world, "Completed")
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TuningJobFailed"
    assert "none of its training jobs has reported validation:rmse" in request["cause"]
    assert "let the script print the metric" in request["cause"]
    assert "epoch 1" in request["cause"]


def test_a_failed_tuning_tells_what_its_first_failed_job_says(world: World, watch: RunContext, answers: Answers) -> None:
    for number in (1, 2):
        tried(world, number, None, "Failed", FailureReason="ClientError: Extraneous hyperparameter found: etta")
    log(world, "etta is unknown", stream=f"{TUNING}-001-0a1b2c3d/algo-1-1795168800")
    run_tuning(world, "Failed", FailureReason="No training job succeeded after 5 attempts.")
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TuningJobFailed"
    assert request["cause"].splitlines() == [
        f"Tuning job {TUNING} failed: No training job succeeded after 5 attempts. Training job {TUNING}-001-0a1b2c3d says: "
        "ClientError: Extraneous hyperparameter found: etta",
        "Last log lines:",
        "  etta is unknown",
        "What to try: The algorithm knows no hyperparameter of that name: look at its spelling, or take it out of "
        "`algorithm.hyperparameters`.",
    ]
    assert len(world.record().details["trials"]) == 2


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("Stopped", ("TuningJobStopped", "was stopped before it was done")),
        ("Deleting", ("TuningJobFailed", "was deleted")),
        ("Failed", ("TuningJobFailed", "gives no reason")),
    ],
)
def test_a_tuning_that_ends_otherwise_is_a_named_failure(
    world: World, watch: RunContext, answers: Answers, status: str, failure: tuple[str, str]
) -> None:
    run_tuning(world, status)
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == failure[0]
    assert failure[1] in request["cause"]


def test_a_best_job_without_a_model_is_a_failure(world: World, watch: RunContext, answers: Answers) -> None:
    best = tried(world, 1, 1.0)
    del world.fake.jobs[best]["ModelArtifacts"]
    run_tuning(world, "Completed", best=best)
    wait(WAIT_FOR_TUNING, watch)
    assert "has left no model" in answers.sent[0][1]["cause"]

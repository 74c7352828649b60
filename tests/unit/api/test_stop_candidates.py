"""Stopping a run of several algorithms through the API."""

from __future__ import annotations

from sageline.api.runs import Runs
from sageline.names import candidate_run_id
from sageline.runs.store import RunRecord, RunStore
from tests.unit.api.fakes import EXECUTION, RUN, Clients

TREES = candidate_run_id(RUN, "xgboost")
OF_TREES = f"{EXECUTION.rpartition(':')[0]}:{TREES}"


def begin(store: RunStore, clients: Clients) -> None:
    """A run whose only candidate trains."""
    planned = {"run_id": TREES, "algorithm": "xgboost"}
    store.claim(RunRecord(run_id=RUN, name="wines", execution_arn=EXECUTION, details={"candidates": [planned]}))
    store.claim(
        RunRecord(run_id=TREES, name="wines-xgboost", execution_arn=OF_TREES, details={"candidate_of": RUN}), listed=False
    )
    for arn in (EXECUTION, OF_TREES):
        clients.aws.stepfunctions.run(arn, "RUNNING")
    clients.aws.sagemaker.jobs[TREES] = {
        "TrainingJobName": TREES,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
    }


def test_a_run_is_stopped_with_its_candidates(runs: Runs, store: RunStore, clients: Clients) -> None:
    begin(store, clients)

    assert runs.stop(RUN).status == "Stopped"

    assert {arn: kept["status"] for arn, kept in clients.aws.stepfunctions.executions.items()} == {
        EXECUTION: "ABORTED",
        OF_TREES: "ABORTED",
    }
    assert runs.get(TREES).status == "Stopped"
    assert clients.aws.sagemaker.jobs[TREES]["TrainingJobStatus"] == "Stopping"


def test_a_candidate_that_is_stopped_alone_leaves_its_run_going(runs: Runs, store: RunStore, clients: Clients) -> None:
    begin(store, clients)

    runs.stop(TREES)

    assert (runs.get(TREES).status, runs.get(RUN).status) == ("Stopped", "Running")


def test_candidates_are_shown_and_not_listed(runs: Runs, store: RunStore, clients: Clients) -> None:
    begin(store, clients)

    listed = runs.list({})["runs"]

    assert isinstance(listed, list)
    assert [run["run_id"] for run in listed] == [RUN]
    assert runs.show(TREES).details["candidate_of"] == RUN

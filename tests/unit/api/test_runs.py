"""Listing, showing and stopping runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from sageline.api.runs import Runs
from sageline.errors import EndpointNotReady, InvalidRequest, RunFinished, RunNotFound
from sageline.runs.store import RunStore
from tests.unit.api.fakes import EXECUTION, RUN, Claim, Clients
from tests.unit.world.fake_sagemaker import Refused, invalid

OF_THE_API = f"arn:aws:states:us-east-1:123456789012:execution:sageline-pipeline:{RUN}"
STARTED = datetime(2026, 11, 20, 10, tzinfo=UTC)


def token(**changes: object) -> str:
    """A token as a page gives it, but for the changes."""
    key = {"pk": f"RUN#{RUN}", "sk": "RUN", "kind": "run", "created_at": "2026-11-20T10:00:00.000Z"} | changes
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


@pytest.fixture
def execution_is(clients: Clients) -> Callable[..., None]:
    """There is an execution in that status."""

    def put(status: str, arn: str = EXECUTION, **more: object) -> None:
        clients.aws.stepfunctions.run(arn, status, **more)

    return put


@pytest.fixture
def running(claim: Claim, execution_is: Callable[..., None]) -> None:
    """A run that goes on."""
    claim()
    execution_is("RUNNING")


def train(clients: Clients, status: str) -> None:
    """The run has a training job in that status."""
    clients.aws.sagemaker.jobs[RUN] = {"TrainingJobName": RUN, "TrainingJobStatus": status, "SecondaryStatus": "Training"}


def ended(clients: Clients) -> tuple[str, str, list[str]]:
    """The run's execution, its training job, and whose deployment was undone."""
    job = clients.aws.sagemaker.jobs.get(RUN, {"TrainingJobStatus": ""})
    return clients.aws.stepfunctions.executions[EXECUTION]["status"], job["TrainingJobStatus"], clients.functions.undone


def test_a_run_is_shown_as_it_is_recorded(runs: Runs, store: RunStore, claim: Claim) -> None:
    claim()
    store.finish(RUN, "Succeeded", rows=178)
    shown = runs.get(RUN)
    assert (shown.status, shown.details) == ("Succeeded", {"rows": 178})


def test_a_run_whose_execution_goes_on_is_running(runs: Runs, claim: Claim, execution_is: Callable[..., None]) -> None:
    claim()
    execution_is("RUNNING")
    assert runs.get(RUN).status == "Running"


@pytest.mark.parametrize(
    ("execution", "shown_as"),
    [
        ("ABORTED", ("Stopped", "ExecutionAborted", "was stopped in Step Functions, not by Sageline.")),
        ("TIMED_OUT", ("Failed", "ExecutionTimedOut", "took longer than a run may take")),
        ("FAILED", ("Failed", "ExecutionFailed", "which came to no end of its own")),
    ],
)
def test_a_run_whose_execution_died_without_a_record_is_not_shown_as_running(
    runs: Runs, claim: Claim, execution_is: Callable[..., None], execution: str, shown_as: tuple[str, str, str]
) -> None:
    claim()
    runs.context.store.enter(RUN, "CheckTraining")
    execution_is(execution)
    shown = runs.get(RUN)
    assert shown.error is not None
    status, error, said = shown_as
    assert (shown.status, shown.error["error"]) == (status, error)
    assert shown.error["state"] == "CheckTraining"
    assert said in shown.error["message"]
    assert "`sageline stop`" in shown.error["advice"]


def test_the_executions_own_words_are_passed_on(runs: Runs, claim: Claim, execution_is: Callable[..., None]) -> None:
    claim()
    execution_is("ABORTED", error="Manual", cause="Too dear")
    error = runs.get(RUN).error
    assert error is not None
    assert error["error"] == "ExecutionAborted"
    assert error["message"].endswith("not by Sageline. The reason that was given: Manual: Too dear")


def test_a_run_that_was_stopped_on_request_says_so_and_by_what(
    runs: Runs, claim: Claim, execution_is: Callable[..., None]
) -> None:
    """Also where its record was not closed."""
    claim()
    execution_is("ABORTED", error="Stopped", cause="Stopped by a request")
    error = runs.get(RUN).error
    assert error is not None
    assert error["error"] == "Stopped"
    assert "by `sageline stop`, `sageline rollback` or DELETE /pipelines/{id}" in error["message"]


def test_an_execution_that_step_functions_has_forgotten_is_not_shown_as_running(runs: Runs, claim: Claim) -> None:
    claim()
    shown = runs.get(RUN)
    assert shown.status == "Failed"
    assert shown.error is not None
    assert "90 days" in shown.error["message"]


def test_a_record_written_while_we_looked_is_believed(
    runs: Runs, store: RunStore, claim: Claim, execution_is: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    claim()
    stale = store.get(RUN)
    store.finish(RUN, "Failed", error={"state": "StartTraining", "error": "InvalidHyperparameter", "message": "eta is 7"})
    answers = [stale, store.get(RUN)]
    monkeypatch.setattr(store, "get", lambda _: answers.pop(0))
    execution_is("FAILED")
    error = runs.get(RUN).error
    assert error is not None
    assert error["error"] == "InvalidHyperparameter"


def test_a_run_that_has_just_been_requested_is_shown_before_it_has_a_record(
    runs: Runs, store: RunStore, execution_is: Callable[..., None]
) -> None:
    trigger = {"run_id": RUN, "spec": {"dataset": {"uri": "s3://b/k.csv"}}}
    execution_is("RUNNING", OF_THE_API, input=json.dumps(trigger))
    shown = runs.get(RUN)
    assert (shown.status, shown.name, shown.dataset_uri, shown.state) == ("Running", "wines", "s3://b/k.csv", "ConfigureRun")
    assert shown.created_at == "2026-11-20T10:00:00.000Z"


def test_a_run_that_failed_before_it_had_a_record_is_shown_as_failed(
    runs: Runs, store: RunStore, execution_is: Callable[..., None]
) -> None:
    execution_is("FAILED", OF_THE_API, error="InvalidSpec", cause="spec: …", stopDate=STARTED)
    shown = runs.get(RUN)
    assert shown.status == "Failed"
    assert shown.error is not None
    assert shown.error["error"] == "InvalidSpec"


@pytest.mark.parametrize("run_id", ["no-run-id", "wines-20261120100000-0a1b2c:1", "*"])
def test_what_is_no_run_id_is_not_found_without_asking_further(runs: Runs, store: RunStore, run_id: str) -> None:
    with pytest.raises(RunNotFound, match="is known"):
        runs.get(run_id)


def test_an_unknown_run_is_not_found(runs: Runs) -> None:
    with pytest.raises(RunNotFound, match=RUN):
        runs.get(RUN)


def test_runs_are_listed_newest_first_page_by_page(runs: Runs, store: RunStore, claim: Claim) -> None:
    ids = [f"wines-2026112010000{second}-0a1b2c" for second in range(3)]
    for second, run_id in enumerate(ids):
        claim(run_id, f"2026-11-20T10:00:0{second}.000Z")
        store.finish(run_id, "Succeeded")

    first = runs.list({"limit": "2"})
    assert isinstance(first["runs"], list)
    assert [run["run_id"] for run in first["runs"]] == [ids[2], ids[1]]
    second_page = runs.list({"limit": "2", "next_token": str(first["next_token"])})
    assert isinstance(second_page["runs"], list)
    assert [run["run_id"] for run in second_page["runs"]] == [ids[0]]
    assert second_page["next_token"] is None


def test_runs_are_listed_by_name(runs: Runs, store: RunStore, claim: Claim) -> None:
    for run_id in (RUN, "beers-20261120100000-0a1b2c"):
        claim(run_id)
        store.finish(run_id, "Succeeded")
    listed = runs.list({"name": "beers"})["runs"]
    assert isinstance(listed, list)
    assert [run["name"] for run in listed] == ["beers"]


def test_a_list_without_details_has_the_same_runs_and_pages(runs: Runs, store: RunStore, claim: Claim) -> None:
    ids = [f"wines-2026112010000{second}-0a1b2c" for second in range(3)]
    for second, run_id in enumerate(ids):
        claim(run_id, f"2026-11-20T10:00:0{second}.000Z")
        store.note(run_id, rows={"train": 142})
        store.finish(run_id, "Succeeded")
    whole = runs.list({"limit": "2", "name": "wines"})
    assert isinstance(whole["runs"], list)
    assert whole["runs"][0]["details"] == {"rows": {"train": 142}}

    brief = runs.list({"limit": "2", "name": "wines", "details": "false"})

    assert brief == {**whole, "runs": [{**run, "states": [], "details": {}} for run in whole["runs"]]}


def test_a_dead_run_is_not_listed_as_running(runs: Runs, claim: Claim, execution_is: Callable[..., None]) -> None:
    claim()
    execution_is("ABORTED")
    listed = runs.list({})["runs"]
    assert isinstance(listed, list)
    assert [run["status"] for run in listed] == ["Stopped"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "`limit` is '0'"),
        ({"limit": "101"}, "from 1 to 100"),
        ({"limit": "ten"}, "`limit` is 'ten'"),
        ({"limit": "٣"}, "`limit` is"),
        ({"nmae": "x"}, "did you mean `name`"),
        ({"next_token": "made up"}, "next_token"),
        ({"next_token": token(pk=7)}, "next_token"),
        ({"next_token": token(pk="RUN#" + "a" * 2048)}, "next_token"),
        ({"next_token": token(kind="token")}, "next_token"),
        ({"next_token": token(created_at="")}, "next_token"),
        ({"name": "Wines"}, "`name` is 'Wines'"),
        ({"name": "w" * 5000}, "www...'; runs have names"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(runs: Runs, query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        runs.list(query)


@pytest.mark.usefixtures("running")
def test_stopping_ends_execution_and_job_and_undoes_the_deployment(runs: Runs, store: RunStore, clients: Clients) -> None:
    train(clients, "InProgress")

    assert runs.stop(RUN).status == "Stopped"

    assert store.get(RUN).status == "Stopped"
    assert ended(clients) == ("ABORTED", "Stopping", [RUN])
    execution = clients.aws.stepfunctions.executions[EXECUTION]
    assert (execution["error"], execution["cause"]) == ("Stopped", "Stopped by a request")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("job", ["Completed", "Stopping", "Stopped", "Failed"])
def test_a_job_that_does_not_run_is_left_alone(runs: Runs, clients: Clients, job: str) -> None:
    train(clients, job)
    assert runs.stop(RUN).status == "Stopped"
    assert ended(clients) == ("ABORTED", job, [RUN])


@pytest.mark.usefixtures("running")
def test_a_run_that_has_no_job_yet_is_stopped(runs: Runs, clients: Clients) -> None:
    assert runs.stop(RUN).status == "Stopped"
    assert ended(clients) == ("ABORTED", "", [RUN])


def test_a_run_whose_execution_is_forgotten_is_stopped_too(runs: Runs, claim: Claim, clients: Clients) -> None:
    claim()
    assert runs.stop(RUN).status == "Stopped"
    assert clients.functions.undone == [RUN]


@pytest.mark.usefixtures("running")
def test_a_job_that_ends_while_it_is_being_stopped_does_no_harm(runs: Runs, clients: Clients) -> None:
    train(clients, "InProgress")
    clients.aws.sagemaker.refuse["StopTrainingJob"] = invalid("The job is in status Completed.")
    assert runs.stop(RUN).status == "Stopped"


@pytest.mark.usefixtures("running")
def test_a_job_that_may_not_be_stopped_is_not_passed_over(runs: Runs, clients: Clients) -> None:
    train(clients, "InProgress")
    clients.aws.sagemaker.refuse["StopTrainingJob"] = Refused("AccessDeniedException", "")
    with pytest.raises(clients.sagemaker.exceptions.ClientError, match="AccessDenied"):
        runs.stop(RUN)


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_a_run_that_has_ended_cannot_be_stopped(runs: Runs, store: RunStore, claim: Claim, status: Any) -> None:  # RunStatus
    claim()
    store.finish(RUN, status)
    with pytest.raises(RunFinished, match=status):
        runs.stop(RUN)


def test_stopping_twice_undoes_what_the_first_time_left(runs: Runs, store: RunStore, claim: Claim, clients: Clients) -> None:
    claim()
    store.finish(RUN, "Stopped")
    train(clients, "InProgress")
    assert runs.stop(RUN).status == "Stopped"
    assert clients.aws.sagemaker.jobs[RUN]["TrainingJobStatus"] == "Stopping"
    assert clients.functions.undone == [RUN]


def test_a_run_that_ends_while_it_is_being_stopped_keeps_its_end(
    runs: Runs, store: RunStore, claim: Claim, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim()
    running = store.get(RUN)
    store.finish(RUN, "Succeeded")
    stale, read = [running], store.get
    monkeypatch.setattr(store, "get", lambda run_id: stale.pop() if stale else read(run_id))
    with pytest.raises(RunFinished, match="Succeeded"):
        runs.stop(RUN)
    assert clients.functions.undone == []


@pytest.mark.usefixtures("running")
def test_an_endpoint_in_the_middle_of_a_change_asks_to_try_again(runs: Runs, clients: Clients) -> None:
    clients.functions.fails = {"errorType": "EndpointNotReady", "errorMessage": "Endpoint wines is Updating."}
    with pytest.raises(EndpointNotReady, match="stop it again"):
        runs.stop(RUN)


@pytest.mark.usefixtures("running")
def test_an_undoing_that_takes_longer_than_the_api_waits_asks_to_try_again(
    runs: Runs, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    monkeypatch.setattr(clients.lambda_, "invoke", slow)
    with pytest.raises(EndpointNotReady, match="stop it again"):
        runs.stop(RUN)


@pytest.mark.usefixtures("running")
def test_an_undoing_that_fails_is_not_passed_over(runs: Runs, clients: Clients) -> None:
    clients.functions.fails = {"errorType": "ClientError", "errorMessage": "AccessDenied"}
    with pytest.raises(RuntimeError, match="AccessDenied"):
        runs.stop(RUN)


def test_a_run_without_a_record_yet_is_stopped_too(
    runs: Runs, store: RunStore, clients: Clients, execution_is: Callable[..., None]
) -> None:
    execution_is("RUNNING", OF_THE_API)
    assert runs.stop(RUN).status == "Stopped"
    assert clients.aws.stepfunctions.executions[OF_THE_API]["status"] == "ABORTED"


def test_a_run_that_failed_without_a_record_cannot_be_stopped(
    runs: Runs, store: RunStore, execution_is: Callable[..., None]
) -> None:
    execution_is("FAILED", OF_THE_API)
    with pytest.raises(RunFinished, match="Failed"):
        runs.stop(RUN)

"""Starting a run by a request, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from sageline.api.answers import RunStarted
from sageline.api.runs import Runs
from sageline.api.start import IdempotentRunIds, RequestKey, RunStart, read_run_request, start_run
from sageline.aws.http import Event
from sageline.errors import InvalidRequest, InvalidSpec, RequestTooLarge, ResourceConflict, TooManyRequests
from sageline.spec.model import validate_spec
from tests.unit.api.fakes import Clients, Context, dynamodb_client
from tests.unit.sessions import stepfunctions_client
from tests.unit.world.world import with_clients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient

SPEC = {"name": "wines", "dataset": {"uri": "s3://sageline-data/datasets/wines/data.csv"}}
RECEIVED = datetime(2026, 11, 20, 10, tzinfo=UTC)


@dataclass
class Machine:
    """A state machine that starts executions and does nothing."""

    stepfunctions: SFNClient
    arn: str

    def started(self) -> list[dict[str, Any]]:  # an execution's input is JSON
        executions = self.stepfunctions.list_executions(stateMachineArn=self.arn)["executions"]
        arns = [execution["executionArn"] for execution in executions]
        return [json.loads(self.stepfunctions.describe_execution(executionArn=arn)["input"]) for arn in arns]


@pytest.fixture
def machine(machine_arn: str) -> Machine:
    return Machine(stepfunctions_client(), machine_arn)


@pytest.fixture
def start(table: Table, clients: Clients, machine: Machine) -> Callable[[RunStart], RunStarted]:
    runs = Runs(with_clients(clients.context(), stepfunctions=machine.stepfunctions), machine.arn, "unused")
    run_ids = IdempotentRunIds(table.name, dynamodb_client(), Context())

    def call(request: RunStart) -> RunStarted:
        return start_run(request, run_ids, runs)

    return call


def request(
    *, key: str | None = None, request_id: str = "r-1", at: datetime = RECEIVED, spec: dict[str, object] | None = None
) -> RunStart:
    return RunStart(validate_spec(spec or SPEC, "spec"), RequestKey(key or request_id, key is not None, at))


def refusal(golden_event: Event, kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        read_run_request(golden_event)
    return str(caught.value)


def test_the_execution_gets_run_id_spec_and_time_and_the_run_id_as_its_name(
    start: Callable[[RunStart], dict[str, str]], machine: Machine
) -> None:
    answer = start(request())

    assert answer["status"] == "Running"
    assert answer["run_id"].startswith("wines-20261120100000-")
    assert machine.started() == [{"run_id": answer["run_id"], "spec": SPEC, "requested_at": "2026-11-20T10:00:00.000Z"}]
    execution = machine.stepfunctions.list_executions(stateMachineArn=machine.arn)["executions"][0]
    assert execution["name"] == answer["run_id"]


def test_two_requests_at_the_same_time_are_two_runs(start: Callable[[RunStart], dict[str, str]], machine: Machine) -> None:
    first, second = start(request(request_id="r-1")), start(request(request_id="r-2"))
    assert first["run_id"] != second["run_id"]
    assert len(machine.started()) == 2


def test_the_same_key_gives_the_same_run_however_much_later(
    start: Callable[[RunStart], dict[str, str]], machine: Machine
) -> None:
    first = start(request(key="nightly", request_id="r-1"))
    again = start(request(key="nightly", request_id="r-2", at=datetime(2027, 11, 20, 10, tzinfo=UTC)))
    assert again["run_id"] == first["run_id"]
    assert len(machine.started()) == 1


def test_the_same_spec_written_in_another_order_is_the_same_request(
    start: Callable[[RunStart], dict[str, str]], machine: Machine
) -> None:
    first = start(request(key="nightly"))
    again = start(request(key="nightly", spec={"dataset": SPEC["dataset"], "name": "wines", "algorithm": {"name": "auto"}}))
    assert again["run_id"] == first["run_id"]
    assert len(machine.started()) == 1


def test_the_same_key_with_another_spec_is_a_conflict(start: Callable[[RunStart], dict[str, str]], machine: Machine) -> None:
    start(request(key="nightly"))
    with pytest.raises(ResourceConflict, match="'nightly' was used with another request"):
        start(request(key="nightly", spec={**SPEC, "task": "regression"}))
    assert len(machine.started()) == 1


def test_a_request_that_died_before_it_started_the_machine_is_finished_by_the_next(
    table: Table, start: Callable[[RunStart], dict[str, str]], machine: Machine
) -> None:
    chosen = IdempotentRunIds(table.name, dynamodb_client(), Context()).choose(request(key="nightly"))
    again = start(request(key="nightly", at=datetime(2026, 11, 21, tzinfo=UTC)))
    assert again["run_id"] == chosen["run_id"]
    assert [trigger["run_id"] for trigger in machine.started()] == [chosen["run_id"]]


def test_a_run_that_was_started_before_is_answered_with_its_status(
    start: Callable[[RunStart], dict[str, str]], machine: Machine
) -> None:
    first = start(request(key="nightly"))
    machine.stepfunctions.stop_execution(
        executionArn=machine.arn.replace(":stateMachine:", ":execution:") + f":{first['run_id']}"
    )
    again = start(request(key="nightly"))
    assert again == {"run_id": first["run_id"], "status": "Stopped"}


def test_two_requests_with_one_key_at_the_same_moment_do_not_both_start(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise IdempotencyAlreadyInProgressError

    run_ids = IdempotentRunIds(table.name, dynamodb_client(), Context())
    monkeypatch.setattr("aws_lambda_powertools.utilities.idempotency.base.IdempotencyHandler.handle", busy)
    with pytest.raises(TooManyRequests, match="is being served"):
        run_ids.choose(request(key="nightly"))


def test_keys_are_kept_as_long_as_runs(table: Table, start: Callable[[RunStart], dict[str, str]]) -> None:
    start(request(key="nightly"))
    (item,) = table.scan()["Items"]
    assert int(str(item["expires_at"])) > datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def test_without_a_key_nothing_is_remembered(table: Table, start: Callable[[RunStart], dict[str, str]]) -> None:
    start(request())
    assert table.scan()["Items"] == []


def test_a_spec_over_the_limit_of_an_execution_is_refused(start: Callable[[RunStart], dict[str, str]]) -> None:
    columns = {f"column {number}": "number" for number in range(20_000)}
    with pytest.raises(RequestTooLarge, match="262,144"):
        start(request(spec={**SPEC, "dataset": {"uri": "s3://b/k", "features": columns}}))


def test_the_time_and_the_identity_come_from_the_request(golden: Callable[[str], Event]) -> None:
    read = read_run_request(golden("post-pipeline"))
    assert read.request_key.received_at == RECEIVED
    assert (read.request_key.identity, read.request_key.has_key) == (
        golden("post-pipeline")["requestContext"]["requestId"],
        False,
    )


def test_the_idempotency_key_is_the_identity_when_there_is_one(golden: Callable[[str], Event]) -> None:
    read = read_run_request(golden("post-pipeline-with-idempotency-key"))
    assert (read.request_key.identity, read.request_key.has_key) == ("nightly-2026-11-20", True)


def test_the_name_follows_from_the_uri_of_an_upload(golden: Callable[[str], Event]) -> None:
    event = {**golden("post-pipeline"), "body": '{"spec": {"dataset": {"uri": "s3://b/datasets/wines/data.csv"}}}'}
    assert read_run_request(event).spec.name == "wines"


@pytest.mark.parametrize("uri", ["s3://b/wines.csv", "s3://b/datasets/My Wines/data.csv"])
def test_a_name_that_follows_from_nothing_is_asked_for(golden: Callable[[str], Event], uri: str) -> None:
    event = {**golden("post-pipeline"), "body": json.dumps({"spec": {"dataset": {"uri": uri}}})}
    assert "give the run a name" in refusal(event, InvalidSpec)


def test_a_spec_without_data_is_refused(golden: Callable[[str], Event]) -> None:
    assert "`dataset.uri` is missing" in refusal(golden("post-pipeline-without-uri"), InvalidSpec)


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "schlüssel"])
def test_a_key_that_cannot_be_used_is_refused(golden: Callable[[str], Event], key: str) -> None:
    event = {**golden("post-pipeline"), "headers": {"idempotency-key": key}}
    assert "Idempotency-Key" in refusal(event, InvalidRequest)


@pytest.mark.parametrize(
    ("split", "algorithm", "is_refused"),
    [
        ({"by": "hash"}, {}, True),
        ({"by": "given"}, {}, True),
        ({"by": "given", "column": "side"}, {}, False),
        ({"by": "hash"}, {"name": "xgboost"}, False),
    ],
)
def test_auto_without_validation_rows_is_refused_before_anything_is_started(
    golden: Callable[[str], Event], *, split: dict[str, str], algorithm: dict[str, str], is_refused: bool
) -> None:
    """A column may name validation rows, whatever the shares."""
    event: Any = {**golden("post-pipeline")}
    spec = SPEC | {"split": {**split, "train": 0.8, "validation": 0, "test": 0.2}, "algorithm": algorithm}
    event["body"] = json.dumps({"spec": spec})

    if is_refused:
        assert "`split.validation` is 0" in refusal(event, InvalidSpec)
    else:
        assert read_run_request(event).spec.split.validation == 0

"""The fields of a Distributed Map. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect
import json

import pytest
from ministack import app as ministack
from ministack.services import iam, s3, stepfunctions

from tests.unit.local_stack.maps import ROLE, Document, MapWorld

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:pipeline"
READER: Document = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON", "MaxItems": "{% $most %}"},
    "Arguments": {"Bucket": "data", "Key": "{% 'runs/' & $run_id & '/shards.json' %}"},
}


def test_ministack_still_takes_the_fields_of_a_distributed_map_for_jsonpath() -> None:
    source = inspect.getsource(stepfunctions._run_distributed_map)
    assert "jsonata" not in source.lower()
    assert "ItemBatcher" not in source
    parameters = list(inspect.signature(stepfunctions._run_distributed_map).parameters)
    assert parameters == ["state_def", "raw_input", "effective", "iterator", "execution", "ctx"]
    assert list(inspect.signature(stepfunctions._run_sub_machine).parameters) == [
        "states",
        "start_at",
        "input_data",
        "execution",
        "ctx",
    ]


@pytest.mark.parametrize("shards", [0, 1, 20])
def test_each_item_is_a_child_and_the_outputs_are_in_the_order_of_the_items(maps: MapWorld, shards: int) -> None:
    parent = maps.start({"shards": shards})

    assert maps.output(parent) == [{"shard": number} for number in range(shards)]


def test_the_items_are_selected_with_the_variables_of_the_parent(maps: MapWorld) -> None:
    selector = {"run_id": "{% $run_id %}", "shard": "{% $states.context.Map.Item.Index %}"}

    parent = maps.start({"run_id": "r1", "shards": 2}, ItemSelector=selector)

    assert maps.output(parent) == [{"run_id": "r1", "shard": 0}, {"run_id": "r1", "shard": 1}]


def test_without_a_selector_an_item_is_the_input(maps: MapWorld) -> None:
    assert maps.output(maps.start(Items=["a", "b"], ItemSelector=None)) == ["a", "b"]


def test_without_items_the_input_of_the_state_is_the_items(maps: MapWorld) -> None:
    assert maps.output(maps.start(Items=None)) == [{"shard": {}}]


def test_the_result_is_assigned_and_made_the_output_as_the_state_says(maps: MapWorld) -> None:
    parent = maps.start(Output="{% {'count': $count($states.result)} %}", Assign={"fitted": "{% $states.result %}"})

    assert maps.output(parent) == {"count": 3}


def test_the_children_do_not_see_the_variables_of_the_parent_nor_its_item(maps: MapWorld) -> None:
    first = {"Type": "Pass", "Output": "{% [$exists($shards), $exists($states.context.Map)] %}", "End": True}

    assert maps.output(maps.start(first=first)) == [[False, False]] * 3


def test_a_child_is_told_who_it_is(maps: MapWorld) -> None:
    first = {"Type": "Pass", "Output": "{% [$states.context.Execution.Id, $states.context.StateMachine.Id] %}", "End": True}

    parent = maps.start({"shards": 1}, first=first)

    [[execution, machine]] = maps.output(parent)
    assert execution == maps.children(parent)[0]["executionArn"]
    assert execution.startswith("arn:aws:states:us-east-1:000000000000:execution:pipeline/FitShards:")
    assert machine == f"{MACHINE}/FitShards"


def test_items_are_batched_with_what_all_batches_share(maps: MapWorld) -> None:
    batcher = {"MaxItemsPerBatch": "{% $batch %}", "BatchInput": {"run_id": "{% $run_id %}"}}

    parent = maps.start({"shards": 5, "batch": 2, "run_id": "r1"}, ItemBatcher=batcher)

    sizes = [[0, 1], [2, 3], [4]]
    assert maps.output(parent) == [
        {"BatchInput": {"run_id": "r1"}, "Items": [{"shard": number} for number in batch]} for batch in sizes
    ]
    run = maps.map_run(parent)
    assert (run["itemCounts"]["succeeded"], run["executionCounts"]["succeeded"]) == (5, 3)


@pytest.mark.parametrize("field", ["MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"])
def test_a_field_that_is_no_number_fails_the_map(maps: MapWorld, field: str) -> None:
    no_number: Document = {field: "{% 'two' %}"}

    caught = maps.output(maps.start(**no_number))

    assert caught["Error"] == "States.QueryEvaluationError"
    assert field in caught["Cause"]


@pytest.mark.parametrize("fields", [{"ResultWriter": {"Resource": "x"}}, {"ItemBatcher": {"MaxInputBytesPerBatch": 9}}])
def test_what_the_local_stack_does_not_honour_fails_the_map(maps: MapWorld, fields: Document) -> None:
    caught = maps.output(maps.start(**fields))

    assert caught["Error"] == "States.Runtime"
    assert "The local stack runs no Distributed Map with" in caught["Cause"]
    assert maps.payloads == []


def test_a_result_of_more_than_256_kib_fails_the_map(maps: MapWorld) -> None:
    maps.function = lambda _: "x" * 100_000

    assert maps.output(maps.start({"shards": 3}, Output="{% $count($states.result) %}")) == {
        "Error": "States.DataLimitExceeded",
        "Cause": "The state/task 'FitShards' returned a result with a size exceeding the maximum number of bytes service limit.",
    }


def test_a_result_of_less_does_not(maps: MapWorld) -> None:
    maps.function = lambda _: "x" * 100_000

    assert maps.output(maps.start({"shards": 2}, Output="{% $count($states.result) %}")) == 2


def test_a_map_in_jsonpath_runs_as_ministack_runs_it(maps: MapWorld) -> None:
    first = {"Type": "Pass", "QueryLanguage": "JSONPath", "End": True}

    parent = maps.start(first=first, QueryLanguage="JSONPath", Items=None, ItemSelector={"constant": 1}, Catch=None)

    assert maps.output(parent) == [{"constant": 1}]


class TestItemReader:
    @pytest.fixture(autouse=True)
    def objects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        objects = {("runs/r1/shards.json", ""): b'["a", "b", "c"]', ("runs/r1/shards.json", "v1"): b'["old", "older"]'}

        def get_object(bucket: str, key: str, _headers: object, query: dict[str, list[str]]) -> tuple[int, Document, bytes]:
            body = objects.get((key, query.get("versionId", [""])[0])) if bucket == "data" else None
            return (404, {}, b"<Error/>") if body is None else (200, {}, body)

        monkeypatch.setattr(s3, "_get_object", get_object)

    def start(self, maps: MapWorld, run_id: str = "r1", **arguments: str) -> str:
        reader = {**READER, "Arguments": {**READER["Arguments"], **arguments}}
        return maps.start({"run_id": run_id, "most": 2}, Items=None, ItemSelector=None, ItemReader=reader)

    def test_items_are_read_from_where_the_variables_say(self, maps: MapWorld) -> None:
        assert maps.output(self.start(maps)) == ["a", "b"]

    def test_a_version_is_read(self, maps: MapWorld) -> None:
        assert maps.output(self.start(maps, VersionId="v1")) == ["old", "older"]

    @pytest.mark.parametrize("arguments", [{"Key": "nowhere"}, {"VersionId": "v9"}])
    def test_what_is_not_there_fails_the_map(self, maps: MapWorld, arguments: dict[str, str]) -> None:
        assert maps.output(self.start(maps, **arguments))["Error"] == "States.ItemReaderFailed"


class TestRole:
    """The role of the state machine, where MiniStack enforces IAM."""

    @pytest.fixture(autouse=True)
    def enforced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ministack, "AUTH", True)
        monkeypatch.setattr(iam, "_roles", iam._roles.__class__())

    def allow(self, *statements: tuple[str, str]) -> None:
        document = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": arn} for action, arn in statements]}
        iam._roles[ROLE.rpartition("/")[2]] = {"InlinePolicies": {"p": json.dumps(document)}, "Arn": ROLE}

    def test_a_role_that_may_start_executions_of_the_state_machine_runs_the_map(self, maps: MapWorld) -> None:
        self.allow(("states:StartExecution", MACHINE))

        assert len(maps.output(maps.start())) == 3

    def test_a_role_that_may_not_fails_it_before_any_child_runs(self, maps: MapWorld) -> None:
        self.allow(("states:StartExecution", f"{MACHINE}-other"))

        caught = maps.output(maps.start())

        assert caught["Error"] == "States.Permissions"
        assert f"is not authorized to perform: states:StartExecution on resource: {MACHINE}" in caught["Cause"]
        assert maps.payloads == []

    def test_the_items_are_read_as_the_role(self, maps: MapWorld) -> None:
        self.allow(("states:StartExecution", MACHINE), ("s3:GetObject", "arn:aws:s3:::data/others/*"))

        caught = maps.output(maps.start({"run_id": "r1", "most": 2}, Items=None, ItemReader=READER))

        assert caught["Error"] == "States.ItemReaderFailed"
        assert "s3:GetObject on resource: arn:aws:s3:::data/runs/r1/shards.json" in caught["Cause"]

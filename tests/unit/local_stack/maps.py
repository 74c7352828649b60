"""MiniStack's Step Functions with a Distributed Map: only the function and the events are made up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

Document = dict[str, Any]  # Any: JSON

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:fit"
ROLE = "arn:aws:iam::000000000000:role/pipeline"
PATCHED = (
    *("_run_execution", "_fail_execution", "_execute_task", "_error_matches", "_scaled_sleep"),
    *("_invoke_resource_with_timeout", "_invoke_nested_start_execution_sync", "_run_distributed_map"),
)
FIT: Document = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Arguments": {"FunctionName": FUNCTION, "Payload": "{% $states.input %}"},
    "Output": "{% $states.result.Payload %}",
    "End": True,
}


class MapWorld:
    """One state machine; its function answers what ``function`` does, which the test may change; it notes payloads and events."""

    def __init__(self) -> None:
        self.function: Callable[[Document], object] = lambda payload: payload
        self.payloads: list[Document] = []
        self.at_once = self.most_at_once = 0
        self.told: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def invoke(self, _function: str, payload: Document) -> object:
        with self._lock:
            self.payloads.append(payload)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self.function(payload)
        finally:
            with self._lock:
                self.at_once -= 1

    def put_events(self, request: Document, **_options: bool) -> None:
        for entry in request["Entries"]:
            detail = json.loads(entry["Detail"])
            self.told.append((detail["stateMachineArn"].rpartition(":")[2], detail["status"]))

    def start(self, variables: Document | None = None, first: Document = FIT, **fields: Any) -> str:  # Any: JSON
        """The ARN of an execution that is in a Distributed Map with these fields; its children begin with ``first``."""
        execution_type = fields.pop("ExecutionType", "STANDARD")
        map_state: Document = {
            "Type": "Map",
            "Label": "FitShards",
            "Items": "{% [0..$shards-1] %}",
            "ItemSelector": {"shard": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": execution_type},
                "StartAt": "FitShard",
                "States": {"FitShard": first},
            },
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}],
            "End": True,
        }
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": "Configure",
            "States": {
                "Configure": {"Type": "Pass", "Assign": {"shards": 3, **(variables or {})}, "Next": "FitShards"},
                "FitShards": {name: field for name, field in {**map_state, **fields}.items() if field is not None},
                "Caught": {"Type": "Pass", "End": True},
            },
        }
        request = {"name": "pipeline", "definition": json.dumps(definition), "roleArn": ROLE}
        machine = answer(stepfunctions._create_state_machine(request))["stateMachineArn"]
        return str(answer(stepfunctions._start_execution({"stateMachineArn": machine, "input": "{}"}))["executionArn"])

    def ended(self, arn: str) -> Document:
        """The execution as it is described when it has ended."""
        wait_for(lambda: self._described(arn)["status"] != "RUNNING")
        return self._described(arn)

    def output(self, arn: str) -> Any:  # JSON
        ended = self.ended(arn)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])

    def stop(self, arn: str) -> None:
        answer(stepfunctions._stop_execution({"executionArn": arn}))

    def map_run(self, arn: str) -> Document:
        [listed] = answer(stepfunctions._list_map_runs({"executionArn": arn}))["mapRuns"]
        return answer(stepfunctions._describe_map_run({"mapRunArn": listed["mapRunArn"]}))

    def children(self, arn: str) -> list[Document]:
        """In the order in which they were started."""
        run = self.map_run(arn)["mapRunArn"]
        return [child for child in stepfunctions._executions.values() if child.get("mapRunArn") == run]

    def _described(self, arn: str) -> Document:
        return answer(stepfunctions._describe_execution({"executionArn": arn}))


def answer(response: tuple[int, object, str | bytes]) -> Document:
    status, _, body = response
    document: Document = json.loads(body)
    assert status == 200, document
    return document


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""Step Functions in memory: executions that a test ends, and the answers that task tokens were given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.unit.world.fake_sagemaker import Document, Refused

STARTED = datetime(2026, 11, 20, 10, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:sageline-pipeline"
LONGEST_INPUT = 262_144  # bytes


@dataclass
class FakeStepFunctions:
    """Executions by ARN. ``gone`` is what answering a token fails with."""

    executions: dict[str, Document] = field(default_factory=dict)
    history: dict[str, list[Document]] = field(default_factory=dict)
    """The events of those executions that have any."""
    sent: list[tuple[str, Document]] = field(default_factory=list)
    gone: str | None = None

    def run(self, arn: str, status: str = "RUNNING", **more: object) -> None:
        """There is such an execution."""
        machine = arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")
        self.executions[arn] = {
            "executionArn": arn,
            "stateMachineArn": machine,
            "name": arn.rpartition(":")[2],
            "status": status,
            "startDate": STARTED,
            **more,
        }

    def start_execution(self, request: Document) -> Document:
        name, document = request["name"], request.get("input", "{}")
        arn = request["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{name}"
        json.loads(document, parse_constant=_no_constant)
        if arn in self.executions:
            kept = self.executions[arn]
            if kept["status"] == "RUNNING" and kept["input"] == document:
                return {"executionArn": arn, "startDate": kept["startDate"]}
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        self.run(arn, input=document)
        return {"executionArn": arn, "startDate": STARTED}

    def describe_execution(self, request: Document) -> Document:
        return self._execution(request)

    def stop_execution(self, request: Document) -> Document:
        given: Document = {name: request[name] for name in ("error", "cause") if name in request}
        kept = self._execution(request)
        if kept["status"] == "RUNNING":
            kept |= {"status": "ABORTED", "stopDate": STARTED, **given}
        return {"stopDate": STARTED}

    def list_executions(self, request: Document) -> Document:
        wanted = request.get("statusFilter")
        kept = [item for item in self.executions.values() if item["stateMachineArn"] == request["stateMachineArn"]]
        return {"executions": [item for item in reversed(kept) if wanted in (None, item["status"])]}

    def get_execution_history(self, request: Document) -> Document:
        """Two events a page."""
        if request["executionArn"] not in self.history:
            self._execution(request)
        events, start = self.history.get(request["executionArn"], []), int(request.get("nextToken", "0"))
        page: Document = {"events": events[start : start + 2]}
        return page | {"nextToken": str(start + 2)} if len(events) > start + 2 else page

    def send_task_success(self, request: Document) -> Document:
        return self._tell("SendTaskSuccess", request)

    def send_task_failure(self, request: Document) -> Document:
        return self._tell("SendTaskFailure", request)

    def _tell(self, operation: str, request: Document) -> Document:
        self.sent.append((operation, request))
        if self.gone is not None:
            raise Refused(self.gone, "gone")
        return {}

    def _execution(self, request: Document) -> Document:
        if request["executionArn"] not in self.executions:
            raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{request['executionArn']}'")
        kept: Document = self.executions[request["executionArn"]]
        return kept


def _no_constant(name: str) -> None:
    raise Refused("InvalidExecutionInput", f"{name} is no JSON.")

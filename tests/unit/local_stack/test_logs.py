"""Logs of servers and functions."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from sageline_local import logs
from sageline_local.aws import LocalClients
from sageline_local.home import StackRecord
from sageline_local.keys import RootKey


def test_the_last_lines_of_both_servers_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("a\nb\nc\n")
    (tmp_path / "two.log").write_text("d\n")
    files = {"ministack": tmp_path / "one.log", "sagemaker": tmp_path / "two.log", "none": tmp_path / "none.log"}

    assert list(logs.of_servers(files, lines=2, follow=False)) == ["ministack | b", "ministack | c", "sagemaker | d"]


def test_following_goes_on_with_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    additions = iter(["new\nhal", "f\n"])

    def wait(seconds: float) -> None:
        with log.open("a") as stream:
            stream.write(next(additions))

    monkeypatch.setattr("time.sleep", wait)

    followed = list(islice(logs.of_servers({"ministack": log}, lines=5, follow=True), 3))

    assert followed == ["ministack | old", "ministack | new", "ministack | half"]


def test_a_functions_log_comes_from_its_own_group_and_goes_on_without_repeating(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = LocalClients(StackRecord(port=4566, sagemaker_port=4567, autoscaling_port=4568), RootKey("secret"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def event(timestamp: int, message: str) -> dict[str, Any]:
        return {"timestamp": timestamp, "logStreamName": "stream", "message": f"{message}\n"}

    with Stubber(clients.cloudformation) as stacks, Stubber(clients.lambda_) as functions, Stubber(clients.logs) as events:
        resource = {
            "LogicalResourceId": "PrepareDataFunction",
            "PhysicalResourceId": "physical",
            "ResourceType": "AWS::Lambda::Function",
        }
        resource |= {"Timestamp": "2026-01-01T00:00:00Z", "ResourceStatus": "CREATE_COMPLETE"}
        stacks.add_response("describe_stack_resources", {"StackResources": [resource]})
        functions.add_response(
            "get_function_configuration",
            {"FunctionName": "physical", "LoggingConfig": {"LogGroup": "/its/own"}},
            {"FunctionName": "physical"},
        )
        first, second, third = event(1000, "first"), event(2000, "second"), event(2000, "third")
        events.add_response("filter_log_events", {"events": [second, first]}, {"logGroupName": "/its/own", "startTime": 0})
        events.add_response("filter_log_events", {"events": [second, third]}, {"logGroupName": "/its/own", "startTime": 2000})

        lines = list(islice(logs.of_function(clients, "prepare_data", lines=10, follow=True), 3))

    assert [line.split()[1] for line in lines] == ["first", "second", "third"]

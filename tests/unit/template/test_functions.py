"""The functions: what they share, where they log, what their environment holds, what catches what they could not do."""

from __future__ import annotations

import ast
import dataclasses
import io
import logging
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from functions.invoke_preprocess import app as invoke_preprocess
from sageline.aws import settings
from sageline.aws.logger import function_logger
from sageline.serving.smoke_test import PATIENCE_SECONDS
from tests.unit.template import documents
from tests.unit.template.documents import ROOT, Document

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
SET_BY_LAMBDA = {"AWS_REGION"}
READS_DATASETS = {
    *("configure_run", "prepare_data", "encode_batch", "inspect_dataset", "write_predictions"),
    *("plan_shards", "fit_shard", "encode_shard"),
}


def logical_id(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def properties(stack: Document, folder: str) -> Document:
    found: Document = stack["Resources"][logical_id(folder)]["Properties"]
    return found


def environment(stack: Document, folder: str) -> Document:
    variables: Document = properties(stack, folder)["Environment"]["Variables"]
    return variables


def settings_used(folder: str) -> Iterator[type[Any]]:  # Any: each is a dataclass of its own
    """The settings classes that a handler imports."""
    tree = ast.parse((ROOT / "functions" / folder / "app.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sageline.aws.settings":
            yield from (getattr(settings, alias.name) for alias in node.names)


def test_each_folder_is_a_function_and_each_function_a_folder(source: Document) -> None:
    functions = documents.of_type(source, "AWS::Serverless::Function")
    code = {name: function["Properties"]["CodeUri"] for name, function in functions.items()}
    assert code == {logical_id(folder): f"functions/{folder}" for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_traced_has_the_layer_and_runs_no_longer_than_lambda_lets_it(stack: Document, folder: str) -> None:
    function = properties(stack, folder)
    assert function["TracingConfig"] == {"Mode": "Active"}
    layers = ["SharedLayer", "ReadersLayer"] if folder in READS_DATASETS else ["SharedLayer"]
    assert [re.sub(r"[0-9a-f]{10}$", "", layer["Ref"]) for layer in function["Layers"]] == layers
    assert 0 < function["Timeout"] <= 900


def test_no_folder_has_requirements_of_its_own() -> None:
    assert not list((ROOT / "functions").rglob("requirements*.txt"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_environment_holds_what_a_functions_settings_need(stack: Document, folder: str) -> None:
    there = environment(stack, folder).keys() | SET_BY_LAMBDA
    for needed in settings_used(folder):
        missing = {field.name.upper() for field in dataclasses.fields(needed)} - there
        assert not missing, f"{logical_id(folder)} lacks {missing}, which {needed.__name__} reads"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_nothing_that_it_does_not_need(stack: Document, folder: str) -> None:
    shared = {"BUCKET_NAME", "RUNS_TABLE_NAME", "STACK_NAME"}
    shared |= {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE"}
    own = environment(stack, folder).keys() - shared
    used = {field.name.upper() for needed in settings_used(folder) for field in dataclasses.fields(needed)}
    assert own <= used, f"{logical_id(folder)} does not read {own - used}"


def test_names_and_arns_in_the_environment_are_the_stacks_own(stack: Document) -> None:
    api = environment(stack, "manage_pipelines")
    assert api["STATE_MACHINE_ARN"] == {"Ref": "Pipeline"}
    assert api["DELETE_ENDPOINT_FUNCTION_NAME"] == {"Ref": "DeleteEndpointFunction"}
    assert api["BUCKET_NAME"] == {"Ref": "DataBucket"}
    assert api["RUNS_TABLE_NAME"] == {"Ref": "RunsTable"}
    assert api["STACK_NAME"] == {"Ref": "AWS::StackName"}
    for folder in ("start_training", "create_model"):
        assert environment(stack, folder)["SAGEMAKER_ROLE_ARN"] == {"Fn::GetAtt": ["SageMakerRole", "Arn"]}


def test_each_function_logs_json_to_a_group_of_its_own(stack: Document) -> None:
    """``sam logs --name`` and ``sageline local logs --function`` show all of a function's group."""
    for folder in FOLDERS:
        config = properties(stack, folder)["LoggingConfig"]
        assert config["LogFormat"] == "JSON"
        name = stack["Resources"][config["LogGroup"]["Ref"]]["Properties"]["LogGroupName"]["Fn::Sub"]
        assert name == f"/aws/lambda/${{AWS::StackName}}-{folder.replace('_', '-')}"


def test_every_log_group_is_kept_for_some_days(stack: Document) -> None:
    for name, group in documents.of_type(stack, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_no_log_level_silences_the_metrics_that_alarms_watch(source: Document, stack: Document) -> None:
    """Lambda drops lines below its level, and takes embedded metrics, which have none, for INFO:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    assert source["Conditions"]["LogsDebug"] == {"Fn::Equals": [{"Ref": "LogLevel"}, "DEBUG"]}
    for folder in FOLDERS:
        assert properties(stack, folder)["LoggingConfig"]["ApplicationLogLevel"] == {"Fn::If": ["LogsDebug", "DEBUG", "INFO"]}
        assert environment(stack, folder)["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}


@pytest.mark.parametrize(("level", "filter_level"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARN", "INFO"), ("ERROR", "INFO")])
def test_a_functions_own_log_has_the_level_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, level: str, filter_level: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", filter_level)
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"test-{level}")
    assert function_logger().log_level == logging.getLevelName(level)


@pytest.mark.parametrize("library", ["botocore.endpoint", "botocore.auth", "urllib3.connectionpool"])
def test_no_level_writes_what_libraries_send(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """Lambda sets the level of the root logger; botocore writes requests with their tokens and bodies at DEBUG."""
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    function_logger()
    assert not logging.getLogger(library).isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_logs_at_that_level(folder: str) -> None:
    text = (ROOT / "functions" / folder / "app.py").read_text()
    assert "logger = function_logger()" in text or "Logger" not in text


def test_what_events_invoke_has_a_queue_for_what_it_could_not_do(stack: Document) -> None:
    invoked = {
        target["Arn"]["Fn::GetAtt"][0]
        for rule in documents.of_type(stack, "AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        if "Fn::GetAtt" in target["Arn"]
    }
    configured = {
        config["Properties"]["FunctionName"]["Ref"]: config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
        for config in documents.of_type(stack, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert invoked == {"CheckStatusFunction", "RecordFailureFunction", "SweepFunction"}
    by_schedules = {"DeleteEndpointFunction"}
    queues = dict.fromkeys(invoked | by_schedules, "CleanUpDeadLetterQueue") | {
        "CheckStatusFunction": "CheckStatusDeadLetterQueue"
    }
    assert configured == {name: {"Fn::GetAtt": [queue, "Arn"]} for name, queue in queues.items()}


def test_the_http_apis_functions_answer_before_it_gives_up_or_finish_what_they_began(stack: Document) -> None:
    """The API waits for 30 s. Predictions and deletes are states of a run too, and may take longer there."""
    assert properties(stack, "manage_pipelines")["Timeout"] < 30
    assert properties(stack, "delete_endpoint")["Timeout"] == 60
    assert invoke_preprocess.SECONDS_FOR_PEOPLE <= 25, "the rest is for starting the function and reading the encoder"


def test_a_smoke_test_outlasts_the_start_of_a_serverless_model(stack: Document) -> None:
    """3 minutes to load and 60 s to answer; and an answer that was begun to be waited for at the end of that time."""
    assert invoke_preprocess.SECONDS_FOR_SMOKE_TEST > 60
    assert PATIENCE_SECONDS >= 180 + 60
    assert properties(stack, "invoke_preprocess")["Timeout"] > PATIENCE_SECONDS + invoke_preprocess.SECONDS_FOR_SMOKE_TEST


def test_only_who_may_is_permitted_to_invoke(stack: Document) -> None:
    permitted = {
        (permission["Properties"]["Principal"], permission["Properties"]["Action"])
        for permission in documents.of_type(stack, "AWS::Lambda::Permission").values()
        if permission["Properties"].get("SourceArn")
    }
    assert permitted == {
        ("apigateway.amazonaws.com", "lambda:InvokeFunction"),
        ("events.amazonaws.com", "lambda:InvokeFunction"),
        ("sns.amazonaws.com", "lambda:InvokeFunction"),
    }
    assert all(
        permission["Properties"].get("SourceArn") for permission in documents.of_type(stack, "AWS::Lambda::Permission").values()
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_functions_zip_stays_under_100_kb(folder: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (ROOT / "functions" / folder).rglob("*"):
            archive.write(file)
    assert len(packed.getvalue()) < 100_000

"""One function by hand: on AWS's runtime emulator and by the stack's own Lambda, as its role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from sageline_local.invoke import deployed_functions
from sageline_local.stack import PROJECT, LocalStack

pytestmark = pytest.mark.stack

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime emulator is a program for Linux")


@on_linux
def test_a_function_answers_on_awss_runtime_emulator_and_its_answer_is_all_of_stdout(stack: LocalStack) -> None:
    done = invoke(stack, "emulator", "manage_pipelines", "list-pipelines")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["statusCode"] == 200
    assert isinstance(json.loads(answer["body"])["runs"], list)
    assert "events/manage_pipelines/list-pipelines.json, as the role sageline-ManagePipelines" in done.stderr
    assert "START RequestId" in done.stderr


@pytest.mark.parametrize("runner", [pytest.param("emulator", marks=on_linux), "stack"])
def test_a_function_that_fails_is_exit_code_1_with_its_error(stack: LocalStack, runner: str, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"run_id": "nobody-20261120100000-0a1b2c"}')

    done = invoke(stack, runner, "PrepareDataFunction", str(event))

    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "RunNotFound"
    assert "✗ The function failed: RunNotFound: No run 'nobody-20261120100000-0a1b2c' is known" in done.stderr


def test_the_credentials_are_the_roles_also_before_the_stack_has_started_the_function(stack: LocalStack) -> None:
    function = deployed_functions.find(stack.clients(), "write_predictions", stack.require_up().environment)
    variables = function.variables
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables["AWS_SESSION_TOKEN"],
        variables["AWS_REGION"],
    )

    caller = session.client("sts", endpoint_url=variables["AWS_ENDPOINT_URL"]).get_caller_identity()["Arn"]

    assert f":assumed-role/{function.role}/" in caller
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("lambda", endpoint_url=variables["AWS_ENDPOINT_URL"]).list_functions()


def invoke(stack: LocalStack, runner: str, name: str, event: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "SAGELINE_HOME": str(stack.home)}
    variables.pop("SAGELINE_PORT", None)  # of whoever runs the tests: the stack has a port of its own
    return subprocess.run(
        [sys.executable, "-m", "sageline_local.invoke", "function", name, event, "--runner", runner],
        cwd=PROJECT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

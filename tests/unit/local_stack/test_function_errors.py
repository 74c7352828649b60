"""Errors of functions have names and do not end the environment. The first test guards what leans on MiniStack's inside."""

from __future__ import annotations

import inspect
import io
import json
import traceback
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker
from ministack.services import lambda_svc

from sageline.errors import AlreadyStarted
from sageline_local.function_errors import LOST, SENT, install, name_the_error


def answer(error: Exception, log: str = "") -> dict[str, Any]:  # Any: what MiniStack's executors answer
    """What MiniStack makes of a function that raised."""
    try:
        raise error
    except Exception as raised:
        trace = traceback.format_exc()
        return {"body": {"errorMessage": str(raised), "errorType": LOST}, "error": True, "log": f"{log}\n{trace}"}


def test_ministack_still_loses_the_name_in_the_way_that_this_makes_up_for() -> None:
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(SENT) == 1
    assert list(inspect.signature(lambda_svc._execute_function_warm).parameters) == ["func", "event", "request_id"]


@pytest.mark.parametrize("message", ["It runs already.", "Two\nlines: of text", "Ends with a colon:", ""])
def test_an_error_has_the_name_of_its_class(message: str) -> None:
    result = answer(AlreadyStarted(message), log='{"level": "INFO"}')
    name_the_error(result)
    assert result["body"]["errorType"] == "AlreadyStarted"


def test_an_error_of_python_has_its_plain_name() -> None:
    result = answer(KeyError("run_id"))
    name_the_error(result)
    assert result["body"]["errorType"] == "KeyError"


def test_the_last_of_chained_errors_counts() -> None:
    error = AlreadyStarted("claimed")
    error.__cause__ = ValueError("condition")
    result = answer(error)
    name_the_error(result)
    assert result["body"]["errorType"] == "AlreadyStarted"


@pytest.mark.parametrize(
    "result",
    [
        {"body": {"errorMessage": "Task timed out after 60.00 seconds", "errorType": "Sandbox.Timedout"}, "error": True},
        {"body": {"errorMessage": "Worker process died", "errorType": LOST}, "error": True, "log": ""},
        {"body": {"run_id": "r"}},
        {"body": None},
    ],
)
def test_other_answers_stay_as_they_are(result: dict[str, Any]) -> None:
    before = json.dumps(result)
    name_the_error(result)
    assert json.dumps(result) == before


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``install`` changes is changed back after the test."""
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", lambda_runtime._PYTHON_WORKER_SCRIPT)
    monkeypatch.setattr(Worker, "invoke", Worker.invoke)
    monkeypatch.setattr(lambda_svc, "_execute_function_warm", lambda_svc._execute_function_warm)
    install()


CODE = """
import os
def handler(event, context):
    if event == "exit":
        os._exit(3)
    if event == "raise":
        raise ValueError("no such event: " + event)
    return os.getpid()
"""


@pytest.fixture
def environment(_installed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A function's environment of MiniStack."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CODE)
    processes = []
    spawn = Worker._spawn

    def spawn_and_note(worker: Worker) -> None:
        spawn(worker)
        processes.append(worker._proc)

    monkeypatch.setattr(Worker, "_spawn", spawn_and_note)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:errs"
    worker = Worker("errs", {"FunctionArn": arn, "Runtime": "python3.13", "Handler": "app.handler"}, code.getvalue())
    yield worker
    worker.kill()
    # MiniStack leaves them to the garbage collector, and pytest would tell another test.
    for process in processes:
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


@pytest.mark.slow
def test_an_environment_whose_function_raised_takes_the_next_event(environment: Worker) -> None:
    before = environment.invoke("", "first")
    raised = environment.invoke("raise", "second")
    after = environment.invoke("", "third")

    assert (raised["status"], raised["error"]) == ("error", "no such event: raise")
    assert raised["trace"].endswith("ValueError: no such event: raise\n")
    assert after["result"] == before["result"]
    assert after["cold_start"] is False


@pytest.mark.slow
def test_an_environment_whose_process_has_ended_is_replaced(environment: Worker) -> None:
    before = environment.invoke("", "first")
    assert environment.invoke("exit", "second")["status"] == "error"
    after = environment.invoke("", "third")
    assert (after["status"], after["cold_start"]) == ("ok", True)
    assert after["result"] != before["result"]


@pytest.mark.slow
@pytest.mark.usefixtures("_installed")
def test_ministack_answers_with_the_name(environment: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "acquire_worker", lambda *_, **__: (environment, "reused"))
    function = {"config": {"FunctionName": "errs", "Runtime": "python3.13"}, "code_zip": b"code"}
    answer = lambda_svc._execute_function_warm(function, "raise", "request")
    assert answer["body"] == {"errorMessage": "no such event: raise", "errorType": "ValueError"}

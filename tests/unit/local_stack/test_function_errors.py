"""Named errors of functions. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect
import json
import traceback
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from sageline.errors import AlreadyStarted
from sageline_local.function_errors import LOST, install, name_the_error


def answer(error: Exception, log: str = "") -> dict[str, Any]:  # Any: what MiniStack's executors answer
    """What MiniStack makes of a function that raised."""
    try:
        raise error
    except Exception as raised:
        trace = traceback.format_exc()
        return {"body": {"errorMessage": str(raised), "errorType": LOST}, "error": True, "log": f"{log}\n{trace}"}


def test_ministack_still_loses_the_name_in_the_way_that_this_makes_up_for() -> None:
    assert '"error": str(e), "trace": traceback.format_exc()' in lambda_runtime._PYTHON_WORKER_SCRIPT
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


def test_ministack_answers_with_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = answer(AlreadyStarted("claimed"))
    monkeypatch.setattr(lambda_svc, "_execute_function_warm", lambda func, event, request_id: raised)
    install()
    assert lambda_svc._execute_function_warm({}, {}, "request")["body"]["errorType"] == "AlreadyStarted"

"""The class of the exception that a function raised, which MiniStack 1.5.33 loses.

Its Python worker hands on an exception's text and traceback only, and every error becomes a ``Runtime.HandlerError``. A
state machine's Catch and Retry go by the class's name, as Lambda's ``errorType`` has it.
"""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc

LOST = "Runtime.HandlerError"


def name_the_error(result: dict[str, Any]) -> None:  # Any: what MiniStack's executors answer
    """Put the class's name, which ends the traceback in the log, into the answer of a function that raised."""
    body = result.get("body")
    if not result.get("error") or not isinstance(body, dict) or body.get("errorType") != LOST:
        return
    message, trace = str(body["errorMessage"]), str(result.get("log", "")).rstrip()
    ending = f": {message}".rstrip() if message else ""
    if "Traceback" not in trace or not trace.endswith(ending):
        return
    # "sageline.errors.AlreadyStarted: The run ..." is the last line, and more lines if the message has them.
    name = trace.removesuffix(ending).rsplit("\n", 1)[-1].rsplit(".", 1)[-1]
    if name.isidentifier():
        body["errorType"] = name


def install() -> None:
    """Have MiniStack name errors in every answer of its Python workers."""
    execute = lambda_svc._execute_function_warm

    def execute_and_name(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:  # Any: MiniStack's
        result: dict[str, Any] = execute(func, event, request_id)
        name_the_error(result)
        return result

    lambda_svc._execute_function_warm = execute_and_name

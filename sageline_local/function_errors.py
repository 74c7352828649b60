"""What MiniStack 1.5.33 does otherwise than Lambda when a function raises.

- Its Python worker hands on an exception's text and traceback only, and every error becomes a ``Runtime.HandlerError``. A
  state machine's Catch and Retry go by the class's name, as Lambda's ``errorType`` has it.
- It ends the environment, so that the next call waits for a cold start. Lambda's runtime reports the error and takes the next
  event; what exits or takes too long is ended there, too.
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker
from ministack.services import lambda_svc

LOST = "Runtime.HandlerError"
SENT = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
"""How MiniStack's worker script answers for a handler that raised: as for one that could not be imported."""
_SENT_AND_LIVES_ON = '{"status": "ok", "raised": {"error": str(e), "trace": traceback.format_exc()}}'


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
    """Have MiniStack name errors in every answer of its Python workers, and keep the workers that answered."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(SENT, _SENT_AND_LIVES_ON)
    invoke = Worker.invoke

    def invoke_and_keep(worker: Worker, *args: Any, **kwargs: Any) -> dict[str, Any]:  # Any: MiniStack's
        response: dict[str, Any] = invoke(worker, *args, **kwargs)
        raised = response.pop("raised", None)
        return {**response, "status": "error", **raised} if raised else response

    Worker.invoke = invoke_and_keep
    execute = lambda_svc._execute_function_warm

    def execute_and_name(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:  # Any: MiniStack's
        result: dict[str, Any] = execute(func, event, request_id)
        name_the_error(result)
        return result

    lambda_svc._execute_function_warm = execute_and_name

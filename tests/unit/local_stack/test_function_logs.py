"""A function's log ends where the function has ended. The first test guards what leans on MiniStack's inside."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

from sageline_local.function_logs import SENT, install

CODE = """
import sys, time
def handler(event, context):
    for line in event:
        print(line)
        time.sleep(0.02)
    sys.stderr.write("and a rest" if event else "")
    return len(event)
"""


def test_ministack_still_waits_for_lines_in_the_way_that_this_makes_up_for() -> None:
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(SENT) == 1
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.endswith(SENT)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A function's environment of MiniStack."""
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", lambda_runtime._PYTHON_WORKER_SCRIPT)
    monkeypatch.setattr(Worker, "_drain_stderr_bounded", Worker._drain_stderr_bounded)
    install()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CODE)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:logs"
    worker = Worker("logs", {"FunctionArn": arn, "Runtime": "python3.13", "Handler": "app.handler"}, code.getvalue())
    worker.invoke([], "first")
    process = worker._proc
    yield worker
    worker.kill()
    # MiniStack leaves them to the garbage collector, and pytest would tell another test.
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


@pytest.mark.slow
def test_each_invocation_has_its_own_lines(environment: Worker) -> None:
    assert environment.invoke(["one", "two", "three"], "second")["log"] == "one\ntwo\nthree\nand a rest"
    assert environment.invoke([], "third")["log"] == ""
    assert environment.invoke(["four"], "fourth")["log"] == "four\nand a rest"


@pytest.mark.slow
def test_nobody_waits_for_a_function_that_logs_nothing(environment: Worker) -> None:
    def taken() -> float:
        start = time.perf_counter()
        assert environment.invoke([], "again")["result"] == 0
        return time.perf_counter() - start

    assert min(taken() for _ in range(20)) < 0.04

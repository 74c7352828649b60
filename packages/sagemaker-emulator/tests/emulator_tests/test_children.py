"""Child processes: output, endings, and failure reasons."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from emulator_tests.support import wait_until
from sagemaker_emulator import children
from sagemaker_emulator.training.failures import algorithm_error


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that a child can run."""
    (tmp_path / "program.py").write_text(
        "import subprocess, sys, time\n"
        "from sagemaker_emulator.children import end_with_the_service\n"
        "end_with_the_service()\n"
        "if sys.argv[1] == 'fork':\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('first', flush=True)\n"
        "print('second', file=sys.stderr, flush=True)\n"
        "if sys.argv[1] != 'fork':\n"
        "    time.sleep(30)\n"
        "sys.exit(3)\n"
    )
    monkeypatch.setattr(children, "_PACKAGE_ROOT", tmp_path)
    return "program"


def test_both_outputs_are_followed_to_the_end_and_what_was_left_behind_is_ended(program: str, tmp_path: Path) -> None:
    child = children.start(program, ["fork"], {}, tmp_path)
    lines: list[str] = []

    started = time.monotonic()
    status = child.follow(lines.append)

    assert status == 3
    assert lines == ["first", "second"]
    assert time.monotonic() - started < 30  # not the 600 seconds of the process that holds the output open


def test_a_child_ends_when_the_other_end_of_its_pipe_is_gone(program: str, tmp_path: Path) -> None:
    child = children.start(program, ["wait"], {}, tmp_path)
    process = psutil.Process(child.pid)
    lines: list[str] = []
    wait_until(lambda: process.num_threads() > 1 or None)

    child._process.stdin.close()  # type: ignore[union-attr]  # as the kernel does when the service dies

    assert child.follow(lines.append) == -signal.SIGKILL


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)\n"
    (tmp_path / "deaf.py").write_text(code)
    monkeypatch.setattr(children, "_PACKAGE_ROOT", tmp_path)
    child = children.start("deaf", [], {}, tmp_path)
    assert child._process.stdout is not None  # to know that the handler is there
    assert child._process.stdout.readline() == "deaf\n"  # as above

    child.end(grace=0.2)

    assert child.exit_status == -signal.SIGKILL
    child.follow(lambda _: None)


def test_a_child_has_no_credentials_and_knows_no_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "show.py").write_text("import os\nfor name in sorted(os.environ): print(name)\n")
    monkeypatch.setattr(children, "_PACKAGE_ROOT", tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    names: list[str] = []

    children.start("show", [], {"TRAINING_JOB_NAME": "j"}, tmp_path).follow(names.append)

    assert "TRAINING_JOB_NAME" in names
    assert not [name for name in names if name.startswith("AWS_")]


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("framework error: x", 1, "AlgorithmError: framework error: x, exit code: 1"),
        ("", 1, "AlgorithmError: , exit code: 1"),
        ("", -15, "AlgorithmError: The training process was ended by signal 15, exit code: 143"),
        (
            "",
            -9,
            "AlgorithmError: The training process was ended by signal 9 (most likely this machine ran out of memory), "
            "exit code: 137",
        ),
    ],
)
def test_failure_reasons(text: str, code: int, reason: str) -> None:
    assert algorithm_error(text, code).reason == reason

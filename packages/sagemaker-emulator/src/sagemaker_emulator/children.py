"""Child processes that never outlive the service, even when it is killed with SIGKILL.

A child's stdin is a pipe of which the service holds the only other end. When the service dies, however it dies, the
kernel closes that end, the child reads the end of file (:func:`end_with_the_service`, in the child) and kills its
process group. Nothing polls, and what the child itself started ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_LAST_LINES_SECONDS = 5.0
# What a process needs to run at all. Credentials and endpoints are kept from it on purpose: the service moves the data.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START")


def code_roots() -> tuple[Path, ...]:
    """Where a child imports this package from."""
    return (_PACKAGE_ROOT,)


def start(module: str, arguments: list[str], environment: Mapping[str, str], cwd: Path, keep_open: tuple[int, ...] = ()) -> Child:
    """Run ``python -m module`` in its own process group, output merged into one pipe."""
    variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    variables |= {"PYTHONPATH": os.pathsep.join(map(str, code_roots())), "PYTHONSAFEPATH": "1"}
    # Jobs and variants share a laptop's few cores; OpenMP threads that spin while they wait multiply everybody's time.
    variables |= {"PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "passive", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        pass_fds=keep_open,
    )
    return Child(process)


class Child:
    """A running child and its process group."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def follow(self, line: Callable[[str], None]) -> int:
        """Hand every line of output to ``line`` until the process has ended; returns its exit status.

        What the process itself started and left behind is ended too: it would hold the output open.
        """
        reader = threading.Thread(target=self._read, args=(line,), name=f"output-{self.pid}", daemon=True)
        with self._process:
            reader.start()
            status = self._process.wait()
            self.signal(signal.SIGKILL)
            reader.join(timeout=_LAST_LINES_SECONDS)
        return status

    def end(self, grace: float) -> None:
        """SIGTERM, up to ``grace`` seconds, SIGKILL."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait()

    def _read(self, line: Callable[[str], None]) -> None:
        for text in self._process.stdout or ():
            line(text.rstrip("\n"))


def end_with_the_service() -> None:
    """In the child: kill this process group as soon as the service is gone."""

    def watch() -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would abort the interpreter's own exit.
        while os.read(0, 4096):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="service-watch", daemon=True).start()

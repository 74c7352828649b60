"""Real processes, short-lived ones: start, watch, end, find."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sageline_local import processes
from sageline_local.processes import MARKER, ProcessRef

# Ends at SIGTERM; with an argument it does not.
PARENT = """
import signal, subprocess, sys, time
if len(sys.argv) > 1: signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("ready", flush=True)
time.sleep(60)
"""

Launch = Callable[..., ProcessRef]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    started: list[ProcessRef] = []

    def start(*arguments: str) -> ProcessRef:
        log = tmp_path / f"{len(started)}.log"
        reference = processes.start([sys.executable, "-c", PARENT, *arguments], {MARKER: str(tmp_path.resolve())}, log)
        started.append(reference)
        deadline = time.monotonic() + 10
        while "ready" not in processes.tail(log) and time.monotonic() < deadline:
            time.sleep(0.01)
        return reference

    yield start
    processes.end(processes.leftovers(tmp_path))
    for reference in started:
        processes.stop(reference, 0)


def test_a_process_ends_with_its_children(launch: Launch) -> None:
    reference = launch()
    children = psutil.Process(reference.pid).children()
    assert children

    assert processes.stop(reference, grace=5) is True

    assert not reference.alive
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_process_that_will_not_end_is_killed_and_that_is_told(launch: Launch) -> None:
    reference = launch("stubborn")

    assert processes.stop(reference, grace=0.2) is False

    assert not reference.alive


def test_stopping_what_is_gone_is_fine(launch: Launch) -> None:
    reference = launch()
    os.kill(reference.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while reference.alive and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not reference.alive
    assert processes.stop(reference, grace=5) is True


def test_another_process_with_the_same_id_is_not_the_one_that_was_started() -> None:
    now = psutil.Process()

    assert ProcessRef(now.pid, now.create_time()).alive
    assert not ProcessRef(now.pid, now.create_time() - 60).alive


def test_the_children_of_a_killed_process_are_found(launch: Launch, tmp_path: Path) -> None:
    reference = launch()
    [child] = psutil.Process(reference.pid).children()
    os.kill(reference.pid, signal.SIGKILL)

    left = processes.leftovers(tmp_path)

    assert [process.pid for process in left if process.pid != reference.pid] == [child.pid]
    processes.end(left)
    assert processes.leftovers(tmp_path) == []


def test_what_runs_on_purpose_is_not_left_over(launch: Launch, tmp_path: Path) -> None:
    reference = launch()

    assert processes.leftovers(tmp_path, keep=[reference]) == []
    assert processes.leftovers(tmp_path / "another") == []


def test_the_end_of_a_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"first\n" * 20000 + b"caf\xe9\nlast\n")

    assert processes.tail(log, 2) == "caf\N{REPLACEMENT CHARACTER}\nlast"
    assert processes.tail(tmp_path / "none") == ""

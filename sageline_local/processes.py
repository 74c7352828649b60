"""Processes that outlive the command that starts them: start, watch, end, and find what is left of them."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
_KILL_SECONDS = 5.0
# The kernel counts from its boot, whose time by the clock it may correct.
_START_TOLERANCE_SECONDS = 2.0

MARKER = "_SAGELINE_LOCAL_HOME"
"""In the environment of everything that a stack starts, and so of all their children: the stack's home."""


@dataclass(frozen=True)
class ProcessRef:
    """A process, told from a later one with the same id by when it started (seconds since the epoch)."""

    pid: int
    started: float

    def find(self) -> psutil.Process | None:
        """The process if it is still running. A dead one that its parent has not asked for is not."""
        try:
            process = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return None
        same = abs(process.create_time() - self.started) < _START_TOLERANCE_SECONDS
        return process if same and _running(process) else None

    @property
    def alive(self) -> bool:
        return self.find() is not None


def start(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> ProcessRef:
    """Start a program of its own session, its output appended to a log file.

    ``posix_spawn`` rather than ``subprocess``, whose objects expect to see the end of what they started.
    """
    write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        arguments[0],
        list(arguments),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return ProcessRef(pid, psutil.Process(pid).create_time())


def answers(port: int, path: str, timeout: float = 2.0) -> bool:
    """Whether ``GET path`` answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(reference: ProcessRef, grace: float) -> bool:
    """Ask a process to end, and wait; after ``grace`` seconds kill it. Its children are gone too when this returns.

    Returns:
        Whether it ended by itself, so that it could save its state.
    """
    process = reference.find()
    if process is None:
        return True
    children = _descendants(process)
    process.send_signal(signal.SIGTERM)
    clean = _wait([process], grace)
    _kill([process, *children])
    return clean


def leftovers(home: Path, keep: Iterable[ProcessRef] = ()) -> list[psutil.Process]:
    """Processes that a stack of that home started, directly or not, except those to keep and their children."""
    roots = [process for reference in keep if (process := reference.find())]
    kept = {process.pid for root in roots for process in (root, *_descendants(root))}
    wanted = str(home.resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid not in kept and process.pid != os.getpid() and process.environ().get(MARKER) == wanted:
                found.append(process)
        except (psutil.Error, OSError):
            # Somebody else's, or gone in the meantime.
            continue
    return found


def end(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, and wait until they are gone."""
    _kill(processes)


def tail(file: Path, lines: int = 15) -> str:
    """The last lines of a text file; empty if there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 65536))
            text = stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    _wait(processes, _KILL_SECONDS)


def _wait(processes: Sequence[psutil.Process], timeout: float) -> bool:
    """Whether all ended in time. ``psutil.wait_procs`` would wait for those that nobody reaps, too."""
    deadline = time.monotonic() + timeout
    while any(_running(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _running(process: psutil.Process) -> bool:
    """Whether it still runs; dead ones are reaped if they are this process's children."""
    try:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            return True
        os.waitpid(process.pid, os.WNOHANG)
    except (psutil.NoSuchProcess, ChildProcessError):
        return False
    return False

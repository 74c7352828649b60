"""``python -m sagemaker_emulator.engines.entrypoint.run --root DIR -- PROGRAM ARGUMENT…``: a program in the image's place.

It finds what SageMaker's containers have: the job's files at ``/opt/ml``, and ``python3``, ``python`` and ``pip`` of the
interpreter with the frameworks. Its exit status is the container's, and it writes ``output/failure`` itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from sagemaker_emulator.children import end_with_the_service
from sagemaker_emulator.engines.entrypoint.interpreter import make_environment
from sagemaker_emulator.engines.entrypoint.paths import rewrite_drivers, rewritten, short_name
from sagemaker_emulator.engines.script.program import Stopping
from sagemaker_emulator.engines.shell.absent import NOT_FOUND
from sagemaker_emulator.engines.shell.root import OPT_ML, as_seen

_NOT_EXECUTABLE = 126
_PAUSE_SECONDS = 0.05


def run(root: Path, command: list[str], machine: Mapping[str, str], stopping: Stopping) -> int:
    """Run the command in the place of the container's program; returns its exit status, negative when a signal ended it."""
    root = as_seen(root)
    environment = dict(machine)
    _say("ContainerEntrypoint and ContainerArguments run in the place of the image's program.")
    if root == OPT_ML:
        _say("/opt/ml is this job's directory, in a mount namespace.")
    else:
        _say(
            f"This machine has no mount namespaces, and so no /opt/ml: it is {root} in ContainerEntrypoint, ContainerArguments, "
            "Environment and the channel sm_drivers. In other code use the variables SM_MODEL_DIR, SM_CHANNEL_TRAIN and the like."
        )
        name = short_name(root)
        rewrite_drivers(root, name)
        command = [rewritten(word, name) for word in command]
        environment = {variable: rewritten(value, name) for variable, value in environment.items()}
    environment = _with_interpreter(environment, root / ".environment")
    if stopping.requested:
        return 0
    try:
        process = subprocess.Popen(command, cwd=root / "code", env=environment, stdin=subprocess.DEVNULL)
    except OSError as error:
        return _not_started(root, command[0], error)
    status = process.wait()
    if stopping.requested:
        # A shell ends at once, and the script that it has started may still be saving its model.
        while _others_run():
            time.sleep(_PAUSE_SECONDS)
        return 0
    return status


def _with_interpreter(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """The variables by which ``python3``, ``pip`` and the programs of the frameworks are found."""
    programs, packages = make_environment(directory)
    path = [str(programs), str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    kept = {name: value for name, value in environment.items() if name != "PYTHONSAFEPATH"}
    # Such as torchrun: they are run by this interpreter itself, and shall find what the job has installed.
    return {**kept, "PATH": os.pathsep.join(path), "PYTHONPATH": str(packages)}


def _not_started(root: Path, program: str, error: OSError) -> int:
    missing = isinstance(error, FileNotFoundError)
    reason = "executable file not found in $PATH" if missing else (error.strerror or str(error)).lower()
    text = f'exec: "{program}": {reason}'
    (root / "output" / "failure").write_text(text)
    _say(text)
    return NOT_FOUND if missing else _NOT_EXECUTABLE


def _others_run() -> bool:
    """Whether anything else of this process group does."""
    return any(pid != os.getpid() and _group_of(pid) == os.getpgrp() and _runs(pid) for pid in psutil.pids())


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    end_with_the_service()
    stopping = Stopping()
    signal.signal(signal.SIGTERM, stopping)
    status = run(arguments.root.resolve(), arguments.command, os.environ, stopping)
    if status < 0:  # ended by the same signal: that is what the job's reason tells
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main()

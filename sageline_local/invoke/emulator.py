"""A function on AWS's runtime emulator and runtime client, without a container: the emulator comes with the SAM CLI."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import samcli  # type: ignore[import-untyped] # the package has no types

from sageline_local import build, environment, ports, processes
from sageline_local.errors import EmulatorMissing, InvokeFailed
from sageline_local.invoke.deployed_functions import DeployedFunction
from sageline_local.invoke.template import SAM_ARCHITECTURES
from sageline_local.processes import ProcessRef

_STARTING_SECONDS = 20.0
_ENDING_SECONDS = 2.0
_POLL_SECONDS = 0.05
# Above the function's own time: the emulator answers when that is over.
_SPARE_SECONDS = 30.0
_FIRST_PORT = 9000


def find(system: str = sys.platform, machine: str | None = None) -> Path:
    """The emulator's program.

    Raises:
        EmulatorMissing: none of the SAM CLI's runs here.
    """
    if system != "linux":
        raise EmulatorMissing("AWS's runtime emulator is a program for Linux.")
    architecture = SAM_ARCHITECTURES[build.architecture(machine or os.uname().machine)]
    program = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"
    if not program.exists():
        raise EmulatorMissing(f"The SAM CLI has brought no {program}.")
    return program


def invoke(
    program: Path, function: DeployedFunction, event: bytes, *, code: Path, layers: Sequence[Path], machine: Mapping[str, str]
) -> str:
    """What a function answers; what it logs goes to stderr.

    Args:
        code, layers: folders, as they would be in ``/var/task`` and ``/opt``.

    Raises:
        InvokeFailed: the emulator did not start, or ended.
    """
    own = ports.choose(_FIRST_PORT)
    runtime = ports.choose(own)
    process = subprocess.Popen(
        [
            str(program),
            "--log-level",
            "error",
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{own}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime}",
            sys.executable,
            "-m",
            "awslambdaric",
            function.handler,
        ],
        cwd=code,
        env=_variables(function, code, layers, machine),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        start_new_session=True,
    )
    reference = ProcessRef(process.pid, psutil.Process(process.pid).create_time())
    try:
        _wait_until_it_listens(process, own)
        return _asked(own, event, function.timeout_seconds + _SPARE_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise InvokeFailed(f"AWS's runtime emulator gave no answer: {error}") from error
    finally:
        # The interpreter that it has started, too.
        processes.stop(reference, _ENDING_SECONDS)
        process.wait()


def _variables(function: DeployedFunction, code: Path, layers: Sequence[Path], machine: Mapping[str, str]) -> dict[str, str]:
    return {
        **environment.for_function(machine),
        **function.variables,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONPATH": os.pathsep.join([str(code), *(str(layer / "python") for layer in layers)]),
        "TZ": ":UTC",
    }


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise InvokeFailed(f"AWS's runtime emulator ended with exit code {process.returncode}.")
        if time.monotonic() > deadline:
            raise InvokeFailed(f"AWS's runtime emulator did not listen after {_STARTING_SECONDS:.0f} s.")
        time.sleep(_POLL_SECONDS)


def _asked(port: int, event: bytes, seconds: float) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", "/2015-03-31/functions/function/invocations", event, {"Content-Type": "application/json"})
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()

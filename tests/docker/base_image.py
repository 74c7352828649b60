"""An image to run Python functions on, made without a registry: Debian with Lambda's interpreter, and AWS's runtime client.

It stands for ``public.ecr.aws/lambda/python``. What a function finds is the same: its code in ``/var/task``, its layer in
``/opt``, boto3 in ``/var/runtime``, and there an executable ``bootstrap`` that heeds ``AWS_LAMBDA_EXEC_WRAPPER``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from sageline_local import build

TAG = "sageline-test-python:latest"
_SUITE = "trixie"  # the release of Debian that has the interpreter of build.LAMBDA_PYTHON
_BOOTSTRAP = """#!/bin/sh
export PYTHONPATH=/var/task:/opt/python:/var/runtime
exec ${AWS_LAMBDA_EXEC_WRAPPER:-} python3 -m awslambdaric "$_HANDLER"
"""


def make(folder: Path, target: build.BuildTarget, docker: Mapping[str, str]) -> str:
    """Make the image in a daemon; its tag. Takes a minute or two, and the network.

    Args:
        folder: for files on the way there.
        docker: the environment in which ``docker`` finds the daemon.
    """
    root = folder / "base"
    _run(["debootstrap", "--variant=minbase", "--include=python3,ca-certificates", _SUITE, str(root)])
    runtime = root / "var" / "runtime"
    runtime.mkdir()
    packages = [f"{name}=={version(name)}" for name in ("awslambdaric", "boto3", "botocore")]
    platform = ["--python-version", target.python_version, "--python-platform", target.platform, "--only-binary", ":all:"]
    _run([str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", *platform, "--target", str(runtime), *packages])
    (runtime / "bootstrap").write_text(_BOOTSTRAP)
    (runtime / "bootstrap").chmod(0o755)
    with subprocess.Popen(["tar", "--directory", str(root), "--create", "."], stdout=subprocess.PIPE) as archive:
        changes = ["--change", "WORKDIR /var/task", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin"]
        command = ["docker", "import", *changes, "-", TAG]
        subprocess.run(command, stdin=archive.stdout, stdout=subprocess.DEVNULL, env=dict(docker), check=True)
    shutil.rmtree(root)
    return TAG


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

"""The customer's program: what it is started with, its requirements, and its run.

``sagemaker_training.entry_point`` is not used: it waits for a DNS name of every host, fetches the code itself, writes the
job's variables into its own process, and installs requirements into the environment that runs it, which here is the service's.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import logging
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from packaging.requirements import InvalidRequirement, Requirement

from sagemaker_emulator.archives import CODE, Unacceptable, unpack
from sagemaker_emulator.engines.script.failures import (
    INSTALL_MODULE,
    INSTALL_REQUIREMENTS,
    ErrorCapture,
    Misconfigured,
    script_failed,
)

logger = logging.getLogger(__name__)


class Stopping:
    """SIGTERM goes to the whole process group; the toolkit waits for the program, which may want to save its model."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, _signal: int, _frame: object) -> None:
        self.requested = True


def command(code: Path, entry_point: str, arguments: list[str]) -> list[str]:
    """How an entry point is run: as a module of a package with ``setup.py``, as a Python program, or by the shell."""
    if (code / "setup.py").exists():
        return [sys.executable, "-m", entry_point.removesuffix(".py").replace("/", "."), *arguments]
    if entry_point.endswith(".py"):
        return [sys.executable, entry_point, *arguments]
    return ["/bin/sh", "-c", f"./{entry_point} {shlex.join(arguments)}".rstrip()]


@dataclass(frozen=True)
class Job:
    """Where a job's programs run (``code``), what they find installed besides (``packages``), and their variables."""

    code: Path
    packages: Path
    environment: Mapping[str, str]
    stopping: Stopping


def place_code(directory: str, code: Path) -> None:
    """Copy or unpack code that came by a channel or in the image; what came from S3 is in ``code`` already."""
    source = Path(directory)
    if directory.startswith("s3://") or source == code or any(code.iterdir()):
        return
    if source.is_dir():
        shutil.copytree(source, code, dirs_exist_ok=True)
    elif source.is_file() and _begins_as_gzip(source):
        try:
            unpack(source, code, CODE)
        except Unacceptable as error:
            raise Misconfigured(f"tarfile.ReadError: sagemaker_submit_directory is '{directory}': {error}") from error
    elif source.is_file():
        shutil.copy2(source, code)
    else:
        raise Misconfigured(f"FileNotFoundError: sagemaker_submit_directory is '{directory}', which is not there")


def _begins_as_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def prepare(job: Job, entry_point: str) -> None:
    """Check that the entry point is there, and install what the code asks for into ``packages``."""
    code = job.code
    if (code / "setup.py").exists():
        extra = ["-r", "requirements.txt"] if (code / "requirements.txt").exists() else []
        # Without isolation the build needs no network: setuptools is here.
        isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
        _pip(job, INSTALL_MODULE, [*isolation, ".", *extra])
        return
    if not (code / entry_point).exists():
        found = ", ".join(sorted(path.name for path in code.iterdir())) if code.is_dir() else "nothing"
        raise Misconfigured(
            f"FileNotFoundError: the entry point '{entry_point}' (sagemaker_program) is not among the files of "
            f"sagemaker_submit_directory: {found or 'nothing'}"
        )
    if not entry_point.endswith(".py"):
        (code / entry_point).chmod(0o755)
    install_requirements(job)


def install_requirements(job: Job) -> None:
    """What ``requirements.txt`` asks for beyond what is installed here; raises ScriptFailed."""
    requirements = job.code / "requirements.txt"
    if requirements.exists():
        missing = unmet(requirements.read_text())
        if missing:
            logger.info("Not met by what is installed here: %s", ", ".join(missing))
            _pip(job, INSTALL_REQUIREMENTS, ["-r", "requirements.txt"])
        else:
            logger.info("Requirement already satisfied: all of requirements.txt")


def unmet(requirements: str) -> list[str]:
    """The lines that what is installed does not meet; lines that only pip understands count as such."""
    lines = [line.partition(" #")[0].strip() for line in requirements.splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not _met(line)]


def _met(line: str) -> bool:
    try:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            return True
        installed = importlib.metadata.version(wanted.name)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False
    return not wanted.extras and not wanted.url and wanted.specifier.contains(installed, prereleases=True)


def _pip(job: Job, kind: str, what: list[str]) -> None:
    """The container belongs to the job and this interpreter does not: packages go into a directory of the job's own."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--target",
        str(job.packages),
        *what,
    ]
    logger.info("Installing with the following command:\n%s", shlex.join(pip))
    run(job, kind, pip)


def run(job: Job, kind: str, program: list[str]) -> None:
    """Run a program with its output to ours, in our process group; raises ScriptFailed unless it was told to stop."""
    captured = ErrorCapture()
    # SIGTERM is for the program to handle; it starts with the default of it, not with the toolkit's.
    process = subprocess.Popen(
        program,
        cwd=job.code,
        env=dict(job.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    reader = threading.Thread(target=_copy, args=(process.stdout, captured), daemon=True)
    reader.start()
    status = process.wait()
    reader.join(timeout=5)
    if status == 0 or job.stopping.requested:
        return
    shown = program[0] if program[0] != "/bin/sh" else "/bin/sh -c"
    words = program[1:] if program[0] != "/bin/sh" else [f'"{program[2]}"']
    raise script_failed(kind, status, captured.text, " ".join([shown, *words]))


def _copy(output: IO[str] | None, captured: ErrorCapture) -> None:
    with output or io.StringIO() as lines:
        for line in lines:
            sys.stdout.write(line)
            sys.stdout.flush()
            captured.feed(line)


def child_environment(container: Mapping[str, str], told: Mapping[str, str], path: list[Path]) -> dict[str, str]:
    """The toolkit's own variables and the script's; ``path`` is where it imports from before anything else."""
    kept = {name: value for name, value in container.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return {**kept, **told, "PYTHONPATH": os.pathsep.join(map(str, path))}

"""This machine, and the local stack on it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from sageline_cli.doctor.finding import DoctorCheck, Finding
from sageline_local import build, deploy, ports, processes
from sageline_local.errors import BuildFailed, PortInUse
from sageline_local.home import Home, StackRecord
from sageline_local.services import TITLES
from sageline_local.stack import PROJECT
from sageline_local.start import DEFAULT_PORT
from sageline_local.status import StackStatus
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW
from sagemaker_emulator.isolation.machine import Abilities, look

_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 11), (3, 13)
_GB = 1 << 30
_NEEDED_DISK, _ENOUGH_DISK = _GB // 2, 2 * _GB
"""Bytes: the state, models and logs of some runs; room to go on for a while."""
_ENOUGH_MEMORY = _GB
"""Bytes: MiniStack, SageMaker, a function and a training job beside each other."""


@dataclass(frozen=True)
class Machine:
    """The stack that is looked at, and what is known of it."""

    home: Home
    record: StackRecord
    status: StackStatus
    port: int | None = None
    """That was asked for by ``SAGELINE_PORT``."""
    project: Path = PROJECT

    def checks(self) -> Mapping[str, DoctorCheck]:
        return {
            "python": lambda: [check_python(sys.version_info[:2], sys.executable), *check_tools(Path(sys.executable))],
            "bundle": lambda: [check_bundle(self.project, self.record)],
            "home": lambda: [check_home(self.home.root)],
            "disk": lambda: [check_disk(self.home.root)],
            "memory": lambda: [check_memory(psutil.virtual_memory().available)],
            "ports": lambda: [check_ports(self.record, self.port)],
            "isolation": lambda: [check_isolation(look())],
            "tensorflow": lambda: [check_tensorflow(is_installed=TENSORFLOW.is_installed)],
            "processes": lambda: check_processes(self.home, self.record, self.status),
        }


def check_python(version: tuple[int, ...], executable: str) -> Finding:
    text = ".".join(str(part) for part in version)
    if _OLDEST_PYTHON <= version <= _NEWEST_PYTHON:
        return Finding("python", "ok", f"Python {text} ({executable})")
    return Finding("python", "failed", f"Python {text}; Sageline needs 3.11, 3.12 or 3.13.", "make PYTHON=python3.13 setup")


def check_tools(executable: Path) -> list[Finding]:
    """What of the environment that `make setup` makes is missing."""
    found: list[Finding] = []
    if sys.prefix == sys.base_prefix:
        found.append(
            Finding("tools", "warning", f"{executable} is of no virtual environment, so its packages may differ.", "make setup")
        )
    if shutil.which("uv", path=os.pathsep.join([str(executable.parent), os.environ.get("PATH", os.defpath)])) is None:
        found.append(Finding("tools", "failed", "uv is missing, which builds the layer.", "make setup"))
    return found or [Finding("tools", "ok", f"uv and the packages of {sys.prefix}")]


def check_bundle(project: Path, record: StackRecord) -> Finding:
    """Whether the present code can be built, is built, and is what the stack has."""
    try:
        build_id = build.fingerprint(project)
    except BuildFailed as error:
        return Finding(
            "bundle", "failed", error.message, "Run the command from a checkout of Sageline that `make setup` has set up."
        )
    if not build.is_built(project, build_id):
        what = "This state of the code is not built; that needs the layer's wheels from the network, or from uv's cache."
        return Finding("bundle", "warning", what, "make setup, or sageline local up")
    deployment = record.deployment
    if deployment is not None and deployment.fingerprint != deploy.fingerprint(build_id, record.parameters):
        return Finding("bundle", "warning", "The local stack has another state of the code.", "sageline local up")
    return Finding("bundle", "ok", "The code is built.")


def check_home(root: Path) -> Finding:
    folder = _existing(root)
    if folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding("home", "ok", f"{root.resolve()} can be written.")
    what = f"{root.resolve()} cannot be written: {folder} is {'not writable' if folder.is_dir() else 'no directory'}."
    return Finding("home", "failed", what, "Choose another folder: set SAGELINE_HOME.")


def check_disk(root: Path) -> Finding:
    folder = _existing(root)
    free = shutil.disk_usage(folder).free
    what = f"{free / _GB:.1f} GB are free where {root.resolve()} is."
    if free >= _ENOUGH_DISK:
        return Finding("disk", "ok", what)
    to_do = "Delete something (`sageline local down --delete` deletes a stack's data), or set SAGELINE_HOME to another disk."
    return Finding("disk", "failed" if free < _NEEDED_DISK else "warning", what, to_do)


def check_memory(available: int) -> Finding:
    """``available``: bytes that programs can have without swapping."""
    what = f"{available / _GB:.1f} GB of memory are available."
    if available >= _ENOUGH_MEMORY:
        return Finding("memory", "ok", what)
    return Finding("memory", "warning", what, "End other programs: the local stack and a training job need about 1 GB.")


def check_isolation(abilities: Abilities) -> Finding:
    """What the local SageMaker can keep from scripts."""
    if not abilities.missing:
        return Finding(
            "isolation", "ok", "Containers are kept from the network, if they ask for it, and from this machine's files."
        )
    return Finding(
        "isolation", "warning", abilities.missing, "Run scripts that you trust only. docs/local.md says what is missing."
    )


def check_tensorflow(*, is_installed: bool) -> Finding:
    """Only images and `tensorflow` need it."""
    if is_installed:
        return Finding("tensorflow", "ok", f"{TENSORFLOW.title} is installed.")
    return Finding(
        "tensorflow",
        "ok",
        f"{TENSORFLOW.title} is not installed: on this machine runs of images get a model of k-NN only, and `tensorflow` none. "
        "`make setup-tensorflow` installs it.",
    )


def check_ports(record: StackRecord, asked: int | None) -> Finding:
    """Whether MiniStack has its port, or could have it. The other servers take the next free ones."""
    if record.running("ministack"):
        own = {"ministack": record.port, "sagemaker": record.sagemaker_port, "autoscaling": record.autoscaling_port}
        return Finding("ports", "ok", ", ".join(f"{TITLES[name]} {port}" for name, port in own.items()))
    port = asked or record.port or DEFAULT_PORT
    try:
        ports.require_free(port)
    except PortInUse as error:
        what, _, to_do = error.message.partition(". ")
        return Finding("ports", "failed", f"{what}.", to_do)
    return Finding("ports", "ok", f"127.0.0.1:{port} is free.")


def check_processes(home: Home, record: StackRecord, status: StackStatus) -> list[Finding]:
    """The stack's servers, and what a killed one has left behind."""
    problems = " ".join(status.problems)
    if status.state == "up":
        found = [Finding("processes", "ok", ", ".join(f"{TITLES[name]} {pid}" for name, pid in status.pids.items()))]
    elif status.state == "half-dead":
        found = [Finding("processes", "failed", problems, "sageline local up")]
    elif record.processes:
        stale = ", ".join(f"{TITLES[name]} {reference.pid}" for name, reference in record.processes.items())
        what = f"The stack was killed: {stale} are no longer there."
        found = [Finding("processes", "warning", what, "sageline local up")]
    else:
        found = [Finding("processes", "ok", f"The local stack is down. {problems}".rstrip())]
    if home.busy():  # what it has started is in no record yet
        return found
    left = processes.leftovers(home.root, [reference for reference in record.processes.values() if reference.alive])
    if left:
        ids = ", ".join(str(process.pid) for process in left)
        what = f"A stack that was killed has left processes behind: {ids}."
        found.append(Finding("processes", "warning", what, "`sageline local up` or `sageline local down` ends them."))
    return found


def _existing(path: Path) -> Path:
    """The path, or the nearest one above it that is there."""
    return next((folder for folder in (path.resolve(), *path.resolve().parents) if folder.exists()), Path("/"))

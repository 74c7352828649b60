"""The bundle, built by ``sam build`` for where it runs here: the layer holds wheels for this interpreter and machine, or for
a container's.

Builds are kept by a hash of all that goes in, beside SAM's own in ``.aws-sam``, so that stacks share them.
``python -m sageline_local.build`` builds ahead: `make setup` does, while there is a network to fetch the layer's wheels from.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from sageline_local import sam
from sageline_local.errors import BuildFailed
from sageline_local.home import Home

LAMBDA_PYTHON = "3.13"
"""The interpreter of the template's ``Runtime``."""

_SOURCES = ("template.yaml", "statemachine", "functions", "layers")
_SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store"}
_KEPT_BUILDS = 2
_KEPT_SECONDS = 600.0


@dataclass(frozen=True)
class BuildTarget:
    """Which wheels the layer holds. ``platform``: as uv names it."""

    python_version: str
    platform: str


def this_machine(system: str = sys.platform, machine: str = platform.machine()) -> BuildTarget:
    """Functions run on MiniStack's interpreter, which is this one.

    Raises:
        BuildFailed: no wheels exist for it.
    """
    if system not in ("linux", "darwin"):
        raise BuildFailed(f"The local stack runs on Linux and macOS, on x86_64 and arm64; this is {system} on {machine}.")
    python_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return BuildTarget(python_version, f"{architecture(machine)}-{'manylinux_2_28' if system == 'linux' else 'apple-darwin'}")


def container(machine: str) -> BuildTarget:
    """Lambda's own interpreter in a container. ``machine``: what the container's kernel calls itself.

    Raises:
        BuildFailed: no wheels exist for it.
    """
    return BuildTarget(LAMBDA_PYTHON, f"{architecture(machine)}-manylinux_2_28")


def architecture(machine: str) -> Literal["x86_64", "aarch64"]:
    """
    Raises:
        BuildFailed: Lambda knows no such machine.
    """
    match machine.lower():
        case "x86_64" | "amd64":
            return "x86_64"
        case "aarch64" | "arm64":
            return "aarch64"
    raise BuildFailed(f"The local stack runs on Linux and macOS, on x86_64 and arm64; this is {machine}.")


def fingerprint(project: Path, target: BuildTarget | None = None) -> str:
    """A hash of everything that a build depends on. ``target``: this machine unless another is given.

    Raises:
        BuildFailed: this is not Sageline's source tree.
    """
    if not (project / "template.yaml").is_file():
        raise BuildFailed(f"{project / 'template.yaml'} is missing: the local stack runs from Sageline's source tree.")
    target = target or this_machine()
    digest = hashlib.sha256(f"{target.python_version} {target.platform} {version('aws-sam-cli')}".encode())
    for file in _source_files(project):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"\n{file.relative_to(project).as_posix()} {content}".encode())
    return digest.hexdigest()[:20]


def is_built(project: Path, build_id: str) -> bool:
    """Whether ``build`` has nothing to do."""
    return _template(project, build_id).exists()


def build(project: Path, home: Home, build_id: str, machine: Mapping[str, str], target: BuildTarget | None = None) -> Path:
    """The built template; built only if that was not done before. ``build_id``: the target's fingerprint.

    Raises:
        BuildFailed: with what SAM said.
    """
    template = _template(project, build_id)
    finished = template.parent.parent
    builds = finished.parent
    if template.exists():
        # In use: not an old one.
        os.utime(finished)
        _drop_compiled(finished)
        return template
    # The template refers to the functions by relative paths, so what is built beside the result may be moved there.
    temporary = builds / f"{build_id}.{os.getpid()}"
    temporary.mkdir(parents=True)
    target = target or this_machine()
    result = sam.run(
        home,
        "build",
        ["--template-file", str(project / "template.yaml"), "--build-dir", str(temporary / "bundle")],
        {
            **machine,
            "SAGELINE_LAYER_PYTHON_VERSION": target.python_version,
            "SAGELINE_LAYER_PYTHON_PLATFORM": target.platform,
        },
    )
    if not result.succeeded:
        shutil.rmtree(temporary, ignore_errors=True)
        raise BuildFailed(f"`sam build` failed (all of its output: {result.log}):\n{result.explanation()}")
    try:
        temporary.rename(finished)
    except OSError:
        # Another stack has built the same in the meantime.
        shutil.rmtree(temporary, ignore_errors=True)
    _drop_old(builds, finished)
    return template


def _template(project: Path, build_id: str) -> Path:
    return project / ".aws-sam" / "local" / build_id / "bundle" / "template.yaml"


def _source_files(project: Path) -> Iterator[Path]:
    for name in _SOURCES:
        source = project / name
        files = [source] if source.is_file() else sorted(file for file in source.rglob("*") if file.is_file())
        yield from (
            file for file in files if not _SKIPPED.intersection(file.relative_to(project).parts) and file.suffix != ".pyc"
        )


def _drop_compiled(finished: Path) -> None:
    """What Python has compiled where somebody imported from the bundle: a layer of the same source is the same archive."""
    for folder in list(finished.rglob("__pycache__")):
        shutil.rmtree(folder, ignore_errors=True)


def _drop_old(builds: Path, current: Path) -> None:
    """Old builds, except such as another stack may be deploying."""
    others = sorted(
        (build for build in builds.iterdir() if build != current), key=lambda build: build.stat().st_mtime, reverse=True
    )
    for build_directory in others[_KEPT_BUILDS - 1 :]:
        if time.time() - build_directory.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(build_directory, ignore_errors=True)


def main() -> int:
    """Build what is not built yet; the exit code."""
    project = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory))
        home.make()
        try:
            build(project, home, fingerprint(project), os.environ)
        except BuildFailed as error:
            sys.stderr.write(f"{error.message}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The ``python3``, ``python`` and ``pip`` that a job's program finds first in its PATH."""

from __future__ import annotations

import shlex
import site
import sysconfig
import venv
from pathlib import Path


def make_environment(directory: Path) -> tuple[Path, Path]:
    """A virtual environment of the job's own over the packages of this interpreter; returns its programs and its packages.

    What the job installs goes there, and this interpreter stays as it is. pip counts as installed what either of them has.
    """
    builder = venv.EnvBuilder(symlinks=True, with_pip=False)
    builder.create(directory)
    variables = {"base": str(directory), "platbase": str(directory)}
    programs = Path(sysconfig.get_path("scripts", "venv", variables))
    packages = Path(sysconfig.get_path("purelib", "venv", variables))
    # By addsitedir and not as a line of its own, so that the path files of those directories count too.
    found = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    (packages / "interpreter.pth").write_text(
        "; ".join(["import site", *(f"site.addsitedir({path!r})" for path in found)]) + "\n"
    )
    for name in ("pip", "pip3"):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(programs / "python3"))} -m pip "$@"\n')
        program.chmod(0o755)
    return programs, packages

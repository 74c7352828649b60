"""A folder of the home for one command, which is gone when the command has ended; also what a killed one left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from sageline_local import processes
from sageline_local.home import Home


@contextmanager
def workspace(home: Home) -> Iterator[Path]:
    """A new folder. Only its owner may look in: functions' credentials are written there."""
    folder = home.invoke.resolve() / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not any(home.invoke.iterdir()):
            home.invoke.rmdir()


def abandoned(home: Home) -> list[Path]:
    """Folders of commands that were killed."""
    folders = home.invoke.resolve().iterdir() if home.invoke.is_dir() else []
    return [folder for folder in folders if folder.name.isdecimal() and not psutil.pid_exists(int(folder.name))]


def clear(folder: Path) -> None:
    """End what a killed command left running, and delete its folder."""
    processes.end([process for process in psutil.process_iter() if _works_in(process, folder)])
    shutil.rmtree(folder, ignore_errors=True)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return any(argument.startswith(f"{folder}{os.sep}") for argument in process.cmdline())
    except psutil.Error:
        return False

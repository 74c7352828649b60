"""``sam local`` as a command starts it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sageline_local import sam
from sageline_local.home import Home
from sageline_local.invoke.containers import SamLocal
from sageline_local.invoke.engine import Engine

_PRINTS_ITS_FOLDER = "import tempfile; print(tempfile.gettempdir())"


def test_the_locks_of_a_command_are_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(home: Home, name: Sequence[str], arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-c", _PRINTS_ITS_FOLDER]

    monkeypatch.setattr(sam, "command", command)
    home, folder = Home(tmp_path / "home"), tmp_path / "command"
    home.sam.mkdir(parents=True)
    folder.mkdir()
    local = SamLocal(home, Engine("unix:///nowhere", "x86_64", shares_sockets=True, machine={}), folder, "image")

    printed, _ = local.start("invoke", [], stdout=subprocess.PIPE)._process.communicate(timeout=60)

    assert printed.strip() == str(folder / "tmp")

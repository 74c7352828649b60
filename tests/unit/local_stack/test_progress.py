"""How steps are shown."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from sageline_local.progress import ConsoleProgress


@pytest.mark.parametrize("terminal", [False, True])
def test_steps_are_shown_with_their_seconds_and_notes_as_they_are(terminal: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)

    with ConsoleProgress(console) as progress:
        with progress.step("Start MiniStack"):
            progress.note("a [note]")
        with pytest.raises(ValueError, match="no"), progress.step("Deploy"):
            raise ValueError("no")

    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert re.search(r"✓ Start MiniStack +0\.\d s", shown)
    assert re.search(r"✗ Deploy +0\.\d s", shown)
    assert "! a [note]" in shown

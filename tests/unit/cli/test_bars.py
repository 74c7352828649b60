from __future__ import annotations

import io

from rich.console import Console

from sageline_cli.bars import bar


def test_a_log_gets_a_line_only_when_work_takes_long() -> None:
    out = io.StringIO()
    now = 0.0
    with bar(Console(file=out), "Uploading", 200, clock=lambda: now) as advance:
        advance(50)
        now = 11.0
        advance(50)
        advance(20)
        now = 25.0
        advance(40)
    assert out.getvalue() == "Uploading: 50%\nUploading: 80%\n"


def test_a_terminal_gets_a_bar() -> None:
    out = io.StringIO()
    with bar(Console(file=out, force_terminal=True), "Uploading", 200) as advance:
        advance(50)
    assert "Uploading" in out.getvalue()
    assert "25%" in out.getvalue()

"""Ctrl-C of ``make invoke`` and ``make api`` when a shell runs them in the background."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_STARTS_A_CHILD = """
import os, signal, subprocess, sys
from sageline_local.invoke.__main__ import let_sam_be_interrupted
let_sam_be_interrupted()
child = subprocess.Popen([sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"])
child.wait()
os.kill(os.getpid(), signal.SIGINT)
print("went on", flush=True)
"""


def test_a_command_in_the_background_ignores_ctrl_c_and_sam_does_not() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", _STARTS_A_CHILD],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split("\n") == ["False", "went on", ""]


def test_a_command_in_the_foreground_is_interrupted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STARTS_A_CHILD], capture_output=True, text=True, check=False, preexec_fn=_foreground
    )

    assert "went on" not in done.stdout
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)


def _foreground() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

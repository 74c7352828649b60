"""``make test-all``: what is not there fails its tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_one():
    pytest.skip("there is no Docker")

@pytest.mark.skipif(True, reason="says what is missing where Docker is not there")
def test_two():
    pass
"""


@pytest.mark.full
def test_a_missing_tool_is_a_failure_and_what_needs_it_missing_is_none(tmp_path: Path) -> None:
    (tmp_path / "test_tool.py").write_text(TESTS)
    (tmp_path / "test_library.py").write_text('import pytest\npytest.importorskip("no_such_library")\n')
    plugin = Path(__file__).parents[2]

    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.no_skips",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
    ]
    run = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)], cwd=plugin, capture_output=True, text=True, check=False
    )

    assert "1 failed, 1 skipped, 1 error" in run.stdout
    assert "make test-all needs what is not there: Skipped: there is no Docker" in run.stdout

"""What the README shows works, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_emulator.__main__ import parser
from sagemaker_emulator.testing import running

pytestmark = pytest.mark.slow
README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.full
def test_the_first_screens_program_trains_and_gets_a_prediction(tmp_path: Path) -> None:
    program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    with running(tmp_path) as emulator:
        told = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **emulator.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert told.returncode == 0, told.stderr
    high, low = map(float, told.stdout.split())
    assert high > 0.5 > low
    assert (tmp_path / "s3/my-bucket/models/first/output/model.tar.gz").is_file()


def test_every_option_is_in_the_table() -> None:
    shown = dict(re.findall(r"^\| `(--[a-z0-9-]+)` \| (.*?) \|", README, re.MULTILINE))
    options = {action.option_strings[-1]: action.default for action in parser()._actions if "--help" not in action.option_strings}

    assert shown.keys() == options.keys()
    assert (shown["--port"], shown["--home"]) == (str(options["--port"]), f"`{options['--home']}`")

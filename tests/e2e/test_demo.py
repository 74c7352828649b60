"""The main job with everything real: `make demo` without its set-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.stack


def test_the_demo_trains_deploys_predicts_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = {**os.environ, "SAGELINE_HOME": str(tmp_path / "home"), "SAGELINE_PORT": str(free_port())}

    done = subprocess.run(
        [sys.executable, "-m", "sageline_cli.demo"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "home" / "demo.json").read_text())
    assert report["status"] == "succeeded"
    assert report["classes"] == 20
    assert report["accuracy"] >= 0.85
    assert report["majority_baseline"] < 0.3
    assert set(report["seconds"]) == {"setup", "deploy", "run", "predict", "total"}
    for prediction in report["predictions"]:
        assert set(prediction) == {"text", "label", "probability", "expected"}
        assert 0 < prediction["probability"] <= 1
    left = [
        process.pid for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(process.info["cmdline"] or [])
    ]
    assert left == []

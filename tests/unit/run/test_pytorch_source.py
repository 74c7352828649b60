"""A PyTorch script's archive: the container that serves looks for the script in the model, so the training leaves it there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from sageline.run.payloads import PreparedData
from sageline.run.source import launched, pack
from sageline.run.start_training import start_training
from tests.unit.golden import golden_event
from tests.unit.run.world import BUCKET, ROLE, RUN_ID, World

PREPARED: PreparedData = golden_event("start_training/start-a-script")["prepared"]
SOURCE = "datasets/flowers/source.tar.gz"
LEAVES_A_MODEL = """
import os, pathlib, sys
import helper
if __name__ == "__main__":
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.txt").write_text(f"{sys.argv[1:]} {helper.NAME}")
"""
FAILS = LEAVES_A_MODEL + "    sys.exit(3)"
EXITS = LEAVES_A_MODEL + "    sys.exit(0)"
LEAVES_CODE = LEAVES_A_MODEL + '    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "code").mkdir()'


def started(world: World, entry_point: str) -> dict[str, object]:
    """What the training job of a PyTorch script is told of it."""
    world.put(SOURCE, pack({entry_point: b"pass"}))
    script = {"framework": "pytorch", "source_dir": f"s3://{BUCKET}/{SOURCE}", "entry_point": entry_point}
    world.begin(algorithm={"name": "script", "script": script})
    start_training(RUN_ID, PREPARED, role_arn=ROLE, region="us-east-1", run=world.run, sagemaker=world.sagemaker)
    job = world.fake.jobs[RUN_ID]
    with tarfile.open(fileobj=io.BytesIO(world.get(f"runs/{RUN_ID}/source/sourcedir.tar.gz"))) as archive:
        return {
            "program": json.loads(job["HyperParameters"]["sagemaker_program"]),
            "script": job["Environment"].get("SAGELINE_ENTRY_POINT"),
            "files": sorted(archive.getnames()),
        }


def test_a_python_script_is_run_by_what_leaves_its_code_with_the_model(world: World) -> None:
    told = started(world, "learn.py")

    assert told == {"program": "sageline_entry.py", "script": "learn.py", "files": ["learn.py", "sageline_entry.py"]}


def test_a_shell_script_is_run_as_it_is(world: World) -> None:
    assert started(world, "learn.sh") == {"program": "learn.sh", "script": None, "files": ["learn.sh"]}


def test_the_same_archive_is_made_of_the_same_script_each_time() -> None:
    archive = pack({"train.py": b"pass"})

    assert launched(archive) == launched(archive)


def run(
    tmp_path: Path, script: str, *, host: str = "algo-1", hosts: Sequence[str] = ("algo-1", "algo-2")
) -> tuple[int, set[str]]:
    """The exit status of a training, and the files of its model."""
    code, model = tmp_path / "code", tmp_path / "model"
    model.mkdir()
    archive = launched(pack({"train.py": script.encode(), "helper.py": b"NAME = 'helper'"}))
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(code, filter="data")
    told = {
        "SAGELINE_ENTRY_POINT": "train.py",
        "SM_MODEL_DIR": str(model),
        "SM_CURRENT_HOST": host,
        "SM_HOSTS": json.dumps(hosts),
    }
    done = subprocess.run(
        [sys.executable, "sageline_entry.py", "--epochs", "5"], cwd=code, env={**os.environ, **told}, check=False
    )
    return done.returncode, {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()}


@pytest.mark.parametrize("script", [LEAVES_A_MODEL, EXITS])
def test_the_code_is_left_beside_the_model(tmp_path: Path, script: str) -> None:
    status, files = run(tmp_path, script)

    assert (status, files) == (0, {"model.txt", "code/train.py", "code/helper.py", "code/sageline_entry.py"})
    assert (tmp_path / "model" / "model.txt").read_text() == "['--epochs', '5'] helper"


@pytest.mark.parametrize(
    ("script", "host", "expected"),
    [
        (FAILS, "algo-1", (3, {"model.txt"})),
        ("pass", "algo-1", (0, set())),
        (LEAVES_CODE, "algo-1", (0, {"model.txt"})),
        (LEAVES_A_MODEL, "algo-2", (0, {"model.txt"})),
    ],
    ids=["a script that fails", "a script without a model", "a script with code of its own", "another host than the first"],
)
def test_no_code_is_left_by(tmp_path: Path, script: str, host: str, expected: tuple[int, set[str]]) -> None:
    assert run(tmp_path, script, host=host) == expected

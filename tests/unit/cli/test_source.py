"""A training script in a local folder, on its way to the run."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sageline_cli.connection import Connection
from sageline_cli.main import cli
from sageline_cli.source import upload_source
from tests.unit.cli.datasets import CSV
from tests.unit.cli.fakes import BUCKET, FakeApi, run_record

KEY = "datasets/wine/source.tar.gz"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a script, what git and Python keep there, a dataset and a spec."""
    for name, content in {
        "src/train.py": "print('hello')",
        "src/helpers/shapes.py": "SIDES = 4",
        "src/requirements.txt": "# nothing",
        "src/.git/config": "secret",
        "src/helpers/__pycache__/shapes.cpython-311.pyc": "compiled",
        "table.csv": CSV,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def write_spec(project: Path, **script: object) -> str:
    document = {"algorithm": {"name": "script", "script": {"framework": "scikit-learn", "source_dir": "src", **script}}}
    path = project / "spec.json"
    path.write_text(json.dumps(document))
    return str(path)


def submit(runner: CliRunner, project: Path, spec: str) -> Any:  # click's Result
    return runner.invoke(cli, ["submit", str(project / "table.csv"), "--name", "wine", "--spec", spec])


def stored(connection: Connection, key: str) -> bytes:
    return connection.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.fixture(autouse=True)
def _started(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run_record(), []))


def test_a_local_folder_is_packed_uploaded_and_named_in_the_spec(
    connection: Connection, runner: CliRunner, project: Path
) -> None:
    result = submit(runner, project, write_spec(project))
    assert result.exit_code == 0, result.stderr
    with tarfile.open(fileobj=io.BytesIO(stored(connection, KEY)), mode="r:gz") as archive:
        assert archive.getnames() == ["helpers/shapes.py", "requirements.txt", "train.py"]
    spec = json.loads(stored(connection, "datasets/wine/spec.json"))
    assert spec["algorithm"]["script"] == {"framework": "scikit-learn", "source_dir": f"s3://{BUCKET}/{KEY}"}


@pytest.mark.parametrize(("network", "code"), [(False, 2), (True, 0)])
@pytest.mark.usefixtures("connection")
def test_requirements_need_the_network(runner: CliRunner, project: Path, network: bool, code: int) -> None:
    (project / "src" / "requirements.txt").write_text("lightgbm")
    result = submit(runner, project, write_spec(project, network=network))
    assert (result.exit_code, "lightgbm" in result.stderr) == (code, not network)


def test_the_same_folder_makes_the_same_bytes_wherever_it_is(connection: Connection, project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    archives = []
    for folder in (project / "src", copy):
        if folder == copy:
            copy.mkdir()
            for name in ("requirements.txt", "train.py", "helpers/shapes.py"):
                (copy / name).parent.mkdir(exist_ok=True)
                (copy / name).write_bytes((project / "src" / name).read_bytes())
        spec = json.dumps({"algorithm": {"script": {"source_dir": str(folder)}}}).encode()
        upload_source(connection.s3, BUCKET, "wine", spec)
        archives.append(stored(connection, KEY))
    assert archives[0] == archives[1]


def test_an_archive_in_s3_is_left_as_it_is(connection: Connection, runner: CliRunner, project: Path) -> None:
    spec = write_spec(project, source_dir="s3://somewhere/x.tar.gz")
    assert submit(runner, project, spec).exit_code == 0
    assert stored(connection, "datasets/wine/spec.json") == Path(spec).read_bytes()
    assert connection.s3.list_objects_v2(Bucket=BUCKET, Prefix=KEY)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"source_dir": "nowhere"}, "and that is not there. A path counts from the spec's folder"),
        ({"source_dir": "src/train.py"}, "and that is a file: name the folder that it is in"),
        ({"entry_point": "learn.py"}, "has no learn.py; its Python files: train.py."),
        ({"epochs": 3}, "unknown key `algorithm.script.epochs`"),
    ],
)
def test_what_cannot_be_a_script_is_said_before_anything_is_uploaded(
    connection: Connection, runner: CliRunner, project: Path, script: dict[str, object], words: str
) -> None:
    result = submit(runner, project, write_spec(project, **script))
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", "").split())
    assert connection.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_folder_that_holds_more_than_a_script_is_refused(
    connection: Connection, runner: CliRunner, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sageline_cli.source.MAX_ARCHIVE_BYTES", 10)
    result = submit(runner, project, write_spec(project))
    assert result.exit_code == 1
    assert "a script may have 10" in result.stderr
    assert connection.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0

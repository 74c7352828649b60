"""What submit makes of several files, and of a folder."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sageline.names import run_id
from sageline_cli.connection import Connection
from sageline_cli.main import cli
from sageline_cli.parts import gather
from tests.unit.cli.datasets import CSV
from tests.unit.cli.fakes import BUCKET, run_record
from tests.unit.world.fake_aws import FakeAws


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Wine 2024"
    made.mkdir()
    return made


def write(folder: Path, *names: str, text: str = CSV) -> list[Path]:
    for name in names:
        (folder / name).write_text(text)
    return [folder / name for name in names]


def submit(runner: CliRunner, *arguments: object) -> Result:
    return runner.invoke(cli, ["submit", *map(str, arguments)])


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Following a run gives a record at once."""
    monkeypatch.setattr("sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run_record(), []))


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.csv", "b.CSV"], ["data-a.csv", "data-b.csv"]),
        (["data-00.csv", "Data_1.csv"], ["data-00.csv", "data_1.csv"]),
        (["data.csv", "data-1.csv"], ["data-data.csv", "data-1.csv"]),  # data.csv would start a run of its own
        (["data.0.csv", "data.1.csv"], ["data-data.0.csv", "data-data.1.csv"]),
        (["train-0.csv", "train-1.csv", "test.csv"], ["train-0.csv", "train-1.csv", "test.csv"]),
        (["Train.csv", "TEST.csv"], ["train.csv", "test.csv"]),
        (["train.csv", "more.csv"], ["data-train.csv", "data-more.csv"]),
        (["x.ndjson", "y.jsonl"], ["data-x.jsonl", "data-y.jsonl"]),
    ],
)
def test_parts_get_names_that_start_nothing(folder: Path, files: list[str], names: list[str]) -> None:
    assert [name for _, name in gather(write(folder, *files)).files] == names


def test_a_folder_is_its_files_that_can_be_read_and_the_others_are_named(folder: Path) -> None:
    write(folder, "b.csv", "a.csv", "README.md", ".hidden.csv", "_SUCCESS")
    write(folder, "empty.csv", text="")
    (folder / "older").mkdir()
    gathered = gather([folder])
    assert [path.name for path, _ in gathered.files] == ["a.csv", "b.csv"]
    assert gathered.left_out == ("README.md", "older/", "empty.csv (empty)")


def test_a_folder_of_one_file_is_that_file(folder: Path) -> None:
    [path] = write(folder, "wine.csv")
    gathered = gather([folder])
    assert (gathered.is_parts, gathered.first) == (False, path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.csv", "b.jsonl"], r"a\.csv and b\.jsonl are of different formats"),
        (["a.csv", "b.txt"], r"b\.txt is of a format that is not read"),
        (["test.csv", "rows.csv"], r"rows\.csv beside test files: name what is to be trained on train"),
        (["test-0.csv", "test-1.csv"], "there are test files only"),
        (["a.csv", "A.csv", "data-a.csv"], r"two files would be called data-a\.csv"),
    ],
)
def test_files_that_cannot_be_one_dataset_are_refused_before_the_upload(folder: Path, files: list[str], expected: str) -> None:
    with pytest.raises(click.BadParameter, match=expected):
        gather(write(folder, *files))


def test_a_folder_with_images_in_its_folders_is_taken_for_a_dataset_of_images(folder: Path) -> None:
    for name in ("cat/1.png", "dog/1.png"):
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(b"\x89PNG")
    images = gather([folder])
    assert (images.is_image_folder, images.is_parts, images.named_after) == (True, False, folder)

    table = gather(write(folder, "labels.csv"))
    assert table == gather([table.first])
    beside = gather([folder])
    assert (beside.is_image_folder, beside.first.name, beside.left_out) == (False, "labels.csv", ("cat/", "dog/"))


def test_images_are_given_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "cat").mkdir()
    (folder / "cat" / "1.png").write_bytes(b"\x89PNG")
    with pytest.raises(click.BadParameter, match="Wine 2024 holds images; give it alone"):
        gather([*write(tmp_path, "a.csv"), folder])
    with pytest.raises(click.BadParameter, match=r"a\.zip is an archive of images, which is no part of several"):
        gather(write(tmp_path, "a.zip", "b.zip"))


def test_nothing_to_upload_is_refused(folder: Path) -> None:
    with pytest.raises(click.BadParameter, match=r"has no file whose name ends with \.csv"):
        gather([folder])
    with pytest.raises(click.BadParameter, match=r"a\.csv, b\.csv are empty"):
        gather(write(folder, "a.csv", "b.csv", text=""))


def test_a_folder_is_uploaded_spec_first_and_ready_last(
    connection: Connection, account: FakeAws, runner: CliRunner, folder: Path
) -> None:
    write(folder, "train-0.csv", "train-1.csv", "test.csv")

    result = submit(runner, folder, "--label", "b")

    assert result.exit_code == 0, result.stderr
    keys = list(account.s3.objects)
    at = "datasets/wine-2024/"
    assert (keys[0], keys[-1]) == (f"{at}spec.json", f"{at}_READY")
    assert sorted(keys[1:-1]) == [f"{at}test.csv", f"{at}train-0.csv", f"{at}train-1.csv"]
    assert "Named wine-2024 after the folder" in result.stderr
    assert f"Uploaded 3 parts to s3://{BUCKET}/{at}, and _READY, which starts their run" in result.stderr


def test_the_run_that_it_follows_is_that_of_ready(
    connection: Connection, runner: CliRunner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []

    def watch(connection: Connection, run: str, to_the_end: bool, console: object) -> object:
        followed.append(run)
        return run_record(), []

    monkeypatch.setattr("sageline_cli.submit.watch", watch)
    submit(runner, *write(folder, "a.csv", "b.csv"), "--name", "wine")
    submit(runner, *write(folder, "a.csv", "b.csv"), "--name", "wine")

    key = "datasets/wine/_READY"
    head = connection.s3.head_object(Bucket=BUCKET, Key=key)
    assert followed[1] == run_id("wine", head["LastModified"], key, head["VersionId"]) != followed[0]


def test_parts_that_an_earlier_submit_has_left_are_deleted_and_named(
    connection: Connection, runner: CliRunner, folder: Path
) -> None:
    submit(runner, *write(folder, "a.csv", "b.csv", "c.csv"), "--name", "wine")
    connection.s3.put_object(Bucket=BUCKET, Key="datasets/wine/data.csv.gz", Body=b"older")
    connection.s3.put_object(Bucket=BUCKET, Key="datasets/wine/source.tar.gz", Body=b"a script")

    result = submit(runner, folder / "a.csv", folder / "b.csv", "--name", "wine")

    there = [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert there == [f"datasets/wine/{name}" for name in ("_READY", "data-a.csv", "data-b.csv", "source.tar.gz")]
    assert "Deleted what an earlier upload had left in the folder: data-c.csv, data.csv.gz." in result.stderr


def test_one_part_that_cannot_be_uploaded_starts_no_run(
    connection: Connection, account: FakeAws, runner: CliRunner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_file = connection.s3.upload_file

    def fail_for_b(path: str, *arguments: object, **more: object) -> None:
        if path.endswith("b.csv"):
            raise OSError("the disk is gone")
        upload_file(path, *arguments, **more)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(connection.s3, "upload_file", fail_for_b)

    assert submit(runner, *write(folder, "a.csv", "b.csv"), "--name", "wine").exit_code != 0

    assert "datasets/wine/_READY" not in account.s3.objects


def test_a_spec_may_name_the_folder_that_the_parts_go_to(connection: Connection, runner: CliRunner, folder: Path) -> None:
    files = write(folder, "a.csv", "b.csv")
    spec = folder.parent / "spec.json"
    spec.write_text('{"dataset": {"uri": "s3://bucket/datasets/wine/"}}')
    assert submit(runner, *files, "--name", "wine", "--spec", spec).exit_code == 0
    spec.write_text('{"dataset": {"uri": "s3://bucket/datasets/wine/data.csv"}}')
    assert "leave `dataset.uri` out" in submit(runner, *files, "--name", "wine", "--spec", spec).stderr


def test_files_of_several_folders_are_named_after_the_first(connection: Connection, runner: CliRunner, folder: Path) -> None:
    write(folder, "a.csv")
    write(folder.parent, "b.csv")
    result = submit(runner, folder / "a.csv", folder.parent / "b.csv")
    assert "Named a after the file" in result.stderr

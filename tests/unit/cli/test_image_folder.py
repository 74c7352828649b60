"""A folder of class folders is packed as the reader of archives takes it, and always the same."""

from __future__ import annotations

import base64
import os
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sageline.dataset.readers.source import open_blocks
from sageline_cli.connection import Connection
from sageline_cli.image_folder import pack_folder
from sageline_cli.instances import read_instances
from sageline_cli.main import cli
from tests.unit.cli.fakes import BUCKET, run_record
from tests.unit.pictures import cats_and_dogs, encoded, picture

MORE = {".DS_Store": b"x", "cat/.hidden.png": b"x", "__MACOSX/cat/1.png": b"x", "notes.txt": b"x", ".git/dog/1.png": b"x"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pets = tmp_path / "My Pets"
    for name, data in {**cats_and_dogs(6), **MORE}.items():
        (pets / name).parent.mkdir(parents=True, exist_ok=True)
        (pets / name).write_bytes(data)
    return pets


def test_images_are_packed_by_their_folders(folder: Path, tmp_path: Path) -> None:
    (folder / "dog" / "link.png").symlink_to(folder / "cat" / "1.png")
    assert pack_folder(folder, tmp_path / "pets.zip") == 6
    with (tmp_path / "pets.zip").open("rb") as stream:
        [block] = open_blocks(stream, "pets.zip", "zip")
    assert block.columns["label"].tolist() == ["cat"] * 3 + ["dog"] * 3


def test_the_same_folder_gives_the_same_archive(folder: Path, tmp_path: Path) -> None:
    pack_folder(folder, tmp_path / "first.zip")
    for path in folder.rglob("*.png"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    pack_folder(folder, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_a_folder_without_images_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(
        click.BadParameter, match=r"holds no images \(\.jpg, .*\)\. A folder is packed if it has a folder for each"
    ):
        pack_folder(tmp_path, tmp_path / "x.zip")


def test_a_folder_is_submitted_under_its_name(
    folder: Path, connection: Connection, runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run_record(), []))
    result = runner.invoke(cli, ["submit", f"{folder}/"])
    assert result.exit_code == 0, result.output
    assert "Named my-pets after the folder" in result.stderr
    assert "Packed 6 images of " in result.stderr
    connection.s3.download_file(BUCKET, "datasets/my-pets/data.zip", str(tmp_path / "got.zip"))
    with zipfile.ZipFile(tmp_path / "got.zip") as packed:
        assert len(packed.namelist()) == 6


@pytest.mark.parametrize("name", ["cat.png", "photos/CAT.JPG", "x.webp"])
def test_an_image_is_one_row_to_predict(name: str) -> None:
    data = encoded(picture(0))
    assert read_instances(name, data) == [{"image": base64.b64encode(data).decode()}]

"""`sageline inspect`, without a stack: what it prints, writes, and refuses."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli.inspection_page import page
from sageline_cli.local_rows import CountedFile
from sageline_cli.main import cli
from tests.unit.pictures import archive, cats_and_dogs

ROWS = "".join(f"A{100 + i},{['Ulm', 'Köln'][i % 2]},{i % 7}.5,{'yes' if i % 3 else 'no'}\n" for i in range(60))
SHOP = f"order_id,city,price,returned\n{ROWS}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, on a machine without a stack and without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path / "home"))
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return path


def inspect(runner: CliRunner, path: Path, *options: str) -> Result:
    return runner.invoke(cli, ["inspect", str(path), *options])


def document_of(runner: CliRunner, path: Path, *options: str) -> Json:
    result = inspect(runner, path, *options, "--json")
    assert result.exit_code == 0, result.stderr
    document: Json = json.loads(result.stdout)
    return document


def test_it_says_what_is_predicted_from_what_and_what_is_left_out(runner: CliRunner, shop: Path) -> None:
    result = inspect(runner, shop)

    assert result.exit_code == 0
    for words in (
        "60 rows, 4 columns",
        "Predicts returned (classification): its name is a usual one",
        "2 classes: yes 67%, no 33%.",
        "Learns from 2 columns (1 category, 1 number); 1 left out.",
        "it names the row",
        "Köln",
        '"features": {"city": "category", "price": "number"}',
        f"sageline submit {shop} --wait",
    ):
        assert words in result.stdout


def test_another_label_is_taken_as_in_a_submit(runner: CliRunner, shop: Path) -> None:
    assert document_of(runner, shop, "--label", "price")["task"] == "regression"

    refused = inspect(runner, shop, "--label", "prise")
    assert refused.exit_code == 1
    assert "Did you mean 'price'?" in refused.stderr


def test_the_spec_that_is_written_can_be_edited_and_taken(runner: CliRunner, shop: Path, tmp_path: Path) -> None:
    written = tmp_path / "spec.json"
    first = document_of(runner, shop, "--spec-out", str(written))
    spec = json.loads(written.read_text())
    assert document_of(runner, shop, "--spec", str(written))["kinds"] == first["kinds"]
    assert spec["reasons"]["dataset.features.city"].startswith("category")
    assert "uri" not in spec["dataset"]
    assert "name" not in spec

    del spec["dataset"]["features"]["city"]
    written.write_text(json.dumps(spec))
    edited = document_of(runner, shop, "--spec", str(written))

    assert edited["kinds"] == {"number": 1}
    assert "dataset.features does not name it" in [column["reason"] for column in edited["columns"]]


def test_a_script_keeps_its_folder(runner: CliRunner, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print()")
    spec, written = tmp_path / "given.json", tmp_path / "spec.json"
    script = {"framework": "scikit-learn", "source_dir": "code"}
    spec.write_text(json.dumps({"algorithm": {"name": "script", "script": script}}))

    document_of(runner, shop, "--spec", str(spec), "--spec-out", str(written))

    assert json.loads(written.read_text())["algorithm"]["script"]["source_dir"] == str(tmp_path / "code")


def test_every_kind_of_file_is_read(runner: CliRunner, shop: Path, tmp_path: Path) -> None:
    packed, lines, images = tmp_path / "shop.csv.gz", tmp_path / "shop.jsonl", tmp_path / "images.npz"
    packed.write_bytes(gzip.compress(SHOP.encode()))
    header, *rows = [line.split(",") for line in SHOP.splitlines()]
    lines.write_text("".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows))
    np.savez(images, x=np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4), y=np.arange(40) % 2)

    for path in (packed, lines):
        assert document_of(runner, path)["columns"] == document_of(runner, shop)["columns"]
    assert document_of(runner, images)["encoder"] == "image"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no data, not even a line"),
        ("a,b,label\n", "has a header line and no rows"),
        ("a,a\n1,2\n", "columns 1 and 2 have the same name, 'a'"),
        ("id,label\n1,a\n2,b\n3,a\n4,b\n", "there is no column to learn from"),
    ],
)
def test_what_a_run_refuses_is_refused_with_its_words(runner: CliRunner, shop: Path, text: str, message: str) -> None:
    shop.write_text(text)

    result, as_json = inspect(runner, shop), inspect(runner, shop, "--json")

    assert (result.exit_code, as_json.exit_code) == (1, 1)
    assert message in result.stderr
    assert json.loads(as_json.stdout)["error"]["code"] == "InvalidDataset"


def test_progress_goes_to_the_end_of_the_file_once_however_it_is_read(shop: Path) -> None:
    amounts: list[int] = []
    with io.BufferedReader(CountedFile(shop, amounts.append), 512) as stream:
        for start in (0, 900, 100, 0):
            stream.seek(start)
            stream.read(600)
        stream.read()
    assert sum(amounts) == shop.stat().st_size
    assert all(amount > 0 for amount in amounts)


def test_a_file_of_another_kind_is_wrong_usage(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_text("x")
    assert inspect(runner, tmp_path / "notes.docx").exit_code == 2


def test_a_file_whose_name_makes_none_is_inspected(runner: CliRunner, shop: Path) -> None:
    assert document_of(runner, shop.rename(shop.with_name("数据.csv")))["label"]["name"] == "returned"


def test_examples_that_have_commas_are_told_apart(runner: CliRunner, shop: Path) -> None:
    rows = (f"{index % 7},5;{'Köln' if index % 5 < 2 else 'Ulm'};{'yes' if index % 3 else 'no'}\n" for index in range(60))
    shop.write_text("price;city;returned\n" + "".join(rows))

    shown = inspect(runner, shop).stdout

    assert "0,5; 1,5; 2,5" in shown
    assert "Ulm, Köln" in shown


def test_who_is_told_to_submit_is_told_with_the_label_and_the_spec_that_were_given(runner: CliRunner, shop: Path) -> None:
    spec = shop.with_name("my spec.json")
    spec.write_text('{"algorithm": {"name": "knn"}}')

    shown = inspect(runner, shop, "--label", "city", "--spec", str(spec)).stdout.replace("\n", "")

    assert f"sageline submit {shop} --label city --spec '{spec}' --wait" in shown


def test_after_a_mistake_nobody_is_told_to_submit(runner: CliRunner, shop: Path) -> None:
    shop.write_text(SHOP.replace("3.5", "inf", 1))

    result = inspect(runner, shop)

    assert "Mistake: In 'price', 1 value is no number: 'inf' (row" in result.stdout
    assert "sageline submit" not in result.stdout
    assert (result.exit_code, inspect(runner, shop, "--json").exit_code) == (1, 1)


def test_a_folder_of_train_and_test_files_is_inspected_as_a_run_would_read_it(runner: CliRunner, shop: Path) -> None:
    header, *rows = SHOP.splitlines()
    folder = shop.parent / "shop"
    folder.mkdir()
    for name, some in (("train-a", rows[:15]), ("train-b", rows[15:30]), ("test", rows[30:])):
        (folder / f"{name}.csv").write_text("\n".join([header, *some]))
    (folder / "about.md").write_text("a shop")

    document, page_of_folder = document_of(runner, folder), inspect(runner, folder)

    assert document["rows"] == len(rows)
    assert document["spec"]["dataset"] == document_of(runner, shop)["spec"]["dataset"]
    assert any("the rows of test.csv are the test rows" in note for note in document["notes"])
    assert f"sageline submit {folder} --wait" in page_of_folder.stdout.replace("\n", "")
    assert page_of_folder.stderr.startswith("Left out: about.md.")


def test_parts_that_do_not_go_together_are_refused_by_their_names_here(runner: CliRunner, shop: Path) -> None:
    folder = shop.parent / "shop"
    folder.mkdir()
    (folder / "a.csv").write_text(SHOP)
    (folder / "b.csv").write_text(SHOP.replace("price", "cost", 1))

    result = inspect(runner, folder)

    assert result.exit_code == 1
    assert f"{folder / 'b.csv'}: the columns are not those of {folder / 'a.csv'}: it lacks 'price'" in result.stderr


@pytest.mark.parametrize("width", [80, 140])
def test_the_page_keeps_to_the_width_of_the_terminal(runner: CliRunner, shop: Path, width: int) -> None:
    header, *rows = SHOP.splitlines()
    shop.write_text("\n".join([f"{header},评论", *(f"{row},{'词语很长' * 30}{index}" for index, row in enumerate(rows))]))
    console = Console(width=width, record=True, file=io.StringIO())

    console.print(page(document_of(runner, shop, "--label", "returned"), None))

    shown = console.export_text()
    assert all(cell_len(line) <= width for line in shown.splitlines())
    for words in ("order_id", "left out", "different", "Köln"):
        assert words in shown


def test_of_many_columns_some_of_each_kind_are_shown(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"sensor{i}" for i in range(100)]
    rows = [[*(f"{i * k % 13}.5" for k in range(100)), "abc"[i % 3], "ok" if i % 2 else "no"] for i in range(30)]
    path.write_text("\n".join(map(",".join, [[*names, "shape", "label"], *rows])))

    shown = inspect(runner, path).stdout

    assert "sensor0 " in shown
    assert "shape " in shown
    assert "61 more columns are not shown" in shown
    assert '"features"' not in shown


def test_an_image_shows_one_of_its_pixels(runner: CliRunner, tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", x=np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4), y=np.arange(40) % 2)

    shown = inspect(runner, tmp_path / "images.npz").stdout

    assert "16 pixels" in shown
    assert "Encodes them as image, because of 16 columns of pixels." in shown
    assert "15 more columns are not shown" in shown


def test_an_archive_of_images_is_read_in_the_shape_that_the_spec_says(runner: CliRunner, shop: Path) -> None:
    path, spec = shop.with_name("pets.zip"), shop.with_name("spec.json")
    path.write_bytes(archive(cats_and_dogs(12)))
    spec.write_text('{"encoder": {"kind": "image", "shape": [4, 5]}}')

    document = document_of(runner, path, "--spec", str(spec))

    assert (document["rows"], document["label"]["classes"]) == (12, {"cat": 6, "dog": 6})
    assert document["spec"]["encoder"]["shape"] == [4, 5]
    assert [(column["kind"], column["examples"]) for column in document["columns"]] == [("image", [])]

"""`sageline inspect`: which algorithms would be trained, and how each reads the columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sageline.json_objects import Json
from sageline_cli.main import cli

WORDS = ("good", "bad", "late", "shoes", "price", "small", "torn")
REVIEWS = [" ".join(WORDS[(i + step * (1 + i % 5)) % 7] for step in range(120)) for i in range(90)]


def write(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(
        tmp_path, "age,review,bought", *(f"{20 + i % 60},{text},{'yes' if i % 3 else 'no'}" for i, text in enumerate(REVIEWS))
    )


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write(tmp_path, "review,stars", *(f"{text},{'one' if i % 3 else 'two'}" for i, text in enumerate(REVIEWS)))


def lines(runner: CliRunner, path: Path, *options: str) -> list[str]:
    result = runner.invoke(cli, ["inspect", str(path), *options])
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def document(runner: CliRunner, path: Path, *options: str) -> Json:
    found: Json = json.loads("\n".join(lines(runner, path, *options, "--json")))
    return found


def given(folder: Path, **spec: object) -> tuple[str, str]:
    """The option that takes this spec."""
    path = folder / "given.json"
    path.write_text(json.dumps(spec))
    return "--spec", str(path)


def test_what_is_tried_is_said_with_the_encoder_of_each(runner: CliRunner, table: Path) -> None:
    said = lines(runner, table)

    assert "Auto trains xgboost and linear-learner side by side, and validation rows choose." in said
    assert any(line.startswith("Encodes them for xgboost sparse: ") for line in said)
    of_linear = next(line for line in said if line.startswith("Encodes them for linear-learner sparse: "))
    assert "; texts with " in of_linear
    assert "mode tf-idf" in of_linear


def test_options_for_kinds_that_are_not_there_are_not_said(runner: CliRunner, tmp_path: Path) -> None:
    numbers = write(tmp_path, "a,b,y", *(f"{i / 7:.3f},{i / 3:.3f},{i / 11:.3f}" for i in range(80)))

    assert all(each["options"].keys() <= {"number"} for each in document(runner, numbers)["algorithms"])
    assert not any("texts with" in line for line in lines(runner, numbers))


def test_an_encoder_that_all_have_in_common_is_told_as_before(runner: CliRunner, table: Path) -> None:
    found = document(runner, table)
    assert (found["encoder"], found["layout"]) == ("columns", "sparse")
    assert found["spec"]["encoder"] == {"kind": "columns", "layout": "sparse"}


def test_encoders_that_differ_are_told_only_of_each(runner: CliRunner, texts: Path) -> None:
    of_texts = document(runner, texts)
    assert (of_texts["encoder"], of_texts["layout"]) == (None, None)
    assert [each["encoder"] for each in of_texts["algorithms"]] == ["columns", "columns", "tokens"]
    assert "encoder" not in of_texts["spec"]


def test_images_are_read_as_images_by_all(runner: CliRunner, tmp_path: Path) -> None:
    images = tmp_path / "images.npz"
    np.savez(images, x=np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4), y=np.arange(40) % 2)

    found = document(runner, images)

    assert [(each["algorithm"], each["encoder"]) for each in found["algorithms"]] == [("knn", "image"), ("tensorflow", "image")]
    assert found["spec"]["encoder"]["shape"] == [4, 4]


def test_trials_are_told_of_a_preset_that_has_some(runner: CliRunner, table: Path, tmp_path: Path) -> None:
    preset = given(tmp_path, algorithm={"preset": "good"})

    said = lines(runner, table, *preset)

    trials = [each["trials"] for each in document(runner, table, *preset)["algorithms"]]
    assert sum(trials) == 12
    assert f"xgboost has {trials[0]} trials." in said


def test_an_algorithm_that_refuses_the_data_is_told_with_the_reason(runner: CliRunner, texts: Path, tmp_path: Path) -> None:
    columns = given(tmp_path, encoder={"kind": "columns"})

    found = document(runner, texts, *columns)

    assert list(found["refused_algorithms"]) == ["blazingtext"]
    assert [each["algorithm"] for each in found["algorithms"]] == ["xgboost", "linear-learner"]
    assert any(line.startswith("Without blazingtext: ") for line in lines(runner, texts, *columns))


def test_a_named_algorithm_is_the_only_one(runner: CliRunner, table: Path, tmp_path: Path) -> None:
    named = given(tmp_path, algorithm={"name": "knn"})

    [only] = document(runner, table, *named)["algorithms"]
    said = lines(runner, table, *named)

    assert (only["algorithm"], only["encoder"], only["trials"]) == ("knn", "columns", None)
    assert any(line.startswith("Encodes them ") and " for knn" not in line for line in said)
    assert not any("side by side" in line for line in said)


def test_the_spec_that_is_written_is_tried_in_the_same_way(runner: CliRunner, table: Path, tmp_path: Path) -> None:
    written = tmp_path / "spec.json"
    first = document(runner, table, "--spec-out", str(written))

    again = document(runner, table, "--spec", str(written))

    assert again["algorithms"] == first["algorithms"]
    assert json.loads(written.read_text())["algorithm"]["name"] == "auto"


def test_what_a_budget_leaves_is_told_and_what_it_cuts_off(runner: CliRunner, table: Path, tmp_path: Path) -> None:
    spec = tmp_path / "budget.json"
    spec.write_text(json.dumps({"algorithm": {"preset": "good"}, "budget_usd": 0.3, "budget_minutes": 10}))

    said = lines(runner, table, "--spec", str(spec))
    document = json.loads(runner.invoke(cli, ["inspect", str(table), "--spec", str(spec), "--json"]).stdout)

    assert any(line.startswith("To keep to `budget_usd`, xgboost gets at most ") for line in said), said
    assert [each["trials"] for each in document["algorithms"]] == [None, None]
    assert "one training job" in document["reasons"]["budget_usd"] + document["reasons"]["budget_minutes"]


def test_a_budget_that_allows_nothing_is_refused(runner: CliRunner, table: Path, tmp_path: Path) -> None:
    spec = tmp_path / "budget.json"
    spec.write_text(json.dumps({"budget_usd": 0.01}))

    result = runner.invoke(cli, ["inspect", str(table), "--spec", str(spec)])

    assert result.exit_code == 1
    assert "`budget_usd` is $0.01, which allows no training job" in result.stderr

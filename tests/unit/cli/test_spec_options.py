"""--algorithm and --preset, which stand for a line of the spec as --label does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sageline_cli.connection import Connection
from sageline_cli.main import cli
from sageline_cli.spec_options import SpecOptions
from tests.unit.cli.fakes import BUCKET, run_record
from tests.unit.cli.test_inspection import SHOP


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Following a run gives a record at once."""
    monkeypatch.setattr("sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run_record(), []))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP)
    return path


def submit(runner: CliRunner, path: Path, *options: str) -> Result:
    return runner.invoke(cli, ["submit", str(path), *options])


def uploaded_spec(connection: Connection) -> Any:  # any JSON value
    return json.loads(connection.s3.get_object(Bucket=BUCKET, Key="datasets/shop/spec.json")["Body"].read())


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        (["--preset", "good"], {"algorithm": {"preset": "good"}}),
        (["--algorithm", "xgboost"], {"algorithm": {"name": "xgboost"}}),
        (["--algorithm", "auto", "--preset", "best"], {"algorithm": {"name": "auto", "preset": "best"}}),
        (["--algorithm", "knn", "--label", "city"], {"dataset": {"label": "city"}, "algorithm": {"name": "knn"}}),
    ],
)
def test_an_option_is_all_of_a_spec_that_is_needed(
    connection: Connection, runner: CliRunner, shop: Path, options: list[str], spec: object
) -> None:
    result = submit(runner, shop, *options)

    assert result.exit_code == 0, result.stderr
    assert uploaded_spec(connection) == spec


def test_an_option_joins_what_the_spec_says(connection: Connection, runner: CliRunner, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"algorithm": {"spot": True, "name": "knn"}, "deployment": None}))

    assert submit(runner, shop, "--algorithm", "knn", "--spec", str(tmp_path / "spec.json")).exit_code == 0

    assert uploaded_spec(connection) == {"algorithm": {"spot": True, "name": "knn"}, "deployment": None}


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (
            {"algorithm": {"name": "knn"}},
            ["--algorithm", "xgboost"],
            "the spec has the algorithm 'knn', and --algorithm says 'xgboost'",
        ),
        ({"algorithm": {"preset": "good"}}, ["--preset", "best"], "the spec has the preset 'good', and --preset says 'best'"),
        ({"tuning": {"max_jobs": 4}}, ["--preset", "good"], "`tuning` is for one algorithm"),
        ({}, ["--algorithm", "forest"], "'forest' is not one of 'auto', 'xgboost'"),
        ({}, ["--preset", "slow"], "'slow' is not one of 'quick', 'good', 'best'"),
    ],
)
def test_what_contradicts_the_spec_or_is_none_is_refused_before_the_upload(
    *, connection: Connection, runner: CliRunner, shop: Path, tmp_path: Path, spec: object, options: list[str], message: str
) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(spec))

    result = submit(runner, shop, *options, "--spec", str(tmp_path / "spec.json"))

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert "Contents" not in connection.s3.list_objects_v2(Bucket=BUCKET)


def test_a_preset_of_a_named_algorithm_is_refused_for_these_options(runner: CliRunner, shop: Path) -> None:
    result = submit(runner, shop, "--algorithm", "knn", "--preset", "good", "--name", "shop")

    said = " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert "Invalid value for '--algorithm' / '--preset'" in said
    assert '`preset` is "good", which says how much auto tries, and the algorithm is knn' in said


@pytest.mark.parametrize("document", [b"[]", b"{", b'{"algorithm": "knn"}'])
def test_what_is_no_spec_stays_for_the_parser_to_say_so(document: bytes) -> None:
    assert SpecOptions(algorithm="xgboost").into(document) == document


def test_an_inspection_takes_them_and_says_how_to_submit_with_them(runner: CliRunner, shop: Path) -> None:
    result = runner.invoke(cli, ["inspect", str(shop), "--algorithm", "linear-learner", "--label", "returned"])

    assert result.exit_code == 0, result.stderr
    assert f"sageline submit {shop} --label returned --algorithm linear-learner --wait" in " ".join(result.stdout.split())
    preset = json.loads(runner.invoke(cli, ["inspect", str(shop), "--preset", "good", "--json"]).stdout)
    assert all(each["trials"] for each in preset["algorithms"])

"""Datasets that a run would refuse: submit says so in the words of inspect, and uploads nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sageline.json_objects import Json
from sageline_cli.connection import Connection
from sageline_cli.main import cli
from tests.unit.cli.fakes import BUCKET

TABLE = "price,ordered,weight,part,kind\n" + "".join(
    f"{number}.5,2024-03-{number % 28 + 1:02d},1,train,{'rose' if number % 2 else 'iris'}\n" for number in range(60)
)
KIND: Json = {"dataset": {"label": "kind"}}
PRICE: Json = {"dataset": {"label": "price"}, "task": "regression"}


def uploads(connection: Connection) -> int:
    return len(connection.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []))


MISTAKES = {
    "one class": (TABLE.replace("iris", "rose"), KIND),
    "no number": (TABLE.replace("17.5", "many"), KIND),
    "a number spelled otherwise": (TABLE.replace("17.5", '"1,234,567.5 kg"'), KIND),
    "no date": (TABLE.replace("2024-03-17", "2024-02-31", 1), KIND),
    "no number for a label": (TABLE.replace("17.5", "many"), PRICE),
    "a weight below 0": (TABLE.replace(",1,train", ",-1,train", 1), {"dataset": {"label": "kind", "weight": "weight"}}),
    "no channel": (TABLE.replace("train", "practice", 1), {**KIND, "split": {"by": "given", "column": "part"}}),
    "no logarithm": ("price,size\n" + "".join(f"{n - 1},{n}\n" for n in range(50)), {**PRICE, "target": {"transform": "log"}}),
}


@pytest.mark.parametrize("algorithm", ["auto", "xgboost"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_inspect_calls_a_mistake_is_refused_before_the_upload(
    connection: Connection, runner: CliRunner, tmp_path: Path, mistake: str, algorithm: str
) -> None:
    table, spec = MISTAKES[mistake]
    data, said = tmp_path / "orders.csv", tmp_path / "spec.json"
    data.write_text(table)
    said.write_text(json.dumps(spec))
    asked = [str(data), "--spec", str(said), "--algorithm", algorithm]

    inspected = runner.invoke(cli, ["inspect", *asked])
    submitted = runner.invoke(cli, ["submit", *asked])

    mistakes = [line for line in inspected.stdout.splitlines() if line.startswith("Mistake: ")]
    assert mistakes
    assert [line for line in submitted.stderr.splitlines() if line.startswith("Mistake: ")] == mistakes
    assert f"Nothing was uploaded, because a run of {data} would fail." in submitted.stderr
    assert submitted.exit_code == inspected.exit_code == 1
    assert uploads(connection) == 0


def test_what_a_run_refuses_when_it_begins_is_refused_with_the_same_words(
    connection: Connection, runner: CliRunner, tmp_path: Path
) -> None:
    data = tmp_path / "orders.csv"
    data.write_text("day,price\n" + "".join(f"2024-03-{day:02d},{day}.5\n" for day in range(1, 29)))

    inspected, submitted = (runner.invoke(cli, [command, str(data), "--label", "price"]) for command in ("inspect", "submit"))

    assert "a forecast" in submitted.stderr
    assert submitted.stderr.splitlines()[-1] == inspected.stderr.splitlines()[-1]
    assert submitted.exit_code == inspected.exit_code == 1
    assert uploads(connection) == 0


def test_the_rows_of_all_parts_are_looked_at(connection: Connection, runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").write_text(TABLE.replace("17.5", "many"))

    submitted = runner.invoke(cli, ["submit", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--name", "orders", "--json"])

    error = json.loads(submitted.stdout)["error"]
    assert error["code"] == "InvalidDataset"
    assert "In 'price', 1 value is no number: 'many' (b.csv, row 18)" in error["message"]
    assert uploads(connection) == 0


@pytest.mark.parametrize(("workers", "said"), [(4, True), (None, False)])
def test_why_a_compressed_file_is_not_prepared_in_shards_is_said_before_the_upload(
    connection: Connection, runner: CliRunner, tmp_path: Path, workers: int | None, said: bool
) -> None:
    data, spec = tmp_path / "orders.csv.gz", tmp_path / "spec.json"
    spec.write_text(json.dumps({**PRICE, "preparation": {"workers": workers}}))
    data.write_bytes(gzip.compress(TABLE.encode()))

    result = runner.invoke(cli, ["submit", str(data), "--spec", str(spec)])

    told = "One function prepares it: A .gz file can be read from its beginning only: upload it in parts (docs/scale.md)"
    assert (told in result.stderr) is said

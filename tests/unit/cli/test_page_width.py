"""What is shown of a run fits a page of 100 columns, and names are broken where they have a mark."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from rich.console import Console

from sageline_cli.breakable import break_words
from sageline_cli.main import cli
from sageline_cli.render import run_detail
from tests.unit.cli.fakes import RUN_ID, FakeApi, run_record

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
LONG_URI = f"s3://sageline-databucket-e7b2f0e5d87e6/runs/{RUN_ID}/training/{RUN_ID}/output/model.tar.gz"
COLUMN = "mean_concavity_of_the_largest_cell"
SPEC = {
    "dataset": {"features": {COLUMN: "number"}},
    "reasons": {f"dataset.features.{COLUMN}": "number: every one of its values is a number, and more is to be said of that here"},
}
HYPERPARAMETERS = {
    f"{name}_of_the_trees": "0.123456789" for name in ("eta", "gamma", "depth", "subsample", "colsample", "min_weight")
}
TRIAL = {"name": f"{RUN_ID}-001-0a1b2c3d", "status": "Completed", "objective": 1.5, "seconds": 12}
DETAILS = {
    "training": {"model_artifact_uri": LONG_URI, "metrics": {f"validation:metric_{number}": 0.5 for number in range(11)}},
    "trials": [{**TRIAL, "hyperparameters": HYPERPARAMETERS}],
}
ERROR = {"state": "CheckTraining", "message": f"No data at {LONG_URI}. " * 3, "log_lines": ["word " * 40, "x" * 150]}


def page(**record: object) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    console.print(run_detail(run_record(dataset_uri=LONG_URI, **record), SPEC, [], NOW))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("record", [{"details": DETAILS}, {"status": "Failed", "error": ERROR}])
def test_no_line_is_longer_than_the_page(record: dict[str, object]) -> None:
    assert max(map(len, page(**record))) <= 100


def test_names_are_whole_or_broken_behind_a_mark() -> None:
    lines = page(details=DETAILS)

    start = next(index for index, line in enumerate(lines) if line.startswith("  model"))
    assert lines[start].endswith("/")
    assert lines[start + 1].endswith("/output/model.tar.gz")
    assert "min_weight_of_the_trees" in " ".join(lines)


def test_many_tuned_hyperparameters_share_a_column() -> None:
    text = " ".join(" ".join(page(details=DETAILS)).split())

    assert "place objective hyperparameters seconds training job status" in text
    assert "eta_of_the_trees 0.1235," in text


def test_a_pipe_gets_a_page_too(api: FakeApi, connection: object, runner: CliRunner) -> None:
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(dataset_uri=LONG_URI, details=DETAILS))

    result = runner.invoke(cli, ["show", RUN_ID])

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short words stay", "short words stay"),
        ("s3://bucket/some/key.csv", "s3://bucket/\nsome/key.csv"),
        ("see a-long-name-of-a-job now", "see a-long-name-\nof-a-job now"),
        ("x" * 30, "x" * 12 + "\n" + "x" * 12 + "\n" + "x" * 6),
    ],
)
def test_a_word_is_broken_behind_its_marks(text: str, expected: str) -> None:
    assert break_words(text, 12) == expected

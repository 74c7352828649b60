"""What `sageline show` says of the algorithms of a run."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from click.testing import CliRunner
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli.connection import Connection
from sageline_cli.leaderboard import chosen_line
from sageline_cli.main import cli
from sageline_cli.render import run_detail
from tests.unit.cli.fakes import RUN_ID, FakeApi, run_record
from tests.unit.cli.leaderboards import COMPARED, LINEAR, PLANNED, TREES, WORDS, answered, failed

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


def shown(*candidates: Json) -> list[str]:
    """The lines of the page about a run with these candidates, without the spaces that fill up cells."""
    console = Console(file=io.StringIO(), width=100)
    console.print(run_detail(run_record(details={"candidates": list(candidates)}), None, [], NOW))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_algorithms_are_ranked_and_the_chosen_one_is_marked() -> None:
    lines = shown(*COMPARED)

    assert "rank algorithm accuracy columns trained cost MB ms a row" in lines
    assert "✓ 1 linear-learner 0.9300 ± 0.0112 12,345 34 s $0.0123 1.23 83.2" in lines
    assert "2 xgboost 0.9012 ± 0.0112 12,345 34 s $0.0123 1.23 83.2" in lines


def test_how_they_were_compared_is_said() -> None:
    said = " ".join(shown(*COMPARED))

    assert "Compared by the 180 validation rows, ± one standard error; ✓: the chosen one." in said
    assert "ms a row: of the transform job that answered, the start of its instance included." in said


def test_the_end_of_a_run_says_which_algorithm_was_chosen_and_how_the_others_compare() -> None:
    chosen = "Chosen: linear-learner, accuracy 0.93 (xgboost 0.9012, blazingtext has no model), by 180 validation rows.\n"
    assert chosen_line({"candidates": COMPARED}) == chosen
    assert chosen_line({}) == ""


def test_those_that_failed_are_told_with_their_problem() -> None:
    lines = shown(*COMPARED)

    assert "✗ blazingtext has no model: AlgorithmError: [no] tokens." in lines
    assert f"sageline show {WORDS} (all that is known of it)" in lines


def test_hyperparameters_are_listed_by_name_with_few_digits() -> None:
    lines = shown(*COMPARED)

    assert "xgboost eta 0.1235, max_depth 6" in lines
    assert "linear-learner epochs 15" in lines


def test_where_all_have_failed_there_is_no_table() -> None:
    lines = shown(failed(TREES, "xgboost", "no rows"), failed(LINEAR, "linear-learner", "no columns"))

    assert "✗ xgboost has no model: no rows" in lines
    assert not any("ms a row" in line for line in lines)


def test_lower_is_better_for_some_metrics() -> None:
    lines = shown(
        answered(TREES, "xgboost", 31.5, metric="rmse", standard_error=None),
        answered(LINEAR, "linear-learner", 12.25, metric="rmse", standard_error=None),
    )

    assert next(line for line in lines if line.startswith("1 ")).startswith("1 linear-learner 12.25 ")


def test_what_is_not_known_of_one_is_left_empty() -> None:
    unknown = {"value": None, "training_seconds": None, "usd": None, "bytes": None, "milliseconds_per_row": None}
    lines = shown(answered(TREES, "xgboost", **unknown, encoder={"kind": "tokens", "columns": None}))

    assert "1 xgboost not known tokens" in lines


def test_a_run_of_one_algorithm_has_no_leaderboard() -> None:
    assert not any("algorithms compare" in line for line in shown())


def test_show_tells_how_they_stand_as_long_as_they_are_under_way(connection: Connection, runner: CliRunner, api: FakeApi) -> None:
    run = run_record(status="Running", state="TrainCandidates", details={"candidates": PLANNED})
    api.answer("GET", f"/pipelines/{RUN_ID}", run)
    api.answer("GET", f"/pipelines/{TREES}", run_record(run_id=TREES, status="Running", state="CheckTraining"))
    api.fail("GET", f"/pipelines/{LINEAR}", 404, "RunNotFound", "No run is known.")

    lines = [" ".join(line.split()) for line in runner.invoke(cli, ["show", RUN_ID]).stdout.splitlines()]

    assert any(line.startswith("… xgboost train ") for line in lines)
    assert "… linear-learner has not begun" in lines
    assert json.loads(runner.invoke(cli, ["show", RUN_ID, "--json"]).stdout) == run


def test_what_auto_was_asked_for_is_shown_of_a_run_that_has_chosen() -> None:
    run = run_record(details={"candidates": list(COMPARED), "auto": {"preset": "good", "budget_minutes": 30.0}})
    spec = {
        "algorithm": {"name": "xgboost"},
        "budget_minutes": None,
        "reasons": {"budget_minutes": "xgboost gets at most 10 min"},
    }
    console = Console(file=io.StringIO(), width=100)

    console.print(run_detail(run, spec, [], NOW))

    assert isinstance(console.file, io.StringIO)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    assert "algorithm auto, preset good, budget_minutes 30" in lines
    assert "budget_minutes 30 xgboost gets at most 10 min" in lines


def test_of_a_model_without_columns_it_is_said_what_it_reads() -> None:
    lines = shown(answered(WORDS, "blazingtext", 0.9, chosen=True, encoder={"kind": "tokens", "columns": None}), COMPARED[0])

    assert any(line.startswith("✓ 1 blazingtext 0.9000 ± 0.0112 tokens 34 s") for line in lines), lines

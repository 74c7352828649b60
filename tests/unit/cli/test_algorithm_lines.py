"""What is said of the algorithms of a run before they are trained."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli.algorithm_lines import algorithm_lines
from sageline_cli.connection import Connection
from sageline_cli.costs import bound
from sageline_cli.submit import watch
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record
from tests.unit.cli.leaderboards import PLANNED
from tests.unit.cli.test_render import shown

RUN = run_record(details={"candidates": PLANNED})


def lines(reasons: dict[str, str], preset: str = "quick", run: Json = RUN) -> list[str]:
    return [line.plain for line in algorithm_lines(run, {"algorithm": {"name": "auto", "preset": preset}, "reasons": reasons})]


def test_what_is_tried_is_said_and_how_to_try_more() -> None:
    [line] = lines({"algorithm.name": "auto trains xgboost and linear-learner side by side, and validation rows choose"})

    assert line == (
        "Auto trains xgboost and linear-learner side by side, and validation rows choose "
        "(preset quick; --preset good or best tries more)."
    )


def test_algorithms_that_are_left_out_and_what_budgets_cut_off_are_said() -> None:
    reasons = {
        "algorithm.name": "auto trains xgboost alone, as no other goes with the data and the spec",
        "algorithm.hyperparameters": "the algorithm's own defaults",
        "algorithm.blazingtext": "left out: BlazingText has no weights.",
        "budget_usd": "xgboost gets at most 4 trials instead of 8 trials",
    }

    assert lines(reasons)[1:] == [
        "Without blazingtext: BlazingText has no weights.",
        "To keep to `budget_usd`, xgboost gets at most 4 trials instead of 8 trials.",
    ]


def test_without_the_spec_the_names_are_told() -> None:
    assert [line.plain for line in algorithm_lines(RUN, None)] == ["Auto trains xgboost and linear-learner."]


def test_where_one_has_been_chosen_meanwhile_the_names_are_told() -> None:
    spec = {"algorithm": {"name": "xgboost"}, "reasons": {"algorithm.name": "auto has chosen it by the validation rows"}}
    assert [line.plain for line in algorithm_lines(RUN, spec)] == ["Auto trains xgboost and linear-learner."]


def test_nothing_is_said_of_a_named_algorithm() -> None:
    assert lines({"algorithm.name": "as given"}, run=run_record()) == []


@pytest.mark.parametrize(
    ("alone", "said"),
    [
        ({"xgboost": 0.345, "linear-learner": 0.345}, "With one of its algorithms alone: up to $0.345."),
        ({"xgboost": 2.5, "linear-learner": 1.5}, "Alone: xgboost up to $2.50, linear-learner up to $1.50."),
    ],
)
def test_the_bound_stands_beside_that_of_one_algorithm(alone: dict[str, float], said: str) -> None:
    parts = [{"what": "training", "usd": 4.0, "text": "training: 2 jobs"}]
    run = run_record(details={"cost": {"most_usd": 4.0, "parts": parts, "prices": "2026-09-25", "alone_usd": alone}})

    assert bound(run) == f"It may cost up to $4.00: training: 2 jobs. {said}"
    assert said.rstrip(".") in " ".join(shown({}, **run["details"]).split())


def test_submit_says_them_before_the_run_is_followed(connection: Connection, api: FakeApi) -> None:
    candidates = {"candidates": PLANNED, "cost": {"most_usd": 0.69, "parts": [], "prices": "2026-09-25"}}
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(status="Running", state="TrainCandidates", details=candidates))
    spec = {"algorithm": {"name": "auto", "preset": "good"}, "reasons": {"algorithm.name": "auto trains xgboost alone"}}
    connection.s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN_ID}/spec.json", Body=json.dumps(spec).encode())
    out = io.StringIO()

    watch(connection, RUN_ID, to_the_end=False, console=Console(file=out, width=200))

    first = out.getvalue().splitlines()[0]
    assert first == "Auto trains xgboost alone (preset good; --preset best tries more, quick less)."


OF_IMAGES = {"candidates": [{"run_id": "a", "algorithm": "knn"}, {"run_id": "b", "algorithm": "tensorflow"}]}


@pytest.mark.parametrize(
    ("is_local", "is_installed", "details", "is_said"),
    [
        (True, False, OF_IMAGES, True),
        (False, False, OF_IMAGES, False),
        (True, True, OF_IMAGES, False),
        (True, False, {"candidates": PLANNED}, False),
    ],
)
def test_that_a_framework_is_missing_here_is_said_before_the_run_is_followed(  # noqa: PLR0917 # what it depends on
    connection: Connection,
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
    is_local: bool,  # a case
    is_installed: bool,  # a case
    details: Json,
    is_said: bool,  # a case
) -> None:
    found = object() if is_installed else None
    monkeypatch.setattr("sagemaker_emulator.engines.script.frameworks.importlib.util.find_spec", lambda _: found)
    details = {**details, "cost": {"most_usd": 0.69, "parts": [], "prices": "2026-09-25"}}
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(status="Running", state="TrainCandidates", details=details))
    out = io.StringIO()

    watch(replace(connection, is_local=is_local), RUN_ID, to_the_end=False, console=Console(file=out, width=200))

    assert ("TensorFlow is not installed on this machine, so tensorflow will have no model" in out.getvalue()) == is_said

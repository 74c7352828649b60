"""What is said of the algorithms of a run before they are trained."""

from __future__ import annotations

from sageline.json_objects import Json
from sageline_cli.algorithm_lines import algorithm_lines
from tests.unit.cli.fakes import run_record
from tests.unit.cli.leaderboards import PLANNED

RUN = run_record(details={"candidates": PLANNED})


def lines(reasons: dict[str, str], preset: str = "quick", run: Json = RUN) -> list[str]:
    return [line.plain for line in algorithm_lines(run, {"algorithm": {"preset": preset}, "reasons": reasons})]


def test_what_is_tried_is_said_and_how_to_try_more() -> None:
    [line] = lines({"algorithm.name": "auto trains xgboost and linear-learner side by side, and validation rows choose"})

    assert line == (
        "Auto trains xgboost and linear-learner side by side, and validation rows choose "
        "(preset quick; --preset good or best tries more)."
    )


def test_algorithms_that_are_left_out_and_what_budgets_cut_off_are_said() -> None:
    reasons = {
        "algorithm.name": "auto trains xgboost as nothing else can learn from the data",
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


def test_nothing_is_said_of_a_named_algorithm() -> None:
    assert lines({"algorithm.name": "as given"}, run=run_record()) == []

"""The report of a run of several algorithms."""

from __future__ import annotations

import pytest

from sageline.json_objects import Json
from sageline.report.drawing.figures import UNKNOWN
from sageline.report.from_record import report_data
from sageline.report.leaderboard import Leaderboard, leaderboard
from sageline.report.page import render
from sageline.runs.store import RunRecord
from tests.unit.report import samples
from tests.unit.report.reading import Element, read, sections, table

HOSTILE = """<script src="http://evil.example">alert(1)</script>"'&amp;</title></style>"""


def candidate(algorithm: str, value: float | None, **changes: object) -> Json:
    return {
        "run_id": f"docs-{algorithm}-20261120100000-0a1b2c",
        "algorithm": algorithm,
        "chosen": False,
        "metric": "accuracy",
        "value": value,
        "standard_error": 0.01,
        "rows": 1200,
        "training_seconds": 95,
        "usd": 0.00607,
        "bytes": 2_345_678,
        "milliseconds_per_row": 12.5,
        "encoder": {"kind": "columns", "columns": 20_001},
        "hyperparameters": {"eta": 0.1, "max_depth": "6"},
        "problem": None,
        **changes,
    }


CANDIDATES = [
    candidate("xgboost", 0.9),
    candidate("linear-learner", 0.92, chosen=True, hyperparameters={}, usd=None, bytes=None, milliseconds_per_row=None),
    candidate("blazingtext", None, metric=None, problem="AlgorithmError: no tokens."),
]


def page(*candidates: Json) -> Element:
    record = RunRecord(run_id="docs-1", name="docs", execution_arn="arn", details={"candidates": list(candidates)})
    return read(report_data(record, evaluation=samples.classification(3), spec=samples.spec(), profile=None))


def found(*candidates: Json) -> Element:
    return sections(page(*candidates))["algorithms"]


def test_algorithms_are_ranked_and_the_chosen_one_is_marked() -> None:
    section = found(*CANDIDATES)

    assert table(section, "Algorithms, best first") == [
        ["rank", "algorithm", "accuracy", "columns", "trained for", "US dollars", "MB", "milliseconds a row"],
        ["1", "linear-learner (chosen)", "0.9200 ± 0.0100", "20,001", "1 min 35 s", UNKNOWN, UNKNOWN, UNKNOWN],
        ["2", "xgboost", "0.9000 ± 0.0100", "20,001", "1 min 35 s", "$0.00607", "2.35", "12.5"],
    ]
    marked = [row for row in section.all("tr") if row.attributes.get("class") == "marked"]
    assert ["linear-learner" in row.text for row in marked] == [True]


def test_what_chose_and_what_the_numbers_are_is_said() -> None:
    text = found(*CANDIDATES).text

    assert "The 1,200 validation rows chose among them; the test rows judge the chosen one only." in text
    assert "the start of its instance included" in text


def test_hyperparameters_and_problems_have_tables_of_their_own() -> None:
    section = found(*CANDIDATES)

    assert table(section, "What they were trained with")[1:] == [
        ["linear-learner", "what the algorithm takes by itself"],
        ["xgboost", "eta 0.1, max_depth 6"],
    ]
    assert table(section, "Those that have no model")[1:] == [
        ["blazingtext", "AlgorithmError: no tokens.", "docs-blazingtext-20261120100000-0a1b2c"]
    ]


def test_a_run_of_one_algorithm_and_one_that_has_not_chosen_have_no_such_section() -> None:
    planned = {"run_id": "docs-xgboost-20261120100000-0a1b2c", "algorithm": "xgboost"}
    assert "algorithms" not in sections(page())
    assert "algorithms" not in sections(page(planned))


def test_where_all_have_failed_only_the_reasons_are_there() -> None:
    section = found(candidate("xgboost", None, problem="no rows"))

    assert [caption.text for caption in section.all("caption")] == ["Those that have no model"]


def test_texts_of_candidates_are_texts_of_the_page_and_nothing_else() -> None:
    hostile = {"metric": HOSTILE, "encoder": {"kind": HOSTILE}, "hyperparameters": {HOSTILE: HOSTILE}}
    parsed = page(candidate(HOSTILE, 0.9, **hostile), candidate(HOSTILE, None, run_id=HOSTILE, problem=HOSTILE))

    assert not parsed.all("script")
    assert len(parsed.all("style")) == 1
    assert HOSTILE in {cell.text for cell in parsed.all("th")}


def test_a_record_that_somebody_has_written_into_does_no_harm() -> None:
    odd: Json = {"candidates": [{"chosen": 1, "value": "high", "encoder": [], "hyperparameters": 3, "bytes": "many"}, "xgboost"]}
    record = RunRecord(run_id="docs-1", name="docs", execution_arn="arn", details=odd)

    assert b"Algorithms, best first" in render(report_data(record, evaluation=None, spec=None, profile=None))


@pytest.mark.parametrize(("metric", "best"), [("rmse", "a"), ("accuracy", "b"), ("of a script", "b")])
def test_the_best_comes_first_whichever_values_of_the_metric_are_better(metric: str, best: str) -> None:
    board = leaderboard({"candidates": [candidate("a", 1.5, metric=metric), candidate("b", 2.5, metric=metric)]})
    assert isinstance(board, Leaderboard)
    assert (board.metric, board.answered[0]["algorithm"]) == (metric, best)


def test_the_chosen_one_is_first_among_equals() -> None:
    board = leaderboard({"candidates": [candidate("a", 0.5), candidate("b", 0.5, chosen=True), candidate("c", None)]})
    assert board
    assert [each["algorithm"] for each in board.answered] == ["b", "a", "c"]

"""What a report says of the run: the data, the training, the spec, times and costs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from sageline.report.curves import learning_curves
from sageline.report.data import Curve
from sageline.report.page import render
from sageline.runs.timings import StateTime
from tests.unit.report import samples
from tests.unit.report.reading import numbers, overlapping, pictures, read, section, sections, table

OBJECTIVE = {"tuning": {"objective": {"metric": "validation:mlogloss", "type": "Minimize"}}}


def test_parts_of_an_evaluation_that_are_missing_leave_no_trace() -> None:
    whole = samples.classification(3, at_least=None)
    bare = {"task": "classification", "metrics": {"accuracy": 0.5}, "gate": {"decision": "accepted", "reason": "", "checks": []}}
    residuals = samples.regression() | {
        "residuals": {"points": [[1.0, 2.0]], "quantiles": {}, "histogram": {"edges": [], "rows": []}}
    }

    assert set(sections(read(samples.report(bare | {"classes": []}, profile=None)))) == {
        "result", "training", "spec", "timings", "costs",
    }  # fmt: skip
    assert section(bare, "result").all("svg") == []
    assert len(section(whole, "result").all("svg")) == 1
    assert len(section(residuals, "residuals").all("svg")) == 2
    assert "residuals" not in sections(read(samples.report(samples.regression() | {"residuals": None})))


def test_a_dataset_without_words_or_numbers_of_its_label_says_nothing_of_them() -> None:
    found = section(None, "dataset", profile={"rows": {"train": 0}, "label": {"column": "y"}, "columns": {}})

    assert [caption.text for caption in found.all("caption")] == ["How the rows were split"]
    assert "0.0 %" in found.text


def test_learning_curves_of_one_measure_share_a_plot() -> None:
    curves = (*samples.curves("mlogloss"), *samples.curves("merror"))

    found = section(samples.classification(3), "training", curves=curves)

    assert [figure.all("figcaption")[0].text for figure in found.all("figure")] == [
        "Learning curve: mlogloss", "Learning curve: merror",
    ]  # fmt: skip
    assert [item.text for item in found.all("figure")[0].all("li")] == ["train", "validation"]
    rows = {row[0]: row for row in table(found, "What the training job reported")}
    assert numbers(rows["validation:mlogloss"][1:2]) == pytest.approx([curves[1].values[-1]], rel=1e-3)


def test_a_curve_of_thousands_of_rounds_is_drawn_with_hundreds_of_points_and_its_end() -> None:
    curve = Curve("train:rmse", [float(place) for place in range(10_001)])

    plot = section(samples.regression(), "training", curves=[curve]).all("svg")[0]

    path = next(found for found in plot.all("g") if "line s0" in (found.attributes.get("class") or "")).all("path")[0]
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attributes["d"] or "")
    assert 250 <= len(points) <= 302
    assert float(points[-1][1]) == min(float(y) for _, y in points)


def test_last_values_are_shown_where_there_are_no_curves() -> None:
    found = section(samples.classification(3), "training", curves=())

    assert table(found, "What the training job reported")[1:] == [["train:merror", "0.1"], ["validation:merror", "0.22"]]
    assert found.all("svg") == []


def test_trials_keep_their_order_and_the_rest_is_folded_away() -> None:
    trials = samples.trials(40)

    found = section(samples.classification(3), "tuning", trials=trials, spec=samples.spec() | OBJECTIVE)

    head, *first = table(found, "Trials, best first")
    assert head == ["place", "validation:mlogloss", "booster", "eta", "max_depth", "took", "training job", "status"]
    rows = first + table(found, "The other trials")[1:]
    assert [row[6] for row in rows] == [trial["name"] for trial in trials]
    assert rows[-1][1] == "\N{EN DASH}"
    assert rows[-1][7] == "Failed: the script ended with exit code 1"
    assert "the lower the better" in found.text
    assert [figure.all("figcaption")[0].text for figure in found.all("figure")] == ["Trial by trial", "eta", "max_depth"]


@pytest.mark.parametrize(("kind", "best"), [("Minimize", 2), ("Maximize", 3)])
def test_the_best_trial_is_marked_where_it_was_started(kind: str, best: int) -> None:
    values = [(1, 0.5), (2, 0.1), (3, 0.9)]
    trials = [
        {"name": f"t-{place:03d}-00000000", "status": "Completed", "objective": value, "hyperparameters": {}, "seconds": 1}
        for place, value in sorted(values, key=lambda one: one[1], reverse=kind == "Maximize")
    ]
    objective = {"tuning": {"objective": {"metric": "score", "type": kind}}}

    plot = section(samples.classification(3), "tuning", trials=trials, spec=samples.spec() | objective).all("svg")[0]

    assert f"the best is trial {best} with" in (plot.attributes["aria-label"] or "")


def test_the_profile_of_text_shows_rows_classes_columns_and_words() -> None:
    profile = samples.profile(20)

    found = section(samples.classification(20), "dataset")

    split = {row[0]: row[1] for row in table(found, "How the rows were split")[1:]}
    assert split == {name: f"{profile['rows'][name]:,}" for name in ("train", "validation", "test")}
    classes = table(found, "Rows of each class")[1:] + table(found, "Rows of each class: the others")[1:]
    assert {row[0]: int(row[1].replace(",", "")) for row in classes} == profile["label"]["classes"]["train"]
    columns = {row[0]: row for row in table(found, "Columns of the dataset")}
    assert columns["post"][1:5] == ["text", "0", "about 18,234", "12 char."]
    assert columns["score"][4:] == ["\N{MINUS SIGN}9", "3.125", "812", "11.9"]
    assert "the (91,234), a (50,111)" in found.text
    assert "3 rows whose class has no row in train" in found.text


def test_the_profile_of_a_regression_shows_the_values_of_its_label() -> None:
    found = section(samples.regression(), "dataset")

    assert table(found, "Values of the label")[1] == ["price", "11,000", "239,900.5", "1,400,000", "118,000", "\N{EN DASH}"]
    assert len(table(found, "Columns of the dataset: the others")) == 1 + 6


def test_the_spec_is_shown_with_the_reasons_of_what_was_chosen() -> None:
    spec = samples.spec()

    found = section(samples.classification(3), "spec")

    rows = table(found, "What was chosen, and why")[1:]
    assert {row[0]: row[2] for row in rows} == spec["reasons"]
    values = {row[0]: row[1] for row in rows}
    assert (values["dataset.label"], values["dataset.features.post"], values["dataset.features.score"]) == ("service", "text", "")
    assert json.loads(found.all("pre")[0].text) == {key: value for key, value in spec.items() if key != "reasons"}


def test_a_column_whose_name_has_dots_is_found_in_the_spec() -> None:
    spec = samples.spec() | {"dataset": {"features": {"a.b": "number"}}, "reasons": {"dataset.features.a.b": "it is one"}}

    assert table(section(None, "spec", spec=spec), "What was chosen, and why")[1] == [
        "dataset.features.a.b",
        "number",
        "it is one",
    ]


def test_a_spec_that_says_everything_has_no_reasons() -> None:
    assert "nothing had to be chosen" in section(None, "spec", spec={"name": "x"}).text


def test_timings_tell_each_state_and_where_it_failed() -> None:
    states = [StateTime("PrepareData", 14.8), StateTime("CheckTraining", 7322.0, "failed")]

    found = section(None, "timings", states=states)

    rows = table(found, "Time per state; 2 h 02 min in all")
    assert [row[1] for row in rows[1:]] == ["15 s", "2 h 02 min"]
    assert [row[2] for row in rows[1:]] == ["0.2 %", "99.8 %"]
    assert rows[2][3] == "✗ failed"


def test_timings_tell_what_the_jobs_took_beside_the_states_that_waited_for_them() -> None:
    found = section(samples.classification(2), "timings")

    assert table(found, "Time per job, as SageMaker has it")[1:] == [
        ["aws-docs-20261120100000-0a1b2c", "training", "3 min 32 s", "1 min 24 s"],
        ["aws-docs-20261120100000-0a1b2c-test", "answering the test rows", "1 min 01 s", "1 min 01 s"],
    ]
    assert "Until this report was written" in found.text
    assert "Time per job" not in section(samples.classification(2), "timings", jobs=()).text


def test_costs_are_what_the_record_says() -> None:
    found = section(samples.classification(2), "costs", spec=samples.spec() | {"budget_usd": 5})

    assert {div.all("dt")[0].text: div.all("dd")[0].text for div in found.all("dl")[0].all("div")} == {
        "did cost": "$0.08382", "at most": "$2.07", "budget": "$5.00", "endpoint": "$0.23 per hour",
        "prices": "2026-09-25, us-east-1",
    }  # fmt: skip
    assert table(found, "What its jobs did cost")[1:] == [
        ["aws-docs-1", "training", "1 ml.m5.xlarge", "21 min 52 s", "$0.08382"],
        ["aws-docs-2", "transform", "2 ml.x9.none", "1 min 00 s", "not known"],
    ]
    assert table(found, "What it may cost at most")[1] == ["training", "1 ml.m5.xlarge x 1 h x $0.23 = $0.23", "$0.23"]
    assert "Prices of us-east-1 are taken." in found.text


def test_an_endpoint_that_costs_nothing_while_idle_does_not_cost_nothing() -> None:
    parts = [
        {"what": "training", "usd": 0.23, "text": "training: 1 h"},
        {"what": "endpoint", "usd": 0.0, "text": "endpoint: serverless"},
    ]
    found = section(None, "costs", costs={"most_usd": 0.23, "parts": parts})

    assert "$0.23, and the endpoint by its use" in found.text
    assert table(found, "What it may cost at most")[2] == ["endpoint", "serverless", "by its use"]


def test_a_run_without_a_bound_says_so() -> None:
    found = section(
        None, "costs", costs={"most_usd": None, "parts": [{"what": "endpoint", "usd": None, "text": "endpoint: for ever"}]}
    )

    assert "no bound" in found.text
    assert table(found, "What it may cost at most")[1] == ["endpoint", "for ever", "not known"]


def test_names_as_long_as_sagemaker_allows_do_not_leave_their_plot() -> None:
    report = samples.report(samples.classification(2), curves=[Curve("m" * 255, [1.0, 2.0])])

    for picture in pictures(render(replace(report, trials=())).decode()):
        assert overlapping(picture) == []
        assert all(len(text.text or "") < 60 for text in picture.iter("text"))


def test_curves_are_read_from_a_log_by_the_expressions_of_the_job() -> None:
    lines = [
        "[0]#011train-rmse:9.5#011validation-rmse:10.25",
        "nothing to see",
        "[1]#011train-rmse:8.5#011validation-rmse:nan",
        "train-rmse:1" + "0" * 5000,
        "[2]#011train-rmse:7e-1#011validation-rmse:oops",
    ]

    found = learning_curves(
        lines, {"train:rmse": r"train-rmse:(\S+?)(?:#|$)", "validation:rmse": r"validation-rmse:(\S+)", "absent": r"absent(.)"}
    )

    assert found == [Curve("train:rmse", (9.5, 8.5, 0.7)), Curve("validation:rmse", (10.25,))]

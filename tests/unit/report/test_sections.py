"""What the sections of a report say is what they were given."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from sageline.report.curves import learning_curves
from sageline.report.data import Curve
from sageline.report.page import render
from sageline.report.sections.evaluation import display_name
from sageline.runs.timings import StateTime
from tests.unit.report import samples
from tests.unit.report.reading import Element, overlapping, pictures, read, sections, table

OBJECTIVE = {"tuning": {"objective": {"metric": "validation:mlogloss", "type": "Minimize"}}}


def section(evaluation: samples.Document | None, name: str, **changes: object) -> Element:
    return sections(read(samples.report(evaluation, **changes)))[name]


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace(",", "").replace("\N{MINUS SIGN}", "-").lstrip("±+ ")) for text in texts]


def test_the_result_shows_every_metric_of_the_document() -> None:
    evaluation = samples.classification(10)

    rows = table(section(evaluation, "result"), "All metrics")

    assert rows[1][0] == "accuracy"  # the metric that decides comes first
    shown = {row[0].replace(" ", "_").lower(): row for row in rows[1:]}
    assert set(shown) == set(evaluation["metrics"])
    for name, value in evaluation["metrics"].items():
        found, spread = numbers(shown[name][1:3])
        assert found == pytest.approx(value, abs=5e-5)
        assert spread == pytest.approx(2 * evaluation["standard_errors"][name], rel=0.05)
    assert numbers([shown["log_loss"][3]]) == pytest.approx([evaluation["baseline"]["metrics"]["log_loss"]], abs=5e-5)
    assert shown["log_loss"][4] == "lower"


def test_a_metric_that_is_not_known_has_a_dash_and_no_tile() -> None:
    evaluation = samples.classification(4)
    evaluation["metrics"]["log_loss"] = None

    result = section(evaluation, "result")

    assert ["log loss", "\N{EN DASH}"] in [row[:2] for row in table(result, "All metrics")]
    tiles = next(found for found in result.all("dl") if found.attributes.get("class") == "tiles")
    assert [name.text for name in tiles.all("dt")] == [
        "accuracy", "top 3 accuracy", "balanced accuracy", "ROC AUC", "average precision",
    ]  # fmt: skip


def test_the_metric_is_drawn_with_the_baseline_the_gate_and_the_model_in_service() -> None:
    evaluation = samples.classification(10, champion=3.5)

    page = render(samples.report(evaluation)).decode()
    gauge = next(picture for picture in pictures(page) if "this model" in picture.attrib["aria-label"])

    texts = [text.text for text in gauge.iter("text")]
    assert texts[::2] == ["this model", "in service", "at least", "baseline"]
    levels = (
        evaluation["metrics"]["accuracy"],
        evaluation["champion"]["metrics"]["accuracy"],
        0.6,
        evaluation["baseline"]["metrics"]["accuracy"],
    )
    assert texts[1::2] == [f"{level:.4f}" for level in levels]


def test_the_gate_says_what_was_asked_for_and_what_was_not_met() -> None:
    evaluation = samples.classification(10, skill=3.4, champion=3.5, at_least=0.9)

    rows = table(section(evaluation, "result"), "The gate: what the spec asks for")

    assert rows[1][:2] == ["accuracy at least 0.9", "✗ not passed"]
    assert rows[2][:2] == ["better accuracy than the model in service", "✗ not passed"]
    assert [row[2] for row in rows[1:]] == [check["reason"] for check in evaluation["gate"]["checks"]]


def test_the_gate_says_that_the_baseline_is_to_be_beaten() -> None:
    evaluation = samples.classification(3)
    baseline = {
        "rule": "better_than_baseline",
        "metric": "macro_f1",
        "wanted": None,
        "found": 0.5,
        "passed": True,
        "reason": "so",
    }
    evaluation["gate"]["checks"] = [baseline]

    rows = table(section(evaluation, "result"), "The gate: what the spec asks for")

    assert rows[1] == ["better macro F1 than the baseline", "✓ passed", "so"]


@pytest.mark.parametrize(("classes", "shown"), [(2, False), (3, False), (4, True)])
def test_of_three_classes_or_fewer_the_top_three_are_nowhere(classes: int, shown: bool) -> None:
    page = read(samples.report(samples.classification(classes, champion=3.5)))

    assert ("top 3 accuracy" in page.text) is shown


def test_warnings_come_before_the_reason_and_are_a_list() -> None:
    warnings = ["Judged by 12 test rows only.", "The model never answers '<b>'."]
    banner = read(samples.report(samples.classification(3), warnings=warnings)).all("header")[0]

    assert [item.text for item in banner.all("li")] == warnings
    places = [child.attributes.get("class") for child in banner.children if isinstance(child, Element)]
    assert places.index("warnings") < places.index("reason")
    assert not read(samples.report(samples.classification(3))).all("header")[0].all("ul")


def test_a_limit_of_one_class_names_its_label_as_it_is() -> None:
    assert [display_name(name) for name in ("recall:card_fraud", "macro_f1")] == ["recall:card_fraud", "macro F1"]


def test_a_model_without_limits_has_no_gate() -> None:
    result = section(samples.classification(3, at_least=None), "result")

    assert "The gate: what the spec asks for" not in [caption.text for caption in result.all("caption")]


def test_both_models_are_compared_metric_by_metric_whichever_value_is_better() -> None:
    evaluation = samples.classification(10, champion=3.5)

    found = section(evaluation, "champion")

    rows = {row[0]: row for row in table(found, "Both models on the same rows, each with its own encoder")}
    new, old = evaluation["metrics"]["log_loss"], evaluation["champion"]["metrics"]["log_loss"]
    assert new < old
    assert numbers(rows["log loss"][1:4]) == pytest.approx([new, old, new - old], abs=1e-4)
    assert rows["log loss"][4] == "better"
    assert "The new model is better by more than chance" in found.text
    assert "by McNemar's exact test on 2,000 rows" in found.text
    assert evaluation["champion"]["variant"] in found.text


def test_a_difference_that_may_be_chance_is_said_to_be_one() -> None:
    found = section(samples.classification(10, champion=4.0), "champion")

    assert "The new model is not better by more than chance" in found.text


def test_a_model_in_service_that_could_not_be_compared_says_why() -> None:
    evaluation = samples.classification(3)
    evaluation["champion"] = {"variant": "older", "metrics": {}, "comparison": None, "problem": "it needs the column 'age'"}

    found = section(evaluation, "champion")

    assert "They could not be compared: it needs the column 'age'" in found.text
    assert found.all("table") == []


@pytest.mark.parametrize("classes", [2, 10, 25])
def test_a_confusion_matrix_of_up_to_25_classes_is_a_table(classes: int) -> None:
    evaluation = samples.classification(classes)
    confusion = evaluation["confusion"]

    head, *rows = table(section(evaluation, "confusion"), "Confusion matrix")

    assert head[1:] == [row[0] for row in rows] == confusion["labels"]
    assert [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows] == confusion["matrix"]


def test_long_labels_that_begin_alike_are_told_apart_beside_the_matrix() -> None:
    evaluation = samples.classification(2)
    labels = ["mortgage: trouble while paying", "mortgage: trouble while closing"]
    evaluation["confusion"]["labels"] = labels

    head, *rows = section(evaluation, "confusion").all("table")[0].all("tr")

    assert [cell.text for cell in head.all("th")] == ["mortgage:…e paying", "mortgage:…closing"]
    assert [row.all("th")[0].attributes["title"] for row in rows] == labels


def test_of_three_classes_the_top_three_are_no_news() -> None:
    for classes, is_shown in ((3, False), (4, True)):
        tiles = section(samples.classification(classes), "result").all("dl")[0]
        assert ("top 3 accuracy" in [name.text for name in tiles.all("dt")]) is is_shown


def test_a_cell_says_in_words_what_it_counts() -> None:
    evaluation = samples.classification(2)
    matrix = evaluation["confusion"]["matrix"]

    cells = section(evaluation, "confusion").all("td")

    said = next(cell.attributes["title"] or "" for cell in cells if cell.attributes.get("class") == "wrong")
    assert said.startswith(f"ec2 answered as s3: {matrix[0][1]:,} of {sum(matrix[0]):,} (")


def test_of_more_classes_the_most_frequent_mistakes_are_shown_and_the_matrix_is_a_picture() -> None:
    evaluation = samples.classification(60)
    mistakes = evaluation["confusion"]["mistakes"]
    support = {row["label"]: row["support"] for row in evaluation["classes"]}

    found = section(evaluation, "confusion")

    assert "Confusion matrix" not in [caption.text for caption in found.all("caption")]
    rows = table(found, "The most frequent mistakes")[1:] + table(found, "The most frequent mistakes: the others")[1:]
    assert [row[:3] for row in rows] == [[one["expected"], one["predicted"], str(one["rows"])] for one in mistakes]
    assert rows[0][3] == f"{100 * mistakes[0]['rows'] / support[mistakes[0]['expected']]:.1f} %"
    drawn = "".join(path.attributes["d"] or "" for path in found.all("svg")[0].all("path"))
    filled = {
        (own, place) for own, row in enumerate(evaluation["confusion"]["matrix"]) for place, count in enumerate(row) if count
    }
    assert {(int(y), int(x)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn)} == filled


def test_of_more_than_a_hundred_classes_there_is_no_picture() -> None:
    assert section(samples.classification(130), "confusion").all("svg") == []


def test_a_model_without_mistakes_is_told_so() -> None:
    assert "No row was given a wrong label." in section(samples.classification(3, 200, skill=60), "confusion").text


def test_classes_are_shown_the_weakest_first_and_none_is_missing() -> None:
    evaluation = samples.classification(60)

    found = section(evaluation, "classes")

    first, rest = table(found, "The weakest classes first")[1:], table(found, "The weakest classes first: the others")[1:]
    assert (len(first), len(rest)) == (25, 35)
    ordered = sorted(evaluation["classes"], key=lambda row: (row["f1"], row["label"]))
    assert [row[0] for row in first + rest] == [row["label"] for row in ordered]
    worst = ordered[0]
    assert numbers(first[0][1:]) == pytest.approx(
        [worst[name] for name in ("precision", "recall", "f1", "roc_auc", "average_precision", "support")], abs=0.0005
    )
    assert found.all("summary")[0].text == "35 more classes"


def test_both_curves_of_the_class_that_is_looked_for_show_where_the_models_answers_are() -> None:
    evaluation = samples.classification(2)
    row = evaluation["classes"][1]

    found = section(evaluation, "ranking")

    assert "Rows that are s3 against all others, by its score." in found.text
    for plot, curve in zip(found.all("svg"), ("roc", "precision_recall"), strict=True):
        drawn = next(group for group in plot.all("g") if group.attributes.get("class") == "line s0").all("path")[0]
        assert len((drawn.attributes["d"] or "").split("L")) == len(evaluation["curves"][curve])
    wrong = evaluation["confusion"]["matrix"][0][1] / evaluation["classes"][0]["support"]
    dots = [plot.all("circle")[0].text for plot in found.all("svg")]
    assert dots == [
        f"{100 * wrong:.1f} %, {100 * row['recall']:.1f} %",
        f"{100 * row['recall']:.1f} %, {100 * row['precision']:.1f} %",
    ]
    assert [caption.text for caption in found.all("figcaption")] == [
        f"ROC curve, area {evaluation['metrics']['roc_auc']:.4f}",
        f"Precision over recall, average {evaluation['metrics']['average_precision']:.4f}",
    ]


def test_of_many_classes_the_curves_are_means_and_a_choice_of_rows_is_said_to_be_one() -> None:
    found = section(samples.classification(10) | {"ranked_rows": 1234}, "ranking")

    assert "Each class against all others, and the mean over the classes. Of 1,234 rows, a random choice." in found.text
    assert [plot.all("circle") for plot in found.all("svg")] == [[], []]


def test_a_class_that_is_never_answered_has_no_dot_and_the_note_says_so() -> None:
    evaluation = samples.classification(2)
    evaluation["classes"][1] |= {"predicted": 0, "precision": 0.0, "recall": 0.0}

    found = section(evaluation, "ranking")

    assert "The model answers it for no row." in found.text
    assert [plot.all("circle") for plot in found.all("svg")] == [[], []]


def test_an_evaluation_of_version_0_1_is_shown_by_todays_names() -> None:
    evaluation = samples.classification(3)
    evaluation["metrics"]["macro_recall"] = evaluation["metrics"].pop("balanced_accuracy")
    evaluation["metric"] = "macro_recall"
    for absent in ("positive", "ranked_rows", "curves"):
        del evaluation[absent]

    page = sections(read(samples.report(evaluation)))

    assert table(page["result"], "All metrics")[1][0] == "balanced accuracy"
    assert "ranking" not in page


def test_calibration_shows_every_bin_that_has_rows() -> None:
    evaluation = samples.classification(10)
    filled = [row for row in evaluation["calibration"] if row["rows"]]

    found = section(evaluation, "calibration")

    rows = table(found, "Confidence and accuracy")[1:]
    assert [row[1] for row in rows] == [str(one["rows"]) for one in filled]
    assert [row[3] for row in rows] == [f"{100 * one['accuracy']:.1f} %" for one in filled]
    assert len(found.all("svg")[0].all("circle")) == len(filled)
    assert len(found.all("svg")[1].all("rect")) == len(filled)


def test_residuals_are_drawn_point_by_point_and_bar_by_bar() -> None:
    evaluation = samples.regression()
    residuals = evaluation["residuals"]

    found = section(evaluation, "residuals")

    answers, errors, bars = found.all("svg")
    for plot in (answers, errors):
        dots = next(path for path in plot.all("path") if (path.attributes.get("class") or "").startswith("dots"))
        assert (dots.attributes["d"] or "").count("M") == len(residuals["points"])
    assert len(bars.all("rect")) == sum(count > 0 for count in residuals["histogram"]["rows"])
    assert "15 rows further left and 15 further right are not drawn." in found.text
    quantiles = numbers(table(found, "Residuals: the model's answer minus the value")[1][1:])
    assert quantiles == pytest.approx(list(residuals["quantiles"].values()), abs=0.06)


def test_a_point_lies_where_its_numbers_say() -> None:
    evaluation = samples.regression()
    evaluation["residuals"]["points"] = [[0.0, 0.0], [100.0, 50.0], [50.0, 100.0]]

    plot = section(evaluation, "residuals").all("svg")[0]

    dots = next(path for path in plot.all("path") if (path.attributes.get("class") or "").startswith("dots"))
    low, right, up = [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h0", dots.attributes["d"] or "")]
    assert low[0] < up[0] < right[0]
    assert low[1] > right[1] > up[1]
    assert up[0] - low[0] == pytest.approx((right[0] - low[0]) / 2, abs=0.2)


def test_an_answer_that_is_too_high_lies_above_the_line_and_one_that_is_too_low_below_it() -> None:
    evaluation = samples.regression()
    evaluation["residuals"]["points"] = [[10.0, 30.0], [20.0, 5.0]]

    plot = section(evaluation, "residuals").all("svg")[1]

    dots = next(path for path in plot.all("path") if (path.attributes.get("class") or "").startswith("dots"))
    high, low = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h0", dots.attributes["d"] or "")]
    line = next(line for line in plot.all("line") if line.attributes.get("class") == "reference")
    assert high < float(line.attributes["y1"] or "") < low


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


def test_what_a_decision_has_brought_is_shown_on_the_validation_rows_and_on_the_test_rows() -> None:
    evaluation = samples.decided()
    told = evaluation["decision"]

    found = section(evaluation, "decision")

    threshold = told["threshold"]
    assert f"from a probability of {threshold['at']:.4g} on the answer is {threshold['label']!r}" in found.text.lower()
    tried = table(found, "On 1,500 validation rows, each answered by a choice made on the others")
    assert [row[0] for row in tried[1:]] == ["calibration", "threshold"]
    assert numbers(tried[2][2:4]) == pytest.approx([told["measured"]["threshold"][key] for key in ("before", "after")], abs=5e-5)
    shown = {row[0]: row for row in table(found, "On the test rows, before and after")[1:]}
    both = [told["before"]["metrics"]["balanced_accuracy"], evaluation["metrics"]["balanced_accuracy"]]
    assert numbers(shown["balanced accuracy"][1:3]) == pytest.approx(both, abs=5e-5)


def test_what_was_not_chosen_is_said_and_without_a_decision_there_is_no_section() -> None:
    nothing = dict.fromkeys(("metric", "positive", "calibration", "threshold", "offsets", "before"))
    told = nothing | {"rows": 40, "measured": {}, "skipped": ["No threshold was chosen: there are few rows."], "curve": []}
    found = section(samples.classification(3) | {"decision": told}, "decision")
    assert "answered as they are" in found.text
    assert "No threshold was chosen: there are few rows." in found.text
    nothing_told: tuple[samples.Document | None, ...] = (None, {})
    for absent in nothing_told:
        assert "decision" not in sections(read(samples.report(samples.classification(3) | {"decision": absent})))

"""What a report says of the result: the metrics, the gate, the comparison, the decision."""

from __future__ import annotations

import pytest

from sageline.report.page import render
from sageline.report.sections.evaluation import display_name
from tests.unit.report import samples
from tests.unit.report.reading import Element, numbers, pictures, read, section, sections, table


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

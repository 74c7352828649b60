"""What a report says of the answers: which were wrong, how sure they were, how far off."""

from __future__ import annotations

import re

import pytest

from tests.unit.report import samples
from tests.unit.report.reading import numbers, read, section, sections, table


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

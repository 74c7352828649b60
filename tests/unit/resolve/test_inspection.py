"""What an inspection says of a dataset."""

from __future__ import annotations

import io
import json

import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.json_objects import Json
from sageline.resolve.candidates import resolve_run
from sageline.resolve.inspected.document import Inspection
from sageline.resolve.inspection import MOST_COLUMNS, inspect
from sageline.spec.model import Spec, validate_spec

ORDERS = (
    "order_id,ordered_at,zip,size,price,review,returned\n"
    + "".join(
        f"A{1000 + i},{i % 28 + 1:02}.{i % 12 + 1:02}.2024,{['01067', '80331', '20095'][i % 3]},{'SML'[i % 3]},"
        f"{'' if i % 4 == 0 else 10 + i % 37}.5,it fits me well and the colour {i} is nice,{'yes' if i % 5 == 0 else 'no'}\n"
        for i in range(120)
    )
).replace(",.5,", ",,")


def inspected(text: str, spec: Json | None = None) -> Inspection:
    given = validate_spec(spec or {}, "spec")
    notes: list[str] = []
    profile = DatasetProfile.of(open_blocks(io.BytesIO(text.encode()), "x.csv", "csv", notes=notes), notes)
    return inspect("x.csv", profile, resolve_run(given, profile, name="x", uri="x.csv"), given)


def column(document: Inspection, name: str) -> Json:
    [found] = [column for column in document["columns"] if column["name"] == name]
    return dict(found)


def test_it_says_what_is_predicted_and_how_frequent_the_classes_are() -> None:
    document = inspected(ORDERS)

    assert (document["rows"], document["column_count"], document["task"]) == (120, 7, "classification")
    assert document["label"]["name"] == "returned"
    assert "its name is a usual one for labels" in document["label"]["reason"]
    assert document["label"]["classes"] == {"no": 96, "yes": 24}


def test_each_column_has_its_kind_with_reason_examples_share_missing_and_how_many_different() -> None:
    document = inspected(ORDERS)

    assert {name: column(document, name)["kind"] for name in ("ordered_at", "zip", "size", "price", "review")} == {
        "ordered_at": "date",
        "zip": "category",
        "size": "category",
        "price": "number",
        "review": "text",
    }
    price = column(document, "price")
    assert (price["missing"], price["reason"]) == (0.25, "90 values are numbers, 30 are empty")
    assert set(column(document, "size")["examples"]) == {"S", "M", "L"}
    assert column(document, "size")["distinct"] == 3
    assert "begin with zeros" in column(document, "zip")["reason"]


def test_what_is_left_out_is_listed_with_its_reason() -> None:
    document = inspected(ORDERS)

    order_id = column(document, "order_id")
    assert (order_id["kind"], document["left_out"]) == (None, 1)
    assert order_id["reason"].startswith("it names the row")


def test_the_spec_to_edit_makes_the_same_again() -> None:
    document = inspected(ORDERS, {"algorithm": {"name": "knn"}, "dataset": {"exclude": ["size"]}})

    again = inspected(ORDERS, document["spec"])

    assert "size" not in document["spec"]["dataset"]["features"]
    for key in ("task", "encoder", "layout", "kinds", "spec"):
        assert again[key] == document[key]
    assert document["spec"]["algorithm"] == {"name": "knn"}


def test_values_for_which_a_run_is_refused_are_mistakes() -> None:
    assert inspected(ORDERS)["mistakes"] == []

    [number] = inspected(ORDERS.replace("11.5", "inf", 1))["mistakes"]
    [date] = inspected(ORDERS.replace("03.03.2024", "31.02.2024", 1))["mistakes"]

    assert "In 'price', 1 value is no number: 'inf' (row 2). A run stops there" in number
    assert "In 'ordered_at', 1 value is no date: 31.02.2024 (row 3)" in date


def test_examples_of_odd_values_are_different_ones() -> None:
    rows = "".join(f"{'u' if n % 10 == 0 else 'v' if n == 95 else n},{n % 2}\n" for n in range(100))

    [mistake] = inspected("size,label\n" + rows, {"dataset": {"kinds": {"size": "number"}}})["mistakes"]

    assert "In 'size', 11 values are no numbers, such as 'u' (row 1), 'v' (row 96). A run stops there" in mistake


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (["2", "-1", "-3"], "the least is -3; the first below 0 is '-1' (row 2)"),
        (["1", "", "NA"], "2 hold none (first in row 2)"),
        (["1", "1e200"], "1 holds more than float32 can, such as '1e200' (row 2)"),
        (["heavy", "1"], "1 holds no number, such as 'heavy' (row 1)"),
        (["0"] * 30, "all are 0"),
    ],
)
def test_weights_for_which_a_run_is_refused_are_mistakes(weights: list[str], said: str) -> None:
    cells = [*weights, *["1"] * (30 - len(weights))]
    rows = "".join(f"{i},{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells))

    [mistake] = inspected(f"size,w,kind\n{rows}", {"dataset": {"label": "kind", "weight": "w"}})["mistakes"]

    assert f"Of the weights in 'w', {said}. A run stops there" in mistake


@pytest.mark.parametrize("name", ["size", "price"])
def test_numbers_that_float32_does_not_hold_are_mistakes(name: str) -> None:
    def table(odd: str) -> str:
        cells = [odd if row in (7, 9) else f"{row * 7 % 40}.5" for row in range(40)]
        return f"other,{name}\n" + "".join(f"{row % 9}.5,{cell}\n" for row, cell in enumerate(cells))

    spec = {"dataset": {"label": "price" if name == "price" else "other"}, "task": "regression"}

    [mistake] = inspected(table("-1e200"), spec)["mistakes"]

    assert f"In '{name}', 2 values are beyond the range of float32 (3.4e38), the first '-1e200' (row 8). A run stops" in mistake
    assert inspected(table("3.4028235e38"), spec)["mistakes"] == []


def test_values_that_have_no_logarithm_are_mistakes() -> None:
    table = "size,price\n" + "".join(f"{i},{i - 1}.5\n" for i in range(40))
    spec = {"dataset": {"label": "price"}, "task": "regression"}

    [mistake] = inspected(table, {**spec, "target": {"transform": "log"}})["mistakes"]

    assert "In 'price', the least is -1.5; the first below 0 is '-1.5' (row 1). A run with" in mistake
    assert inspected(table, spec)["mistakes"] == []


@pytest.mark.parametrize(
    ("most", "odd", "said"),
    [
        ('"1.{},5"', '"4,353.85"', ", in groups of three digits (1.234,5 is 1234.5): '4,353.85' (row 61). A run stops there"),
        ('"{},5"', "7.5", ", with a decimal comma (1,5 is 1.5): '7.5' (row 61). A run stops there"),
        ("{}%", "12", ", with % (12% is read as 12): '12' (row 61). A run stops there"),
        ("${}", "€7", ", with $: '€7' (row 61). A run stops there"),
        ("{}.5", '"7,5"', ": '7,5' (row 61). A run stops there"),
    ],
)
def test_a_number_that_is_spelled_otherwise_is_a_mistake_as_a_run_is_refused_for_it(most: str, odd: str, said: str) -> None:
    rows = [f"{most.format(100 + i)},{'yes' if i % 5 == 0 else 'no'}\n" for i in range(60)]
    text = "size,label\n" + "".join(rows)

    [mistake] = inspected(text + f"{odd},no\n")["mistakes"]

    assert inspected(text + f"{most.format(200)},no\n")["mistakes"] == []
    assert f"In 'size', 1 value is not spelled as the other numbers are{said}" in mistake


def test_a_label_of_one_class_is_a_mistake() -> None:
    document = inspected("text,label\n" + "".join(f"word {i} and more of them,ja\n" for i in range(30)))

    assert document["mistakes"] == [
        "Every label in column 'label' is 'ja' (30 rows); a classifier needs at least two classes. Add rows of other classes, or "
        "name another column in dataset.label."
    ]
    assert document["reasons"]["task"].startswith("the label 'label' has 1 value in 30 rows")


def test_codes_without_leading_zeros_are_called_codes() -> None:
    rows = "".join(f"{20000 + 7 * i}-{i},{i % 9}.5,{'ab'[i % 2]}\n" for i in range(60))

    assert column(inspected("zip,size,label\n" + rows), "zip")["reason"] == "its values are codes, and most of them are different"


def test_a_wide_table_is_listed_in_part_with_each_kind_and_how_many_more_there_are() -> None:
    names = [f"sensor{i}" for i in range(450)]
    rows = [[*(f"{i * k % 17}.5" for k in range(450)), "abc"[i % 3], "x", "no" if i % 2 else "ok"] for i in range(30)]

    document = inspected("\n".join(map(",".join, [[*names, "shape", "constant", "label"], *rows])))

    assert len(document["columns"]) == MOST_COLUMNS
    assert document["more_columns"] == 452 - MOST_COLUMNS
    assert column(document, "shape")["kind"] == "category"
    assert column(document, "constant")["kind"] is None
    assert "features" not in document["spec"]["dataset"]
    assert len(json.dumps(document)) < 100_000


def test_long_values_are_cut_and_stand_on_one_line() -> None:
    text = "text,label\n" + "".join(f'"first line {i}\n{"word " * 50}",{"ab"[i % 2]}\n' for i in range(30))

    examples = column(inspected(text), "text")["examples"]

    assert all(len(example) <= 80 and "\n" not in example for example in examples)


def test_pixels_have_the_reason_of_all_of_them() -> None:
    text = ",".join([*(f"pixel{i}" for i in range(16)), "label"]) + "\n"
    text += "".join(",".join([*(str(i * k % 255) for k in range(16)), "ab"[i % 2]]) + "\n" for i in range(30))

    document = inspected(text)

    assert (document["encoder"], document["kinds"]) == ("image", {"pixel": 16})
    assert column(document, "pixel3")["reason"].startswith("16 columns, called 'pixel0' to 'pixel15'")
    assert document["spec"]["encoder"]["shape"] == [4, 4]


@pytest.mark.parametrize("label", ["price", "review"])
def test_the_label_that_is_asked_for_is_taken(label: str) -> None:
    document = inspected(ORDERS, {"dataset": {"label": label}})
    assert (document["label"]["name"], document["label"]["reason"]) == (label, "as asked for")


def test_a_spec_of_a_file_that_is_not_in_s3_names_no_uri() -> None:
    profile = DatasetProfile.of(open_blocks(io.BytesIO(ORDERS.encode()), "x.csv", "csv"))
    assert resolve_run(Spec(), profile, name="x", uri="/home/me/x.csv").resolution.spec.dataset.uri is None


def dated(others: dict[int, str]) -> str:
    """A column of 100 dates, but for some rows."""
    cells = [others.get(row, f"{row % 28 + 1:02}.{row % 12 + 1:02}.2024") for row in range(1, 101)]
    return "ordered,size,label\n" + "".join(f"{cell},{row % 9}.5,{'ab'[row % 2]}\n" for row, cell in enumerate(cells))


def test_a_column_with_too_many_unreadable_dates_says_which_rows_they_are_in() -> None:
    document = inspected(dated({row: ["soon", "31.02.2024", "12"][row % 3] for row in range(5, 20)}))

    ordered = column(document, "ordered")
    assert ordered["kind"] in ("text", "category")
    assert "85% of its values are dates, and 15 are not: " in ordered["reason"]
    assert all(row in ordered["reason"] for row in ("soon (row 6)", "31.02.2024 (row 7)", "and 12 more"))
    [warning] = [warning for warning in document["warnings"] if "are dates" in warning]
    assert warning.startswith("In 'ordered', 85% of its values are dates, and 15 are not: ")
    assert "correct or empty them if it is to be a date" in warning


def test_of_several_files_unreadable_dates_are_named_with_theirs() -> None:
    blocks = [
        block
        for name, others in (("data-1.csv", {}), ("data-2.csv", dict.fromkeys(range(1, 40), "soon")))
        for block in open_blocks(io.BytesIO(dated(others).encode()), f"s3://b/x/{name}", "csv")
    ]

    reasons = resolve_run(Spec(), DatasetProfile.of(blocks), name="x", uri="s3://b/x/").resolution.spec.reasons

    assert "soon (data-2.csv, row 1), soon (data-2.csv, row 2)" in reasons["dataset.features.ordered"]


def test_missing_dates_are_counted_and_named_as_missing_numbers_are() -> None:
    document = inspected(dated({3: "n/a", 4: "n/a", 5: "", 6: " ", 7: "?"}))

    ordered = column(document, "ordered")
    assert (ordered["kind"], ordered["missing"]) == ("date", 0.05)
    assert ordered["reason"].endswith(", 2 are empty, 3 are taken for missing: 'n/a' (2), '?' (1)")
    assert "In 'ordered', 3 values are taken for missing, besides 2 empty ones: 'n/a' (2), '?' (1)." in document["notes"]


def test_a_number_among_dates_is_a_mistake() -> None:
    [mistake] = inspected(dated({50: "12"}))["mistakes"]

    assert "In 'ordered', 1 value is no date: 12 (row 50)" in mistake

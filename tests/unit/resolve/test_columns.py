from __future__ import annotations

import json
import random
from typing import Any

import pytest

from sageline.arrays.number_spelling import Spelling
from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.resolve.resolution import Resolution, changes_of
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import validate_spec
from tests.unit.dataset.reading import block_of

URI = "s3://bucket/datasets/flats/data.csv"
RANDOM = random.Random(0)
NOISE = [f"{RANDOM.uniform(0, 100):.2f}" for _ in range(200)]
MORE_NOISE = [f"{RANDOM.uniform(0, 100):.2f}" for _ in range(200)]
LABELS = [RANDOM.choice("ab") for _ in range(200)]
VOCABULARY = ["some", "words", "of", "no", "meaning", "at", "all", "to", "speak"]
WORDS = [" ".join(RANDOM.choice(VOCABULARY) for _ in range(9)) for _ in range(200)]
TELLING = [f"{'good fine nice' if label == 'a' else 'bad poor sad'} {words}" for label, words in zip(LABELS, WORDS, strict=True)]


def resolve(columns: dict[str, list[str]], **document: Any) -> Resolution:
    return resolve_spec(validate_spec(document, "test"), DatasetProfile.of([block_of(columns)]), name="flats", uri=URI)


def test_two_columns_that_may_be_the_label_are_a_question_with_its_answer() -> None:
    columns = {"quality": NOISE, "rating": MORE_NOISE, "x": [f"{n}1" for n in NOISE]}

    with pytest.raises(InvalidDataset) as caught:
        resolve(columns)

    assert "two columns are about as likely to be the label: 'quality'" in caught.value.message
    assert "'rating'" in caught.value.message
    assert 'Say which one: {"dataset": {"label": "quality"}} as spec.json' in caught.value.message
    assert resolve(columns, dataset={"on_doubt": "likeliest"}).spec.dataset.label == "quality"
    assert resolve(columns, dataset={"label": "rating"}).spec.dataset.label == "rating"


def test_excluded_columns_are_left_out_and_the_others_are_guessed() -> None:
    spec = resolve({"a": NOISE, "b": MORE_NOISE, "label": LABELS}, dataset={"exclude": ["a"]}).spec

    assert spec.dataset.features == {"b": "number"}
    assert spec.reasons["dataset.features.a"] == "left out: dataset.exclude names it"
    assert spec.left_out == ["a"]


def test_the_kind_of_one_column_can_be_said_without_listing_the_others() -> None:
    codes = [str(index % 7) for index in range(200)]

    spec = resolve({"a": NOISE, "code": codes, "label": LABELS}, dataset={"kinds": {"code": "category"}}).spec

    assert spec.dataset.features == {"a": "number", "code": "category"}


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        ({"label": "a", "exclude": ["a"]}, "`exclude` names 'a', which is the label"),
        ({"features": {"a": "number"}, "exclude": ["a"]}, "`exclude` names 'a', and so does `features`"),
        ({"features": {"a": "number"}, "kinds": {"b": "number"}}, "`kinds` is for columns that are guessed"),
        ({"exclude": ["zzz"]}, "`dataset.exclude` names 'zzz'"),
        ({"kinds": {"zzz": "number"}}, "`dataset.kinds` names 'zzz'"),
    ],
)
def test_a_spec_that_contradicts_itself_or_the_file_is_refused(dataset: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSpec, match=problem):
        resolve({"a": NOISE, "b": MORE_NOISE, "label": LABELS}, dataset=dataset)


def test_how_numbers_are_spelled_is_found_and_said() -> None:
    prices = [number.replace(".", ",") for number in NOISE]

    resolution = resolve({"area": MORE_NOISE, "share": [f"{n}%" for n in NOISE], "price": prices})

    assert resolution.spellings == {"share": Spelling(unit="%"), "price": Spelling(",")}
    assert resolution.spec.task == "regression"
    assert "The numbers of 'share' are read with % (12% is read as 12)." in resolution.notes
    assert Resolution.of_schema(resolution.spec, resolution.schema()).spellings == resolution.spellings


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (["$3.50"], "In 'area', 1 number, '$3.50' (row 3), is read with $; the others are plain."),
        (["1,234.5", "2,345.5"], "In 'area', 2 numbers, such as '1,234.5' (row 3), are read in groups of three digits"),
    ],
)
def test_few_numbers_that_are_spelled_otherwise_are_counted_and_one_is_named(odd: list[str], said: str) -> None:
    area = [*MORE_NOISE[:2], *odd, *MORE_NOISE[2 + len(odd) :]]

    notes = resolve({"area": area, "label": LABELS}).notes

    assert [note for note in notes if note.startswith(said)]
    assert not [note for note in notes if note.startswith("The numbers of 'area'")]


@pytest.mark.parametrize(
    ("other", "decimal", "spelling"),
    [
        (NOISE, None, Spelling(".", ",")),
        ([n.replace(".", ",") for n in NOISE], None, Spelling(",")),
        (NOISE, ",", Spelling(",")),
    ],
)
def test_what_may_be_two_numbers_is_decided_by_the_file_or_the_spec(
    other: list[str], decimal: str | None, spelling: Spelling
) -> None:
    thousands = [f"{index + 1},{index * 37 % 1000:03d}" for index in range(200)]

    resolution = resolve({"n": thousands, "other": other, "label": LABELS}, dataset={"decimal": decimal})

    assert resolution.spellings["n"] == spelling
    said = [warning for warning in resolution.warnings if "would also fit the decimal sign" in warning]
    assert bool(said) is (decimal is None)


def test_a_column_that_gives_the_label_away_is_a_warning_with_its_score() -> None:
    sums = [str(round(float(n) * 3 + 1, 2)) for n in NOISE]

    warned = resolve({"noise": MORE_NOISE, "sum": sums, "price": NOISE}).warnings
    of_classes = resolve({"noise": NOISE, "code": ["x" if label == "a" else "y" for label in LABELS], "label": LABELS}).warnings

    assert [warning for warning in warned if warning.startswith("Column 'sum' alone tells the label almost perfectly (R²")]
    assert [
        warning for warning in of_classes if "Column 'code' alone tells the label almost perfectly (accuracy 1.000" in warning
    ]
    assert not [warning for warning in (*warned, *of_classes) if "'noise'" in warning]


def test_the_only_column_is_not_told_to_be_left_out_when_it_gives_the_label_away() -> None:
    code = ["x" if label == "a" else "y" for label in LABELS]

    (only,) = resolve({"code": code, "label": LABELS}).warnings
    one_of_two = resolve({'"code"': code, "noise": NOISE, "label": LABELS}).warnings

    assert only.endswith("it leaks it: then there is nothing here to learn the label from.")
    assert any(
        warning.endswith(r'it leaks it: leave it out with {"dataset": {"exclude": ["\"code\""]}}.') for warning in one_of_two
    )


def test_text_is_learnt_from_beside_the_other_columns() -> None:
    resolution = resolve({"comment": TELLING, "noise": NOISE, "label": LABELS})

    assert resolution.spec.dataset.features == {"comment": "text", "noise": "number"}


def test_labels_and_categories_that_look_alike_are_named() -> None:
    labels = [("Yes" if index % 10 == 0 else "yes") if label == "a" else "no " for index, label in enumerate(LABELS)]

    warnings = resolve(
        {"noise": NOISE, "city": [f"{label} 1" if label == "a" else "B" for label in LABELS], "label": labels}
    ).warnings

    assert any("In 'label', 'Yes', 'yes' look alike and are different values" in warning for warning in warnings)


def test_a_label_that_is_missing_in_over_half_of_the_rows_is_refused() -> None:
    labels = [label if index % 3 == 0 else "" for index, label in enumerate(LABELS)]

    with pytest.raises(InvalidDataset, match=r"'label' is empty in 133 of 200 rows, over half of them"):
        resolve({"noise": NOISE, "label": labels})


def test_rows_without_a_label_are_said() -> None:
    warnings = resolve({"noise": NOISE, "label": [*LABELS[:-2], "", " "]}).warnings

    assert "2 rows have no label in 'label'; they are not used." in warnings


def test_one_missing_value_is_said_as_one() -> None:
    warnings = resolve({"noise": [*NOISE[:-1], "-"], "label": LABELS}).notes

    assert "In 'noise', 1 value is taken for missing: '-' (1)." in warnings


def test_a_column_of_mostly_numbers_that_is_no_number_is_said() -> None:
    codes = [["x1", "x2"][index % 2] if index % 5 == 0 else str(index % 4) for index in range(len(LABELS))]

    warnings = resolve({"noise": NOISE, "code": codes, "label": LABELS}).warnings

    said = "80% of the values in 'code' are numbers. Because of others, such as 'x1', 'x2', it is taken for a category; "
    assert any(warning.startswith(said) for warning in warnings)


def test_what_every_row_changes_is_listed() -> None:
    first = resolve({"month": ["1"] * 100, "x": NOISE[:100], "label": LABELS[:100]})
    all_of_them = resolve({"month": ["1"] * 100 + ["2"] * 100, "x": NOISE, "label": LABELS})

    changes = changes_of(first.spec, all_of_them.spec, 200)

    assert changes == [
        "`dataset.features.month`: number: every value is a number; when the run began it had looked like left out: every row "
        "holds '1'."
    ]
    assert changes_of(first.spec, first.spec, 100) == []


def test_another_label_or_task_than_was_announced_is_refused() -> None:
    first = resolve({"x": NOISE[:60], "y": ["1", "2", "3"] * 20})
    all_of_them = resolve({"x": NOISE, "y": [str(index * 2) for index in range(200)]})

    with pytest.raises(InvalidDataset, match=r"all 200 rows together say something else .*`task` is \"regression\""):
        changes_of(first.spec, all_of_them.spec, 200)


def test_of_a_wide_table_some_columns_are_named() -> None:
    odd = {f"x{index}": ["-", *NOISE[1:]] for index in range(60)}

    notes = resolve({**odd, "label": LABELS}).notes

    assert len(notes) == 31
    assert notes[-1] == "There are 30 more such columns."


def test_marks_for_no_value_are_no_labels_and_words_that_may_mean_it_are_named() -> None:
    labels = [*LABELS[:-5], "?", "n/a", "NULL", "unknown", "unknown"]

    resolution = resolve({"noise": NOISE, "label": labels})

    assert resolution.no_label == ("?", "n/a", "null")
    assert "3 rows have no label in 'label' ('?', 'NULL', 'n/a'); they are not used." in resolution.warnings
    assert any("'unknown' (2) are taken for labels" in warning for warning in resolution.warnings)


def test_a_minus_beside_a_plus_is_a_label() -> None:
    assert resolve({"noise": NOISE, "label": ["+" if label == "a" else "-" for label in LABELS]}).no_label == ()


def test_every_spelling_of_a_yes_is_one_value_and_that_is_said() -> None:
    said = [["yes", "Y", "TRUE"][index % 3] if index % 2 else "no" for index in range(200)]

    resolution = resolve({"member": said, "noise": NOISE, "label": LABELS})

    assert resolution.spec.dataset.features == {"member": "category", "noise": "number"}
    assert any("are read as one yes and one no" in note for note in resolution.notes)
    assert not [warning for warning in resolution.warnings if "look alike" in warning]


@pytest.mark.parametrize("odd", ["00.5", "01", "007"])
def test_one_odd_zero_makes_no_code_of_numbers_and_is_said(odd: str) -> None:
    prices = [odd, *(f"{index * 37 % 900 / 4}" for index in range(199))]

    resolution = resolve({"price": prices, "noise": NOISE, "label": LABELS})

    assert (resolution.spec.dataset.features or {})["price"] == "number"
    if odd != "00.5":
        assert any(warning.startswith("1 of the numbers of 'price' begins with a zero") for warning in resolution.warnings)


@pytest.mark.parametrize("period", [24, 31])
def test_numbers_that_come_back_are_no_row_numbers(period: int) -> None:
    spec = resolve({"c": [str(index % period) for index in range(200)], "noise": NOISE, "label": LABELS}).spec

    assert (spec.dataset.features or {})["c"] == "number"


def test_dates_in_which_day_and_month_cannot_be_told_apart_are_a_warning() -> None:
    days = [f"0{index % 9 + 1}/0{index % 7 + 1}/2021" for index in range(200)]

    resolution = resolve({"day": days, "noise": NOISE, "label": LABELS})

    assert (resolution.spec.dataset.features or {})["day"] == "date"
    assert [warning for warning in resolution.warnings if "whether the day or the month comes first" in warning]


def test_numbers_that_begin_with_zeros_are_codes() -> None:
    codes = [f"{index * 37 % 50:05d}" for index in range(200)]

    spec = resolve({"zip": codes, "noise": NOISE, "label": LABELS}).spec

    assert spec.dataset.features == {"zip": "category", "noise": "number"}
    assert spec.reasons["dataset.features.zip"].endswith("numbers of which some begin with zeros, as codes do")


# ---- Dates ----

DAYS = [f"2021{month:02}{day:02}" for month in range(1, 11) for day in range(1, 21)]
EITHER = [f"{index % 12 + 1:02}/{index // 12 % 12 + 1:02}/2021" for index in range(200)]


@pytest.mark.parametrize(
    ("cells", "order", "example"),
    [
        (DAYS, "ymd", "dates, such as 20210101 (row 1)"),
        ([*DAYS[:190], *["0"] * 10], "ymd", "dates, such as 20210101 (row 1)"),
        ([str(1_600_000_000 + 1000 * index) for index in range(200)], "seconds", "dates in seconds since 1970, which are from"),
    ],
)
def test_numbers_are_dates_where_the_spec_says_so_whatever_the_name_says(cells: list[str], order: str, example: str) -> None:
    columns = {"code": cells * 4, "x": NOISE * 4, "label": LABELS * 4}
    resolution = resolve(columns, dataset={"kinds": {"code": "date"}})

    assert resolution.date_formats["code"].order == order
    assert f"date: dataset.kinds says so; {example}" in resolution.spec.reasons["dataset.features.code"]
    assert resolve(columns).spec.dataset.features != resolution.spec.dataset.features


def test_numbers_that_are_no_dates_are_refused_where_the_spec_calls_them_so() -> None:
    with pytest.raises(InvalidSpec, match=r"the spec says that 'x' holds dates, and .* has none there that can be read"):
        resolve({"x": NOISE, "label": LABELS}, dataset={"kinds": {"x": "date"}})


def test_an_order_of_day_and_month_that_nobody_can_tell_is_a_warning_with_what_to_say() -> None:
    columns = {"d": EITHER, "x": NOISE, "label": LABELS}
    [warning] = [told for told in resolve(columns).warnings if "In 'd'" in told]
    [spec] = [warning[warning.index("{") : warning.rindex("}") + 1]]

    said = resolve(columns, **json.loads(spec))

    assert "whether the day or the month comes first: 01/01/2021 (row 1) is read as 2021-01-01" in warning
    assert resolve(columns).date_formats["d"].order == "mdy"
    assert said.date_formats["d"].order == "dmy"
    assert not [told for told in said.warnings if "In 'd'" in told]
    assert said.spec.reasons["dataset.features.d"] == "date: dates, day before month, as the spec says"


def test_an_order_that_the_values_contradict_is_refused_with_the_row() -> None:
    encoder = {"kind": "columns", "date": {"order": "day-first"}}
    with pytest.raises(InvalidDataset, match=r"column 'd': 12/31/2021 \(row 200\) is no date with the day before the month"):
        resolve({"d": [*EITHER[:199], "12/31/2021"], "x": NOISE, "label": LABELS}, encoder=encoder)

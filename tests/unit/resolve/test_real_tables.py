"""Tables as people export them: what is predicted from what, what is refused and what is said."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import open_blocks
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.errors import InvalidDataset
from sageline.formats.npy import ArrayPair
from sageline.preparation.first_read import FirstRead, Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution, changes_of
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import Spec

URI = "s3://bucket/datasets/x/data.csv"
CHANCE = random.Random(7)
ROWS = [(CHANCE.uniform(0, 100), CHANCE.uniform(0, 9)) for _ in range(120)]


class Nothing:
    """A sink that keeps nothing."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        assert part


def table(header: str, rows: list[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def glance(data: bytes, name: str = "data", kind: str = "csv", piece_bytes: int = 1 << 20) -> Resolution:
    """What ConfigureRun finds in a sample."""
    notes: list[str] = []
    blocks = sample_blocks(io.BytesIO(data), len(data), URI, kind, notes=notes, piece_bytes=piece_bytes)
    return resolve_spec(Spec(), DatasetProfile.of(blocks, notes), name=name, uri=URI)


def first_read(data: bytes, name: str = "data", kind: str = "csv", piece_bytes: int = 1 << 20) -> FirstRead:
    """What PrepareData finds in all rows."""
    provisional = glance(data, name, kind, piece_bytes)

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), URI, kind)

    return read_and_fit(read_blocks, provisional, lambda profile: resolve_spec(Spec(), profile, name=name, uri=URI))


def prepared(data: bytes, name: str = "data", kind: str = "csv") -> Prepared:
    return prepare(lambda: open_blocks(io.BytesIO(data), URI, kind), first_read(data, name, kind), Nothing(), lambda _: None)


def label_of(x: float) -> str:
    return "hi" if x > 50 else "lo"


X_LABEL = [f"{x:.2f},{label_of(x)}" for x, _ in ROWS]


def test_a_row_number_is_not_learnt_from_whatever_it_is_called() -> None:
    for name in ("rownames", "customer_number", "Order", "PID", "nummer", "a"):
        rows = [f"{index + 1},{x:.3f},{'a' if index < 60 else 'b'}" for index, (x, _) in enumerate(ROWS)]

        spec = glance(table(f"{name},x,label", rows)).spec

        assert spec.dataset.features == {"x": "number"}
        assert spec.reasons[f"dataset.features.{name}"].startswith("left out: it numbers the rows")


def test_years_that_go_up_stay_and_are_warned_of_where_they_tell_the_label() -> None:
    rows = [f"{1900 + index},{x:.3f},{1000 + 7 * index}" for index, (x, _) in enumerate(ROWS)]

    resolution = glance(table("year,x,price", rows))

    assert set(resolution.spec.dataset.features or {}) == {"year", "x"}
    assert any("'year' alone tells the label" in warning for warning in resolution.warnings)


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ("{:.2f}%", 50.0),
        ("${:,.2f}", 50.0),
        ("\u20ac {:.2f}", 50.0),
        ("{:.2f} EUR", 50.0),
    ],
)
def test_numbers_with_a_unit_are_numbers(cells: str, value: float) -> None:
    rows = [f'"{cells.format(x)}",{label_of(x)}' for x, _ in ROWS]

    encoder = prepared(table("rate,label", rows)).encoder

    assert encoder.feature_columns == {"rate": "number"}
    encoded = encoder.encode_instances([{"rate": cells.format(value)}, {"rate": value}])
    assert isinstance(encoded, np.ndarray)
    assert encoded.tolist() == [[value], [value]]


def test_a_european_table_is_read_as_a_person_reads_it() -> None:
    rows = [f"{index};{x:.2f};{1000 + 10 * x:,.2f} €;{y:.1f}" for index, (x, y) in enumerate(ROWS, start=1)]
    rows = [row.replace(",", "_").replace(".", ",").replace("_", ".") for row in rows]

    done = prepared(table("Nr;Fläche;Preis;Zimmer", rows))

    encoder = done.encoder
    assert (encoder.label_column, encoder.task) == ("Preis", "regression")
    assert encoder.feature_columns == {"Fläche": "number", "Zimmer": "number"}
    assert done.profile["label"]["minimum"] > 1000
    assert isinstance(encoder.features, ColumnsEncoder)
    assert encoder.features.numbers["Fläche"].spelling.decimal == ","


@pytest.mark.parametrize("word", ["-", ".", "n.d.", "unknown", "NULL", "#N/A", "#DIV/0!"])
def test_a_word_for_a_missing_number_is_missing_and_named(word: str) -> None:
    data = table("x,label", [f"{word},hi", *X_LABEL])

    assert prepared(data).profile["columns"]["x"]["missing"] == 1
    assert f"In 'x', 1 value is taken for missing: {word!r} (1)." in glance(data).notes


@pytest.mark.parametrize("odd", ["<1.0", "inf", "0x1F", "3 or 4"])
def test_an_odd_cell_is_refused_with_row_column_and_value(odd: str) -> None:
    with pytest.raises(InvalidDataset, match=rf"row 121, column 'x': '{odd}' is not a number"):
        first_read(table("x,label", [*X_LABEL, f"{odd},hi"]))
    with pytest.raises(InvalidDataset, match=rf"row 121, label column 'price': '{odd}' is not a number"):
        first_read(table("x,price", [*(f"{x:.2f},{x * 2:.1f}" for x, _ in ROWS), f"1,{odd}"]))


def test_a_number_without_the_percent_sign_of_the_others_is_refused_in_these_words() -> None:
    rows = [f"{x:.2f}%,{label_of(x)}" for x, _ in ROWS]

    with pytest.raises(InvalidDataset, match=r"row 121, column 'x': '80' has no %, and the other numbers have one"):
        first_read(table("x,label", [*rows, "80,hi"]))


def test_one_odd_label_makes_no_classes_of_amounts() -> None:
    resolution = glance(table("x,price", [*(f"{x:.2f},{x * 2:.1f}" for x, _ in ROWS), "1,-"]))

    assert resolution.spec.task == "regression"
    assert "1 row has no label in 'price' ('-'); it is not used." in resolution.warnings


def test_a_late_odd_cell_in_a_large_file_is_counted_or_refused() -> None:
    rows = [f"{x:.3f},{label_of(x)}" for x in (CHANCE.uniform(0, 100) for _ in range(5000))]

    with_word = prepared(table("x,label", [*rows[:4800], "unknown,hi", *rows[4800:]]))

    assert with_word.profile["columns"]["x"]["missing"] == 1
    with pytest.raises(InvalidDataset, match=r"row 4801, column 'x': 'ERR' is not a number"):
        first_read(table("x,label", [*rows[:4800], "ERR,hi", *rows[4800:]]), piece_bytes=1000)


def test_a_column_that_changes_late_is_seen_by_the_sample() -> None:
    rows = [f"{1 if index < 4000 else 2},{CHANCE.gauss(0, 1):.3f},{'a' if index < 4000 else 'b'}" for index in range(5000)]
    data = table("month,x,label", rows)

    resolution = glance(data, piece_bytes=2000)

    assert (resolution.spec.dataset.features or {})["month"] == "number"


def test_what_only_every_row_tells_changes_the_spec_and_is_listed() -> None:
    rows = [f"{2 if index == 2500 else 1},{CHANCE.gauss(0, 1):.3f},{CHANCE.choice('ab')}" for index in range(5000)]
    data = table("month,x,label", rows)
    glanced = glance(data, piece_bytes=1000)
    assert glanced.spec.reasons["dataset.features.month"] == "left out: every row holds '1'"

    resolution = first_read(data, piece_bytes=1000).resolution

    assert "month" in (resolution.spec.dataset.features or {})
    assert "`dataset.features.month`: number" in changes_of(glanced.spec, resolution.spec, 5000)[0]


def test_text_is_learnt_from_beside_the_column_that_decides() -> None:
    words = ["box", "item", "very", "for", "the"]
    rows = [f"{' '.join(CHANCE.choices(words, k=7))},{index % 5 + 1},{'pos' if index % 5 > 1 else 'neg'}" for index in range(150)]

    assert glance(table("comment,stars,label", rows)).spec.dataset.features == {"comment": "text", "stars": "number"}


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("x,churn,b", "churn"),
        ("x,target,b", "target"),
        ("x,y,price", "price"),
        ("Survived,a,b", "Survived"),
    ],
)
def test_the_label_is_found_wherever_it_stands(header: str, label: str) -> None:
    names = header.split(",")
    rows = [
        ",".join(label_of(x) if name == label and name != "price" else f"{x + y * len(name):.2f}" for name in names)
        for x, y in ROWS
    ]

    assert glance(table(header, rows)).spec.dataset.label == label


def test_a_dataset_called_like_a_column_predicts_it() -> None:
    rows = [f"{x:.2f},{label_of(x)},{y:.2f}" for x, y in ROWS]

    assert glance(table("charges,renewed,total", rows), name="renewed").spec.dataset.label == "renewed"


def test_blanks_and_spellings_of_a_label_are_one_class() -> None:
    rows = [f"{x:.2f},{CHANCE.choice(['1', ' 1', '1.0', '1 '] if x > 50 else ['2', '2.0', '2e0'])}" for x, _ in ROWS]

    assert prepared(table("x,label", rows)).encoder.classes == ["1", "2"]


def test_missing_labels_are_dropped_and_a_mostly_empty_label_is_refused() -> None:
    assert prepared(table("x,label", ["5,", *X_LABEL])).profile["rows"]["unlabelled"] == 1
    with pytest.raises(InvalidDataset, match="over half of them"):
        glance(table("x,label", [f"{x:.2f},{label_of(x) if index < 40 else ''}" for index, (x, _) in enumerate(ROWS)]))


def test_json_lines_may_lack_keys_in_the_first_row() -> None:
    lines = [
        f'{{"x": {x:.2f}, "label": "{label_of(x)}"' + (f', "y": {y:.1f}}}' if index else "}") for index, (x, y) in enumerate(ROWS)
    ]

    encoder = prepared("\n".join(lines).encode(), kind="jsonl").encoder

    assert encoder.feature_columns == {"x": "number", "y": "number"}

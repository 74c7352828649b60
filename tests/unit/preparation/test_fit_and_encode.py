from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.matrix import FloatArray, Rows, SparseMatrix
from sageline.batch.encode import EncodedRows
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import CHANNELS, assign
from sageline.encoder import fitted
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.text import TextPart
from sageline.encoder.fitted import Encoded, FittedEncoder
from sageline.errors import InvalidDataset
from sageline.formats import libsvm
from sageline.formats.csv import read_rows
from sageline.formats.npy import ArrayPair
from sageline.formats.recordio import read_records
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution
from sageline.spec.model import Spec, SplitSpec, validate_spec
from tests.unit.dataset.reading import block_of
from tests.unit.world.world import with_one_algorithm

SOURCE = "s3://bucket/datasets/x/data.csv"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


class Parts:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.channels: dict[str, bytes] = {}
        self.pairs: dict[str, list[ArrayPair]] = {}
        self.asked: list[EncodedRows] = []

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        if isinstance(part, ArrayPair):
            assert len(part.x) == len(part.y) > 0
            self.pairs.setdefault(channel, []).append(part)
            return
        assert part
        self.channels[channel] = self.channels.get(channel, b"") + part

    def rows(self, channel: str, prepared: Prepared) -> Rows:
        """What a training job reads."""
        data = self.channels.get(channel, b"")
        match prepared.encoder.exchange.channel_content_type:
            case "text/csv":
                return read_rows(data, labelled=True)
            case "text/libsvm":
                return rows_of_libsvm(data, prepared.encoder)
            case _:
                return read_records(data)

    def encoded_test_rows(self, encoder: FittedEncoder) -> Encoded:
        """The raw test rows as a request for a prediction encodes them."""
        return encoder.encode_instances([row["features"] for row in self.raw], [])

    @property
    def raw(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.channels["test-raw"].decode().split("\n")[:-1]]


def rows_of_libsvm(data: bytes, encoder: FittedEncoder) -> Rows:
    """The rows as a request in RecordIO has them; without lines that weigh nothing, which are there for the width."""
    lines = [line.partition(b":") for line in data.splitlines()]
    weighing = [b" ".join((label, *rest.split()[1:])) for label, _, rest in lines if float(rest.split()[0])]
    matrix, labels = libsvm.read_rows(b"\n".join(weighing), columns=encoder.feature_dim)
    assert isinstance(matrix, SparseMatrix)
    assert isinstance(encoder.features, ColumnsEncoder)
    is_sparse = encoder.features.layout == "sparse"
    return Rows(matrix.fill_empty_rows(np.nan) if is_sparse else matrix.to_dense(np.nan), labels)


def as_csv(header: str, rows: Sequence[Sequence[object]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([header.split(","), *rows])
    return file.getvalue().encode()


def spec_of(features: dict[str, str], label: str, task: str, **more: Any) -> Spec:
    layout = "sparse" if "text" in features.values() else "dense"
    encoder = {"kind": "columns", "layout": layout, "text": {"statistics": False}}
    document = {"task": task, "dataset": {"label": label, "features": features}, "encoder": encoder}
    return validate_spec(with_one_algorithm(document | more), "test")


def prepare_csv(data: bytes, spec: Spec, block_bytes: int = 1 << 20) -> tuple[Prepared, Parts]:
    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), SOURCE, "csv", block_bytes)

    parts = Parts()
    resolution = Resolution(spec, date_formats={"d": DateFormat("ymd")})
    return prepare(read_blocks, read_and_fit(read_blocks, resolution), parts, parts.asked.append), parts


def vocabulary(encoder: FittedEncoder) -> list[str]:
    """The words of an encoder of one column of text."""
    assert isinstance(encoder.features, ColumnsEncoder)
    [part] = encoder.features.parts
    assert isinstance(part, TextPart)
    return part.encoder.words


def error_of(data: bytes, spec: Spec) -> str:
    with pytest.raises(InvalidDataset) as caught:
        prepare_csv(data, spec)
    return caught.value.message


def bits(matrix: Encoded) -> list[Any]:
    """A matrix such that equal means the same bits; NaN is NaN."""
    if isinstance(matrix, SparseMatrix):
        return [matrix.shape, matrix.columns.tolist(), matrix.row_offsets.tolist(), matrix.values.view(np.uint32).tolist()]
    assert isinstance(matrix, np.ndarray)
    canonical = np.where(np.isnan(matrix), np.float32(np.nan), matrix)
    return [matrix.shape, canonical.view(np.uint32).tolist()]


POSTS = [(f"{word} {word} number {index}", label) for index in range(60) for word, label in (("ham", "good"), ("spam", "bad"))]
TEXT_SPEC = spec_of({"post": "text"}, "label", "classification")
NUMBERS = [(index / 7, f"colour {index % 3}", index * 2.5) for index in range(100)]
TABLE_SPEC = spec_of({"x": "number", "c": "category"}, "y", "regression")


def test_every_row_comes_out_once() -> None:
    prepared, parts = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)

    assert sum(prepared.rows.values()) == len(POSTS)
    assert left_out(prepared) == 0
    assert set(parts.channels) == {"train", "validation", "test-raw"}
    written = {channel: len(labels_of(parts, channel, prepared)) for channel in ("train", "validation")}
    assert written | {"test": len(parts.raw)} == prepared.rows


def left_out(prepared: Prepared) -> int:
    left: int = prepared.profile["rows"]["left_out"]
    return left


def labels_of(parts: Parts, channel: str, prepared: Prepared) -> FloatArray:
    labels = parts.rows(channel, prepared).labels
    assert labels is not None
    return labels


def test_text_becomes_lines_of_cells_with_class_numbers() -> None:
    prepared, parts = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)

    train = parts.rows("train", prepared)
    assert isinstance(train.matrix, SparseMatrix)
    assert prepared.encoder.exchange.file_extension == "libsvm"
    assert (prepared.num_class, prepared.encoder.classes) == (2, ["bad", "good"])
    assert train.matrix.shape == (prepared.rows["train"], prepared.feature_dim)
    words = vocabulary(prepared.encoder)
    spam = train.matrix.to_dense()[:, words.index("spam")]
    assert ((spam == 2) == (train.labels == 0)).all()


def test_a_table_becomes_csv_with_the_target_first() -> None:
    prepared, parts = prepare_csv(as_csv("x,c,y", NUMBERS), TABLE_SPEC)

    assert (prepared.encoder.exchange.file_extension, prepared.num_class) == ("csv", None)
    rows = parts.rows("train", prepared)
    assert isinstance(rows.matrix, np.ndarray)
    assert rows.matrix.shape == (prepared.rows["train"], 4)
    assert np.allclose(labels_of(parts, "train", prepared), rows.matrix[:, 0] * 17.5)
    assert (rows.matrix[:, 1:].sum(axis=1) == 1).all()
    assert "classes" not in prepared.profile["label"]


def test_the_encoder_sees_the_train_rows_only() -> None:
    data = as_csv("post,label", [(f"{text} unique{index}", label) for index, (text, label) in enumerate(POSTS)])

    prepared, parts = prepare_csv(data, TEXT_SPEC)

    known = {word for word in vocabulary(prepared.encoder) if word.startswith("unique")}
    assert len(known) == prepared.rows["train"]
    assert not known & {word for row in parts.raw for word in row["features"]["post"].split()}


def test_what_is_written_does_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_csv("x,c,y", NUMBERS)
    whole, parts = prepare_csv(data, TABLE_SPEC)
    monkeypatch.setattr(fitted, "_CHUNK_CELLS", 9)

    small, small_parts = prepare_csv(data, TABLE_SPEC, block_bytes=64)

    assert small_parts.channels == parts.channels
    assert small.profile == whole.profile
    assert small.encoder.save() == whole.encoder.save()


def test_raw_test_rows_are_instances_that_encode_as_the_rows_of_the_dataset() -> None:
    rows = [*NUMBERS, *[("NA", "", index) for index in range(20)], *[(-0.0, "colour 1", index) for index in range(20)]]
    data = as_csv("x,c,y", rows)
    prepared, parts = prepare_csv(data, TABLE_SPEC)
    [read] = open_blocks(io.BytesIO(data), SOURCE, "csv")
    test = read.take(assign(read, TABLE_SPEC.split) == CHANNELS.index("test"))

    block = prepared.encoder.block_from_instances([row["features"] for row in parts.raw], [])

    assert {None, -0.0} <= {row["features"]["x"] for row in parts.raw}
    assert bits(prepared.encoder.encode(block)) == bits(prepared.encoder.encode(test))
    assert [row["label"] for row in parts.raw] == [float(label) for label in test.columns["y"].tolist()]


def test_raw_test_rows_hold_the_columns_that_are_left_out_too_for_models_that_read_them() -> None:
    rows = [(x, c, f"note {x}", y) for x, c, y in NUMBERS]
    _, parts = prepare_csv(as_csv("x,c,note,y", rows), TABLE_SPEC)

    assert all(row["others"] == {"note": f"note {row['features']['x']}"} for row in parts.raw)
    assert all(list(row) == ["features", "others", "label"] for row in parts.raw)


def test_rows_whose_class_is_not_in_train_are_left_out_and_counted() -> None:
    rare = [(f"rare {index}", f"rare {index}") for index in range(30)]

    prepared, parts = prepare_csv(as_csv("post,label", [*POSTS, *rare]), TEXT_SPEC, block_bytes=100)

    assert prepared.encoder.classes is not None
    assert left_out(prepared) == 30 - sum(label.startswith("rare") for label in prepared.encoder.classes) > 0
    assert sum(prepared.rows.values()) + left_out(prepared) == len(POSTS) + 30
    assert {row["label"] for row in parts.raw} <= set(prepared.encoder.classes)
    assert sum(sum(counts.values()) for counts in prepared.profile["label"]["left_out"].values()) == left_out(prepared)


def test_a_table_of_one_column_is_not_csv_whose_delimiter_would_be_guessed() -> None:
    data = as_csv("x,y", [(x, y) for x, _, y in NUMBERS])

    prepared, parts = prepare_csv(data, spec_of({"x": "number"}, "y", "regression"))

    assert prepared.encoder.exchange.file_extension == "libsvm"
    rows = parts.rows("train", prepared)
    assert isinstance(rows.matrix, np.ndarray)
    assert rows.matrix.shape == (prepared.rows["train"], 1)


def test_no_validation_share_means_no_validation_rows() -> None:
    spec = spec_of({"post": "text"}, "label", "classification", split={"train": 0.8, "validation": 0.0, "test": 0.2})

    prepared, parts = prepare_csv(as_csv("post,label", POSTS), spec)

    assert prepared.rows["validation"] == 0
    assert set(parts.channels) == {"train", "test-raw"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [(f"text {index}", "x") for index in range(50)],
            f"{SOURCE}: every label in column 'label' is 'x' (50 rows); a classifier",
        ),
        ([("one", "x")], f"{SOURCE}: every label in column 'label' is 'x' (1 row); a classifier"),
        ([("one", "x"), ("two", "y")], f"{SOURCE}: 2 rows are too few: the split leaves"),
        (
            [(f"text {index}", str(index)) for index in range(50)],
            "has 50 different labels in 50 rows, too many to learn",
        ),
        (
            [("!", str(index % 2)) for index in range(90)],
            f"{SOURCE}: 90 rows, only 2 of them different, are too few: the split leaves none for",
        ),
        ([("!" * index, str(index % 2)) for index in range(90)], f"{SOURCE}: no train row has a value in column 'post'"),
    ],
)
def test_a_dataset_that_cannot_be_classified_is_refused(rows: list[tuple[str, str]], expected: str) -> None:
    assert expected in error_of(as_csv("post,label", rows), TEXT_SPEC)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, "a", 1), (2, "b", "high")], f"{SOURCE}: row 2, label column 'y': 'high' is not a number."),
        ([(1, "a", 1), (2, "b", "1e39")], f"{SOURCE}: row 2, label column 'y': '1e39' is beyond the range of float32 (3.4e38)."),
        ([(n, "a", n) for n in range(5)], f"{SOURCE}: 5 rows are too few: the split leaves none for"),
        ([*NUMBERS, ("ten", "a", 1)] * 3, f"{SOURCE}: row 101, column 'x': 'ten' is not a number."),
        ([*NUMBERS, ("inf", "a", 1)] * 3, f"{SOURCE}: row 101, column 'x': 'inf' is not a number."),
        ([*NUMBERS, ("-1e300", "a", 1)] * 3, f"{SOURCE}: row 101, column 'x': '-1e300' is beyond the range of float32"),
    ],
)
def test_a_dataset_without_numbers_to_predict_or_learn_from_is_refused(rows: list[tuple[object, ...]], expected: str) -> None:
    assert expected in error_of(as_csv("x,c,y", rows), TABLE_SPEC)


def test_a_bad_number_is_named_in_whichever_split_it_is() -> None:
    for index in range(0, 100, 9):
        rows = [(x if number != index else "bad", c, y) for number, (x, c, y) in enumerate(NUMBERS)]
        assert f"row {index + 1}, column 'x': 'bad' is not a number" in error_of(as_csv("x,c,y", rows), TABLE_SPEC)


def test_columns_that_are_not_there_are_named() -> None:
    assert "no column 'c'; the columns are x, y" in error_of(as_csv("x,y", [(1, 2)]), TABLE_SPEC)
    assert "no column 'y'; the columns are x, c" in error_of(as_csv("x,c", [(1, 2)]), TABLE_SPEC)


def test_a_table_without_any_value_is_refused() -> None:
    rows = [("", index) for index in range(50)]

    assert "no train row has a value in column 'c'" in error_of(
        as_csv("c,y", rows), spec_of({"c": "category"}, "y", "regression")
    )


def test_train_rows_of_one_class_are_too_few() -> None:
    rows = [(f"text {index}", "x") for index in range(60)]
    elsewhere = next(
        text for text in (f"other {n}" for n in range(99)) if assign(block_of({"post": [text], "label": ["y"]}), SplitSpec())[0]
    )

    message = error_of(as_csv("post,label", [*rows, (elsewhere, "y")]), TEXT_SPEC)

    assert "61 rows are too few: the split leaves only the class 'x' for train, of 2 classes. Add rows" in message


def test_data_that_changes_while_it_is_read_is_noticed() -> None:
    versions = iter([as_csv("post,label", POSTS), as_csv("post,label", POSTS[:-5])])

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(next(versions)), SOURCE, "csv")

    first = read_and_fit(read_blocks, Resolution(TEXT_SPEC))
    with pytest.raises(InvalidDataset, match="changed while it was read"):
        prepare(read_blocks, first, Parts(), lambda _: None)


def test_tokens_become_lines_that_begin_with_the_label() -> None:
    spec = spec_of({"post": "text"}, "label", "classification", encoder={"kind": "tokens"}, algorithm={"name": "blazingtext"})

    prepared, parts = prepare_csv(as_csv("post,label", [(f"{text}!", f"very {label}") for text, label in POSTS]), spec)

    lines = parts.channels["train"].decode().splitlines()
    assert len(lines) == prepared.rows["train"]
    assert all(re.fullmatch(r"__label__very%20(good|bad) (h|sp)am (h|sp)am number \d+", line) for line in lines)
    assert (prepared.encoder.exchange.file_extension, prepared.feature_dim) == ("txt", 0)
    assert prepared.profile["features"]["words"] == 4 * prepared.rows["train"]


def test_tokens_of_texts_without_words_are_refused() -> None:
    spec = spec_of({"post": "text"}, "label", "classification", encoder={"kind": "tokens"}, algorithm={"name": "blazingtext"})

    assert "no train row has a word" in error_of(as_csv("post,label", [("!" * n, str(n % 2)) for n in range(90)]), spec)


def test_an_empty_text_column_is_refused_only_if_it_is_the_only_one() -> None:
    rows = [("", text, label) for text, label in POSTS]
    both = spec_of({"title": "text", "post": "text"}, "label", "classification")
    only = spec_of({"title": "text"}, "label", "classification")

    prepared, _ = prepare_csv(as_csv("title,post,label", rows), both)

    assert prepared.profile["columns"]["title"]["missing"] == len(rows)
    assert "no train row has a value in column 'title'" in error_of(as_csv("title,post,label", rows), only)


@pytest.mark.parametrize("seed", range(4))
def test_a_label_that_occurs_once_is_trained_on_or_left_out_and_counted(seed: int) -> None:
    split = {"train": 0.5, "validation": 0.25, "test": 0.25, "seed": seed}
    spec = spec_of({"post": "text"}, "label", "classification", split=split)

    prepared, _ = prepare_csv(as_csv("post,label", [*POSTS, ("a single one", "rare")]), spec)

    trained = prepared.encoder.classes == ["bad", "good", "rare"]
    assert left_out(prepared) == (0 if trained else 1)
    assert sum(prepared.rows.values()) + left_out(prepared) == len(POSTS) + 1
    assert sum(prepared.profile["label"]["classes"][channel].get("rare", 0) for channel in prepared.rows) == 1


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.text(st.sampled_from('aé "\n,😀')), st.sampled_from(["x", "y", "z\n", '"'])), min_size=1, max_size=40)
)
def test_no_row_is_dropped_silently(rows: list[tuple[str, str]]) -> None:
    labelled = [*POSTS[:60], *rows]

    prepared, _ = prepare_csv(as_csv("post,label", labelled), TEXT_SPEC, block_bytes=64)

    assert sum(prepared.rows.values()) + left_out(prepared) == len(labelled)
    assert prepared.profile["rows"]["total"] == len(labelled)

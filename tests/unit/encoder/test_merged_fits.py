"""Fits of some rows and of the rows after them make, once merged, the encoder of all rows, to the bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.encoder.columns import median
from sageline.encoder.columns.target import FOLDS
from sageline.encoder.columns.value_counts import Targets
from sageline.encoder.fitting import Fit, finish_fit, merge_fits, start_fit
from sageline.errors import InvalidDataset
from sageline.spec.model import Spec, validate_spec

SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
NUMBERS = SINGLES | st.sampled_from(["", "nan", "0", "-0", "1", "255", "-3.75", "1e-30", "3e38", "16777216"])
DATES = st.sampled_from(["", "2024-02-29", "2023-12-31T23:59", "1969-07-20", "0001-01-01"])
CATEGORIES = st.sampled_from(["", " ", "red", "Red", "blue ", "blue", "1", "1.0", "01", "yes", "no", "é"])
TEXTS = st.lists(st.sampled_from(["a", "the", "señor", "x" * 17, "y" * 40, "42", "-"]), max_size=5).map(" ".join)
CLASSES = st.sampled_from(["spam", "ham", "1", "1.0", "é"])

FEATURES = {
    **{"whole": "number", "n": "number", "flag": "number", "d": "date"},
    **{"c": "category", "many": "category", "t": "text", "u": "text", "hashed": "text"},
}
ROW = st.fixed_dictionaries(
    {
        **{"whole": st.integers(-300, 300).map(str), "n": NUMBERS, "flag": st.sampled_from(["0", "1"]), "d": DATES},
        **{"c": CATEGORIES, "many": CATEGORIES, "t": TEXTS, "u": TEXTS, "hashed": TEXTS},
        **{"class": CLASSES, "y": SINGLES, "fold": st.integers(0, FOLDS - 1), "is_train": st.booleans()},
    }
)


class Cut(NamedTuple):
    """Rows, where they are cut into pieces, and of how many rows the blocks of a piece are."""

    rows: list[dict[str, Any]]
    bounds: list[int]
    block_rows: int


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    rows = draw(st.lists(ROW, max_size=16))
    places = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    return Cut(rows, [0, *places, len(rows)], draw(st.integers(1, 10)))


def spec_of(task: str, encoder: dict[str, Any], features: dict[str, str] = FEATURES, **more: Any) -> Spec:
    document = {"task": task, "algorithm": {"name": "xgboost"}, "dataset": {"label": "label", "features": features}}
    return validate_spec({**document, "encoder": encoder, **more}, "test")


def columns_spec(task: str, missing: str, scale: str, *, tf_idf: bool) -> Spec:
    text = {"mode": "tf-idf" if tf_idf else "count", "ngrams": 2}
    encoder = {
        **{"kind": "columns", "layout": "sparse", "number": {"missing": missing, "scale": scale}, "text": text},
        "columns": {
            "many": {"kind": "category", "max_categories": 1},
            "c": {"kind": "category", "encoding": "ordinal"},
            "hashed": {"kind": "text", **text, "hash_bits": 10},
        },
        "join_texts": True,
    }
    return spec_of(task, encoder)


def block_of(rows: Sequence[dict[str, Any]], features: Sequence[str]) -> Block:
    columns = {name: StringArray.from_list([row[name] for row in rows]) for name in features}
    numbers = np.arange(1, len(rows) + 1)
    return replace(Block.of(columns), row_numbers=numbers, folds=np.array([row["fold"] for row in rows], dtype=np.int64))


def feed(fit: Fit, spec: Spec, rows: Sequence[dict[str, Any]], block_rows: int) -> Fit:
    for start in range(0, len(rows), block_rows):
        some = rows[start : start + block_rows]
        labels: StringArray | FloatArray = np.array([row["y"] for row in some]).astype(np.float32)
        if spec.task == "classification":
            labels = StringArray.from_list([row["class"] for row in some])
        block = block_of(some, list(spec.dataset.features or {}))
        fit.update(block, np.array([row["is_train"] for row in some], dtype=np.bool_), labels)
    return fit


def started(spec: Spec) -> Fit:
    return start_fit(spec, {}, {"d": DateFormat("ymd")})


def merged(first: Fit, second: Fit) -> Fit:
    merge_fits(first, second)
    return first


def made(fit: Fit, spec: Spec, rows: list[dict[str, Any]]) -> list[Any]:
    """All that comes of a fit: the saved encoder, the encoded rows, also as train rows, and the profile."""
    profile = json.dumps(fit.profile())
    labels = {row["class"].strip() for row in rows if row["is_train"]}
    try:
        encoder = finish_fit(fit, spec, labels, "data.csv")
    except InvalidDataset as error:
        return [error.message, profile]
    block = block_of(rows, list(spec.dataset.features or {}))
    encoded = [encoder.encode(its_rows) for its_rows in (block, replace(block, folds=None))]
    return [encoder.save(), [bits_of(matrix) for matrix in encoded], profile]


def bits_of(matrix: Any) -> list[bytes]:
    if isinstance(matrix, SparseMatrix):
        return [array.tobytes() for array in (matrix.values, matrix.columns, matrix.row_offsets)]
    return [matrix.tobytes() if isinstance(matrix, np.ndarray) else repr(matrix).encode()]


def check_all_ways(cut: Cut, spec: Spec) -> None:
    """One fit of all rows, and fits of the pieces merged from the front and from the back."""
    whole = made(feed(started(spec), spec, cut.rows, max(1, len(cut.rows))), spec, cut.rows)
    for from_front in (True, False):
        pieces = [feed(started(spec), spec, cut.rows[start:end], cut.block_rows) for start, end in pairwise(cut.bounds)]
        fit = reduce(merged, pieces) if from_front else reduce(lambda after, before: merged(before, after), reversed(pieces))
        assert made(fit, spec, cut.rows) == whole


@given(
    cuts(),
    st.sampled_from(["classification", "regression"]),
    st.sampled_from(["keep", "mean", "median"]),
    st.sampled_from(["none", "standard", "min-max"]),
    st.booleans(),
)
def test_a_table_is_encoded_alike_however_it_is_cut(cut: Cut, task: str, missing: str, scale: str, tf_idf: bool) -> None:
    check_all_ways(cut, columns_spec(task, missing, scale, tf_idf=tf_idf))


@given(cuts(), st.sampled_from(["classification", "regression"]))
def test_so_it_is_where_medians_are_rough_and_labels_too_many(cut: Cut, task: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(median, "MOST_KEPT", 4)
        patch.setattr(Targets, "MOST_SPELLED", 3)

        check_all_ways(cut, columns_spec(task, "median", "none", tf_idf=False))


@given(cuts())
def test_tokens_and_pixels_are_counted_alike_however_they_are_cut(cut: Cut) -> None:
    tokens = spec_of("classification", {"kind": "tokens"}, {"t": "text", "u": "text"}, algorithm={"name": "blazingtext"})
    pixels = spec_of("classification", {"kind": "image", "shape": [1, 2]}, {"whole": "pixel", "flag": "pixel"})
    pixel_rows = [{**row, "whole": row["whole"].lstrip("-")} for row in cut.rows]

    check_all_ways(cut, tokens)
    check_all_ways(cut._replace(rows=pixel_rows), pixels)

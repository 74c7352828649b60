"""Columns of more categories than get a column each: what the labels say of their values, and to which rows they say it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import StringArray
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.target import FOLDS, TargetPart
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.spec.model import validate_spec

CITIES = ["Rome", "Oslo", "Lima", "", "Rome ", "Kyiv"]


def rows_of(cities: list[str], labels: list[str], folds: list[int]) -> Block:
    columns = {"city": StringArray.from_list(cities), "y": StringArray.from_list(labels)}
    return replace(Block.of(columns), folds=np.array(folds, dtype=np.int64))


def fitted(block: Block, task: str, *, blocks: int = 1, **options: Any) -> FittedEncoder:
    """Fitted to all rows, read in so many blocks."""
    category = {"max_categories": 1, **options}
    document = {"task": task, "algorithm": {"name": "xgboost"}, "dataset": {"label": "y", "features": {"city": "category"}}}
    spec = validate_spec({**document, "encoder": {"kind": "columns", "category": category}}, "test")
    fit = start_fit(spec, {}, {})
    for indexes in np.array_split(np.arange(block.rows), blocks):
        piece = block.take(indexes)
        labels = piece.columns["y"]
        values = labels if task == "classification" else np.array(labels.tolist(), dtype=np.float32)
        fit.update(piece, np.ones(piece.rows, dtype=np.bool_), values)
    return finish_fit(fit, spec, sorted(set(block.columns["y"].tolist())), "data.csv")


def encoded(encoder: FittedEncoder, block: Block) -> FloatArray:
    found = encoder.encode(block)
    assert isinstance(found, np.ndarray)
    return found


def asked(encoder: FittedEncoder, *cities: str | None) -> list[list[float]]:
    """As a prediction encodes the city, by a saved encoder."""
    found = FittedEncoder.load(encoder.save()).encode_instances([{"city": city} for city in cities], [])
    assert isinstance(found, np.ndarray)
    return [[round(cell, 6) for cell in row] for row in found.tolist()]


def test_a_value_becomes_its_share_and_the_mean_label_drawn_to_that_of_all_rows() -> None:
    block = rows_of(["Rome", "Rome", "Oslo", "Oslo"], ["10", "20", "0", "2"], [0, 1, 2, 3])

    encoder = fitted(block, "regression", smoothing=2)

    # Rome: two rows of 30 in all and two of the mean 8; Oslo: 2 in all.
    assert asked(encoder, "Rome", "Oslo") == [[0.5, (30 + 16) / 4], [0.5, (2 + 16) / 4]]


@pytest.mark.parametrize(("classes", "columns"), [(2, 1), (3, 3), (10, 10), (11, 0)])
def test_each_of_up_to_ten_classes_has_a_column_and_of_two_the_second(classes: int, columns: int) -> None:
    labels = [chr(ord("a") + number) for number in range(classes)] * 2
    block = rows_of(["Rome", "Oslo"] * classes, labels, [number % FOLDS for number in range(2 * classes)])

    encoder = fitted(block, "classification")

    assert encoder.feature_dim == 1 + columns
    [rome] = asked(encoder, "Rome")
    if columns > 1:
        assert sum(rome[1:]) == pytest.approx(1, abs=1e-5)


def test_an_unseen_value_has_no_share_and_the_mean_of_all_rows_and_a_missing_one_is_a_value() -> None:
    block = rows_of(["Rome", "Rome", "", "", "Oslo", "Oslo"], ["0", "0", "9", "9", "0", "0"], [0, 1, 2, 3, 4, 0])

    encoder = fitted(block, "regression", smoothing=0)

    assert asked(encoder, "Paris", None, " ") == [[0, 3], [round(1 / 3, 6), 9], [round(1 / 3, 6), 9]]


def test_a_value_of_one_train_row_counts_as_unseen() -> None:
    block = rows_of(["Rome", "Rome", "Oslo"], ["1", "1", "7"], [0, 1, 2])

    assert asked(fitted(block, "regression"), "Oslo") == [[0, 3]]


ROWS = st.lists(
    st.tuples(st.sampled_from(CITIES), st.integers(0, 3).map(str), st.integers(0, FOLDS - 1)), min_size=8, max_size=40
).filter(lambda rows: len({city.strip() for city, _, _ in rows} - {""}) > 1 and len({label for _, label, _ in rows}) > 1)


@pytest.mark.parametrize("task", ["classification", "regression"])
@settings(max_examples=30)
@given(rows=ROWS, position=st.integers(0, 7))
def test_no_row_sees_its_own_label(task: str, rows: list[tuple[str, str, int]], position: int) -> None:
    cities, labels, folds = ([*column] for column in zip(*rows, strict=True))
    block = rows_of(cities, labels, folds)
    others = sorted(set(labels) - {labels[position]})
    changed = [*labels]
    changed[position] = others[0]
    if task == "classification" and set(changed) != set(labels):
        return  # another number of classes

    before, after = fitted(block, task), fitted(rows_of(cities, changed, folds), task)

    is_target = isinstance(before.features, ColumnsEncoder) and isinstance(before.features.parts[0], TargetPart)
    assert is_target
    assert encoded(before, block)[position].tolist() == encoded(after, block)[position].tolist()


@pytest.mark.parametrize("task", ["classification", "regression"])
@settings(max_examples=30)
@given(rows=ROWS)
def test_a_train_row_is_encoded_as_by_an_encoder_fitted_without_its_fold(task: str, rows: list[tuple[str, str, int]]) -> None:
    block = rows_of(*([*column] for column in zip(*rows, strict=True)))
    encoder = fitted(block, task)
    [whole] = encoder.features.parts if isinstance(encoder.features, ColumnsEncoder) else []
    assert isinstance(whole, TargetPart)
    assert block.folds is not None

    for fold in sorted(set(block.folds.tolist())):
        mine = np.flatnonzero(block.folds == fold)
        rest = block.take(np.flatnonzero(block.folds != fold))
        if not rest.rows or set(rest.columns["y"].tolist()) != set(block.columns["y"].tolist()):
            continue
        [without] = fitted(rest, task).features.parts  # type: ignore[union-attr]  # as above
        if not isinstance(without, TargetPart) or not set(whole.values) <= set(without.values):
            continue  # fewer values than get a column, or one of a single row
        assert encoded(encoder, block)[mine].tolist() == without.encode(replace(block.take(mine), folds=None)).tolist()


@settings(max_examples=20)
@given(rows=ROWS, blocks=st.integers(2, 7))
def test_the_fit_does_not_depend_on_where_blocks_end(rows: list[tuple[str, str, int]], blocks: int) -> None:
    block = rows_of(*([*column] for column in zip(*rows, strict=True)))

    for task in ("classification", "regression"):
        assert fitted(block, task).save() == fitted(block, task, blocks=blocks).save()

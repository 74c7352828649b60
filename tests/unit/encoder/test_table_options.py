"""Missing numbers, scaling and categories: what the options of the spec make of a table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.strings import StringArray
from sageline.encoder.columns import of_before
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.number import NumberPart
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.encoder.statistics import NumberStatistics
from sageline.errors import InvalidDataset
from sageline.spec.model import validate_spec

COLUMNS = {"size": ["1", "", "4", "nan", "10"], "colour": ["red", "blue", "", "red", "10"]}


def block(columns: dict[str, list[str]]) -> Block:
    return Block.of({name: StringArray.from_list(values) for name, values in columns.items()}, source="data.csv")


def fitted(columns: dict[str, list[str]], **options: object) -> FittedEncoder:
    kinds = {"size": "number", "colour": "category"}
    features = {name: kinds[name] for name in columns}
    category = {key: options.pop(key) for key in ("max_categories", "encoding") if key in options}
    document = {
        "task": "regression",
        "algorithm": {"name": "xgboost"},
        "dataset": {"label": "y", "features": features},
        "encoder": {"kind": "columns", "number": options, "category": category},
    }
    spec = validate_spec(document, "test")
    fit = start_fit(spec, {}, {})
    rows = len(next(iter(columns.values())))
    fit.update(block(columns), np.ones(rows, dtype=np.bool_), np.zeros(rows, dtype=np.float32))
    return finish_fit(fit, spec, [], "data.csv")


def encoded(encoder: FittedEncoder, columns: dict[str, list[str]]) -> FloatArray:
    loaded = FittedEncoder.load(encoder.save())
    matrix = loaded.encode(block(columns))
    assert isinstance(matrix, np.ndarray)
    assert np.array_equal(matrix, encoder.encode(block(columns)), equal_nan=True)  # type: ignore[arg-type]  # dense
    return matrix


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, np.nan, 4, np.nan, 10]),
        ({"missing": "mean"}, [1, 5, 4, 5, 10]),
        ({"missing": "median"}, [1, 4, 4, 4, 10]),
        ({"missing": "value"}, [1, 0, 4, 0, 10]),
        ({"missing": "value", "missing_value": -1.5}, [1, -1.5, 4, -1.5, 10]),
        ({"scale": "min-max"}, [0, np.nan, 1 / 3, np.nan, 1]),
        ({"scale": "min-max", "missing": "mean"}, [0, 4 / 9, 1 / 3, 4 / 9, 1]),
        ({"scale": "standard"}, [-4 / 14**0.5, np.nan, -1 / 14**0.5, np.nan, 5 / 14**0.5]),
        ({"scale": "standard", "missing": "mean"}, [-4 / 14**0.5, 0, -1 / 14**0.5, 0, 5 / 14**0.5]),
    ],
)
def test_missing_numbers_are_kept_or_filled_in_and_numbers_are_scaled(options: dict[str, object], expected: list[float]) -> None:
    size = {"size": COLUMNS["size"]}

    matrix = encoded(fitted(size, **options), size)

    assert np.allclose(matrix[:, 0], expected, rtol=1e-6, equal_nan=True)


def test_ordinal_categories_are_places_in_the_sorted_values() -> None:
    colour = {"colour": COLUMNS["colour"]}

    encoder = fitted(colour, encoding="ordinal")

    assert encoder.feature_dim == 1
    assert encoded(encoder, colour)[:, 0].tolist() == [2, 1, -1, 2, 0]
    numbers = fitted({"colour": ["10", "9", "2.5"]}, encoding="ordinal")
    assert encoded(numbers, {"colour": ["2.5", "9", "10"]})[:, 0].tolist() == [0, 1, 2]


def test_a_category_that_was_not_seen_in_training_is_no_error() -> None:
    colour = {"colour": COLUMNS["colour"]}

    assert encoded(fitted(colour, encoding="ordinal"), {"colour": ["green", "red"]}).tolist() == [[-1], [2]]
    assert encoded(fitted(colour), {"colour": ["green", "red"]}).tolist() == [[0, 0, 0], [1, 0, 0]]
    assert encoded(fitted(colour, max_categories=1, encoding="ordinal"), {"colour": ["blue", "red"]}).tolist() == [[-1], [0]]


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_a_column_without_a_number_has_nothing_to_fill_in(missing: str) -> None:
    with pytest.raises(InvalidDataset, match=f"no train row has a value in column 'size', so there is no {missing} to fill in"):
        fitted({"size": ["", "na"]}, missing=missing)


@pytest.mark.parametrize("scale", ["standard", "min-max"])
def test_a_column_of_one_value_or_none_is_scaled_to_zero(scale: str) -> None:
    assert encoded(fitted({"size": ["3", "3"]}, scale=scale), {"size": ["3", "4"]})[:, 0].tolist() == [0, 1]
    assert np.isnan(encoded(fitted({"size": ["", ""]}, scale=scale), {"size": [""]})).all()


def test_a_scaled_number_stays_within_float32() -> None:
    encoder = fitted({"size": ["0", "1e-40"]}, scale="min-max")

    matrix = encoded(encoder, {"size": ["3e38", "-3e38"]})

    assert matrix[:, 0].tolist() == [np.finfo(np.float32).max, np.finfo(np.float32).min]


def test_the_state_of_version_1_is_read_as_it_was_meant() -> None:
    """It had neither modes of categories nor ways to encode numbers."""
    red = StringArray.from_list(["red"])
    arrays: dict[str, AnyArray] = {"categories_1_data": red.data, "categories_1_offsets": red.offsets}

    read = of_before.table({"kind": "table"}, {"size": "number", "colour": "category"}, arrays)

    assert read.parts[0] == NumberPart("size")
    category = read.categories["colour"]
    assert isinstance(category, CategoryPart)
    assert (category.values, category.encoding, category.exact) == (["red"], "one-hot", True)


VALUES = st.floats(-1e6, 1e6, width=32) | st.just(np.nan)


@given(st.lists(st.lists(VALUES, max_size=6), max_size=6))
def test_statistics_are_those_of_all_blocks_together(blocks: list[list[float]]) -> None:
    statistics = NumberStatistics(with_median=True)
    for values in blocks:
        statistics.update(np.array(values, dtype=np.float32))

    together = np.array([value for values in blocks for value in values], dtype=np.float64)
    present = together[~np.isnan(together)]
    assert (statistics.rows, statistics.present) == (len(together), len(present))
    if len(present) == 0:
        assert np.isnan([statistics.mean, statistics.median]).all()
        assert statistics.deviation == 0
        return
    assert statistics.mean == math.fsum(present) / len(present)
    assert statistics.deviation == pytest.approx(present.std(), rel=1e-9, abs=1e-9 * np.abs(present).max())
    assert statistics.median == np.median(present.astype(np.float32).astype(np.float64))
    assert (statistics.minimum, statistics.maximum) == (present.min(), present.max())

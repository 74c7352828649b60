"""Numbers of a request are what their text would be read as, and are not made text."""

from __future__ import annotations

from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.number_spelling import Spelling
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder
from sageline.encoder.instances import InstanceReader
from sageline.errors import InvalidDataset, InvalidRequest, SagelineError
from tests.unit.encoder.encoders import Number, table

KINDS = {"a": "number", "colour": "category", "b": "number"}
TABLES = [
    table({"a": None, "colour": ["red", "3", "é", "true"], "b": None}),
    table(
        {"a": None, "colour": ["red", "3"], "b": None},
        {"a": Number(1.5, 0.25, 3.0, binary=True), "b": Number(None, -1e30, 1e-12)},
        "ordinal",
    ),
    table(
        {"a": None, "colour": ["3", "2.50"], "b": None},
        {"a": Number(0.5, 1.0, 2.0, Spelling(",", ".")), "b": Number(spelling=Spelling(unit="%"), binary=True)},
    ),
]
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.floats(width=32),
    st.sampled_from(["", "1.5", "nan", "red", "blue", " red", "3.0", "1,5", "12%", "é", "ü", "\ud800", "x" * 5, [], {}]),
)


def table_encoder(columns: ColumnsEncoder, answers: str = "xgboost") -> FittedEncoder:
    return FittedEncoder("regression", KINDS, "y", None, columns, answers)


def image_encoder(shape: tuple[int, ...] = (2, 2)) -> FittedEncoder:
    pixels = [f"p{place}" for place in range(int(np.prod(shape)))]
    return FittedEncoder("regression", dict.fromkeys(pixels, "pixel"), "y", None, ImageEncoder(pixels, shape, 1 / 255))


def outcome(encoder: FittedEncoder, instances: list[object], *, by_text: bool, strict: bool = False) -> object:
    """The encoded rows' bits with the warnings, or the error."""
    warnings: list[str] | None = None if strict else []
    try:
        with patch.object(InstanceReader, "_plain_numbers", return_value=None) if by_text else nullcontext():
            return np.asarray(encoder.encode_instances(instances, warnings)).tobytes(), warnings
    except SagelineError as error:
        return type(error), error.message


INSTANCE = st.one_of(
    st.fixed_dictionaries({"a": VALUE, "colour": VALUE, "b": VALUE}),
    st.tuples(VALUE, VALUE, VALUE).map(list),
    st.dictionaries(st.sampled_from(["a", "b", "colour", "y", "color"]), VALUE),
    st.lists(VALUE, max_size=4),
    VALUE,
)


@pytest.mark.parametrize("answers", ["xgboost", "linear-learner"])
@pytest.mark.parametrize("columns", TABLES)
@given(instances=st.lists(INSTANCE, max_size=3))
def test_a_table_is_encoded_as_by_text(columns: ColumnsEncoder, answers: str, instances: list[object]) -> None:
    encoder = table_encoder(columns, answers)

    for strict in (False, True):
        found = outcome(encoder, instances, by_text=False, strict=strict)
        assert found == outcome(encoder, instances, by_text=True, strict=strict)


PIXEL = st.one_of(st.integers(0, 255), st.floats(0, 1), st.floats(width=32), VALUE)


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (4, 1)])
@given(
    instances=st.lists(
        st.one_of(
            st.lists(PIXEL, min_size=4, max_size=4),
            st.lists(st.lists(PIXEL, min_size=2, max_size=2), min_size=2, max_size=2),
            st.lists(st.lists(st.lists(PIXEL, min_size=2, max_size=2), min_size=2, max_size=2), min_size=1, max_size=1),
            st.lists(st.lists(PIXEL, max_size=3), max_size=3),
            st.fixed_dictionaries({f"p{place}": PIXEL for place in range(4)}),
        ),
        max_size=2,
    )
)
def test_an_image_is_encoded_as_by_text(shape: tuple[int, ...], instances: list[object]) -> None:
    encoder = image_encoder(shape)

    assert outcome(encoder, instances, by_text=False) == outcome(encoder, instances, by_text=True)


def test_plain_requests_do_not_go_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def spelled(*_: object) -> None:
        raise AssertionError("by text")

    monkeypatch.setattr("sageline.encoder.instances.spelled", spelled)

    table_encoder(TABLES[0]).encode_instances([[1, "red", None], {"a": 1.5, "b": 0, "colour": "new"}], [])
    image_encoder().encode_instances([[[0, 255], [3, 4.5]], [1, 2, 3, 4], {"p0": 1, "p1": 2, "p2": 3, "p3": 4}])


@pytest.mark.parametrize("answers", ["linear-learner", "knn", "tensorflow"])
def test_a_number_that_the_model_needs_is_asked_for(answers: str) -> None:
    encoder = table_encoder(TABLES[1], answers)

    for missing in (None, "", "n/a", float("nan")):
        with pytest.raises(
            InvalidRequest, match=r"instances\[1\], column 'b': the value is missing, which the model does not take"
        ):
            encoder.encode_instances([[None, "red", 1], [1, None, missing]])


@pytest.mark.parametrize("answers", ["linear-learner", "knn", "tensorflow"])
def test_a_missing_number_that_nothing_stands_for_is_no_data_to_learn_from(answers: str) -> None:
    block = table_encoder(TABLES[0]).block_from_instances([[1, "red", 2], [1, "", None]])

    with pytest.raises(
        InvalidDataset, match=f"row 1, column 'b': the value is missing, which {answers} does not take. Fill it in"
    ):
        table_encoder(TABLES[0], answers).encode(block)
    kept = table_encoder(TABLES[0], "scikit-learn").encode(block)
    assert isinstance(kept, np.ndarray)
    assert np.isnan(kept).any()

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.formats import json_rows


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_instances_dense_or_sparse_are_read_exactly(table: FloatArray) -> None:
    keys = [np.flatnonzero(row).tolist() for row in table]
    cells = [{"keys": some, "shape": [len(row)], "values": row[some].tolist()} for row, some in zip(table, keys, strict=True)]
    dense, sparse = [{"features": row} for row in table.tolist()], [{"data": {"features": row}} for row in cells]

    for instances in dense, sparse:
        lines = "".join(f"{json.dumps(instance)}\n" for instance in instances)
        for read in json_rows.read_json(json.dumps({"instances": instances}).encode()), json_rows.read_json_lines(lines.encode()):
            assert isinstance(read, SparseMatrix) == (instances is sparse)
            assert np.array_equal(read.to_dense() if isinstance(read, SparseMatrix) else read, table)


def test_the_documented_spellings_of_an_instance_are_read() -> None:
    body = b'{"instances":[{"features":[1.5,16.0]},{"data":{"features":{"values":[2.5,17.0]}}}]}'

    assert json_rows.read_json(body).tolist() == [[1.5, 16], [2.5, 17]]  # type: ignore[union-attr]  # dense
    assert json_rows.read_json(b'{"instances":[]}').shape == (0, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", "expected"),
        (b'{"instances":1}', "expected"),
        (b'{"instances":[{"features":[1]},{"features":1}]}', "instance 1 has no features"),
        (b'{"instances":[{"features":[1]},{"features":[1,2]}]}', "instances of differing width"),
        (
            b'{"instances":[{"data":{"features":{"keys":[1],"shape":[3],"values":[]}}}]}',
            "instance 0 has no features, or not as many",
        ),
        (b'{"instances":[{"data":{"features":{"keys":[3],"shape":[3],"values":[1]}}}]}', "not among the 3 columns"),
        (
            b'{"instances":[{"data":{"features":{"keys":[],"shape":[3],"values":[]}}},{"features":[]}]}',
            "some instances have keys",
        ),
    ],
)
def test_what_is_no_request_is_named(body: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        json_rows.read_json(body)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_json_has_not_is_refused_with_its_place(value: float) -> None:
    with pytest.raises(ValueError, match=f"row 1, column 0 is {value}, which JSON cannot say"):
        json_rows.write_tensors(np.array([[1], [value]], dtype=np.float32), (1,))


def test_texts_for_blazingtext() -> None:
    body = json_rows.write_texts(["the movie was excellent"], 2)
    assert json.loads(body) == {"instances": ["the movie was excellent"], "configuration": {"k": 2}}
    lines = json_rows.write_text_lines(["gr\u00fcn", "line\nfeed"], 1).splitlines()
    assert [json.loads(line) for line in lines] == [{"source": "gr\u00fcn", "k": 1}, {"source": "line\nfeed", "k": 1}]


def test_rows_for_tensorflow_serving_are_nested_as_the_shape_says() -> None:
    table = np.arange(24, dtype=np.float32).reshape(2, 12)

    assert json.loads(json_rows.write_tensors(table, (2, 3, 2)))["instances"] == table.reshape(2, 2, 3, 2).tolist()
    assert json.loads(json_rows.write_tensors(table, (12,)))["instances"] == table.tolist()

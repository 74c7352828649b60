"""libsvm's sparse text as rows."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.readers import libsvm_reader
from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset
from tests.unit.dataset.tables import compressed


def rows(data: bytes, data_format: str = "libsvm", block_bytes: int = 1 << 20) -> list[dict[str, str]]:
    found = []
    for block in open_blocks(io.BytesIO(data), f"data.{data_format}", data_format, block_bytes):
        found += [dict(zip(block.columns, row, strict=True)) for row in zip(*block.columns.values(), strict=True)]
    return found


def error_of(data: bytes) -> str:
    with pytest.raises(InvalidDataset) as refused:
        rows(data)
    return refused.value.message


@pytest.mark.parametrize("data_format", ["libsvm", "svm", "libsvm.gz", "svm.zst"])
def test_a_feature_that_a_row_does_not_name_is_missing(data_format: str) -> None:
    data = b"1 3:0.50 17:2\n\n-1 2:1e-3 # a remark\n0\n"
    packed = compressed(data, data_format.partition(".")[2]) if "." in data_format else data
    assert rows(packed, data_format) == [
        {"label": "1", "2": "", "3": "0.50", "17": "2"},
        {"label": "-1", "2": "1e-3", "3": "", "17": ""},
        {"label": "0", "2": "", "3": "", "17": ""},
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.dictionaries(st.integers(0, 12), st.floats(allow_nan=False, width=32), max_size=6)),
        min_size=1,
    ),
    st.integers(1, 200),
)
def test_rows_are_what_was_written_whatever_the_size_of_the_blocks(
    written: list[tuple[int, dict[int, float]]], block_bytes: int
) -> None:
    text = "".join(f"{label} " + " ".join(f"{key}:{value!r}" for key, value in row.items()) + "\n" for label, row in written)
    features = sorted({key for _, row in written for key in row})
    expected = [
        {"label": str(label), **{str(key): repr(row[key]) if key in row else "" for key in features}} for label, row in written
    ]
    if features:
        assert rows(text.encode(), block_bytes=block_bytes) == expected


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "has no rows"),
        (b"1 1:2\n1,2 1:3\n", "line 2: '1,2' are several labels, which are not learned; give each row one"),
        (b"1:0.5 1:3\n", "line 1: begins with '1:0.5'; write the label first, without a weight"),
        (b"1 1:2\n0 3\n", "line 2: '3' is no index:value"),
        (b"0 1:2:3\n", "line 1: '1:2:3' is no index:value"),
        (b"0 x:1\n", "line 1: 'x' is no index"),
        (b"0 -1:1\n", "line 1: '-1' is no index"),
        (b"0 :1\n", "line 1: '' is no index"),
        (b"0 qid:3 1:1\n", "line 1: qid: rows in groups, as for ranking, are not learned"),
        (b"0 1:1 1:2\n", "line 1: feature 1 occurs twice"),
        (b"0 1:1\n0 2:1 1:5 2:2\n", "line 2: feature 2 occurs twice"),
        (b"0 4:\n", "line 1: feature 4 has no value"),
        (b"0 4:1\n1 4:\xff\n", "line 2: not text of digits and signs"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data: bytes, problem: str) -> None:
    assert problem in error_of(data)


def test_too_many_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsvm_reader, "MOST_COLUMNS", 3)
    assert "more than 3 different features, by line 1" in error_of(b"0 1:1 2:1 3:1 4:1\n")

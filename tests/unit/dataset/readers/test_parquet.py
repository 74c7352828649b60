"""Parquet as rows: what each type becomes, what is refused in which words, and how much of a file is read at a time."""

from __future__ import annotations

import datetime
import decimal
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray, NumberArray
from sageline.dataset.readers import parquet_reader
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset
from tests.unit.dataset.tables import as_parquet


def read(data: bytes, block_bytes: int = 1 << 20, label: str | None = None) -> tuple[list[Block], list[str]]:
    notes: list[str] = []
    options = ReadOptions(label=label)
    blocks = list(open_blocks(io.BytesIO(data), "data.parquet", "parquet", block_bytes, options=options, notes=notes))
    return blocks, notes


def texts(array: Any) -> list[str]:  # Any: pyarrow has no types
    """What the values of a column become."""
    [block], _ = read(as_parquet(pa.table({"x": array})))
    return block.columns["x"].tolist()


def error_of(data: bytes, label: str | None = None) -> str:
    with pytest.raises(InvalidDataset) as refused:
        read(data, label=label)
    return refused.value.message


MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -7], pa.int16()), ["1", "", "-7"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.0, 0.1, 1e-5, 1e16, -0.0, float("nan"), None]), ["1.0", "0.1", "1e-05", "1e+16", "-0.0", "", ""]),
        (pa.array([0.1, 1e8], pa.float32()), ["0.1", "100000000.0"]),
        (pa.array([float("inf"), 1.0]), ["inf", "1.0"]),
        (pa.array([True, None, False]), ["true", "", "false"]),
        (pa.array([decimal.Decimal("1.50"), None]), ["1.50", ""]),
        (pa.array(["a", None, "", "é\n"]), ["a", "", "", "é\n"]),
        (pa.array(["a", None, "b", "a"]).dictionary_encode(), ["a", "", "b", "a"]),
        (pa.array([b"text", None]), ["text", ""]),
        (pa.array([datetime.date(2024, 1, 2), None]), ["2024-01-02", ""]),
        (pa.array([MOMENT, None], pa.timestamp("s")), ["2024-01-02T03:04:05", ""]),
        (pa.array([MOMENT.replace(microsecond=500000)], pa.timestamp("ms")), ["2024-01-02T03:04:05.500000"]),
        (pa.array([1, 1000], pa.timestamp("ns")), ["1970-01-01T00:00:00.000000001", "1970-01-01T00:00:00.000001"]),
        (pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin")), ["2024-01-02T03:04:05+00:00"]),
        (pa.array([datetime.time(3, 4, 5), datetime.time(3, 4, 5, 6)]), ["03:04:05", "03:04:05.000006"]),
        (pa.array([["a", "b"], [], None]), ["a b", "", ""]),
        (pa.nulls(2), ["", ""]),
    ],
)
def test_a_value_is_spelled_as_python_spells_it(array: Any, expected: list[str]) -> None:  # Any: pyarrow has no types
    assert texts(array) == expected


def test_every_number_is_spelled_as_repr_spells_it() -> None:
    random = np.random.default_rng(0)
    bits = np.frombuffer(random.bytes(8 * 20_000), dtype=np.float64)
    numbers = np.concatenate(
        [bits[np.isfinite(bits)], 10 ** random.uniform(-8, 18, 20_000), np.rint(10 ** random.uniform(0, 18, 9))]
    )

    assert texts(pa.array(numbers)) == [repr(number) for number in numbers.tolist()]


def test_the_numbers_of_a_column_need_not_be_read_from_its_text() -> None:
    [block], _ = read(as_parquet({"x": [1.5, None], "n": [2**53 + 1, 3]}))
    half, whole = block.columns["x"], block.columns["n"]
    assert isinstance(half, NumberArray)
    assert isinstance(whole, NumberArray)
    np.testing.assert_array_equal(half.numbers, [1.5, np.nan])
    np.testing.assert_array_equal(whole.numbers, [float("9007199254740993"), 3.0])


def test_a_column_of_few_different_values_is_spelled_once_for_each() -> None:
    [block], _ = read(as_parquet({"x": [1.5, 2.5, None] * 2000}))
    column = block.columns["x"]
    assert isinstance(column, DictionaryArray)
    assert len(column.dictionary) <= 4
    assert column.tolist() == ["1.5", "2.5", ""] * 2000


def test_a_struct_becomes_columns() -> None:
    [block], _ = read(as_parquet({"a": [{"b": 1, "c": {"d": "x"}}, None], "e": [1, 2]}))
    assert {name: column.tolist() for name, column in block.columns.items()} == {
        "a.b": ["1", ""],
        "a.c.d": ["x", ""],
        "e": ["1", "2"],
    }


def test_what_is_made_of_lists_and_time_zones_is_said() -> None:
    table = pa.table({"tags": [["a", "b"]], "at": pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin"))})
    _, notes = read(as_parquet(table))
    assert notes == [
        "data.parquet: column 'tags' holds lists of words, which are joined by blanks.",
        "data.parquet: column 'at' holds times of a time zone, which are read in UTC.",
    ]


def test_an_index_of_pandas_has_the_name_that_it_has_in_csv() -> None:
    [block], _ = read(as_parquet({"a": [1], "__index_level_0__": [7]}))
    assert list(block.columns) == ["a", "Unnamed: 0"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"x": [[1, 2]]}, "column 'x' holds lists (list<element: int64>), and only lists of words are read"),
        ({"x": [[{"a": 1}]]}, "column 'x' holds lists"),
        (pa.table({"x": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))}), "column 'x' is of the type map<"),
        (
            pa.table({"x": pa.array([1], pa.duration("s"))}),
            "column 'x' is of the type duration[s], which is neither text, number",
        ),
        ({"x": [b"\xff\xfe"]}, "row group 1 (from row 1), column 'x' holds what cannot be spelled as text"),
        ({"a": [1], " a": [2]}, "two columns have the name 'a'; rename one"),
        ({" ": [1]}, "a column has no name"),
        ({"a.b": [1], "a": [{"b": 1}]}, "two columns have the name 'a.b'"),
        (pa.table({"a": pa.array([], pa.int64())}), "has no rows"),
        (pa.table({"x": pa.array([2**48], pa.timestamp("s"))}), "a year before 1 or after 9999"),
    ],
)
def test_what_has_no_meaning_here_is_refused_by_name(table: Any, problem: str) -> None:  # Any: pyarrow has no types
    assert problem in error_of(as_parquet(table))


def test_lists_as_labels_are_several_labels_which_are_not_learned() -> None:
    assert "several labels a row, which Sageline does not learn" in error_of(as_parquet({"tags": [["a", "b"]]}), label="tags")


def test_a_file_that_is_damaged_or_none_says_so() -> None:
    good = as_parquet({"x": list(range(10_000))}, row_group_size=5_000)
    assert "cannot be read as Parquet" in error_of(b"a,b\n1,2\n" * 10)
    assert "cannot be read as Parquet" in error_of(good[:-40])
    damaged = bytearray(good)
    second = pq.ParquetFile(io.BytesIO(good)).metadata.row_group(1).column(0)
    start = second.dictionary_page_offset or second.data_page_offset
    damaged[start : start + 200] = b"\xff" * 200
    assert "row group 2 (from row 5,001) cannot be read" in error_of(bytes(damaged))


def test_row_numbers_and_blocks_go_on_over_row_groups() -> None:
    data = as_parquet({"x": [f"row {number}" for number in range(1, 1001)]}, row_group_size=300)
    blocks, _ = read(data, block_bytes=1000)
    assert len(blocks) > 8
    assert [number for block in blocks for number in block.row_numbers.tolist()] == list(range(1, 1001))
    assert [text for block in blocks for text in block.columns["x"].tolist()] == [f"row {number}" for number in range(1, 1001)]
    assert max(len(block.columns["x"].data) for block in blocks) < 3000


class _Counted(io.BytesIO):
    """Notes how much is read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0
        self.reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        self.reads += 1
        return data


def test_a_sample_is_of_row_groups_from_all_over_the_file_and_reads_no_others() -> None:
    rows = 100_000
    data = as_parquet({"x": np.random.default_rng(0).normal(size=rows), "n": range(rows)}, row_group_size=1000)
    stream, notes = _Counted(data), list[str]()

    blocks = list(sample_blocks(stream, len(data), "data.parquet", "parquet", notes=notes, pieces=4, piece_bytes=1 << 14))

    firsts = [block.first_row for block in blocks]
    assert firsts == sorted(firsts)
    assert firsts[0] == 1
    assert firsts[-1] > rows - 1001
    assert stream.taken < len(data) / 10
    assert "row groups, and not from all of the file" in notes[0]


def test_a_row_group_is_fetched_at_once_and_a_large_one_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_parquet({f"c{index}": np.random.default_rng(index).normal(size=50_000) for index in range(8)})
    held = _Counted(data)
    list(open_blocks(held, "x", "parquet", 1 << 20))
    monkeypatch.setattr(parquet_reader, "_HELD_BYTES", 1000)
    monkeypatch.setattr(parquet_reader, "_PIECE_BYTES", 1 << 14)
    pieces = _Counted(data)
    list(open_blocks(pieces, "x", "parquet", 1 << 20))

    assert held.reads < 6
    assert pieces.reads > 50
    assert pieces.taken < 2.5 * len(data)


def test_what_has_no_meaning_is_no_error_in_a_column_that_is_left_out() -> None:
    maps = pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))
    table = pa.table({"n": [1, 2], "tags": maps, "s": pa.array([{"m": [1.5]}, {"m": []}]), "raw": [b"\xff", b"x"]})
    notes: list[str] = []

    for options in (ReadOptions(left_out=frozenset({"tags", "s.m", "raw"})), ReadOptions(learnt=frozenset({"n"}))):
        notes.clear()
        [block] = open_blocks(io.BytesIO(as_parquet(table)), "data.parquet", "parquet", options=options, notes=notes)

        assert {name: column.tolist() for name, column in block.columns.items()} == {
            "n": ["1", "2"],
            "tags": ["", ""],
            "s.m": ["", ""],
            "raw": ["", ""],
        }
        assert notes == ["data.parquet: columns 's.m', 'tags' hold what is not read, and is left out."]
    assert "leave the column out with `dataset.exclude`" in error_of(as_parquet(table))

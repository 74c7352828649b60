from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.readers import jsonl_reader
from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import Rows, blocks_of, error_of, rows_of


@pytest.mark.parametrize("block_bytes", [1, 10, 1 << 20])
def test_values_become_the_text_that_csv_would_hold(block_bytes: int) -> None:
    data = b'{"t": "a \\"b\\"\\n\\u00fc", "n": 1.50, "b": true}\n\n{"n": null, "t": "", "b": false}\r\n{"t": "x", "n": NaN}'

    assert rows_of(data, "jsonl", block_bytes) == [
        {"t": 'a "b"\nü', "n": "1.50", "b": "true"},
        {"t": "", "n": "", "b": "false"},
        {"t": "x", "n": "nan", "b": ""},
    ]


@given(st.lists(st.fixed_dictionaries({"a": st.text(st.characters(exclude_categories=["Cs"])), "b": st.integers()}), min_size=1))
def test_what_the_json_module_writes_is_read_back(rows: list[dict[str, str | int]]) -> None:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()

    assert rows_of(data, "jsonl", block_bytes=7) == [{"a": row["a"], "b": str(row["b"])} for row in rows]


def test_row_numbers_go_on_from_block_to_block() -> None:
    blocks = blocks_of(b'{"a": 1}\n' * 10, "jsonl", block_bytes=27)

    assert [block.first_row for block in blocks] == [1, 4, 7, 10]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "data.jsonl has no data, not even a line; upload a JSON object a line, and at least one."),
        (b"\n \n", "data.jsonl has blank lines only; upload a JSON object a line, and at least one."),
        (b'{"a": 1}\n\n{"a": 2\n', "row 2 (line 3, byte offset 18): not valid JSON: Expecting ',' delimiter; write one complete"),
        (b'{"a": "\xff"}\n', "row 1 (line 1, byte offset 7): byte 0xff is not valid UTF-8"),
        (b'{"a": 1}\n[1]\n', 'row 2 (line 2, byte offset 9): not a JSON object; write one object per line, {"column": value}.'),
        (b'{"a": [1]}\n', "row 1 (line 1, byte offset 0): column 'a' holds a list of something else than words"),
        (b'{"a": {"b": [{}]}}\n', "column 'a.b' holds a list of something else than words"),
        (b'{"a": "\\ud800"}\n', "column 'a': half of a surrogate pair"),
        (b'{"a": 1, "a": 2}\n', "key 'a' occurs twice"),
        (b"{}\n", "an empty object; the keys of the first rows name the columns"),
        (b'{" ": 1}\n', "a key that is blank or not text"),
        (b'{"\\udc00": 1}\n', "a key that is blank or not text"),
        (b"[" * 100_000 + b"\n", "objects are nested too deeply"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(data: bytes, expected: str) -> None:
    assert expected in error_of(data, "jsonl")


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_reader, "MAX_ROW_BYTES", 1000)

    assert "row 2 (line 2, byte offset 9): a line longer than" in error_of(b'{"a": 1}\n{"a": "' + b"x" * 5000, "jsonl", 100)


@pytest.mark.parametrize("block_bytes", [1, 10, 1 << 20])
def test_a_key_that_the_first_row_lacks_is_a_column_and_is_said(block_bytes: int) -> None:
    data = b'{"x": 1.0}\n{"y": "b", "x": null}\n{}\n{"z": true}\n'
    notes: list[str] = []

    blocks = list(open_blocks(io.BytesIO(data), "data.jsonl", "jsonl", block_bytes, notes=notes))

    assert [list(block.columns) for block in blocks] == [["x", "y", "z"]] * len(blocks)
    assert rows_of(data, "jsonl", block_bytes) == [
        {"x": "1.0", "y": "", "z": ""},
        {"x": "", "y": "b", "z": ""},
        {"x": "", "y": "", "z": ""},
        {"x": "", "y": "", "z": "true"},
    ]
    assert notes == ["data.jsonl: keys 'y', 'z' are not in the first row; a row without a key has no value there."]


@pytest.mark.parametrize("block_bytes", [5, 60, 1 << 20])
def test_a_key_that_comes_later_than_the_first_mebibyte_is_refused(monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    monkeypatch.setattr(jsonl_reader, "KEYS_BYTES", 50)
    early = b'{"text": 1}\n' * 3 + b'{"z": 1}\n'

    assert rows_of(early, "jsonl", block_bytes)[-1] == {"text": "", "z": "1"}
    message = error_of(early + b'{"text": 1}\n{"test": 2}\n', "jsonl", block_bytes)
    assert "row 6 (line 6, byte offset 57): key 'test' is in no row of the file's first" in message
    assert "perhaps it is 'text'; if not, give it in the first row too, null where it has no value." in message


def test_a_first_row_longer_than_what_is_looked_through_names_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_reader, "KEYS_BYTES", 10)

    assert rows_of(b'{"text": "long", "b": 1}\n{"b": 2}\n', "jsonl")[1] == {"text": "", "b": "2"}


JSON_PIECES = st.sampled_from(
    ['{"a": 1}', '{"a": "x", "b": null}', "{", "}", '"a"', ":", "\n", "\r\n", " ", "1", "é", "\\ud800", "\0", "[]"]
)


@given(st.binary(max_size=60) | st.lists(JSON_PIECES, max_size=30).map("".join).map(str.encode))
def test_any_bytes_are_read_whole_or_refused_with_row_and_offset(data: bytes) -> None:
    outcome = rows_or_error(b'{"a": 0}\n' + data)

    if isinstance(outcome, str):
        assert re.match(r"data\.jsonl: (row \d+ \(line|line) \d+,? \(?byte offset \d+", outcome)
    else:
        assert len(outcome) == 1 + sum(1 for line in data.split(b"\n") if line.strip())


def rows_or_error(data: bytes) -> Rows | str:
    try:
        return rows_of(data, "jsonl", block_bytes=7)
    except InvalidDataset as error:
        return error.message

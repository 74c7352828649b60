"""JSON Lines with objects and lists in them."""

from __future__ import annotations

import io

import pytest

from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset


def read(data: bytes, label: str | None = None) -> tuple[list[dict[str, str]], list[str]]:
    notes: list[str] = []
    found = []
    for block in open_blocks(io.BytesIO(data), "data.jsonl", "jsonl", options=ReadOptions(label=label), notes=notes):
        found += [dict(zip(block.columns, row, strict=True)) for row in zip(*block.columns.values(), strict=True)]
    return found, notes


def test_objects_become_columns() -> None:
    rows, notes = read(b'{"a": {"b": 1.50, "c": {"d": "x"}}, "e": true}\n{"a": {"c": {"d": null}, "b": 2}, "e": false}\n')
    assert rows == [{"a.b": "1.50", "a.c.d": "x", "e": "true"}, {"a.b": "2", "a.c.d": "", "e": "false"}]
    assert notes == []


@pytest.mark.parametrize("absent", [b'{"e": 1}', b'{"a": null, "e": 1}', b'{"a": {}, "e": 1}', b'{"a": {"c": null}, "e": 1}'])
@pytest.mark.parametrize("first", [True, False])
def test_where_an_object_is_absent_its_columns_are_missing(absent: bytes, first: bool) -> None:
    full = b'{"a": {"b": 1, "c": {"d": "x"}}, "e": 1}'
    rows, _ = read(b"\n".join([absent, full] if first else [full, absent]) + b"\n")
    assert sorted(rows[0]) == ["a.b", "a.c.d", "e"]
    assert rows[0 if first else 1] == {"a.b": "", "a.c.d": "", "e": "1"}


def test_lists_of_words_are_one_text_and_that_is_said_once() -> None:
    rows, notes = read(b'{"t": ["a", "1", null]}\n{"t": []}\n{"t": "b c"}\n')
    assert rows == [{"t": "a 1"}, {"t": ""}, {"t": "b c"}]
    assert notes == ["data.jsonl: column 't' holds lists of words, which are joined by blanks."]


@pytest.mark.parametrize("value", ["[1, 2]", '["a", 1]', '[{"a": 1}]', '[["a"]]', "[true]"])
def test_a_list_of_something_else_is_refused_with_its_row(value: str) -> None:
    with pytest.raises(
        InvalidDataset, match=r"row 2 \(line 2, byte offset 16\): column 'a.b' holds a list of something else than"
    ):
        read(f'{{"a": {{"b": 0}}}}\n{{"a": {{"b": {value}}}}}\n'.encode())


def test_a_list_as_the_label_is_several_labels_which_are_not_learned() -> None:
    with pytest.raises(InvalidDataset, match=r"row 1 .*: column 'kinds' holds a list, and so several labels"):
        read(b'{"kinds": ["a", "b"]}\n', label="kinds")


def test_two_values_of_one_column_are_refused() -> None:
    with pytest.raises(InvalidDataset, match=r"row 1 .*: key 'a\.b' occurs twice"):
        read(b'{"a.b": 1, "a": {"b": 2}}\n')


def test_lists_of_numbers_are_no_error_in_a_column_that_is_left_out() -> None:
    notes: list[str] = []
    data = io.BytesIO(b'{"n": 1, "v": [1.5, 2]}\n{"n": 2, "v": [{"a": 1}]}\n{"n": 3, "v": ["a", "b"]}\n')

    [block] = open_blocks(data, "data.jsonl", "jsonl", options=ReadOptions(left_out=frozenset({"v"})), notes=notes)

    assert block.columns["v"].tolist() == ["", "", "a b"]
    assert notes == ["data.jsonl: column 'v' holds lists of something else than words, which are not read, as it is left out."]

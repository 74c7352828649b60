from __future__ import annotations

import click
import pytest

from cli.instances import read_instances


def test_csv_gives_an_object_of_strings_per_row_and_null_for_an_empty_cell() -> None:
    content = '\ufeffname,"a, b"\nx,"1\n2"\n\ny,\n'.encode()
    assert read_instances("rows.csv", content) == [{"name": "x", "a, b": "1\n2"}, {"name": "y", "a, b": None}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_has_any_delimiter_of_a_dataset(delimiter: str) -> None:
    lines = [["Fläche", "Preis"], ["50.5", "1"], ["60", "2"]]

    content = "".join(f"{delimiter.join(line)}\n" for line in lines).encode()

    assert read_instances("rows.csv", content) == [{"Fläche": "50.5", "Preis": "1"}, {"Fläche": "60", "Preis": "2"}]


def test_a_decimal_comma_in_csv_is_no_delimiter() -> None:
    content = "Fläche;Preis\n50,5;1.000,25\n".encode()

    assert read_instances("rows.csv", content) == [{"Fläche": "50,5", "Preis": "1.000,25"}]


@pytest.mark.parametrize("content", ['[{"a": 1}, {"a": 2}]', '{"instances": [{"a": 1}, {"a": 2}]}'])
def test_json_is_a_list_of_rows_or_a_whole_request(content: str) -> None:
    assert read_instances("rows.json", content.encode()) == [{"a": 1}, {"a": 2}]


def test_a_json_object_is_one_row() -> None:
    assert read_instances("rows.json", b'{"a": 1}') == [{"a": 1}]


def test_json_lines_have_a_row_in_each_line_that_is_not_blank() -> None:
    assert read_instances("rows.jsonl", b'{"a": 1}\n\n"text"\r\n') == [{"a": 1}, "text"]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b' [{"a": 1}]', [{"a": 1}]),
        (b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'{\n "a": 1}\n', [{"a": 1}]),
    ],
)
def test_stdin_is_told_apart_by_how_it_begins(content: bytes, rows: list[object]) -> None:
    assert read_instances("-", content) == rows


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", b"a,b\n1\n", "r.csv, line 2: 1 cells, but the header has 2 columns."),
        ("r.csv", b"a,a\n1,2\n", "r.csv, line 1: a column name is there twice: a, a."),
        ("r.csv", b'a\n"x\n', "r.csv, line 2: not valid CSV"),
        ("r.csv", b"a,b;c,d\n1,2;3,4\n5,6;7,8\n", "r.csv: two delimiters fit its lines about equally well."),
        ("r.csv", b"a,b\n", "r.csv has no rows to predict."),
        ("r.csv", b"", "r.csv has no rows to predict."),
        ("r.json", b'[\n{"a" 1}]', "r.json, line 2, column 6: not valid JSON"),
        ("r.json", b'[{"a": NaN}]', "NaN is not JSON; use null"),
        ("r.jsonl", b'{"a": 1}\n{"a": \n', "r.jsonl, line 2, column 7: not valid JSON"),
        ("r.jsonl", b'{"a": 1}\n{"a": 1, "a": 2}\n', "r.jsonl, from line 2: key 'a' occurs twice in an object."),
        ("r.json", b'[{"b": {"a": 1, "a": 2}}]', "r.json, from line 1: key 'a' occurs twice in an object."),
        ("-", b"a\n\xff\n", "stdin is not UTF-8 text: byte 0xff at offset 2. Save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(name: str, content: bytes, message: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_instances(name, content)
    assert message in caught.value.message

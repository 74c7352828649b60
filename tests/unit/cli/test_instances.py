from __future__ import annotations

import click
import pytest

from sageline_cli.instances import read_instances


def test_csv_gives_an_object_of_strings_per_row_and_null_for_an_empty_cell() -> None:
    content = '\ufeffname,"a, b"\nx,"1\n2"\n\ny,\n'.encode()
    assert read_instances("rows.csv", content) == [{"name": "x", "a, b": "1\n2"}, {"name": "y", "a, b": None}]


@pytest.mark.parametrize("content", ["Straße;n\nAm Rain;1,5\n".encode("cp1252"), "Straße\tn\nAm Rain\t1,5\n".encode("utf-16")])
def test_csv_is_read_as_a_dataset_is_whatever_its_delimiter_and_encoding(content: bytes) -> None:
    assert read_instances("rows.csv", content) == [{"Straße": "Am Rain", "n": "1,5"}]


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
        ("r.csv", b"a,b\n1,2\n1\n", "r.csv: row 2 (line 3, byte offset 8): found 1 field, expected 2 as in the header."),
        ("r.csv", b"a,a\n1,2\n", "columns 1 and 2 have the same name, 'a'"),
        ("r.csv", b'a\n"x\n', "a quoted field opens here and is never closed"),
        ("r.csv", b"a,b\n", "r.csv has no rows to predict."),
        ("r.csv", b"", "r.csv has no rows to predict."),
        ("r.json", b'[\n{"a" 1}]', "r.json, line 2, column 6: not valid JSON"),
        ("r.json", b'[{"a": NaN}]', "NaN is not JSON; use null"),
        ("r.jsonl", b'{"a": 1}\n{"a": \n', "r.jsonl, line 2, column 7: not valid JSON"),
        ("r.jsonl", b'{"a": 1}\n{"a": 1, "a": 2}\n', "r.jsonl, from line 2: key 'a' occurs twice in an object."),
        ("r.json", b'[{"b": {"a": 1, "a": 2}}]', "r.json, from line 1: key 'a' occurs twice in an object."),
        ("-", b"a\n\x81\n", "stdin: row 1 (line 2, byte offset 2), column 'a': byte 0x81 is not valid UTF-8"),
        ("r.json", b"[\xff]", "r.json is not UTF-8 text: byte 0xff at offset 1."),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(name: str, content: bytes, message: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_instances(name, content)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("rows.parquet", b"PAR1\x15\x04", "rows.parquet is a Parquet file"),
        ("rows.csv.gz", b"\x1f\x8b\x08\x00", "rows.csv.gz is a gzip file"),
        ("rows.xlsx", b"PK\x03\x04\x14", "rows.xlsx is a ZIP file or an Excel workbook"),
        ("rows.libsvm", b"1 1:2\n", "rows.libsvm is a .libsvm file"),
    ],
)
def test_files_that_only_a_batch_reads_are_told_so(name: str, content: bytes, what: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        read_instances(name, content)

    assert refused.value.message.startswith(f"{what}, and predict reads CSV, JSON, JSON Lines and images. `sageline batch ")

from __future__ import annotations

import csv
import gzip
import io
import random
import re
from typing import BinaryIO, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sageline.dataset.readers import csv_reader
from sageline.dataset.readers.csv_reader import CsvReader
from sageline.dataset.readers.dialect import Dialect, find_dialect
from sageline.dataset.readers.source import BLOCK_BYTES, open_blocks
from sageline.errors import InvalidDataset
from sageline.formats.text_encoding import Utf8Text
from tests.unit.dataset.reading import Rows, blocks_of, error_of, rows_of

PIECES = st.sampled_from(
    ["a", "b", ",", ",", '"', '"', '""', ',"', '",', "\n", "\n", '"\n', "\r\n", "\r", " ", "é", "漢", "\t", "\0"]
)


def rows_or_error(data: bytes, block_bytes: int = BLOCK_BYTES) -> Rows | str:
    try:
        return rows_of(data, block_bytes=block_bytes)
    except InvalidDataset as error:
        return error.message


def records_of(text: str, delimiter: str, cr_ends: bool) -> list[list[str]]:
    """The records as the csv module reads them; it takes a carriage return alone for the end of a line."""
    if not cr_ends:
        text = re.sub(r"\r(?!\r?\n|\Z)", "\ue000", text)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [[value.replace("\ue000", "\r") for value in record] for record in records if record]


def values_or_error(data: bytes, dialect: Dialect, block_bytes: int = BLOCK_BYTES) -> list[list[str]] | str:
    """The rows of a file whose dialect is known."""
    chunks = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
    reader = CsvReader(Utf8Text("data.csv", "utf-8", 0, []), dialect, b"")
    try:
        columns = [[column.tolist() for column in block.columns.values()] for block in reader.blocks(chunks)]
    except InvalidDataset as error:
        return error.message
    return [list(row) for block in columns for row in zip(*block, strict=True)]


def text_of(data: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b"a,b\n1,2", [{"a": "1", "b": "2"}]),
        (b"a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        (b"a,b\r1,2\r", [{"a": "1", "b": "2"}]),
        (b"\xef\xbb\xbfa,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b"\n\na,b\n\n1,2\n\n\n3,4\n\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b'"a","b"\n"1","2"\n', [{"a": "1", "b": "2"}]),
        (b'a,b\n"x ""y"" z",""""\n', [{"a": 'x "y" z', "b": '"'}]),
        (b'a,b\n"one\ntwo\r\nthree","4,5"\n', [{"a": "one\ntwo\r\nthree", "b": "4,5"}]),
        (b'a,b\n5" disk,say "hi"\n"q",r\n', [{"a": '5" disk', "b": 'say "hi"'}, {"a": "q", "b": "r"}]),
        (b'a,b\n"",\n', [{"a": "", "b": ""}]),
        ("ä,b\nñ,漢字😀\n".encode(), [{"ä": "ñ", "b": "漢字😀"}]),
        (b" a ,b\n 1 , 2\n", [{"a": " 1 ", "b": " 2"}]),
        (b'a\nx\n""\n', [{"a": "x"}, {"a": ""}]),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 1 << 20])
def test_fields_are_read_by_the_rules_of_rfc_4180(data: bytes, expected: list[dict[str, str]], block_bytes: int) -> None:
    assert rows_of(data, block_bytes=block_bytes) == expected


@pytest.mark.slow
@settings(max_examples=300)
@given(st.integers(1, 3), st.lists(PIECES, max_size=30), st.integers(1, 8), st.booleans())
@example(2, ['"', "\r", "\n", '"', ",", "\r"], 1, True)
@example(2, ["a", "\r", "\0", "\n"], 1, True)
@example(2, ["a", "\r", "b", ",", "\r", "\r\n"], 1, False)
def test_any_text_is_read_as_the_csv_module_does_or_refused(
    width: int, pieces: list[str], block_bytes: int, cr_ends: bool
) -> None:
    text = ",".join(["h1", "h2", "h3"][:width]) + "\n" + "".join(pieces)
    dialect = Dialect(b",", cr_ends)
    expected = records_of(text, ",", cr_ends)[1:]
    outcome = values_or_error(text.encode(), dialect)

    assert values_or_error(text.encode(), dialect, block_bytes) == outcome
    if isinstance(outcome, str):
        assert "byte offset" in outcome
    else:
        assert outcome == expected


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))] * 3), min_size=1))
def test_what_the_csv_module_writes_is_read_back_whole(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("first_name", "second_name", "third_name"), *rows])

    assert [tuple(row.values()) for row in rows_of(file.getvalue().encode(), block_bytes=16)] == rows


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.binary(max_size=60)
    | st.lists(PIECES | st.sampled_from([";", "|", "\ufeff", "h"]), max_size=40).map("".join).map(str.encode)
)
@example(b"\xef\xbb\xbf\xef\xbb\xbfa,b\n1,2\n")
@example(b'h\n"\r')
@example('é",\n",|'.encode())
@example(b'{"')
def test_any_bytes_are_read_as_the_csv_module_does_or_refused_with_row_and_offset(data: bytes) -> None:
    outcome = rows_or_error(data, block_bytes=5)

    if isinstance(outcome, str):
        assert (
            re.match(r"data\.csv: (row \d+|header|line \d+) \((line \d+, )?byte offset \d+", outcome)
            or re.match(
                r"data\.csv (has no data|has blank lines only|has a header line and no rows|is (compressed|a|an|JSON)\b)", outcome
            )
            or "data.csv: the delimiter may be" in outcome
        )
    else:
        text = text_of(data)
        found = find_dialect(text.encode(), "data.csv", [], complete=True)
        table = text.encode()[found.skipped :].decode()
        header, *rows = records_of(table, found.delimiter.decode(), found.cr_ends)
        names = ["Unnamed: 0", *header[1:]] if found.unnamed_index else header
        names = [name.strip() for name in names[: len(names) - found.unnamed_last]]
        assert [list(row) for row in outcome] == [names] * len(rows)
        assert [list(row.values()) for row in outcome] == [row[: len(names)] for row in rows]
        assert not any(any(row[len(names) :]) for row in rows)


def test_blocks_follow_the_size_asked_for() -> None:
    data = b"a,b\n" + b"1,2\n" * 100

    blocks = blocks_of(data, block_bytes=40)

    assert [block.rows for block in blocks] == [9, *[10] * 9, 1]
    assert [block.first_row for block in blocks] == [1, *range(10, 101, 10)]


def test_a_stream_that_returns_little_at_a_time_is_read_whole() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    blocks = list(open_blocks(Trickle(b"a,b\n1,2\n3,4\n"), "data.csv", "csv"))

    assert [block.rows for block in blocks] == [2]


@pytest.mark.parametrize("block_bytes", [1, 4, 1 << 20])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "data.csv has no data, not even a line; upload a header line and at least one row."),
        (b"\xef\xbb\xbf\r\n\n", "data.csv has blank lines only; upload a header line and at least one row."),
        (b"sep=;\n", "data.csv has no data, not even a line; upload a header line and at least one row."),
        (b"a,b\n\n", "data.csv has a header line and no rows; upload a header line and at least one row."),
        (
            b'a,b\n"x\ny",2\n3\n',
            "data.csv: row 2 (line 4, byte offset 12): found 1 field, expected 2 as in the header. "
            "Put quotes around fields that hold ',' or a line break.",
        ),
        (
            b"a\tb\n1\t2\t3\n",
            "data.csv: row 1 (line 2, byte offset 4): found 3 fields, expected 2 as in the header. "
            "Put quotes around fields that hold a tab or a line break.",
        ),
        (
            b"\xef\xbb\xbfa,b\n1,2\n3,\xff\n",
            "data.csv: row 2 (line 3, byte offset 13), column 'b': byte 0xff is not valid UTF-8; "
            "save the file as UTF-8, or name its encoding in `dataset.encoding` of the spec.",
        ),
        (
            'é,b\n1,"'.encode() + b'caf\xe9, bar"\n',
            "data.csv: row 1 (line 2, byte offset 11), column 'b': byte 0xe9 is not valid UTF-8; "
            "save the file as UTF-8, or name its encoding in `dataset.encoding` of the spec.",
        ),
        (
            b"a,b\n1,2\n3,x\0y\n",
            "data.csv: row 2 (line 3, byte offset 11), column 'b': a NUL byte; the file is damaged, or not text in UTF-8: if it "
            "is UTF-16 without a byte order mark, say so with `dataset.encoding` utf-16-le or utf-16-be.",
        ),
        (
            b'a,b\n1,2\r\n3,"x ""y"", z\n5,6\n',
            "data.csv: row 2 (line 3, byte offset 11), column 'b': a quoted field opens here and is never closed; "
            "close it with a quote, and double the quotes inside it.",
        ),
        (
            b'a,b\n1,"x"y\n',
            "data.csv: row 1 (line 2, byte offset 8), column 'b': the closing quote of a quoted field is followed by more "
            "text; double the quotes inside a quoted field.",
        ),
        (b'a,"b', "data.csv: header (line 1, byte offset 2): a quoted field opens here and is never closed; close it with a "
            "quote, and double the quotes inside it."),
        (b"a,\xff\n1,2\n", "data.csv: header (line 1, byte offset 2): byte 0xff is not valid UTF-8; "
            "save the file as UTF-8, or name its encoding in `dataset.encoding` of the spec."),
        (b"a,b,a\n1,2,3\n", "data.csv: header (line 1, byte offset 4): columns 1 and 3 have the same name, 'a'; rename one."),
        (
            b"b,,a\n0,1,2\n",
            "data.csv: header (line 1, byte offset 2): column 2 has no name; name every column "
            "(pandas: write with to_csv(index=False)).",
        ),
        (
            b"a,\n0,1\n",
            "data.csv: header (line 1, byte offset 2): column 2 has no name; name every column "
            "(pandas: write with to_csv(index=False)).",
        ),
        (
            b'a,b\n1,2,"x"y\n',
            "data.csv: row 1 (line 2, byte offset 10), column number 3, which the header lacks: the closing quote of a quoted "
            "field is followed by more text; double the quotes inside a quoted field.",
        ),
        (
            b'a,b\n1\n"x"y,2\n',
            "data.csv: row 1 (line 2, byte offset 4): found 1 field, expected 2 as in the header. "
            "Put quotes around fields that hold ',' or a line break.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(data: bytes, expected: str, block_bytes: int) -> None:
    assert error_of(data, block_bytes=block_bytes) == expected


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is compressed with gzip; name it data.csv.gz"),
        (b"PK\x03\x04rest", "is a ZIP file or an Excel workbook"),
        (b"PAR1....", "is a Parquet file; name it data.parquet"),
        (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "is JSON; write it as JSON Lines"),
        (b"<!DOCTYPE html>\n<html>", "is a web page; download the data itself"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG image; upload images as a .zip with a folder for each class"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is a JPEG image; upload images"),
        (b"%PDF-1.7\n", "is a PDF document; save the table in it as CSV"),
        (b"SQLite format 3\0\x10\0", "is an SQLite database; write the table as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel workbook or another Office document; save the workbook as .xlsx"),
    ],
)
def test_a_file_of_another_kind_is_recognised(data: bytes, advice: str) -> None:
    assert advice in error_of(data)


@pytest.mark.parametrize("size", [300, 100_000])
@pytest.mark.parametrize("data_format", ["csv", "tsv", "jsonl", "csv.gz"])
def test_a_file_of_bytes_is_no_text(data_format: str, size: int) -> None:
    data = random.Random(size).randbytes(size)
    data = gzip.compress(data) if data_format.endswith("gz") else data

    error = error_of(data, data_format)

    place = rf"data\.{re.escape(data_format)}"
    assert re.match(rf"{place} is not text: (9|1\d)% of its first (300|65,536) bytes are control characters\. Upload", error)
    assert "delimiter" not in error


@pytest.mark.parametrize("odd", [b"\x01", b"\x02", b"\x1f"])
def test_a_text_with_some_control_characters_is_text(odd: bytes) -> None:
    assert len(rows_of(b"a,b\n1,x" + odd + b"y\n2,z\n")) == 2


def test_a_field_left_open_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MAX_ROW_BYTES", 1000)
    data = b'a,b\n1,"' + b"x\n" * 5000

    assert "row 1 (line 2, byte offset 6), column 'b': a quoted field opens here" in error_of(data, block_bytes=100)


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MAX_ROW_BYTES", 1000)

    assert "header (line 1, byte offset 0): a row longer than" in error_of(b"x" * 5000, block_bytes=100)


def test_compressed_csv_is_read_like_plain_csv() -> None:
    data = b"a,b\n" + b"1,2\n" * 1000

    assert rows_of(gzip.compress(data), "csv.gz", block_bytes=100) == rows_of(data)


def test_a_stream_needs_nothing_but_read() -> None:
    class Body:
        def __init__(self, data: bytes) -> None:
            self.read = io.BytesIO(data).read

    for data, data_format in ((b"a,b\n1,2\n", "csv"), (gzip.compress(b"a,b\n1,2\n", mtime=0), "csv.gz"), (b'{"a": 1}', "jsonl")):
        body = cast("BinaryIO", Body(data))  # S3's streaming body is no BinaryIO either
        assert [block.rows for block in open_blocks(body, "data", data_format)] == [1]


def test_damaged_compressed_data_is_named() -> None:
    whole = gzip.compress("".join(f"{n},{n * n}\n" for n in range(50_000)).encode())

    assert "data.csv.gz: the gzip data ends early, after " in error_of(whole[: len(whole) // 2], "csv.gz")
    assert "data.csv.gz: not gzip data" in error_of(b"a,b\n1,2\n", "csv.gz")
    broken = whole[:10] + bytes([whole[10] | 6]) + whole[11:]  # deflate block type 3 does not exist
    assert "data.csv.gz: the gzip data is damaged after 0 decompressed bytes" in error_of(broken, "csv.gz")


@pytest.mark.parametrize(("data_format", "advice"), [("npz", "the npz file is damaged"), ("xml", "unknown format 'xml'")])
def test_a_format_that_is_not_read_is_refused(data_format: str, advice: str) -> None:
    assert advice in error_of(b"", data_format)


def test_blanks_around_a_name_do_not_count() -> None:
    assert rows_of(b"age, work , income\n1, a, 2\n2, b, 3\n")[0] == {"age": "1", "work": " a", "income": " 2"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'"x", "y"\n1, 2\n3, 4\n', "a blank stands before the quotes"),
        (b"'x','y'\n'1.5','a'\n'2.5','b'\n", "the fields are in single quotes; write double quotes, or none"),
    ],
)
def test_quotes_that_are_part_of_the_fields_are_refused(data: bytes, problem: str) -> None:
    assert problem in error_of(data)

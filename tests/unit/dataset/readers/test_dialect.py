from __future__ import annotations

import io
import random

import pytest

from sageline.dataset.readers.source import open_blocks
from tests.unit.dataset.reading import Rows, blocks_of, error_of, rows_of


def read(data: bytes, block_bytes: int = 1 << 20) -> tuple[Rows, list[str]]:
    """The rows, and what is said of them."""
    notes: list[str] = []
    for _ in open_blocks(io.BytesIO(data), "data.csv", "csv", block_bytes, notes=notes):
        pass
    return rows_of(data, block_bytes=block_bytes), notes


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n", "'5.1', '3.5', 'setosa' look like values"),
        (b"10,69;lo\n51,44;hi\n91,94;hi\n", "'10,69' looks like a value"),
        (b"2026-01-02,7\n2026-01-03,8\n2026-01-04,9\n", "'2026-01-02', '7' look like values"),
        (b"p,x,s\n" + b"e,x,y\np,f,s\n" * 4, "'p', 'x', 's' look like values"),
        (b"1,1,1,yes\n2,1,3,no\n1,2,2,yes\n", "'1', '1', '1'"),
        (b"0,1,no\n0,1,yes\n1,0,no\n1,1,no\n", "'0', '1'"),
        (b"0,1\n1,0\n0,0\n1,1\n", "'0', '1'"),
        (b"12 %,a\n13 %,b\n", "'12 %'"),
    ],
)
def test_a_first_line_of_values_is_refused_as_data(data: bytes, shown: str) -> None:
    message = error_of(data)

    assert message.startswith("data.csv: header (line 1, byte offset 0): the first line looks like data, not like a header: ")
    assert shown in message
    assert "Put a line with the columns' names above it" in message


@pytest.mark.parametrize(
    "data",
    [
        b"0,1,2\n0.5,0.25,1\n0.75,0.1,0\n",  # pandas counts columns without names
        b"label,1,2,3\n7,0,0,12\n3,0,255,0\n",
        b"country,2010,2015,2020\nDE,80.1,81.2,83.0\nFR,64.5,66.0,67.1\n",
        b"text,label\nhello there,a\nbye now,b\n",
        b"text,spam\nhello there you,spam\nbye for now,ham\nhello again,ham\nso it is,spam\nbye then,ham\nwell then,ham\n",
        b"a,b\nx,y\n",
        b"1st,2nd\n1,2\n3,4\n",
        b"5,name\nx,y\nz,w\n",
        b"text,label\nfine,pos\ntext,label\nbad,neg\n",  # joined files
    ],
)
def test_a_header_that_names_its_columns_passes_whatever_the_names(data: bytes) -> None:
    assert list(rows_of(data)[0]) == data.split(b"\n", maxsplit=1)[0].decode().split(",")


@pytest.mark.parametrize("block_bytes", [3, 1 << 20])
def test_a_title_above_the_table_is_skipped_and_said(block_bytes: int) -> None:
    rows, notes = read(b"Report of 2026-01-01 by BI\r\n\r\nx,label\r\n1,a\r\n2,b\r\n", block_bytes)

    assert read(b"Sales\n\nx,label\n1,a\n2,b\n", block_bytes)[0] == rows
    assert read(b"Sales of 2026\nx,label\n1,a\n2,b\n", block_bytes)[0] == rows
    assert rows == [{"x": "1", "label": "a"}, {"x": "2", "label": "b"}]
    assert notes == [
        "data.csv: lines 1 to 2 are no part of the table and skipped ('Report of 2026-01-01 by BI'); the header is line 3."
    ]


def test_what_a_spreadsheet_writes_above_a_table_is_skipped_and_said() -> None:
    rows, notes = read(b"Sales;;;\n;;;\nid;x;y;kind\n1;2;3;a\n2;3;4;b\n")

    assert rows[0] == {"id": "1", "x": "2", "y": "3", "kind": "a"}
    assert notes == ["data.csv: lines 1 to 2 are no part of the table and skipped ('Sales'); the header is line 3."]


def test_lines_and_offsets_count_from_the_beginning_of_the_file() -> None:
    message = error_of(b"A title of words\n\nx,label\n1,a\n2,b\n3\n")

    assert message.startswith("data.csv: row 3 (line 6, byte offset 34): found 1 field, expected 2 as in the header.")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"Report; 2026\na;b;c\n1;2;3\n4;5;6\n", "line 1 looks like a title ('Report'), not like a header: it has 2 fields"),
        (
            b"post\nno, never\nyes, always\n",
            "line 1 looks like a title ('post'), not like a header: it has 1 field, and the lines",
        ),
        (
            b"a,b\n1,2,3\n4,5,6\n",
            "the header has 2 names, and the rows have 3 fields each (delimiter: ','). Name every column (R: write.csv(",
        ),
        (b"what they said\nno, never\nyes, always\n", "line 1 looks like a title ('what they said'), not like a header"),
        (
            b"Made by hand, BI\n\nx,label\n1,a\n2,b\n",
            "line 1 looks like a title ('Made by hand'), not like a header: a blank line",
        ),
    ],
)
def test_a_first_line_of_fewer_fields_that_may_be_a_header_is_refused(data: bytes, said: str) -> None:
    assert said in error_of(data)


@pytest.mark.parametrize("block_bytes", [4, 1 << 20])
def test_an_index_that_pandas_wrote_has_its_name(block_bytes: int) -> None:
    rows, notes = read(b",x,label\n0,1.5,a\n1,2.5,b\n", block_bytes)
    of_numbers = b",16.5,17.2,16.9\na,1,2,2\nb,3,3,0\n"

    assert rows[1] == {"Unnamed: 0": "1", "x": "2.5", "label": "b"}
    assert notes == ["data.csv: the first column has no name, as pandas writes an index; it is called 'Unnamed: 0'."]
    assert list(read(b",Unnamed: 0,x\n0,0,1\n1,1,2\n")[0][0]) == ["Unnamed: 0.1", "Unnamed: 0", "x"]
    assert list(read(of_numbers, block_bytes)[0][0]) == ["Unnamed: 0", "16.5", "17.2", "16.9"]


@pytest.mark.parametrize("block_bytes", [4, 1 << 20])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x,label,\n1,a,\n2,b,\n", "the last column has neither a name nor values; left out."),
        (b'x;label;;\n1;a;;""\n2;b;;\n', "the last 2 columns have neither a name nor values; left out."),
        (b"x,label\n1,a,\n2,b,\n", "every row ends with a delimiter that the header lacks; it is left out."),
    ],
)
def test_a_trailing_delimiter_is_left_out_and_said(data: bytes, said: str, block_bytes: int) -> None:
    rows, notes = read(data, block_bytes)

    assert rows == [{"x": "1", "label": "a"}, {"x": "2", "label": "b"}]
    assert notes == [f"data.csv: {said}"]


@pytest.mark.parametrize("header", [b"x,label,\n", b"x,label\n"])
def test_a_value_that_comes_late_in_a_column_left_out_is_refused(header: bytes) -> None:
    data = header + b"1,a,\n" * 20_000 + b"2,b,new\n"

    message = error_of(data, block_bytes=10_000)

    place = f"row 20001 (line 20002, byte offset {len(data) - 4}): column 3 has no name, and nothing in it in the first rows"
    assert place in message


@pytest.mark.parametrize("block_bytes", [2, 7, 1 << 20])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_carriage_return_within_a_field_is_kept_and_said(line_end: str, block_bytes: int) -> None:
    data = line_end.join(["text,label", "one,a", "tw\ro,b", '"th\rree",c', ""]).encode()

    rows, notes = read(data, block_bytes)

    assert [row["text"] for row in rows] == ["one", "tw\ro", "th\rree"]
    place = data.index(b"\ro")
    assert notes == [
        f"data.csv: row 2 (line 3, byte offset {place}): the field holds a carriage return (CR), which is kept: the file's lines "
        "end in a line feed (LF)."
    ]


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 1 << 20])
def test_carriage_returns_that_came_twice_end_lines(block_bytes: int) -> None:
    assert read(b'x,label\r\r\n1,a\r\r\n"2",b\r\r\n', block_bytes) == ([{"x": "1", "label": "a"}, {"x": "2", "label": "b"}], [])


def test_lines_may_end_in_carriage_returns_alone() -> None:
    assert read(b'text,label\rone,a\r"two\nlines",b\r') == (
        [{"text": "one", "label": "a"}, {"text": "two\nlines", "label": "b"}],
        [],
    )


@pytest.mark.parametrize("seed", range(30))
def test_tables_as_they_are_exported_are_read_back_exactly(seed: int) -> None:
    chance = random.Random(seed)
    delimiter, line_end = chance.choice(",;\t|"), chance.choice(["\n", "\r\n"])
    columns = ["size", "colour", "label"]
    rows = [
        [f"{chance.uniform(0, 9):.3f}", chance.choice(["red", "blue", ""]), chance.choice("ab")]
        for _ in range(chance.randint(3, 40))
    ]
    above = chance.choice(
        ["", f"Exported on 2026-11-0{seed % 9 + 1}{line_end}", f"# by hand{line_end}# twice{line_end}{line_end}"]
    )
    index, trailing = chance.random() < 0.5, chance.random() < 0.5
    lines = [
        [*([""] if index else []), *columns, *([""] if trailing else [])],
        *([*([str(number)] if index else []), *row, *([""] if trailing else [])] for number, row in enumerate(rows)),
    ]
    data = (above + line_end.join(delimiter.join(line) for line in lines) + line_end).encode()

    found, notes = read(data, block_bytes=100)

    assert [[row[name] for name in columns] for row in found] == rows
    assert list(found[0]) == [*(["Unnamed: 0"] if index else []), *columns]
    assert len(notes) == bool(above) + index + trailing
    assert [block.first_row for block in blocks_of(data)] == [1]

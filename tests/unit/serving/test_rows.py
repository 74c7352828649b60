"""Rows to predict in CSV and JSON Lines."""

from __future__ import annotations

import csv
import io
import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sageline.arrays.number_spelling import Spelling
from sageline.dataset.readers.csv_scan import TextAfterQuote, scan
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidRequest, RequestTooLarge
from sageline.serving.document import MAX_INSTANCES
from sageline.serving.rows import Instances, RequestRows, read_csv, read_json_lines
from tests.unit.encoder.encoders import Number, words_of_texts
from tests.unit.encoder.encoders import table as table_of

COLUMNS = {"alcohol": "number", "colour": "category", "proline": "number"}
WINES = FittedEncoder(
    "classification",
    COLUMNS,
    "grape",
    ["merlot", "pinot"],
    table_of({"alcohol": None, "colour": ["red", "white"], "proline": None}, {"proline": Number(binary=True)}),
    unused_columns=("id", "Unnamed: 0"),
)
POSTS = FittedEncoder("classification", {"post": "text"}, "service", ["ec2", "s3"], words_of_texts(["bucket"]))
RED = {"alcohol": "13.2", "colour": "red", "proline": "1050"}


def rows_of(text: str, header: str | None = None, encoder: FittedEncoder = WINES) -> list[object]:
    return read_csv(text, header).for_encoder(encoder).values


class TestHeader:
    @pytest.mark.parametrize(
        ("line", "columns"),
        [
            ("alcohol,colour,proline", COLUMNS),
            ("proline,alcohol,colour", ["proline", "alcohol", "colour"]),
            (' alcohol ,"colour",proline', COLUMNS),
            ("alcohol,colour", ["alcohol", "colour"]),
            ("id,alcohol,vintage,grape", ["id", "alcohol", "vintage", "grape"]),
            (",alcohol,colour", ["Unnamed: 0", "alcohol", "colour"]),
            ("alcohol,vintage", ["alcohol", "vintage"]),
        ],
    )
    def test_a_first_line_that_names_columns_of_the_model_is_one(self, line: str, columns: list[str]) -> None:
        [row] = rows_of(f"{line}\n{','.join('1' * len(columns))}\n")
        assert isinstance(row, dict)
        assert list(row) == list(columns)

    @pytest.mark.parametrize("line", ["13.2,red,1050", ",,", "13.2,merlot,id", '"13.2","red","1050"', "grape,id,grape"])
    def test_any_other_is_a_row(self, line: str) -> None:
        assert len(rows_of(f"{line}\n12,white,520\n")) == 2

    @pytest.mark.parametrize(
        ("line", "named"), [("Alcohol,Colour,Proline", "'Alcohol', 'Colour', 'Proline'"), ("13.2,colour,7", "'colour'")]
    )
    def test_one_that_may_be_either_is_refused_and_the_content_type_settles_it(self, line: str, named: str) -> None:
        text = f"{line}\n12,white,520\n"
        with pytest.raises(InvalidRequest, match=f"Line 1 may be a header or a row: of its 3 fields, {named} may name") as caught:
            rows_of(text)
        assert "`text/csv; header=present` or `text/csv; header=absent`" in caught.value.message
        assert caught.value.details == {"line": 1}
        assert (len(rows_of(text, "present")), len(rows_of(text, "absent"))) == (1, 2)

    def test_a_text_that_is_the_name_of_its_column_is_a_header_unless_the_content_type_says_otherwise(self) -> None:
        assert rows_of("post\nA bucket\n", encoder=POSTS) == [{"post": "A bucket"}]
        assert rows_of("post\nA bucket\n", "absent", POSTS) == [["post"], ["A bucket"]]

    def test_the_content_type_says_present_or_absent_and_nothing_else(self) -> None:
        with pytest.raises(InvalidRequest, match="`header` of the content type is 'yes'; it is `present` or `absent`"):
            read_csv("1", "yes")

    @pytest.mark.slow
    def test_a_header_as_long_as_a_body_is_read_in_seconds(self) -> None:
        started = time.process_time()
        header = ",".join(map(str, range(200_000)))
        with pytest.raises(InvalidRequest, match="none of the model's columns is there"):
            encoded(read_csv(f"{header}\n{header}\n", "present"))
        assert time.process_time() - started < 10

    def test_a_column_is_named_once(self) -> None:
        with pytest.raises(InvalidRequest, match="names the column 'alcohol' twice"):
            rows_of("alcohol,colour,alcohol\n1,red,2\n")

    @pytest.mark.parametrize("header", [None, "present"])
    def test_a_row_of_another_width_is_named_by_its_line(self, header: str | None) -> None:
        with pytest.raises(InvalidRequest, match="Line 4 has 2 fields, the header has 3") as caught:
            rows_of('alcohol,colour,proline\n1,"red\nish",2\n13,2\n', header)
        assert caught.value.details == {"line": 4}


class TestCsv:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("last", ["", "end"])
    def test_lines_end_in_any_of_the_usual_ways_and_empty_ones_are_no_rows(self, end: str, last: str) -> None:
        text = end.join(["alcohol,colour,proline", "", "13.2,red,1050", ""]) + (end if last else "")
        assert rows_of(text) == [RED]

    def test_quotes_and_a_byte_order_mark_are_no_part_of_the_cells(self) -> None:
        assert rows_of('\ufeff"alcohol",colour,proline\n"13.2","red","1050"\n') == [RED]
        assert rows_of('post\n"say ""hi"", twice\nand again"\n', encoder=POSTS) == [{"post": 'say "hi", twice\nand again'}]

    def test_a_cell_may_be_as_long_as_a_body(self) -> None:
        long = "bucket " * 100_000
        assert rows_of(f"post\n{long}\n", encoder=POSTS) == [{"post": long}]

    @pytest.mark.parametrize(
        ("text", "line"),
        [('alcohol,colour\n1,"red"dish\n', 2), ('alcohol,colour\n1,red\n\n1,"red\n2,"white\n', 4), ("a,b\n1\r2,3\n", 2)],
        ids=["text-after-quote", "never-closed", "return-in-field"],
    )
    def test_what_is_no_csv_is_refused_by_the_line_in_which_its_row_begins(self, text: str, line: int) -> None:
        with pytest.raises(InvalidRequest, match=f"row in line {line} is not CSV: .* double the quotes") as caught:
            read_csv(text, None)
        assert caught.value.details == {"line": line}

    def test_a_nul_is_no_text(self) -> None:
        with pytest.raises(InvalidRequest, match="Line 2 has a NUL"):
            read_csv("alcohol\n1\0\n", None)

    @pytest.mark.parametrize("text", ["", "\n\r\n", "\ufeff", "alcohol,colour\n"])
    def test_there_must_be_a_row(self, text: str) -> None:
        with pytest.raises(InvalidRequest, match="no rows; send one for each prediction wanted"):
            rows_of(text)

    @pytest.mark.parametrize("header", ["alcohol\n", ""])
    def test_as_many_rows_as_allowed_and_not_one_more(self, header: str) -> None:
        assert len(rows_of(header + "1\n" * MAX_INSTANCES)) == MAX_INSTANCES
        for more in (1, 2):
            with pytest.raises(RequestTooLarge, match="a request takes at most 1,000") as caught:
                rows_of(header + "1\n" * (MAX_INSTANCES + more))
            assert caught.value.details == {"max_instances": MAX_INSTANCES}

    def test_numbers_are_read_as_the_column_spells_them(self) -> None:
        numbers = {"weight": Number(spelling=Spelling(decimal=",", group="."))}
        prices = FittedEncoder(
            "regression",
            {"weight": "number", "year": "number"},
            "price",
            None,
            table_of({"weight": None, "year": None}, numbers),
        )
        assert encoded(read_csv("1.234,2020\n", None), encoder=prices).tolist() == [[1234, 2020]]
        assert encoded(read_csv('1.234,2020\n"1,5",2021\n', None), encoder=prices).tolist() == [[1234, 2020], [1.5, 2021]]

    def test_rows_are_read_as_training_reads_them(self) -> None:
        """By the scanner of datasets: every text of up to five pieces, but for a lone CR among LF, which RFC 4180 has not."""
        for end in ("\n", "\r\n", "\r"):
            for count in range(6):
                for pieces in itertools.product(("a", ",", '"', end), repeat=count):
                    text = "".join(pieces)
                    assert _read_for_prediction(text) == _read_for_training(text), repr(text)


def _read_for_prediction(text: str) -> list[list[str]] | None:
    try:
        return read_csv(text, None).records
    except InvalidRequest:
        return None


def _read_for_training(text: str) -> list[list[str]] | None:
    data = text.encode()
    try:
        found = scan(data, b",", final=True, cr_ends="\n" not in text)
    except TextAfterQuote:
        return None
    if found.open_quote is not None:
        return None
    cells = [column[0] for column in found.columns(0, int(found.fields.sum()))] if len(found.fields) else []
    return [cells[first : first + count] for first, count in zip(found.first_fields, found.fields, strict=True)]


class TestJsonLines:
    def test_each_line_is_a_row_and_empty_ones_are_none(self) -> None:
        found = read_json_lines('{"alcohol": 13.2}\r\n\n[1, null, 2]\n"text"')
        assert found == Instances([{"alcohol": 13.2}, [1, None, 2], "text"], [1, 3, 4])

    def test_a_line_ends_at_a_line_feed_and_nowhere_else(self) -> None:
        assert read_json_lines('"a\u2028b"\n').values == ["a\u2028b"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"a": 1}\n\n{"a": }\n', "not valid JSON: Expecting value at line 3, column 7"),
            ('[{"a": 1}]x', "not valid JSON: Extra data at line 1, column 11"),
            ('{"a": 1}\n{"a": 1, "a": 2}', "Key `a` occurs twice in one object of line 2 of the request body"),
            ("1\nNaN\n", "Line 2 of the request body holds NaN"),
            ("1\n" + "[" * 100_000, "Line 2 of the request body is nested too deeply"),
            ("1\n" + "9" * 5_000, "Line 2 of the request body has a number that cannot be read"),
            (" \n\n", "no rows"),
        ],
    )
    def test_what_is_no_row_is_refused_by_its_line(self, text: str, message: str) -> None:
        with pytest.raises(InvalidRequest, match=message):
            read_json_lines(text)

    def test_as_many_rows_as_allowed_and_not_one_more(self) -> None:
        assert len(read_json_lines("1\n" * MAX_INSTANCES).values) == MAX_INSTANCES
        with pytest.raises(RequestTooLarge, match="1,001 rows"):
            read_json_lines("1\n" * (MAX_INSTANCES + 1))


class TestErrorsOfValues:
    """They name line and column."""

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (read_csv("alcohol,colour,proline\n\n1,red,2\nstrong,red,2\n", None), "line 4, column 'alcohol': 'strong' is not"),
            (read_csv("1,red,2\nstrong,red,2\n", None), "line 2, column 'alcohol': 'strong' is not a number"),
            (read_csv("1,red,2\n1,red\n", None), "line 2 has 2 values, expected 3: alcohol, colour, proline"),
            (
                read_csv("alcohol;colour;proline\n1;red;2\n", None),
                "Line 1 has 1 value, and semicolons in it. text/csv is separated",
            ),
            (read_csv("1\tred\t2\n", "absent"), "Line 1 has 1 value, and tabs in it. text/csv is separated by commas"),
            (read_csv("1\n", None), "line 1 has 1 value, expected 3: alcohol, colour, proline"),
            (read_csv("vintage,id\n1,2\n", "present"), "line 2: none of the model's columns is there"),
            (read_json_lines('\n{"alcohol": []}\n'), "line 2, column 'alcohol' is an array; expected a number or null"),
            (read_json_lines("[1, null, 2]\n\n7\n"), "line 3 is a number; expected an object"),
        ],
    )
    def test_an_error_names_them(self, rows: RequestRows, message: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            encoded(rows)
        assert caught.value.message.startswith(message)

    def test_so_do_warnings(self) -> None:
        warnings: list[str] = []
        encoded(read_csv("alcohol,colour,vintage\n1,red,2\n\n1,green,2\n", None), warnings)
        assert warnings == [
            "line 2 and 1 more: unknown column 'vintage' is ignored.",
            "line 2 and 1 more: column 'proline' is absent and taken for missing.",
            "line 4, column 'colour': 'green' is a value that training did not have, or only once.",
        ]


def encoded(rows: RequestRows, warnings: list[str] | None = None, encoder: FittedEncoder = WINES) -> Any:
    found = rows.for_encoder(encoder)
    return encoder.encode_instances(found.values, [] if warnings is None else warnings, found.name)


NUMBERS = some.none() | some.integers(-(10**9), 10**9) | some.floats(-1e30, 1e30)
TABLES = some.lists(
    some.fixed_dictionaries(
        {
            "alcohol": NUMBERS,
            "colour": some.none() | some.sampled_from(["red", "white", "rosé", 'a "b", c', "two\nlines", " red"]),
            "proline": some.none() | some.booleans() | some.integers(0, 1),
            "note": some.none() | some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        }
    ),
    min_size=1,
    max_size=8,
)
MIXED = FittedEncoder("classification", COLUMNS, "grape", ["merlot"], WINES.features, unused_columns=("note",))


def as_cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def sent_to_model(rows: RequestRows) -> bytes:
    """What the model is asked with, for few rows by the quick way."""
    found = rows.for_encoder(MIXED)
    return MIXED.body_of(found.values, [], found.name)


@given(TABLES)
def test_a_table_is_the_same_instances_as_json_as_csv_and_as_json_lines(table: list[dict[str, Any]]) -> None:
    headed, bare = io.StringIO(), io.StringIO()
    csv.writer(headed).writerows([["note", *COLUMNS], *([as_cell(row[name]) for name in ("note", *COLUMNS)] for row in table)])
    csv.writer(bare).writerows([as_cell(row[name]) for name in COLUMNS] for row in table)
    without_missing = [{name: value for name, value in row.items() if value is not None or name == "colour"} for row in table]
    bodies: dict[str, RequestRows] = {
        "csv": read_csv(headed.getvalue(), None),
        "csv without a header": read_csv(bare.getvalue(), "absent"),
        "json lines": read_json_lines("\n".join(map(json.dumps, table))),
        "json lines without what is missing": read_json_lines("\n".join(map(json.dumps, without_missing))),
    }
    expected = encoded(Instances([*table]), encoder=MIXED).tobytes()
    assert [kind for kind, rows in bodies.items() if encoded(rows, encoder=MIXED).tobytes() != expected] == []
    assert {kind: sent_to_model(rows) for kind, rows in bodies.items()} == dict.fromkeys(
        bodies, sent_to_model(Instances([*table]))
    )


@given(some.lists(some.text(some.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=5))
def test_texts_are_the_same_instances_in_any_body(texts: list[str]) -> None:
    cells = io.StringIO()
    csv.writer(cells, quoting=csv.QUOTE_ALL).writerows([text] for text in texts)
    lines = "\n".join(map(json.dumps, texts))
    for rows in (read_csv(cells.getvalue(), "absent"), read_csv(f"post\n{cells.getvalue()}", "present"), read_json_lines(lines)):
        block, found = POSTS.block_from_instances([*texts]), rows.for_encoder(POSTS)
        assert POSTS.block_from_instances(found.values).columns["post"].tolist() == block.columns["post"].tolist()

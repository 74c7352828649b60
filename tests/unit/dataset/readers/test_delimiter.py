from __future__ import annotations

import csv
import io
import random
from typing import Literal

import pytest

from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import error_of, rows_of


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    data = f'a{delimiter}b{delimiter}c\n"1,;|\t5"{delimiter}2.5{delimiter}3\n'.encode()

    assert rows_of(data) == [{"a": "1,;|\t5", "b": "2.5", "c": "3"}]


def test_the_delimiter_that_the_rows_agree_on_wins() -> None:
    assert rows_of(b"name,note;x\na,1\nb,2;3\n") == [{"name": "a", "note;x": "1"}, {"name": "b", "note;x": "2;3"}]


def test_a_file_of_one_column_has_no_delimiter() -> None:
    assert rows_of(b"text\nhello there\n") == [{"text": "hello there"}]
    assert rows_of(b"text\nhello there\nyes; no\nwell\n")[1] == {"text": "yes; no"}


@pytest.mark.slow
def test_a_header_longer_than_what_is_sniffed_at_first_is_looked_at_whole() -> None:
    wide = [f"column {number}" for number in range(20_000)]
    data = (";".join(wide) + ";\n" + ("1,5;" * len(wide) + "\n") * 2).encode()

    row, _ = rows_of(data)

    assert (len(row), row["column 19999"]) == (20_000, "1,5")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Länge, cm;Breite, cm;Art\n2,5;5,6;b\n1,5;7,1;b\n9,0;5,5;b\n", ["Länge, cm", "Breite, cm", "Art"]),
        ("a, x;b, y\n1,5;2,5\n1,6;2,7\n1,1;3,9\n", ["a, x", "b, y"]),
        ("frage;text, kurz\nwas ist, 1;ja\nwas ist, 2;nein\n", ["frage", "text, kurz"]),
        ("Preis, EUR\tOrt\n1.234,50\tUlm\n17,00\tBonn\n", ["Preis, EUR", "Ort"]),
        ("Betrag, netto;Ort\n1.234,50 EUR;Ulm\n-17,00 EUR;Bonn\n", ["Betrag, netto", "Ort"]),
        ("Name, first|city\nLi, Wei|Jinan\nDoe, Jo|Hull\n", ["Name, first", "city"]),
        ("id,tags; all\n1,a; b\n2,c; d\n", ["id", "tags; all"]),
    ],
)
def test_of_delimiters_that_fit_equally_often_the_one_whose_fields_are_whole_is_taken(text: str, names: list[str]) -> None:
    rows = rows_of(text.encode())

    assert list(rows[0]) == names
    assert len(rows) == text.count("\n") - 1


def test_two_delimiters_that_fit_alike_are_refused_with_both_named_and_what_to_do() -> None:
    data = b"id;a,key;b\n1;x,y;z\n2;w,q;r\n".replace(b";b", b"").replace(b";z", b"").replace(b";r", b"")

    message = error_of(data)

    assert message.startswith("data.csv: the delimiter may be ")
    assert "','" in message
    assert "';'" in message
    assert '{"dataset": {"delimiter": "' in message


def test_the_delimiter_of_the_options_settles_it() -> None:
    data = b"id;a,key\n1;x,y\n2;w,q\n"

    def names(delimiter: str) -> list[str]:
        (block,) = open_blocks(io.BytesIO(data), "data.csv", "csv", options=ReadOptions(delimiter=delimiter))
        return list(block.columns)

    assert names(";") == ["id", "a,key"]
    assert names(",") == ["id;a", "key"]


def test_the_line_that_excel_writes_says_the_delimiter() -> None:
    notes: list[str] = []

    (block,) = open_blocks(io.BytesIO(b"sep=;\r\na;b,c\r\n1;2,5\r\n"), "data.csv", "csv", notes=notes)

    assert {name: column.tolist() for name, column in block.columns.items()} == {"a": ["1"], "b,c": ["2,5"]}
    assert notes == ["data.csv: line 1 ('sep=;') says the delimiter and is skipped."]


KINDS = ("number", "decimal comma", "text", "category", "date")


def value_of(kind: str, chance: random.Random) -> str:
    match kind:
        case "number":
            return f"{chance.uniform(-9, 9):.3f}"
        case "decimal comma":
            return f"{chance.uniform(-9, 9):.2f}".replace(".", ",")
        case "text":
            return " ".join(chance.choices(["yes,", "no;", "so", 'a "word"', "x|y", "tab\there", "two\nlines"], k=4))
        case "category":
            return chance.choice(["red", "blue", "green, light", ""])
        case _:
            return f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 40))])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_tables_that_the_csv_module_writes_are_read_back_whole(seed: int, quoting: Literal[0, 1, 2]) -> None:
    chance = random.Random(seed)
    kinds = chance.choices(KINDS, k=chance.randint(2, 6))
    header = [f"{kind} {number}" for number, kind in enumerate(kinds)]
    rows = [[value_of(kind, chance) for kind in kinds] for _ in range(chance.randint(2, 60))]
    file = io.StringIO(newline="")
    delimiter, line_end = chance.choice(",;\t|"), chance.choice(["\n", "\r\n"])
    csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([header, *rows])

    assert [list(row.values()) for row in rows_of(file.getvalue().encode(), block_bytes=500)] == rows


def test_a_delimiter_within_texts_without_quotes_is_named_in_the_refusal() -> None:
    with pytest.raises(
        InvalidDataset, match=r"found 3 fields, expected 2 as in the header\. Put quotes around fields that hold ','"
    ):
        rows_of(b"text,label\ngood, very good,pos\nbad,neg\nfine,pos\n")

from __future__ import annotations

import gzip
import io
import json

import pytest

from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.spec.model import validate_spec
from tests.unit.dataset.reading import Rows, error_of, rows_of

TABLE = 'stadt,note\nKöln,schön\nNîmes,très bien\nSão Paulo,"l\u2019été, 5 €"\n'
ROWS = [
    {"stadt": "Köln", "note": "schön"},
    {"stadt": "Nîmes", "note": "très bien"},
    {"stadt": "São Paulo", "note": "l\u2019été, 5 €"},
]


def read(
    data: bytes, encoding: str | None = None, data_format: str = "csv", block_bytes: int = 1 << 20
) -> tuple[Rows, list[str]]:
    notes: list[str] = []
    options = ReadOptions(encoding=encoding)
    rows: Rows = []
    for block in open_blocks(io.BytesIO(data), "data.csv", data_format, block_bytes, options=options, notes=notes):
        columns = [column.tolist() for column in block.columns.values()]
        rows += [dict(zip(block.columns, row, strict=True)) for row in zip(*columns, strict=True)]
    return rows, notes


@pytest.mark.parametrize("block_bytes", [1, 5, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_byte_order_mark_says_the_encoding(encoding: str, block_bytes: int) -> None:
    text = TABLE if encoding in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff" + TABLE

    assert read(text.encode(encoding), block_bytes=block_bytes) == (ROWS, [])
    assert read(gzip.compress(text.encode(encoding)), data_format="csv.gz", block_bytes=block_bytes) == (ROWS, [])


@pytest.mark.parametrize("block_bytes", [1, 5, 1 << 20])
def test_what_is_not_utf_8_and_plausible_is_read_as_windows_1252_and_said(block_bytes: int) -> None:
    data = TABLE.encode("cp1252")

    rows, (note,) = read(data, block_bytes=block_bytes)

    assert rows == ROWS
    assert note.startswith(
        "data.csv: read as Windows-1252 (cp1252), because it is not UTF-8: byte 0xf6 at byte offset 12 makes '"
    )
    assert note.endswith("öln'. If that is wrong, name the encoding in `dataset.encoding`.")


def test_windows_1252_is_found_out_however_late_it_shows() -> None:
    data = b"text,label\n" + b"plain,a\n" * 30_000 + "déjà vu,b\n".encode("cp1252")

    rows, notes = read(data, block_bytes=10_000)

    assert rows[-1] == {"text": "déjà vu", "label": "b"}
    assert f"byte 0xe9 at byte offset {data.index(0xE9)} makes 'déjà'" in notes[0]


def test_the_word_by_which_windows_1252_was_found_out_does_not_go_on_in_the_next_line() -> None:
    _, (note,) = read("price,label\n£3.50,a\n£2.00,b\n".encode("cp1252"))

    assert "makes '£'" in note


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("город,цвет\nжёлтый,синий\n", "cp1251"),
        ("город,цвет\nжёлтый,синий\n", "koi8-r"),
        ("city,mark\nŁódź żółć,świetnie gęś\n", "cp1250"),
        ("city,mark\nKöln,schön für März\n", "cp850"),
        ("city,mark\nKöln,schön für März\n", "mac-roman"),
        ("城市,评价\n北京,很好\n", "gb18030"),
        ("都市,評価\n東京は,とても良い\n", "shift_jis"),
        ("도시,평가\n서울,좋다\n", "euc-kr"),
    ],
)
def test_other_encodings_are_refused_unless_the_options_name_them(text: str, encoding: str) -> None:
    data = text.encode(encoding)

    message = error_of(data)

    assert "is not valid UTF-8; save the file as UTF-8, or name its encoding in `dataset.encoding` of the spec." in message
    header, row = (line.split(",") for line in text.splitlines())
    for block_bytes in (1, 1 << 20):
        assert read(data, encoding, block_bytes=block_bytes) == ([dict(zip(header, row, strict=True))], [])


def test_a_damaged_byte_in_utf_8_text_does_not_make_it_windows_1252() -> None:
    message = error_of("text,label\nschön,a\n".encode() + b"sch\xf6n,b\n")

    assert message.startswith("data.csv: row 2 (line 3, byte offset 23), column 'text': byte 0xf6 is not valid UTF-8")


@pytest.mark.slow
def test_a_byte_that_windows_1252_lacks_is_refused_where_it_comes_late() -> None:
    data = "text\ndéjà vu\n".encode("cp1252") + b"so it is\n" * 9_000 + b"x\x81y\n"

    with pytest.raises(
        InvalidDataset, match=rf"data\.csv: line 9003 \(byte offset {len(data) - 3}\): 0x81 is not valid cp1252; save"
    ):
        read(data, block_bytes=1000)


@pytest.mark.parametrize(
    ("encoding", "unit"), [("utf-8", ""), ("utf-16", " of the text in UTF-8"), ("cp1252", " of the text in UTF-8")]
)
def test_errors_count_rows_and_lines_in_any_encoding_and_say_what_offsets_count(encoding: str, unit: str) -> None:
    data = "text,label\nschön,a\nx\n".encode(encoding)

    assert error_of(data).startswith(f"data.csv: row 2 (line 3, byte offset 20{unit}): found 1 field")


def test_text_cut_off_within_a_character_is_refused() -> None:
    with pytest.raises(InvalidDataset, match=r"data\.csv: line 5 \(byte offset 22\): 0x00 is not valid utf-16-be"):
        read(b"\xfe\xff" + "a,b\n1,2\n\n\n".encode("utf-16-be") + b"\0")


def test_utf_16_without_a_mark_is_refused_with_what_to_do() -> None:
    assert "a NUL byte; the file is damaged, or not text in UTF-8: if it is UTF-16 without a byte order mark, say so" in error_of(
        "a,b\n1,2\n".encode("utf-16-le")
    )
    assert read("a,b\n1,2\n".encode("utf-16-le"), "utf-16-le") == ([{"a": "1", "b": "2"}], [])


def test_a_mark_goes_before_the_options_and_that_is_said() -> None:
    rows, notes = read(TABLE.encode("utf-8-sig"), "cp1252")

    assert rows == ROWS
    assert notes == [
        "data.csv: the byte order mark of utf-8 is at the beginning and counts, and not `dataset.encoding` 'cp1252'."
    ]
    assert read(TABLE.encode("utf-16"), "utf-16") == (ROWS, [])


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_json_lines_may_have_another_encoding_too(encoding: str) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode(encoding)

    rows, notes = read(data, data_format="jsonl", block_bytes=50)

    assert rows == ROWS
    assert [("cp1252" in note) for note in notes] == [True] * (encoding == "cp1252")


def test_valid_utf_8_stays_utf_8() -> None:
    assert read(TABLE.encode()) == (ROWS, [])
    assert rows_of("a\nÃ©\n".encode()) == [{"a": "Ã©"}]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "Shift_JIS", "latin-1", "UTF-16LE", "gb18030"])
def test_the_spec_takes_the_encodings_of_text_that_python_knows(encoding: str) -> None:
    assert validate_spec({"dataset": {"encoding": encoding}}, "spec").dataset.encoding == encoding


def test_the_line_of_a_byte_that_windows_1252_lacks_counts_from_the_beginning_of_the_file() -> None:
    ascii_lines = b"a,b\n" * 50_000
    data = ascii_lines + "Köln,1\n".encode("cp1252") + b"Bonn,2\n" * 20_000 + b"\x81,3\n"

    assert "line 70002 (byte offset 340007): 0x81 is not valid cp1252" in error_of(data, block_bytes=64 << 10)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp1225", "`dataset.encoding`: 'cp1225' is no encoding that is known; perhaps it is cp1252."),
        ("uft-8", "perhaps it is utf-8."),
        ("klingon", "usual ones are utf-8, utf-16, cp1252, latin-1, cp1251, shift-jis."),
        ("base64", "`dataset.encoding`: 'base64' is no encoding of text files; usual ones are utf-8,"),
        ("punycode", "is no encoding of text files"),
        ("a\0b", "is no encoding that is known"),
    ],
)
def test_the_spec_refuses_another_word_with_the_nearest_encoding(encoding: str, said: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        validate_spec({"dataset": {"encoding": encoding}}, "spec")

    assert said in caught.value.message


def test_the_spec_takes_the_four_delimiters() -> None:
    assert validate_spec({"dataset": {"delimiter": "\t"}}, "spec").dataset.delimiter == "\t"
    with pytest.raises(InvalidSpec, match=r"`dataset.delimiter` is \" \"; expected ',', ';', '\\t' or '\|'."):
        validate_spec({"dataset": {"delimiter": " "}}, "spec")

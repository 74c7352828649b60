"""Excel workbooks as rows: which sheet is read, how cells are spelled, and what a person is told to mend."""

from __future__ import annotations

import datetime
import io
import zipfile

import pytest
from openpyxl import Workbook

from sageline.dataset.readers import xlsx_reader
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset
from tests.unit.dataset.tables import saved, workbook

TABLE: list[list[object]] = [["size", "kind"], [1, "a"], [2.5, "b"]]


def read(data: bytes, block_bytes: int = 1 << 20) -> tuple[list[dict[str, str]], list[str]]:
    notes: list[str] = []
    found = []
    for block in open_blocks(io.BytesIO(data), "data.xlsx", "xlsx", block_bytes, notes=notes):
        found += [dict(zip(block.columns, row, strict=True)) for row in zip(*block.columns.values(), strict=True)]
    return found, notes


def error_of(data: bytes) -> str:
    with pytest.raises(InvalidDataset) as refused:
        read(data)
    return refused.value.message


def test_cells_are_spelled_as_excel_writes_them_to_csv() -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    cells = [1, 2.5, 1e300, "text ", True, datetime.date(2024, 1, 2), moment, datetime.time(3, 4, 5), None, "007"]
    [row], notes = read(workbook([[f"c{index}" for index in range(len(cells))], cells]))
    assert list(row.values()) == [
        "1", "2.5", "1e+300", "text ", "true", "2024-01-02", "2024-01-02T03:04:05", "03:04:05", "", "007",
    ]  # fmt: skip
    assert notes == []


def test_rows_are_numbered_over_blocks_and_a_sample_is_from_all_over_the_sheet() -> None:
    data = workbook([["n", "x"], *([number, "x"] for number in range(1, 1001))])
    rows, _ = read(data, block_bytes=100)
    assert [row["n"] for row in rows] == [str(number) for number in range(1, 1001)]
    blocks = list(sample_blocks(io.BytesIO(data), len(data), "x", "xlsx", pieces=3, piece_bytes=160))
    assert [block.first_row for block in blocks] == [1, 491, 991]


def test_a_table_need_not_begin_in_the_corner_and_blank_rows_are_left_out_and_said() -> None:
    rows, notes = read(workbook([[], [None, *TABLE[0]], [None, *TABLE[1]], [], [None, *TABLE[2]]]))
    assert rows == [{"size": "1", "kind": "a"}, {"size": "2.5", "kind": "b"}]
    assert notes == ["data.xlsx: sheet 'Sheet1': blank rows are left out."]


@pytest.mark.parametrize(
    ("data", "read_sheet"),
    [
        (workbook([["see the other sheet"]], [["n"], *[[number] for number in range(20)]]), "'Sheet2', and not 'Sheet1'"),
        (workbook(TABLE, TABLE, names=["old", "Data"]), "'Data', and not 'old'"),
    ],
)
def test_of_several_sheets_the_one_that_a_person_would_take_is_read_and_said(data: bytes, read_sheet: str) -> None:
    _, notes = read(data)
    assert notes == [f"data.xlsx: read is the sheet {read_sheet}."]


def test_hidden_and_empty_sheets_are_no_data() -> None:
    book = Workbook()
    for row in TABLE:
        book.worksheets[0].append(row)
    book.create_sheet("empty")
    hidden = book.create_sheet("hidden")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    rows, notes = read(saved(book))
    assert len(rows) == 2
    assert notes == []


def merged() -> bytes:
    book = Workbook()
    for row in (["size", None, "kind"], [1, 2, "a"]):
        book.worksheets[0].append(row)
    book.worksheets[0].merge_cells("A1:B1")
    return saved(book)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (merged(), "sheet 'Sheet': the cells A1:B1 are merged; unmerge them, so that each column has its own name"),
        (workbook(TABLE, TABLE), "several sheets have data: 'Sheet1' (3 rows), 'Sheet2' (3 rows). Keep one in the workbook"),
        (workbook([["a", None, "b"], [1, None, 2]]), "sheet 'Sheet1': column B is empty, and there is something on both sides"),
        (workbook([*TABLE, [], *TABLE]), "after an empty row, row 5 begins something else than more rows"),
        (workbook([*TABLE, [], ["Source: us"]]), "after an empty row, row 5 begins something else than more rows"),
        (workbook([["Flowers of 2024"], *TABLE]), "B1 is empty: the column has no name. The first row that is not empty is the"),
        (workbook([["a", "a"], [1, 2]]), "A1 and B1 have the same name, 'a'; rename one"),
        (workbook([]), "no sheet has data in it"),
        (workbook([["a", "b"]]), "data.xlsx has no rows"),
        (b"a,b\n1,2\n", "not an Excel workbook, or damaged"),
        (workbook(TABLE)[:-200], "not an Excel workbook, or damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "locked by a password, or of the format before Excel 2007"),
    ],
)
def test_what_is_no_one_table_is_refused_with_where_it_is(data: bytes, problem: str) -> None:
    assert problem in error_of(data)


def test_a_zip_file_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    assert "the workbook cannot be read" in error_of(file.getvalue())


def test_a_workbook_that_unpacks_to_more_than_is_read_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "MOST_UNPACKED_BYTES", 1000)
    assert "MiB are the limit, about 2 million cells; save the sheet as CSV, or write it as Parquet" in error_of(workbook(TABLE))


def with_sheet(data: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with another text in its first sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(file, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, archive.read(name).replace(old, new) if name.endswith("sheet1.xml") else archive.read(name))
    return file.getvalue()


def test_formulas_without_a_value_are_refused_with_sheet_and_cell() -> None:
    """As openpyxl writes them: nobody has calculated them, and calamine reads empty cells."""
    one = workbook([*TABLE, ["=A2*2", "a"]], names=["R&D"])
    many = workbook([["other"], ["=1"]], [*TABLE, *([row, "=UPPER(B2)"] for row in range(5000))], names=["notes", "data"])

    assert "data.xlsx: sheet 'R&D': A4 has a formula and no value: " in error_of(one)
    assert "Open it in Excel or LibreOffice and save it, or save the sheet as CSV" in error_of(one)
    assert "data.xlsx: sheet 'data': B4 and 4,999 more have formulas and no values: " in error_of(many)


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        (b'<c r="A4"><f>A2*2</f><v>2</v></c>', "2"),
        (b'<c r="A4" t="str"><f>IF(A2,"","x")</f><v></v></c>', ""),
        (b'<c r="A4" t="str"><f t="shared" si="0"/><v>x</v></c>', "x"),
    ],
)
def test_formulas_with_a_value_are_read_as_it(cell: bytes, size: str) -> None:
    data = workbook([*TABLE, [77, "a"]])

    rows, _ = read(with_sheet(data, b'<c r="A4" t="n"><v>77</v></c>', cell))

    assert rows[-1] == {"size": size, "kind": "a"}

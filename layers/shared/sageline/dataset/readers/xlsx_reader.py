"""Reading an Excel workbook: the one sheet that has the data, with one header line and one row a line.

A workbook is unpacked and read as a whole, so its size is limited. Values are spelled as Excel itself writes CSV where that is
certain: whole numbers by their digits, dates and times as ``isoformat`` has them, ``true`` and ``false`` as these words.
"""

from __future__ import annotations

import datetime
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from sageline.arrays.blocks import Block, Coverage
from sageline.arrays.strings import BoolArray, IntArray, StringArray
from sageline.errors import InvalidDataset
from sageline.formats.workbook import uncalculated_cells

MOST_UNPACKED_BYTES = 96 << 20
"""About 2 million cells, which with all that reading them takes fit a function of 512 MB (measured: 135 bytes a cell)."""

_CELL_BYTES = 8  # of text, about
_MUCH_LARGER = 10
_DATA = "data"
_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"  # a compound file: what Excel wrote until 2003, and what a password locks

Cell: TypeAlias = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta


class _Table(NamedTuple):
    """The rows of a sheet, the header not among them.

    Attributes:
        lines: the number in Excel of each row.
    """

    names: list[str]
    rows: list[list[Cell]]
    lines: list[int]


def read_xlsx(stream: BinaryIO, source: str, block_bytes: int, notes: list[str]) -> Iterator[Block]:
    """All rows; ``stream`` needs ``read`` and ``seek``.

    Raises:
        InvalidDataset: no workbook, damaged, locked, too large; several sheets or tables of data, merged cells; names sheet, row
            and column as Excel does.
    """
    table = _table(stream, source, notes)
    step = max(1, block_bytes // (_CELL_BYTES * len(table.names)))
    for start in range(0, len(table.rows), step):
        yield _block(table, start, start + step, source)


def sample_xlsx(
    stream: BinaryIO, source: str, pieces: int, piece_bytes: int, notes: list[str], *, coverage: Coverage
) -> Iterator[Block]:
    """``pieces`` of the rows of about so many bytes, spread evenly, or all of them. Raises as :func:`read_xlsx`."""
    table = _table(stream, source, notes)
    step = max(1, piece_bytes // (_CELL_BYTES * len(table.names)))
    starts = list(range(0, len(table.rows), step))
    if not starts:
        raise InvalidDataset(f"{source} has a header line and no rows; add rows to the sheet.")
    chosen = np.unique(np.linspace(0, len(starts) - 1, min(pieces, len(starts))).astype(np.int64)).tolist()
    coverage.is_all = len(chosen) == len(starts)
    for piece in chosen:
        yield _block(table, starts[piece], starts[piece] + step, source)


def text_bytes(stream: BinaryIO, source: str) -> int:
    """About how many bytes of text the rows are read as."""
    table = _table(stream, source, [])
    return len(table.rows) * len(table.names) * _CELL_BYTES


def _table(stream: BinaryIO, source: str, notes: list[str]) -> _Table:
    content = _checked(stream, source)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            sheet = _chosen(workbook, source, notes)
            _check_calculated(content, sheet.name, source)
            return _read(sheet, source, notes)
    except PasswordError:
        raise InvalidDataset(f"{source}: the workbook is locked by a password; save it without one.") from None
    except CalamineError as error:
        raise InvalidDataset(f"{source}: the workbook cannot be read: {error}. Save it again in Excel as .xlsx.") from None


def _checked(stream: BinaryIO, source: str) -> bytes:
    """The file, if it is a ZIP file that unpacks, and unpacks to no more than is read."""
    head = stream.read(4)
    if head == _OLD_OR_LOCKED:
        raise InvalidDataset(
            f"{source}: the workbook is locked by a password, or of the format before Excel 2007; save it as .xlsx without one."
        )
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_UNPACKED_BYTES:
                raise InvalidDataset(
                    f"{source}: the workbook has {size >> 20:,} MiB unpacked, and {MOST_UNPACKED_BYTES >> 20} MiB are the limit, "
                    "about 2 million cells; save the sheet as CSV, or write it as Parquet."
                )
            damaged = archive.testzip()  # which also unpacks no more than that
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InvalidDataset(f"{source}: not an Excel workbook, or damaged: {error}. Save it again as .xlsx.") from None
    if damaged is not None:
        raise InvalidDataset(f"{source}: the workbook is damaged: {damaged} does not unpack. Save it again as .xlsx.")
    stream.seek(0)
    return stream.read()


def _chosen(workbook: CalamineWorkbook, source: str, notes: list[str]) -> CalamineSheet:
    """The sheet with the data: the only one that has any, the one that is called "data", or one that dwarfs the others."""
    visible = [
        found.name
        for found in workbook.sheets_metadata
        if found.typ == SheetTypeEnum.WorkSheet and found.visible == SheetVisibleEnum.Visible
    ]
    sheets = [sheet for name in visible if (sheet := workbook.get_sheet_by_name(name)).height > 0 and sheet.width > 0]
    if not sheets:
        raise InvalidDataset(f"{source}: no sheet has data in it; fill one with a header line and rows.")
    if len(sheets) == 1:
        return sheets[0]
    by_size = sorted(sheets, key=lambda sheet: sheet.height * sheet.width, reverse=True)
    sizes = [sheet.height * sheet.width for sheet in by_size]
    chosen = next((sheet for sheet in sheets if sheet.name.strip().casefold() == _DATA), None)
    if chosen is None and sizes[0] >= _MUCH_LARGER * sum(sizes[1:]):
        chosen = by_size[0]
    if chosen is None:
        named = ", ".join(f"{sheet.name!r} ({sheet.height:,} rows)" for sheet in sheets)
        raise InvalidDataset(
            f"{source}: several sheets have data: {named}. Keep one in the workbook, or call the one that is meant {_DATA!r}."
        )
    others = ", ".join(repr(sheet.name) for sheet in sheets if sheet is not chosen)
    notes.append(f"{source}: read is the sheet {chosen.name!r}, and not {others}.")
    return chosen


def _check_calculated(content: bytes, sheet: str, source: str) -> None:
    """Refuse formulas without values, which would be read as empty cells."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first, count = uncalculated_cells(archive, sheet)
    if count:
        have = "has a formula and no value" if count == 1 else f"and {count - 1:,} more have formulas and no values"
        raise InvalidDataset(
            f"{source}: sheet {sheet!r}: {first} {have}: the workbook was written by a program that does not calculate. Open it "
            "in Excel or LibreOffice and save it, or save the sheet as CSV from there."
        )


def _read(sheet: CalamineSheet, source: str, notes: list[str]) -> _Table:
    place = f"{source}: sheet {sheet.name!r}"
    first_line, first_column = sheet.start or (0, 0)
    merged = sheet.merged_cell_ranges
    if merged:
        start, end = merged[0]
        raise InvalidDataset(
            f"{place}: the cells {_address(*start)}:{_address(*end)} are merged; unmerge them, so that each column has its own "
            "name in the first row, and each row its own values."
        )
    rows = list(sheet.iter_rows())
    filled = np.array([[cell != "" for cell in row] for row in rows], dtype=np.bool_)
    _check_one_table(filled, rows, place, first_line, first_column)
    there = np.flatnonzero(filled.any(axis=1)).tolist()
    has_blank = len(there) <= there[-1] - there[0]
    header, there = rows[there[0]], there[1:]
    if has_blank:
        notes.append(f"{place}: blank rows are left out.")
    names = [_spelled(cell).strip() for cell in header]
    for index, name in enumerate(names):
        at = _address(first_line, first_column + index)
        if not name:
            raise InvalidDataset(
                f"{place}: {at} is empty: the column has no name. The first row that is not empty is the header; delete what "
                "stands above it, and name every column."
            )
        if name in names[:index]:
            other = _address(first_line, first_column + names.index(name))
            raise InvalidDataset(f"{place}: {other} and {at} have the same name, {name!r}; rename one.")
    return _Table(names, [rows[index] for index in there], [first_line + index + 1 for index in there])


def _check_one_table(filled: BoolArray, rows: list[list[Cell]], place: str, first_line: int, first_column: int) -> None:
    """Refuse two tables beside each other, with an empty column between them, or one below the other, with an empty row."""
    empty = np.flatnonzero(~filled.any(axis=0))
    if len(empty):
        raise InvalidDataset(
            f"{place}: column {_letters(first_column + int(empty[0]))} is empty, and there is something on both sides of it: two "
            "tables. Keep one table on the sheet."
        )
    blank = np.logical_not(np.any(filled, axis=1)).reshape(-1)
    ends: IntArray = np.flatnonzero(blank[:-1] & ~blank[1:])
    for index in ends.tolist():
        above = filled[: index + 1]
        if _begins_another(rows[index + 1], filled[index + 1], rows[: index + 1], above):
            raise InvalidDataset(
                f"{place}: after an empty row, row {first_line + index + 2} begins something else than more rows: another "
                "table, or a remark. Keep one table on the sheet."
            )


def _begins_another(row: list[Cell], is_filled: BoolArray, rows_above: list[list[Cell]], above: BoolArray) -> bool:
    """Whether a row of nothing but words is a header or a remark: it fills other columns, or has words where numbers are."""
    if not all(isinstance(cell, str) for cell in row):
        return False
    usual = above.sum(axis=0) * 2 > above.any(axis=1).sum()
    if is_filled.sum() * 2 <= usual.sum():
        return True
    numbers = [any(not isinstance(cells[column], str) for cells in rows_above) for column in np.flatnonzero(is_filled).tolist()]
    return any(numbers)


def _block(table: _Table, start: int, end: int, source: str) -> Block:
    columns = {
        name: StringArray.from_list([_spelled(cell) for cell in cells])
        for name, cells in zip(table.names, zip(*table.rows[start:end], strict=True), strict=True)
    }
    return Block.of(columns, start + 1, source)


def _spelled(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


def _address(line: int, column: int) -> str:
    return f"{_letters(column)}{line + 1}"


def _letters(column: int) -> str:
    letters = ""
    number = column + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters

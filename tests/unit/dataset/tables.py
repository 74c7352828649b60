"""The same rows as files of several formats."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd
from openpyxl import Workbook

Table = Mapping[str, Sequence[Any]]  # Any: what a cell holds


def as_csv(table: Table, delimiter: str = ",") -> bytes:
    """As Python's csv module spells values; a missing one is empty."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([_spelled(cell) for cell in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().encode()


def as_json_lines(table: Table) -> bytes:
    rows = (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))
    return "".join(json.dumps(row, default=_spelled, ensure_ascii=False) + "\n" for row in rows).encode()


def as_parquet(table: Table | pa.Table, row_group_size: int | None = None) -> bytes:
    file = io.BytesIO()
    arrow = table if isinstance(table, pa.Table) else pa.table(dict(table))
    pq.write_table(arrow, file, row_group_size=row_group_size)
    return file.getvalue()


def as_xlsx(table: Table) -> bytes:
    return workbook([list(table), *zip(*table.values(), strict=True)])


def workbook(*sheets: Sequence[Sequence[Any]], names: Sequence[str] = ()) -> bytes:  # Any: what a cell holds
    """Sheets of rows; a cell of None is empty."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(names[number] if names else f"Sheet{number + 1}")
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def compressed(data: bytes, compression: str) -> bytes:
    return (
        gzip.compress(data, mtime=0)
        if compression == "gz"
        else zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})
    )


def _spelled(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)

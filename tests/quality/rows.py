"""Which rows of the table a run has kept for the test, so that peers answer the same ones."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence

from sageline.json_objects import Json


def test_rows(data: bytes, label: str, raw: Sequence[Json]) -> list[int]:
    """The numbers of the table's rows that are a run's test rows. Both are in one order, and equal rows are on one side.

    Raises:
        ValueError: a test row is not found.
    """
    found: list[int] = []
    waiting = iter(raw)
    wanted = next(waiting, None)
    for number, row in enumerate(csv.DictReader(io.StringIO(data.decode()))):
        if wanted is None:
            break
        if _is(row, wanted, label):
            found.append(number)
            wanted = next(waiting, None)
    if wanted is not None:
        raise ValueError(f"test row {len(found) + 1} is no row of the table: {wanted}")
    return found


def _is(row: Mapping[str, str], wanted: Json, label: str) -> bool:
    cells = {**wanted.get("others", {}), **wanted["features"], label: wanted["label"]}
    return all(_same(row[name], cell) for name, cell in cells.items())


def _same(text: str, cell: object) -> bool:
    if cell is None:
        return not text.strip() or not _is_number(text)
    if isinstance(cell, float | int):
        return _is_number(text) and math.isclose(float(text), cell, rel_tol=1e-6, abs_tol=1e-12)
    return text == cell or text.strip() == str(cell).strip()


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False

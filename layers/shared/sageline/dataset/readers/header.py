"""Whether the first line of a table names its columns, or is a row already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from sageline.dataset.readers.delimiter import is_number

_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")
_YEARS = range(1900, 2101)
_FEW_ROWS = 6  # fewer tell nothing of how often a value comes again


def values_in_header(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The fields of the first line that look like values of their columns; none when the line looks like a header.

    Each column has its say. A number above numbers, a date above dates, or one of the few values that a column has, is a value;
    words above numbers, or one word above sentences, are a name. One name makes the line a header, and so does the lack of one
    above an index.

    Args:
        rows: of as many fields as ``header``.
    """
    rows = [row for row in rows if list(row) != list(header)]  # the header comes again where files were joined
    if not rows or _is_index(header[0], [row[0] for row in rows]):
        return []
    values: list[str] = []
    numbers: dict[str, list[str]] = {}
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        filled = [value for value in column if value.strip()]
        if not name.strip() or not filled:
            continue
        match _says(name, filled):
            case "name":
                return []
            case "value":
                values.append(name)
                if is_number(name):
                    numbers[name] = filled
    if numbers and len(numbers) == len(values) and _are_counted(numbers):
        return []
    return values


def _is_index(name: str, column: list[str]) -> bool:
    return not name.strip() and "" not in column and len(set(column)) == len(column)


def names_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a line has a name above a column of values, such as a word above numbers. ``rows`` have as many fields."""
    columns = ([value for value in column if value.strip()] for column in zip(*rows, strict=True))
    return any(name.strip() and column and _says(name, column) == "name" for name, column in zip(header, columns, strict=False))


def _says(name: str, column: list[str]) -> str | None:
    kind, count = Counter(map(_kind, column)).most_common(1)[0]
    if kind is not None and count >= 0.8 * len(column):
        return None if _kind(name) is None and _is_missing(name) else "value" if _kind(name) == kind else "name"
    if _kind(name) is not None:
        return None
    sentences = sum(" " in value.strip() for value in column)
    if sentences >= 0.8 * len(column):
        return None if " " in name.strip() else "name"
    if len(column) >= _FEW_ROWS and len(set(column)) * 3 > len(column):
        return None
    if name in column:
        return "value"
    return "name" if len(column) >= _FEW_ROWS else None


def _kind(value: str) -> str | None:
    if _DATE.fullmatch(value):
        return "date"
    return "number" if is_number(value) else None


def _is_missing(value: str) -> bool:
    """Whether a value above numbers may be a missing one, such as NA, - or ?, and so neither a name nor a number."""
    return value.strip().lower() in {"na", "n/a", "nan", "null", "none", "-", "?", ".", "#n/a", "unknown"}


def _are_counted(numbers: dict[str, list[str]]) -> bool:
    """Whether names that are numbers count the columns, or are years: and not values that come again below."""
    if not all(name.isascii() and name.isdigit() for name in numbers):
        return False
    counted = [int(name) for name in numbers]
    one_by_one = all(after == before + 1 for before, after in pairwise(counted))
    increasing = all(after > before for before, after in pairwise(counted))
    come_again = all(name in column for name, column in numbers.items())
    of_columns = one_by_one and (counted[0] in (0, 1) or len(counted) > 2)
    of_years = increasing and len(counted) > 1 and all(number in _YEARS for number in counted)
    return (of_columns or of_years) and not come_again

"""A row of plain values encoded without numpy: the quick way for a prediction, bit for bit as the whole-array way.

A value is plain where it says by itself what it is: a number of JSON for a number, a known text for a category, a date, a
text. For anything else there is the other way, which also has the warnings and the errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from sageline.arrays.calendar import parts_of
from sageline.arrays.dates import EPOCH, date_of
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.columns import ColumnsEncoder, Part
from sageline.encoder.columns.date import PARTS, DatePart
from sageline.encoder.columns.number import LARGEST, NumberPart, NumberScaling
from sageline.encoder.columns.target import TargetPart
from sageline.encoder.columns.text import TextPart
from sageline.encoder.text.words import FEW_BYTES, RowCells

Writer: TypeAlias = Callable[[Mapping[str, object], list[int], list[float]], bool]
"""Appends the cells of one part of a row; False where a value is not plain."""


class RowEncoder:
    """Encodes single rows for one encoder."""

    def __init__(self, encoder: ColumnsEncoder) -> None:
        ends = np.cumsum([part.width for part in encoder.parts]).tolist()
        is_dense = encoder.layout == "dense"
        self._writers = [
            _writer(part, end - part.width, is_dense=is_dense) for part, end in zip(encoder.parts, ends, strict=True)
        ]

    def cells(self, row: Mapping[str, object]) -> RowCells | None:
        """The cells of a row that has all columns, in ascending columns, as ``ColumnsEncoder.encode`` has them: of a dense row
        those that are not 0. None where a value is not plain."""
        columns: list[int] = []
        values: list[float] = []
        for write in self._writers:
            if not write(row, columns, values):
                return None
        return RowCells(columns, values)


def _writer(part: Part, at: int, *, is_dense: bool) -> Writer:
    match part:
        case NumberPart():
            return _number_writer(part, at, is_dense=is_dense)
        case CategoryPart():
            return _category_writer(part, at)
        case TargetPart():
            return _target_writer(part, at)
        case DatePart():
            return _date_writer(part, at, is_dense=is_dense)
        case TextPart():
            return _text_writer(part, at)


def _scaler(scaling: NumberScaling) -> Callable[[float], float]:
    """As :meth:`NumberScaling.encode`, for one number."""
    fill, offset, divisor = scaling
    if scaling == NumberScaling():
        return float

    def scale(number: float) -> float:
        exact = float(np.float32(number))
        if math.isnan(exact):
            if fill is None:
                return exact
            exact = fill
        return min(max((exact - offset) / divisor, -LARGEST), LARGEST)

    return scale


def _number_writer(part: NumberPart, at: int, *, is_dense: bool) -> Writer:
    name, indicator, scale = part.column, part.indicator, _scaler(part.scaling)
    keeps_missing = part.keeps_missing

    def write(row: Mapping[str, object], columns: list[int], values: list[float]) -> bool:
        value = row[name]
        is_number = (type(value) is float or type(value) is int) and -LARGEST <= value <= LARGEST
        if not is_number and value is not None:
            return False
        number = float(value) if isinstance(value, int | float) else math.nan
        if is_number or is_dense or not keeps_missing:
            columns.append(at)
            values.append(scale(number))
        if indicator:
            columns.append(at + 1)
            values.append(0.0 if is_number else 1.0)
        return True

    return write


def _category_writer(part: CategoryPart, at: int) -> Writer:
    name, index, is_ordinal = part.column, part.index.index, part.encoding == "ordinal"

    def write(row: Mapping[str, object], columns: list[int], values: list[float]) -> bool:
        text = "" if row[name] is None else row[name]
        if type(text) is not str:
            return False
        found = index(text)
        if found < 0 and text.strip():
            return False
        if is_ordinal:
            columns.append(at)
            values.append(float(found))
        elif found >= 0:
            columns.append(at + found)
            values.append(1.0)
        return True

    return write


def _target_writer(part: TargetPart, at: int) -> Writer:
    name, index = part.column, part.index.index
    encoded = np.concatenate([part.shares.reshape(-1, 1), part.means], axis=1).tolist()
    its_columns = range(at, at + part.width)

    def write(row: Mapping[str, object], columns: list[int], values: list[float]) -> bool:
        text = "" if row[name] is None else row[name]
        if type(text) is not str:
            return False
        found = index(text)
        if found < 0 and text.strip():
            return False
        columns.extend(its_columns)
        values.extend(encoded[found])
        return True

    return write


def _date_writer(part: DatePart, at: int, *, is_dense: bool) -> Writer:
    name, date_format, keeps_missing = part.column, part.format, part.keeps_missing
    chosen = [(PARTS.index(its), _scaler(scaling)) for its, scaling in zip(part.parts, part.scalings, strict=True)]
    its_columns = range(at, at + len(chosen))
    indicator = at + len(chosen) if part.indicator else None
    is_plain = date_format.order not in EPOCH

    def write(row: Mapping[str, object], columns: list[int], values: list[float]) -> bool:
        text = "" if row[name] is None else row[name]
        if type(text) is not str or not is_plain or not text.isascii():
            return False
        seconds = date_of(text, date_format)
        if seconds is None:
            return False
        is_missing = math.isnan(seconds)
        if not is_missing or is_dense or not keeps_missing:
            numbers = parts_of(seconds)
            columns.extend(its_columns)
            values.extend([scale(numbers[place]) for place, scale in chosen])
        if indicator is not None:
            columns.append(indicator)
            values.append(1.0 if is_missing else 0.0)
        return True

    return write


def _text_writer(part: TextPart, at: int) -> Writer:
    names, cells_of = part.columns, part.encoder.cells

    def write(row: Mapping[str, object], columns: list[int], values: list[float]) -> bool:
        texts: list[str] = []
        for name in names:
            text = "" if row[name] is None else row[name]
            if type(text) is not str or len(text) > FEW_BYTES or not (text.isascii() or is_utf8(text)):
                return False
            texts.append(text)
        cells = cells_of(texts)
        columns.extend([at + column for column in cells.columns] if at else cells.columns)
        values.extend(cells.values)
        return True

    return write


def is_utf8(text: str) -> bool:
    """Whether the text can be written as UTF-8: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def dense_row(cells: RowCells, width: int) -> Sequence[float]:
    """``[width]`` numbers, 0 where there is no cell."""
    row = [0.0] * width
    for column, value in zip(cells.columns, cells.values, strict=True):
        row[column] = value
    return row

"""CSV and JSON of the first-party algorithms as arrays of numbers.

Source: SageMaker developer guide, "Common data formats for training" and "for inference".
"""

from __future__ import annotations

import io
import json
import math
import warnings

import numpy as np

from sagemaker_emulator.engines.shell.arrays import FloatArray


def read_csv(data: bytes) -> FloatArray:
    """``float32[rows, columns]``; an empty cell is NaN. ValueError names the line of what is no table of numbers."""
    text = data.decode()
    with warnings.catch_warnings(), np.errstate(over="ignore"):  # beyond float32 is infinity, as in any cast
        warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        try:
            return np.loadtxt(io.StringIO(text), delimiter=",", comments=None, ndmin=2).astype(np.float32)
        except ValueError:  # it does not take empty cells, and counts lines in several ways
            return np.array(_rows(text.splitlines()), dtype=np.float32)


def _rows(lines: list[str]) -> list[list[float]]:
    width = lines[0].count(",") + 1
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = line.split(",")
        if len(cells) != width:
            raise ValueError(f"line {number} has {len(cells)} cells, the first line has {width}")
        rows.append([_number(cell, number, column) for column, cell in enumerate(cells, start=1)])
    return rows


def _number(cell: str, line: int, column: int) -> float:
    try:
        return float(cell) if cell.strip() else math.nan
    except ValueError:
        raise ValueError(f"line {line}, column {column}: {cell!r} is not a number") from None


def read_json(body: bytes) -> FloatArray:
    """``{"instances": [...]}``; ValueError for what is no such document."""
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("instances"), list):
        raise ValueError('expected {"instances": [...]}')
    return _stacked(document["instances"])


def read_json_lines(body: bytes) -> FloatArray:
    """An instance per line."""
    return _stacked([json.loads(line) for line in body.splitlines() if line.strip()])


def _stacked(instances: list[object]) -> FloatArray:
    rows = [_features(index, instance) for index, instance in enumerate(instances)]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"instances of differing width: {sorted({len(row) for row in rows})}")
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1 if rows else 0)


def _features(index: int, instance: object) -> list[float] | FloatArray:
    match instance:
        case {"features": list(values)}:
            return values
        case {"data": {"features": {"values": list(values), **rest}}} if not rest:
            return values
        case {"data": {"features": {"keys": list(keys), "shape": [int(width)], "values": list(values)}}}:
            if len(keys) == len(values) and all(isinstance(key, int) and 0 <= key < width for key in keys):
                row = np.zeros(width, dtype=np.float32)
                row[keys] = values
                return row
    raise ValueError(f"instance {index} has no features, or its keys are not as many columns as it has values")

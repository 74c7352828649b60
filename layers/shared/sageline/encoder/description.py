"""What rows to predict look like, for people and programs that have not seen the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.schema.row_description import ColumnDescription, RowDescription

EXAMPLE: Final = "example.json"
"""File beside the saved encoder: a row that the model takes."""

MOST_COLUMNS = 1000
MOST_VALUES = 100  # of a category, or of the label
_EXACT = 2**53  # whole numbers below it have all their digits
_MOST_CHARACTERS = 200  # of a text in an example


def describe(encoder: FittedEncoder) -> RowDescription:
    """What the encoder takes and answers.

    ``columns`` are the first :data:`MOST_COLUMNS` in their order, ``{"name", "kind", "required"}``, those of a category with the
    most frequent ``values`` and how many ``different_values`` are told apart. Pixels are not listed: ``image_shape``, which is
    None for other rows, says how many there are. ``label`` is ``{"name", "classes", "labels"}``, the last two None for a
    regression.
    """
    names = [] if encoder.image_shape and not encoder.reads_files else list(encoder.feature_columns)[:MOST_COLUMNS]
    classes = encoder.classes
    return {
        "columns": [_column(name, encoder) for name in names],
        "column_count": len(encoder.feature_columns),
        "image_shape": list(encoder.image_shape) if encoder.image_shape else None,
        "label": {
            "name": encoder.label_column,
            "classes": None if classes is None else len(classes),
            "labels": None if classes is None else classes[:MOST_VALUES],
        },
    }


def _column(name: str, encoder: FittedEncoder) -> ColumnDescription:
    kind = encoder.feature_columns[name]
    column: ColumnDescription = {"name": name, "kind": kind, "required": name in encoder.required_columns}
    category = encoder.features.categories.get(name) if isinstance(encoder.features, ColumnsEncoder) else None
    if category is not None:
        values = [value for value in category.values if value]
        column["values"], column["different_values"] = values[:MOST_VALUES], len(values)
    return column


def example_of(rows: Sequence[Mapping[str, Any]], encoder: FittedEncoder) -> object | None:  # Any: JSON values
    """An instance to begin with: of raw rows the one with the fewest missing values, its texts cut to 200 characters, an image
    nested as its shape is. None when there is no row, or when it has more than :data:`MOST_COLUMNS` values.

    Args:
        rows: ``{column: value}``, with every feature column.
    """
    if not rows or len(encoder.feature_columns) > MOST_COLUMNS:
        return None
    row = min(rows, key=lambda values: sum(value is None or value == "" for value in values.values()))
    values = {name: _shown(row[name], kind) for name, kind in encoder.feature_columns.items()}
    if encoder.image_shape is None or encoder.reads_files:
        return values
    nested: object = np.array([*values.values()], dtype=object).reshape(encoder.image_shape).tolist()
    return nested


def _shown(value: Any, kind: str) -> Any:  # Any: JSON values
    if kind == "image":
        return value
    if kind == "text":
        return value[:_MOST_CHARACTERS]
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return int(value) if is_whole else value  # 78, not 78.0

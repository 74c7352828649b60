"""Rows by which models are judged, as JSON Lines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import FloatArray
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.numbers import parse_doubles
from sageline.arrays.strings import StringArray
from sageline.dataset.label_column import LabelColumn
from sageline.encoder.fitted import FittedEncoder
from sageline.preparation.weight_column import WeightColumn
from sageline.resolve.resolution import Resolution

_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class RawRows:
    """Writes rows as they were given, such that their features are instances for a prediction.

    Attributes:
        weight: the column that says how much a row counts, if there is one.
    """

    encoder: FittedEncoder
    label: LabelColumn
    weight: WeightColumn | None
    resolution: Resolution

    def whole(self, block: Block, labels: FloatArray) -> bytes:
        """Lines of ``{"features": {column: value}, "others": {column: text}, "label": value, "weight": number}``.

        Args:
            labels: ``float32[rows]``: the numbers of the rows' classes, or values.
        """
        encoder = self.encoder
        columns = [
            _values(block.columns[name], kind, self.resolution.spelling(name)) for name, kind in encoder.feature_columns.items()
        ]
        names = list(encoder.feature_columns)
        rows = [{"features": dict(zip(names, values, strict=True))} for values in zip(*columns, strict=True)]
        left_out = [name for name in block.columns if name not in encoder.feature_columns and name != encoder.label_column]
        if left_out:
            others = zip(*(block.columns[name].tolist() for name in left_out), strict=True)
            for row, texts in zip(rows, others, strict=True):
                row["others"] = dict(zip(left_out, texts, strict=True))
        return _lines([row | answer for row, answer in zip(rows, self._answers(block, labels), strict=True)])

    def answers(self, block: Block, labels: FloatArray) -> bytes:
        """The same without the columns."""
        return _lines(self._answers(block, labels))

    def _answers(self, block: Block, labels: FloatArray) -> list[dict[str, object]]:
        classes = self.encoder.classes
        right: list[str] | list[float]
        if classes is None:
            right = self.label.exact_numbers(block).tolist()
        else:
            right = [classes[number] for number in labels.astype(np.int64).tolist()]
        if self.weight is None:
            return [{"label": label} for label in right]
        weights = self.weight.read(block).tolist()
        return [{"label": label, "weight": weight} for label, weight in zip(right, weights, strict=True)]


def _lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(f"{_JSON.encode(row)}\n" for row in rows).encode()


def _values(column: StringArray, kind: str, spelling: Spelling) -> Sequence[str | float | None]:
    if kind in ("number", "pixel"):
        numbers = parse_doubles(column, spelling)
        known: list[float] = numbers.tolist()
        return [None if math.isnan(number) else number for number in known] if np.isnan(numbers).any() else known
    if kind not in ("category", "date"):
        return column.tolist()
    if isinstance(column, DictionaryArray):
        values = _values(column.dictionary, kind, spelling)
        return [values[index] for index in column.indices.tolist()]
    return [text if text.strip() else None for text in column.tolist()]

"""Whether a table's encoded rows are dense or sparse: by what they take."""

from __future__ import annotations

from collections.abc import Mapping

from sageline.dataset.profile import ColumnProfile
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.training import AlgorithmSpec

_DENSE_BYTES, _SPARSE_BYTES = 4, 7
"""Of a cell in RecordIO: a number, and a number with its column, which takes up to three bytes."""

_CLEARLY = 2
_TARGET_COLUMNS = 4  # about as many, of a column of many categories
_DIFFERENT = 0.8  # of a text's words
_STATISTICS = 3


def layout_of(
    spec: ColumnsSpec, features: Mapping[str, str], columns: Mapping[str, ColumnProfile], algorithm: AlgorithmSpec
) -> tuple[str, str]:
    """``dense`` or ``sparse``, and why."""
    if algorithm.name in ("script", "tensorflow"):
        return "dense", "dense: scripts read arrays"
    widths, filled = zip(*(_cells(spec, name, kind, columns[name]) for name, kind in features.items()), strict=True)
    width, cells = sum(widths), sum(filled)
    is_sparse = _CLEARLY * _SPARSE_BYTES * cells < _DENSE_BYTES * width
    about = f"of at most {width:,} cells of a row about {max(1, round(cells)):,} are filled"
    return ("sparse", f"sparse: {about}") if is_sparse else ("dense", f"dense: {about}")


def _cells(spec: ColumnsSpec, name: str, kind: str, column: ColumnProfile) -> tuple[int, float]:
    """How many cells a column becomes, and how many of them are filled in a row."""
    if kind == "category":
        options = spec.category_of(name)
        if options.encoding == "ordinal":
            return 1, 1
        is_target = column.distinct > options.max_categories
        return (_TARGET_COLUMNS, _TARGET_COLUMNS) if is_target else (column.distinct, 1)
    if kind == "date":
        parts = len(spec.date_of(name).parts)
        return parts, parts
    if kind == "text":
        text = spec.text_of(name)
        width = text.max_words if text.hash_bits is None else 1 << text.hash_bits
        statistics = _STATISTICS if text.statistics else 0
        return width + statistics, min(width, text.ngrams * _DIFFERENT * column.mean_words) + statistics
    return 1, 1

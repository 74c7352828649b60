"""Whether a table's encoded rows are dense or sparse: by what they take."""

from __future__ import annotations

from collections.abc import Mapping

from sageline.dataset.profile import ColumnProfile
from sageline.errors import InvalidSpec
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.training import AlgorithmSpec

_DENSE_BYTES, _SPARSE_BYTES = 4, 7
"""Of a cell in RecordIO: a number, and a number with its column, which takes up to three bytes."""

WIDEST_DENSE_ROW = 1_000_000
"""Numbers of four bytes: a serverless endpoint takes requests of 4 MB."""

_CLEARLY = 2
_TARGET_COLUMNS = 4  # about as many, of a column of many categories
_DIFFERENT = 0.8  # of a text's words
_STATISTICS = 3


def layout_of(
    spec: ColumnsSpec, features: Mapping[str, str], columns: Mapping[str, ColumnProfile], algorithm: AlgorithmSpec
) -> tuple[str, str]:
    """``dense`` or ``sparse``, and why; the spec's own layout where it says one.

    Raises:
        InvalidSpec: a row would be larger than a request may be.
    """
    widths, filled = zip(*(_cells(spec, name, kind, columns[name]) for name, kind in features.items()), strict=True)
    width, cells = sum(widths), sum(filled)
    reads_arrays = algorithm.name in ("script", "tensorflow")
    is_sparse = _CLEARLY * _SPARSE_BYTES * cells < _DENSE_BYTES * width if spec.layout is None else spec.layout == "sparse"
    if width > WIDEST_DENSE_ROW and (reads_arrays or not is_sparse):
        widest = max(zip(widths, features, strict=True))
        raise InvalidSpec(
            f"an encoded row would have {width:,} numbers, {widest[0]:,} of them of {widest[1]!r}, and {algorithm.name} takes "
            f"{WIDEST_DENSE_ROW:,} at most in a dense row, which is what a request holds. Lower `encoder.text.max_words` or "
            f"`hash_bits`, or leave the column out."
        )
    if reads_arrays:
        return "dense", "dense: scripts read arrays"
    cells_of = "1 cell" if width == 1 else f"{width:,} cells"
    about = f"of at most {cells_of} of a row about {max(1, round(cells)):,} {'is' if round(cells) <= 1 else 'are'} filled"
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

"""Fitting the encoder of a table to the train rows, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.factors import Factors, factors
from sageline.arrays.matrix import FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.strings import BoolArray, StringArray
from sageline.encoder.columns.category import CategoryPart
from sageline.encoder.columns.columns import ColumnsEncoder, Part
from sageline.encoder.columns.date import DatePart, chosen, dates_of
from sageline.encoder.columns.number import NumberPart, NumberScaling, read_numbers
from sageline.encoder.columns.target import TargetPart
from sageline.encoder.columns.text import TextPart
from sageline.encoder.columns.value_counts import Targets, ValueCounts
from sageline.encoder.labels import class_order
from sageline.encoder.statistics import NumberStatistics
from sageline.encoder.text.counts import HashedCounts, WordCounts
from sageline.encoder.text.read_text import ReadWords
from sageline.encoder.text.words import TextEncoder
from sageline.errors import InvalidDataset
from sageline.spec.encoder import CategorySpec, ColumnsSpec, DateSpec, NumberSpec, TextSpec


class Mergeable(Protocol):
    """What is counted block by block, and can be counted of some rows and of the rows after them apart."""

    def merge(self, after: Self) -> None:
        """Count what another one of the same kind has counted of the rows that come next; it is not to be used after that."""


class ColumnsFit:
    """Fits a table: each column by its kind.

    Args:
        columns: name to kind.
        spellings: of the columns whose numbers are not plain.
        formats: of the columns of dates.
        keep_words: :meth:`update` returns the words that it has read.
    """

    def __init__(
        self,
        spec: ColumnsSpec,
        columns: Mapping[str, str],
        spellings: Mapping[str, Spelling],
        formats: Mapping[str, DateFormat],
        *,
        is_class: bool,
        keep_words: bool = False,
    ) -> None:
        self._keep_words = keep_words
        self._layout = spec.layout or "dense"
        self._targets = Targets(is_class=is_class)
        self._all_rows = ValueCounts()
        self._fits: dict[str, _NumberFit | _DateFit | _CategoryFit | _TextFit] = {}
        joined: list[str] = []
        for name, kind in columns.items():
            match kind:
                case "number":
                    self._fits[name] = _NumberFit(name, spec.number_of(name), spellings.get(name, PLAIN))
                case "date":
                    self._fits[name] = _DateFit(name, spec.date_of(name), spec.number, formats[name])
                case "category":
                    self._fits[name] = _CategoryFit(name, spec.category_of(name))
                case _ if spec.join_texts and name not in spec.columns:
                    joined.append(name)
                    self._fits.setdefault(joined[0], _TextFit(joined, spec.text))
                case _:
                    self._fits[name] = _TextFit([name], spec.text_of(name))

    def update(self, block: Block, rows: BoolArray, labels: StringArray | FloatArray) -> dict[str, ReadWords]:
        """Count the train rows of a block.

        Args:
            block: with folds.
            rows: which of its rows train.
            labels: as they are spelled, or a regression's.

        Returns:
            The words of the train rows' texts, by column, as far as they are kept.

        Raises:
            InvalidDataset: a number or a date that is none; names row and column.
        """
        train = np.flatnonzero(rows)
        folds = np.zeros(len(train), dtype=np.int64) if block.folds is None else block.folds[train]
        self._targets.read(labels.take(train) if isinstance(labels, StringArray) else labels[train])
        one_value = Factors(StringArray.from_list([""]), np.zeros(len(train), dtype=np.int64))
        self._all_rows.add(one_value, folds, self._targets)
        read: dict[str, ReadWords] = {}
        for fit in self._fits.values():
            if isinstance(fit, _CategoryFit):
                fit.counts.add(factors(block.columns[fit.column]).take(train), folds, self._targets)
            elif isinstance(fit, _TextFit):
                read |= fit.update(block, rows, keep=self._keep_words)
            else:
                fit.update(block, rows)
        self._targets.let_go()
        return read

    def merge(self, after: ColumnsFit) -> None:
        """Count the train rows that come after these, as a fit of the same columns has counted them."""
        of_targets = self._targets.merge(after._targets)
        self._all_rows.merge(after._all_rows, self._targets, of_targets)
        theirs, others = after._categories(), after._others()
        for name, category in self._categories().items():
            category.counts.merge(theirs[name].counts, self._targets, of_targets)
        for name, other in self._others().items():
            other.merge(others[name])

    def _categories(self) -> dict[str, _CategoryFit]:
        return {name: fit for name, fit in self._fits.items() if isinstance(fit, _CategoryFit)}

    def _others(self) -> dict[str, Mergeable]:
        return {name: fit for name, fit in self._fits.items() if not isinstance(fit, _CategoryFit)}

    def finish(self, source: str, classes: Sequence[str] | None) -> ColumnsEncoder:
        """The encoder.

        Args:
            classes: in class order; None for a regression.

        Raises:
            InvalidDataset: no column has anything to encode, or there is no number to fill in for a missing one.
        """
        parts: list[Part] = []
        for fit in self._fits.values():
            part = self._category(fit, classes) if isinstance(fit, _CategoryFit) else fit.finish(source)
            if part is not None:
                parts.append(part)
        encoder = ColumnsEncoder(tuple(parts), self._layout)
        if encoder.feature_dim == 0:
            named = ", ".join(repr(name) for name in self._fits)
            raise InvalidDataset(
                f"{source}: no train row has a value in column {named}; choose other columns in dataset.features."
            )
        return encoder

    def _category(self, fit: _CategoryFit, classes: Sequence[str] | None) -> CategoryPart | TargetPart:
        spec, counts = fit.spec, fit.counts
        values = list(counts.values())
        if len(values) <= spec.max_categories or spec.encoding == "ordinal":
            values = values[: spec.max_categories]
            ordered = class_order(values) if spec.encoding == "ordinal" else values
            return CategoryPart(fit.column, ordered, spec.encoding, truth=counts.is_truth)
        often = ["", *(value for value, rows in counts.values().items() if rows > 1)]
        everywhere = self._all_rows.of_values([""], self._targets, classes)
        of_values = counts.of_values(often, self._targets, classes)
        return TargetPart.of_counts(fit.column, often, of_values, everywhere, spec.smoothing)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Column to its kind and statistics; of texts that are read as one, the first has them."""
        return {name: fit.profile() for name, fit in self._fits.items()}


class _NumberFit:
    def __init__(self, column: str, spec: NumberSpec, spelling: Spelling) -> None:
        self._column = column
        self._spec = spec
        self._spelling = spelling
        self._statistics = NumberStatistics(with_median=spec.missing == "median")

    def update(self, block: Block, rows: BoolArray) -> None:
        self._statistics.update(read_numbers(block, self._column, self._spelling)[rows])

    def merge(self, after: _NumberFit) -> None:
        self._statistics.merge(after._statistics)

    def finish(self, source: str) -> NumberPart:
        statistics = self._statistics
        scaling = _scaling(self._column, statistics, self._spec, source)
        indicator = _has_indicator(self._spec, statistics)
        binary = statistics.binary and statistics.present > 0
        return NumberPart(self._column, scaling, indicator, self._spelling, binary)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"kind": "number", **self._statistics.profile()}


class _DateFit:
    def __init__(self, column: str, spec: DateSpec, numbers: NumberSpec, date_format: DateFormat) -> None:
        self._column = column
        self._format = date_format
        self._numbers = numbers
        self._statistics = {part: NumberStatistics(with_median=numbers.missing == "median") for part in spec.parts}

    def update(self, block: Block, rows: BoolArray) -> None:
        parts = chosen(dates_of(block, self._column, self._format)[rows], list(self._statistics))
        for statistics, values in zip(self._statistics.values(), parts, strict=True):
            statistics.update(values)

    def merge(self, after: _DateFit) -> None:
        for name, statistics in self._statistics.items():
            statistics.merge(after._statistics[name])

    def finish(self, source: str) -> DatePart | None:
        found = {name: statistics for name, statistics in self._statistics.items() if not _is_always_midnight(name, statistics)}
        if not found:
            return None
        scalings = tuple(_scaling(self._column, statistics, self._numbers, source) for statistics in found.values())
        indicator = _has_indicator(self._numbers, next(iter(found.values())))
        return DatePart(self._column, self._format, tuple(found), scalings, indicator)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"kind": "date", "parts": {name: statistics.profile() for name, statistics in self._statistics.items()}}


def _is_always_midnight(part: str, statistics: NumberStatistics) -> bool:
    return part == "hour" and statistics.present > 0 and statistics.maximum == 0


def _has_indicator(spec: NumberSpec, statistics: NumberStatistics) -> bool:
    return spec.indicator and spec.missing != "keep" and statistics.missing > 0


def _scaling(column: str, statistics: NumberStatistics, spec: NumberSpec, source: str) -> NumberScaling:
    fills = {"keep": None, "value": spec.missing_value, "mean": statistics.mean, "median": statistics.median}
    if statistics.present == 0 and spec.missing in ("mean", "median"):
        raise InvalidDataset(
            f"{source}: no train row has a value in column {column!r}, so there is no {spec.missing} to fill in; leave the "
            f"column out of dataset.features, or set `encoder.number.missing` to keep or value."
        )
    offset, divisor = 0.0, 1.0
    if spec.scale == "standard" and statistics.present:
        offset, divisor = statistics.mean, statistics.deviation
    elif spec.scale == "min-max" and statistics.present:
        offset, divisor = statistics.minimum, statistics.maximum - statistics.minimum
    return NumberScaling(fills[spec.missing], offset, divisor or 1.0)  # a column of one value has no range


class _CategoryFit:
    def __init__(self, column: str, spec: CategorySpec) -> None:
        self.column = column
        self.spec = spec
        self.counts = ValueCounts()

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"kind": "category", **self.counts.profile()}


class _TextFit:
    """Counts the words of a column, or of several whose list may still grow."""

    def __init__(self, columns: list[str], spec: TextSpec) -> None:
        self._columns = columns
        self._spec = spec
        weighs = spec.mode == "tf-idf"
        self._words = WordCounts(in_documents=weighs, ngrams=spec.ngrams) if spec.hash_bits is None else None
        self._hashes = HashedCounts(spec.hash_bits, in_documents=weighs, ngrams=spec.ngrams) if spec.hash_bits else None

    def update(self, block: Block, rows: BoolArray, *, keep: bool) -> dict[str, ReadWords]:
        columns = [block.columns[name].take(rows) for name in self._columns]
        if self._words is not None:
            return dict(zip(self._columns, self._words.update(columns, keep=keep), strict=False))
        if self._hashes is not None:
            self._hashes.update(columns)
        return {}

    def merge(self, after: _TextFit) -> None:
        if self._words is not None and after._words is not None:
            self._words.merge(after._words)
        if self._hashes is not None and after._hashes is not None:
            self._hashes.merge(after._hashes)

    def finish(self, source: str) -> TextPart | None:
        """None where no train row has a word."""
        spec = self._spec
        words = self._words.vocabulary(spec.max_words) if self._words else []
        if not words and not (self._hashes and self._hashes.total):
            return None
        idf = None
        if spec.mode == "tf-idf":
            weighing = self._words.inverse_document_frequencies(words) if self._words else None
            idf = self._hashes.inverse_document_frequencies() if self._hashes else weighing
        encoder = TextEncoder(words, spec.mode, idf, spec.ngrams, spec.sublinear, spec.hash_bits, spec.statistics)
        return TextPart(tuple(self._columns), encoder)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        if self._words is None:
            return {"kind": "text", "columns": list(self._columns), "words": self._hashes.total if self._hashes else 0}
        return {"kind": "text", **words_profile(self._columns, self._words)}


def words_profile(columns: Sequence[str], counts: WordCounts) -> dict[str, Any]:  # Any: a JSON document
    """What was counted in these columns of text."""
    profile: dict[str, Any] = {"columns": list(columns), "words": counts.total, "different_words": counts.different}
    if counts.missed:
        profile["counts_too_low_by_at_most"] = counts.missed
    return profile | {"most_frequent": counts.most_frequent(20)}

"""Fitting an encoder to the train rows, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from sageline.arrays.blocks import Block
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.strings import BoolArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder, read_pixels, shape_of
from sageline.encoder.image_file import ImageFileEncoder
from sageline.encoder.labels import class_order
from sageline.encoder.statistics import NumberStatistics
from sageline.encoder.table import CategoryCounts, Number, TableEncoder, read_numbers
from sageline.encoder.text.tokens import TokenLines
from sageline.encoder.text.words import BagOfWordsEncoder, WordCounts
from sageline.errors import InvalidDataset
from sageline.formats.exchange import Exchange, answering, exchange_for
from sageline.spec.model import BagOfWordsSpec, ImageSpec, Spec, TableSpec, TokensSpec


class TextFit:
    """Fits a bag of words, or counts the words of tokens; the text columns are read as one text."""

    def __init__(self, spec: BagOfWordsSpec | TokensSpec, columns: Iterable[str]) -> None:
        self._spec = spec
        self._columns = list(columns)
        self._counts = WordCounts(in_documents=isinstance(spec, BagOfWordsSpec) and spec.mode == "tf-idf")

    def update(self, block: Block, rows: BoolArray) -> None:
        self._counts.update([block.columns[name].take(rows) for name in self._columns])

    def finish(self, source: str) -> BagOfWordsEncoder | TokenLines:
        words = self._counts.vocabulary(self._spec.max_words if isinstance(self._spec, BagOfWordsSpec) else 1)
        if not words:
            named = ", ".join(repr(name) for name in self._columns)
            raise InvalidDataset(
                f"{source}: no train row has a word in column {named}; choose other columns in dataset.features."
            )
        if isinstance(self._spec, TokensSpec):
            return TokenLines()
        idf = self._counts.inverse_document_frequencies(words) if self._spec.mode == "tf-idf" else None
        return BagOfWordsEncoder(words, self._spec.mode, idf)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        counts = self._counts
        profile = {"columns": self._columns, "words": counts.total, "different_words": counts.different}
        if counts.missed:
            profile["counts_too_low_by_at_most"] = counts.missed
        return profile | {"most_frequent": counts.most_frequent(20)}


class TableFit:
    """Fits a table: collects the values of its categories."""

    def __init__(self, spec: TableSpec, columns: Mapping[str, str], spellings: Mapping[str, Spelling]) -> None:
        self._spec = spec
        self._spellings = spellings
        median = spec.missing == "median"
        self._numbers = {name: NumberStatistics(with_median=median) for name, kind in columns.items() if kind == "number"}
        self._categories = {name: CategoryCounts() for name, kind in columns.items() if kind == "category"}
        self._columns = columns

    def update(self, block: Block, rows: BoolArray) -> None:
        for name, statistics in self._numbers.items():
            statistics.update(read_numbers(block, name, self._spellings.get(name, PLAIN))[rows])
        for name, counts in self._categories.items():
            counts.update(block.columns[name].take(rows))

    def finish(self, source: str) -> TableEncoder:
        categories = {name: self._values(name) for name in self._columns}
        numbers = {name: self._number(name, statistics, source) for name, statistics in self._numbers.items()}
        table = TableEncoder(categories, numbers, self._spec.categories)
        if table.feature_dim == 0:
            named = ", ".join(repr(name) for name in self._columns)
            raise InvalidDataset(
                f"{source}: no train row has a value in column {named}; choose other columns in dataset.features."
            )
        return table

    def _values(self, name: str) -> list[str] | None:
        if name not in self._categories:
            return None
        values = list(self._categories[name].most_frequent(self._spec.max_categories))
        return class_order(values) if self._spec.categories == "ordinal" else values

    def _number(self, name: str, statistics: NumberStatistics, source: str) -> Number:
        fills = {"keep": None, "value": self._spec.missing_value, "mean": statistics.mean, "median": statistics.median}
        if statistics.present == 0 and self._spec.missing in ("mean", "median"):
            raise InvalidDataset(
                f"{source}: no train row has a number in column {name!r}, so there is no {self._spec.missing} to fill in; "
                f"leave the column out of dataset.features, or set `encoder.missing` to keep or value."
            )
        offset, divisor = 0.0, 1.0
        if self._spec.scale == "standard" and statistics.present:
            offset, divisor = statistics.mean, statistics.deviation
        elif self._spec.scale == "min-max" and statistics.present:
            offset, divisor = statistics.minimum, statistics.maximum - statistics.minimum
        spelling = self._spellings.get(name, PLAIN)
        binary = statistics.binary and statistics.present > 0
        # A column of one value has no range.
        return Number(fills[self._spec.missing], offset, divisor or 1.0, spelling, binary)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        numbers = {name: {"kind": "number", **statistics.profile()} for name, statistics in self._numbers.items()}
        categories = {name: {"kind": "category", **counts.profile()} for name, counts in self._categories.items()}
        return {name: (numbers | categories)[name] for name in self._columns}


class ImageFit:
    """Fits nothing, as shape and scale are in the spec; looks at the pixels of the train rows."""

    def __init__(self, spec: ImageSpec, columns: Iterable[str]) -> None:
        self._columns = list(columns)
        self._shape = shape_of(self._columns, tuple(spec.shape) if spec.shape else None)
        self._scale = 1 / 255 if spec.scale is None else spec.scale
        self._pixels = NumberStatistics()

    def update(self, block: Block, rows: BoolArray) -> None:
        for name in self._columns:
            self._pixels.update(read_pixels(block, name)[rows])

    def finish(self, source: str) -> ImageEncoder:
        return ImageEncoder(self._columns, self._shape, self._scale)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        statistics = self._pixels.profile()
        return {
            "shape": list(self._shape),
            "scale": self._scale,
            "pixels": {key: statistics[key] for key in ("minimum", "maximum", "mean")},
        }


class ImageFileFit:
    """Fits nothing, as shape and scale are in the spec; looks at the numbers that the images of the train rows become."""

    def __init__(self, spec: ImageSpec, column: str) -> None:
        self._encoder = ImageFileEncoder(column, tuple(spec.shape or ()), 1 / 255 if spec.scale is None else spec.scale)
        self._numbers = NumberStatistics()

    def update(self, block: Block, rows: BoolArray) -> None:
        self._numbers.update(self._encoder.encode(block.take(rows)).reshape(-1))

    def finish(self, source: str) -> ImageFileEncoder:
        return self._encoder

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        statistics = self._numbers.profile()
        return {
            "shape": list(self._encoder.shape),
            "scale": self._encoder.scale,
            "scaled_pixels": {key: statistics[key] for key in ("minimum", "maximum", "mean")},
        }


Fit: TypeAlias = "TextFit | TableFit | ImageFit | ImageFileFit"


def exchange_of(spec: Spec) -> Exchange:
    """The formats of the model that a resolved spec trains, before there is a fitted encoder to ask.

    Raises:
        InvalidSpec: encoder and algorithm do not go together.
    """
    answers, channel_format = _answers(spec)
    encoder = spec.encoder or TableSpec()
    return exchange_for(answers, encoder.kind, (spec.dataset.features or {}).values(), channel_format)


def _answers(spec: Spec) -> tuple[str, str | None]:
    script = spec.algorithm.script
    if script is None:
        return answering(spec.algorithm.name), None
    return answering(spec.algorithm.name, script.framework), script.channel_format


def start_fit(spec: Spec, spellings: Mapping[str, Spelling]) -> Fit:
    """The fit that a resolved spec asks for: feed it every block, saying which are the train rows, with ``update``,
    then call ``finish``.

    Args:
        spellings: of the columns whose numbers are not plain.
    """
    columns = dict(spec.dataset.features or {})
    if isinstance(spec.encoder, BagOfWordsSpec | TokensSpec):
        return TextFit(spec.encoder, columns)
    if isinstance(spec.encoder, ImageSpec) and list(columns.values()) == ["image"]:
        return ImageFileFit(spec.encoder, next(iter(columns)))
    if isinstance(spec.encoder, ImageSpec):
        return ImageFit(spec.encoder, columns)
    return TableFit(spec.encoder or TableSpec(), columns, spellings)


def finish_fit(fit: Fit, spec: Spec, labels: Iterable[str], source: str) -> FittedEncoder:
    """The encoder; ``labels`` are those of the train rows."""
    answers, channel_format = _answers(spec)
    return FittedEncoder(
        task=spec.task or "classification",
        feature_columns=dict(spec.dataset.features or {}),
        label_column=spec.dataset.label or "",
        classes=class_order(labels) if spec.task == "classification" else None,
        features=fit.finish(source),
        answers=answers,
        channel_format=channel_format,
        unused_columns=tuple(spec.left_out),
    )

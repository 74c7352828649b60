"""Fitting an encoder to the train rows, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.matrix import FloatArray
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.strings import BoolArray, StringArray
from sageline.encoder.columns.fitting import ColumnsFit, Mergeable, words_profile
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder, read_pixels, shape_of
from sageline.encoder.image_file import ImageFileEncoder
from sageline.encoder.labels import class_order
from sageline.encoder.statistics import NumberStatistics
from sageline.encoder.text.counts import WordCounts
from sageline.encoder.text.read_text import ReadWords
from sageline.encoder.text.tokens import TokenLines
from sageline.errors import InvalidDataset
from sageline.formats.exchange import answering
from sageline.spec.encoder import ColumnsSpec, ImageSpec, TokensSpec
from sageline.spec.model import Spec


class TokensFit:
    """Counts the words of the texts, which are read as one; tokens have no other state."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._columns = list(columns)
        self._counts = WordCounts(in_documents=False)

    def update(self, block: Block, rows: BoolArray, labels: StringArray | FloatArray) -> dict[str, ReadWords]:
        self._counts.update([block.columns[name].take(rows) for name in self._columns])
        return {}

    def merge(self, after: TokensFit) -> None:
        """Count the words of the rows that come after these."""
        self._counts.merge(after._counts)

    def finish(self, source: str, classes: Sequence[str] | None) -> TokenLines:
        if not self._counts.total:
            named = ", ".join(repr(name) for name in self._columns)
            raise InvalidDataset(
                f"{source}: no train row has a word in column {named}; choose other columns in dataset.features."
            )
        return TokenLines()

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return words_profile(self._columns, self._counts)


class ImageFit:
    """Fits nothing, as shape and scale are in the spec; looks at the pixels of the train rows."""

    def __init__(self, spec: ImageSpec, columns: Iterable[str]) -> None:
        self._columns = list(columns)
        self._shape = shape_of(self._columns, tuple(spec.shape) if spec.shape else None)
        self._scale = 1 / 255 if spec.scale is None else spec.scale
        self._pixels = NumberStatistics()

    def update(self, block: Block, rows: BoolArray, labels: StringArray | FloatArray) -> dict[str, ReadWords]:
        for name in self._columns:
            self._pixels.update(read_pixels(block, name)[rows])
        return {}

    def merge(self, after: ImageFit) -> None:
        """Add the pixels of the rows that come after these."""
        self._pixels.merge(after._pixels)

    def finish(self, source: str, classes: Sequence[str] | None) -> ImageEncoder:
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

    def update(self, block: Block, rows: BoolArray, labels: StringArray | FloatArray) -> dict[str, ReadWords]:
        self._numbers.update(self._encoder.encode(block.take(rows)).reshape(-1))
        return {}

    def merge(self, after: ImageFileFit) -> None:
        """Add the numbers of the rows that come after these."""
        self._numbers.merge(after._numbers)

    def finish(self, source: str, classes: Sequence[str] | None) -> ImageFileEncoder:
        return self._encoder

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        statistics = self._numbers.profile()
        return {
            "shape": list(self._encoder.shape),
            "scale": self._encoder.scale,
            "scaled_pixels": {key: statistics[key] for key in ("minimum", "maximum", "mean")},
        }


Fit: TypeAlias = "TokensFit | ColumnsFit | ImageFit | ImageFileFit"


def _answers(spec: Spec) -> tuple[str, str | None]:
    script = spec.algorithm.script
    if script is None:
        return answering(spec.algorithm.name), None
    return answering(spec.algorithm.name, script.framework), script.channel_format


def start_fit(
    spec: Spec, spellings: Mapping[str, Spelling], formats: Mapping[str, DateFormat], *, keep_words: bool = False
) -> Fit:
    """The fit that a resolved spec asks for: feed it every block, saying which are the train rows and what their labels are, with
    ``update``, then call ``finish``.

    Args:
        spellings: of the columns whose numbers are not plain.
        formats: of the columns of dates.
        keep_words: ``update`` returns the words of the train rows' texts, by column, as far as they are worth keeping.
    """
    columns = dict(spec.dataset.features or {})
    if isinstance(spec.encoder, TokensSpec):
        return TokensFit(columns)
    if isinstance(spec.encoder, ImageSpec) and list(columns.values()) == ["image"]:
        return ImageFileFit(spec.encoder, next(iter(columns)))
    if isinstance(spec.encoder, ImageSpec):
        return ImageFit(spec.encoder, columns)
    is_class = spec.task == "classification"
    return ColumnsFit(spec.encoder or ColumnsSpec(), columns, spellings, formats, is_class=is_class, keep_words=keep_words)


def merge_fits(fit: Fit, after: Fit) -> None:
    """Let a fit count what another one, started alike, has counted of the rows that come after its own; that one is used up."""
    mine: Mergeable = fit
    mine.merge(after)


def finish_fit(fit: Fit, spec: Spec, labels: Iterable[str], source: str) -> FittedEncoder:
    """The encoder; ``labels`` are those of the train rows."""
    answers, channel_format = _answers(spec)
    classes = class_order(labels) if spec.task == "classification" else None
    return FittedEncoder(
        task=spec.task or "classification",
        feature_columns=dict(spec.dataset.features or {}),
        label_column=spec.dataset.label or "",
        classes=classes,
        features=fit.finish(source, classes),
        answers=answers,
        channel_format=channel_format,
        unused_columns=tuple(spec.left_out),
        target_transform=spec.target.transform or "none",
        weighted=spec.weighs_rows,
    )

"""Preparing a dataset: split, fit, encode, write; reads the data twice and holds one block at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import FloatArray
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.numbers import parse_doubles
from sageline.arrays.strings import StringArray
from sageline.batch.encode import EncodedRows, encoded_rows
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.split import CHANNELS, HashArray, channels_of, hash_columns, row_positions
from sageline.dataset.statistics import DatasetStatistics
from sageline.dataset.tally import Tally
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.errors import InvalidDataset
from sageline.formats.npy import ArrayPair
from sageline.resolve.resolution import Resolution


class PartSink(Protocol):
    """Takes the prepared data, piece by piece."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """Store the next rows of a channel: ``train``, ``validation`` or ``test-raw``. Never empty; may be small."""


@dataclass(frozen=True)
class Prepared:
    """The result of preparing a dataset.

    Attributes:
        rows: rows written per share of the split: ``train``, ``validation``, ``test``.
        num_class: number of classes; None for a regression.
        feature_dim: columns of an encoded row.
        profile: counts and statistics of the dataset, as a JSON document.
    """

    encoder: FittedEncoder
    rows: dict[str, int]
    num_class: int | None
    feature_dim: int
    profile: dict[str, Any]  # Any: a JSON document


def read_and_fit(
    read_blocks: Callable[[], Iterator[Block]],
    resolution: Resolution,
    resolve: Callable[[DatasetProfile], Resolution] | None = None,
) -> FirstRead:
    """Read every row: count, split, fit the encoder on the train rows.

    Args:
        read_blocks: starts reading the dataset from its first row; called once, and once more where ``resolve`` finds that the
            resolution does not hold for all rows, or where a small dataset is split by rank.
        resolution: of the spec, maybe from a sample of the rows.
        resolve: resolves the spec for good, when every row has been seen.

    Raises:
        InvalidDataset: missing or unusable values (row and column named), one class only, a split without rows.
    """
    first = FirstRead(resolution)
    profile = DatasetProfile()
    first.read(read_blocks(), profile)
    if resolve is not None:
        resolution = resolve(profile)
    first = _again(first, resolution, read_blocks)
    if first.problem is not None:
        raise first.problem
    first.tally.check(first.source)
    return _again(first, resolution, read_blocks, first.tally.bounds)


def prepare(
    read_blocks: Callable[[], Iterator[Block]], first: FirstRead, sink: PartSink, ask: Callable[[EncodedRows], None]
) -> Prepared:
    """Encode every row that has a label and write the parts.

    Parts of ``train`` and ``validation`` hold encoded rows with their labels. Test rows are encoded as the model will be asked
    about them, and stay raw too, because more than one model may be judged by them: parts of ``test-raw`` are JSON Lines,
    ``{"features": {column: value}, "label": value}``. Columns that are left out of the features are there too,
    ``"others": {column: text}``: another model may read them.

    Args:
        read_blocks: starts reading the dataset from its first row; called once.
        first: what :func:`read_and_fit` has returned.
        ask: takes the encoded test rows, in the order of the raw ones.

    Raises:
        InvalidDataset: the data are not those that were read first.
    """
    encoder = first.encoder
    rows = _write(read_blocks(), first, sink, ask)
    expected = {channel: first.tally.written(channel) for channel in CHANNELS}
    if rows != expected:
        raise InvalidDataset(f"{first.source}: changed while it was read: {expected} rows at first, then {rows}. Run it again.")
    return Prepared(
        encoder=encoder,
        rows=rows,
        num_class=None if encoder.classes is None else len(encoder.classes),
        feature_dim=encoder.feature_dim,
        profile={
            **first.tally.profile(),
            "columns": first.statistics.profile(),
            "features": first.fit.profile(),
            "feature_dim": encoder.feature_dim,
        },
    )


class FirstRead:
    """Counts rows and labels, and fits the encoder on the train rows.

    Attributes:
        resolution: of the spec, by which the rows are read.
        bounds: of the split that the fit went by.
        problem: what kept it from reading on, if anything did. The profile is complete all the same: it may tell that the
            resolution was wrong.
    """

    def __init__(self, resolution: Resolution, bounds: tuple[float, float] | None = None) -> None:
        spec = resolution.spec
        name, task = spec.dataset.label or "", spec.task or "classification"
        self.resolution = resolution
        self.label = LabelColumn(
            name, task, resolution.spelling(name), is_number=resolution.label_is_number, no_label=resolution.no_label
        )
        self.tally = Tally(self.label, spec.split, bounds)
        self.statistics = DatasetStatistics(spec.dataset.features or {}, name, resolution.spellings)
        self.fit = start_fit(spec, resolution.spellings)
        self.bounds = self.tally.bounds
        self.source = "dataset"
        self.problem: InvalidDataset | None = None

    @cached_property
    def encoder(self) -> FittedEncoder:
        """The fitted encoder, once all rows are read."""
        return finish_fit(self.fit, self.resolution.spec, self.tally.classes["train"], self.source)

    def read(self, blocks: Iterator[Block], profile: DatasetProfile | None = None) -> None:
        """Read the dataset once, also into a profile."""
        for block in blocks:
            self.source = block.source
            hashes = hash_columns(block)
            if profile is not None:
                profile.add(block, hashes)
            if self.problem is None:
                try:
                    self._add(block, hashes)
                except InvalidDataset as error:
                    self.problem = _advised(error)
                    if profile is None:
                        raise self.problem from None

    def _add(self, block: Block, hashes: Mapping[str, HashArray]) -> None:
        features = self.resolution.spec.dataset.features or {}
        absent = next((name for name in features if name not in block.columns), None)
        if absent is not None:
            raise InvalidDataset(f"{block.source}: no column {absent!r}; the columns are {', '.join(block.columns)}.")
        positions = row_positions(block, hashes, self.resolution.spec.split.seed)
        there = self.label.is_there(block)
        unlabelled = block.rows - int(np.count_nonzero(there))
        if unlabelled:
            block, positions = block.take(there), positions[there]
            hashes = {name: of_column[there] for name, of_column in hashes.items()}
        self.tally.add(block, positions, unlabelled)
        self.statistics.add(block, hashes)
        self.fit.update(block, channels_of(positions, self.bounds) == CHANNELS.index("train"))


def _advised(error: InvalidDataset) -> InvalidDataset:
    """The error, with what the spec can say of a column that was taken for one of numbers."""
    if "column" not in error.details:
        return error
    dataset = {"kinds": {error.details["column"]: "category"}}
    say = json.dumps({"dataset": dataset}, ensure_ascii=False)
    return InvalidDataset(f"{error.message} If the column holds no numbers, say so in the spec: {say}.", **error.details)


def _again(
    first: FirstRead,
    resolution: Resolution,
    read_blocks: Callable[[], Iterator[Block]],
    bounds: tuple[float, float] | None = None,
) -> FirstRead:
    """The first read, or another one where it went by another resolution or other bounds of the split."""
    bounds = bounds or first.bounds
    if first.resolution.reads_like(resolution) and first.bounds == bounds:
        return first
    again = FirstRead(resolution, bounds)
    again.read(read_blocks())
    return again


def _write(blocks: Iterator[Block], first: FirstRead, sink: PartSink, ask: Callable[[EncodedRows], None]) -> dict[str, int]:
    """Encode and write every row whose label the encoder knows; rows written per channel."""
    encoder = first.encoder
    rows = dict.fromkeys(CHANNELS, 0)
    for block in blocks:
        there = first.label.is_there(block)
        positions = row_positions(block, hash_columns(block), first.resolution.spec.split.seed)
        channels = channels_of(positions, first.tally.bounds)
        for number, channel in enumerate(CHANNELS):
            for chunk in encoder.chunks(block.take((channels == number) & there)):
                labels = _labels(chunk, first.label, encoder)
                known = ~np.isnan(labels)
                if not known.any():
                    continue
                usable, labels = (chunk, labels) if known.all() else (chunk.take(known), labels[known])
                if channel == "test":
                    for piece in encoded_rows([usable], encoder):
                        ask(piece)
                    sink.write("test-raw", _raw_rows(usable, labels, first, encoder))
                else:
                    sink.write(channel, encoder.write(encoder.encode(usable), labels))
                rows[channel] += usable.rows
    return rows


def _labels(block: Block, label: LabelColumn, encoder: FittedEncoder) -> FloatArray:
    """Class numbers, NaN for a class that train has not; or a regression's values."""
    return encoder.encode_labels(block.columns[label.name]) if label.is_class else label.numbers(block)


def _raw_rows(block: Block, labels: FloatArray, first: FirstRead, encoder: FittedEncoder) -> bytes:
    """Rows as JSON Lines, such that their features are instances for a prediction."""
    names = list(encoder.feature_columns)
    columns = [
        _raw_values(block.columns[name], kind, first.resolution.spelling(name)) for name, kind in encoder.feature_columns.items()
    ]
    answers: list[str] | list[float] = first.label.exact_numbers(block).tolist() if encoder.classes is None else []
    if encoder.classes is not None:
        answers = [encoder.classes[number] for number in labels.astype(np.int64).tolist()]
    rows: list[dict[str, object]] = [{"features": dict(zip(names, values, strict=True))} for values in zip(*columns, strict=True)]
    left_out = [name for name in block.columns if name not in encoder.feature_columns and name != encoder.label_column]
    if left_out:
        others = zip(*(block.columns[name].tolist() for name in left_out), strict=True)
        rows = [row | {"others": dict(zip(left_out, values, strict=True))} for row, values in zip(rows, others, strict=True)]
    lines = [json.dumps(row | {"label": answer}, ensure_ascii=False) for row, answer in zip(rows, answers, strict=True)]
    return "".join(f"{line}\n" for line in lines).encode()


def _raw_values(column: StringArray, kind: str, spelling: Spelling) -> list[str | None] | list[float | None]:
    if kind in ("number", "pixel"):
        return [None if math.isnan(number) else number for number in parse_doubles(column, spelling).tolist()]
    return [None if kind == "category" and not text.strip() else text for text in column.tolist()]

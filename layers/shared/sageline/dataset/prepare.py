"""Preparing a dataset: split, fit, encode, write; reads the data twice and holds one block at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sageline.dataset.blocks import Block
from sageline.dataset.split import CHANNELS, assign
from sageline.dataset.statistics import DatasetStatistics
from sageline.dataset.tally import Tally
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import Fit, finish_fit, start_fit
from sageline.encoder.numbers import is_missing
from sageline.errors import InvalidDataset
from sageline.formats.npy import ArrayPair
from sageline.spec.model import Spec


class PartSink(Protocol):
    """Takes the prepared data, piece by piece."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """Store the next rows of a channel: ``train``, ``validation`` or ``test-raw``. Never empty; may be small."""


@dataclass(frozen=True)
class Prepared:
    """What came out of a dataset.

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


def prepare(read_blocks: Callable[[], Iterator[Block]], spec: Spec, sink: PartSink) -> Prepared:
    """Fit the encoder on the train rows, then encode every row and write the parts.

    Parts of ``train`` and ``validation`` hold encoded rows with their labels. Test rows stay raw, for more than one model may be
    judged by them: parts of ``test-raw`` are JSON Lines, ``{"features": {column: value}, "label": value}``. Where columns are
    left out of the features they are there too, ``"others": {column: text}``: another model may read them.

    Args:
        read_blocks: starts reading the dataset from its first row; called twice.
        spec: a resolved spec (:func:`sageline.spec.resolve.resolve_spec`).

    Raises:
        InvalidDataset: missing or unusable values (row and column named), one class only, a split without rows.
    """
    fit, tally, statistics, source = _read_once(read_blocks(), spec)
    tally.check(source, spec.split)
    encoder = finish_fit(fit, spec, tally.classes["train"], source)
    rows = _write(read_blocks(), spec, encoder, sink)
    expected = {channel: tally.written(channel) for channel in CHANNELS}
    if rows != expected:
        raise InvalidDataset(f"{source}: changed while it was read: {expected} rows at first, then {rows}. Run it again.")
    return Prepared(
        encoder=encoder,
        rows=rows,
        num_class=None if encoder.classes is None else len(encoder.classes),
        feature_dim=encoder.feature_dim,
        profile={
            **tally.profile(),
            "columns": statistics.profile(),
            "features": fit.profile(),
            "feature_dim": encoder.feature_dim,
        },
    )


def _read_once(blocks: Iterator[Block], spec: Spec) -> tuple[Fit, Tally, DatasetStatistics, str]:
    """Count rows and labels, and fit the encoder on the train rows."""
    fit = start_fit(spec)
    tally = Tally(spec.dataset.label or "", classification=spec.task == "classification")
    statistics = DatasetStatistics(spec.dataset.features or {}, spec.dataset.label or "")
    source = "dataset"
    for block in blocks:
        source = block.source
        absent = next((name for name in spec.dataset.features or {} if name not in block.columns), None)
        if absent is not None:
            raise InvalidDataset(f"{source}: no column {absent!r}; the columns are {', '.join(block.columns)}.")
        channels = assign(block, spec.split)
        tally.add(block, channels)
        statistics.add(block)
        fit.update(block.take(channels == CHANNELS.index("train")))
    return fit, tally, statistics, source


def _write(blocks: Iterator[Block], spec: Spec, encoder: FittedEncoder, sink: PartSink) -> dict[str, int]:
    """Encode and write every row whose label the encoder knows; rows written per channel."""
    rows = dict.fromkeys(CHANNELS, 0)
    for block in blocks:
        channels = assign(block, spec.split)
        for place, channel in enumerate(CHANNELS):
            for chunk in encoder.chunks(block.take(channels == place)):
                labels = encoder.encode_labels(chunk.columns[encoder.label_column])
                known = ~np.isnan(labels)
                if not known.any():
                    continue
                usable = chunk if known.all() else chunk.take(known)
                encoded = encoder.encode(usable)  # of test rows too: here a bad value is named with its row in the dataset
                if channel == "test":
                    sink.write("test-raw", _raw_rows(usable, encoder))
                else:
                    sink.write(channel, encoder.write(encoded, labels[known]))
                rows[channel] += usable.rows
    return rows


def _raw_rows(block: Block, encoder: FittedEncoder) -> bytes:
    """Rows as JSON Lines, such that their features are instances for a prediction."""
    names = list(encoder.feature_columns)
    columns = [
        [_raw_value(text, kind) for text in block.columns[name].tolist()] for name, kind in encoder.feature_columns.items()
    ]
    texts = block.columns[encoder.label_column].tolist()
    answers: list[str] | list[float] = texts if encoder.classes is not None else [float(text) for text in texts]
    rows: list[dict[str, object]] = [{"features": dict(zip(names, values, strict=True))} for values in zip(*columns, strict=True)]
    left_out = [name for name in block.columns if name not in encoder.feature_columns and name != encoder.label_column]
    if left_out:
        others = zip(*(block.columns[name].tolist() for name in left_out), strict=True)
        rows = [row | {"others": dict(zip(left_out, values, strict=True))} for row, values in zip(rows, others, strict=True)]
    lines = [json.dumps(row | {"label": answer}, ensure_ascii=False) for row, answer in zip(rows, answers, strict=True)]
    return "".join(f"{line}\n" for line in lines).encode()


def _raw_value(text: str, kind: str) -> str | float | None:
    if kind in ("number", "pixel"):
        return None if is_missing(text) else float(text)
    return None if kind == "category" and not text else text

"""Splitting and encoding rows with what was fitted to the dataset, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import FloatArray
from sageline.batch.encode import EncodedRows, encoded_rows
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.split import CHANNELS, as_positions
from sageline.dataset.splits.plan import SplitPlan
from sageline.dataset.splits.standing import RowKeys, Standing, StandingReader
from sageline.encoder.fitted import FittedEncoder
from sageline.formats.npy import ArrayPair
from sageline.preparation.encoding.asked_rows import asked_rows, is_asked
from sageline.preparation.encoding.raw_rows import RawRows
from sageline.preparation.encoding.train_words import TrainWords
from sageline.preparation.weight_column import WeightColumn
from sageline.resolve.resolution import Resolution


class Piece(NamedTuple):
    """Encoded rows of a channel; of ``test``, the part is of the raw ones. ``labels`` are those of the validation rows that the
    model is asked about."""

    channel: str
    rows: int
    part: bytes | ArrayPair
    asked: list[EncodedRows]
    labels: bytes = b""


@dataclass(frozen=True, eq=False)
class RowEncoding:
    """What rows are split and encoded with; what comes of a block does not depend on the others.

    Attributes:
        plan: of the split.
        weight: the column that says how much a row counts; None where all count alike.
        class_weights: ``float32[classes]``, with which the weights of train rows are multiplied, if they are.
        asked_share: the share of the validation rows that the model is asked about.
    """

    encoder: FittedEncoder
    plan: SplitPlan
    label: LabelColumn
    weight: WeightColumn | None
    class_weights: FloatArray | None
    resolution: Resolution
    asked_share: float

    def pieces(self, block: Block, keys: RowKeys, words: TrainWords | None = None) -> Iterator[Piece]:
        """The rows of a block whose label the encoder knows, channel by channel.

        Args:
            keys: of all rows of the block.
            words: of its train rows' texts, if they were kept.

        Raises:
            InvalidDataset: a value that cannot be encoded; names row and column.
        """
        block, standing = labelled(block, keys, self.label, self._reader)
        channels = self.plan.assign(standing).channels
        among_asked = is_asked(as_positions(standing.contents), self.asked_share)
        for number, channel in enumerate(CHANNELS):
            its_rows = replace(block, folds=standing.folds if channel == "train" else None)
            of_channel = channels == number
            among = among_asked[of_channel]
            its_rows = its_rows.take(of_channel)
            if channel == "train" and words is not None:
                its_rows = words.joined_to(its_rows)
            for chunk in self.encoder.chunks(its_rows):
                is_in, among = among[: chunk.rows], among[chunk.rows :]
                labels = self._labels(chunk)
                known = ~np.isnan(labels)
                if not known.any():
                    continue
                usable = chunk if known.all() else chunk.take(known)
                yield self._piece(channel, usable, labels[known], is_in[known])

    def _piece(self, channel: str, rows: Block, labels: FloatArray, is_in: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Piece:
        encoder = self.encoder
        if channel == "test":
            return Piece(channel, rows.rows, self._raw.whole(rows, labels), list(encoded_rows([rows], encoder)))
        encoded = encoder.encode(rows)
        part = encoder.write(encoded, labels, self._weights(rows, labels, channel), to_train=channel == "train")
        if channel == "validation" and is_in.any():
            asked = asked_rows(rows, is_in, encoded, encoder)
            return Piece(channel, rows.rows, part, asked, self._raw.answers(rows.take(is_in), labels[is_in]))
        return Piece(channel, rows.rows, part, [])

    @cached_property
    def _reader(self) -> StandingReader:
        return standing_reader(self.resolution)

    @cached_property
    def _raw(self) -> RawRows:
        """How rows are written by which models are judged."""
        return RawRows(self.encoder, self.label, self.weight, self.resolution)

    def _labels(self, block: Block) -> FloatArray:
        """Class numbers, NaN for a class that train has not; or a regression's values."""
        label = self.label
        return self.encoder.encode_labels(block.columns[label.name]) if label.is_class else label.numbers(block)

    def _weights(self, block: Block, labels: FloatArray, channel: str) -> FloatArray | None:
        """``float32[rows]``: how much each row counts; None where the channels do not say it."""
        if not self.encoder.weighted:
            return None
        weights = np.ones(block.rows, dtype=np.float32) if self.weight is None else self.weight.read(block).astype(np.float32)
        if channel == "train" and self.class_weights is not None:
            weights = weights * self.class_weights[labels.astype(np.int64)]
        return weights


def labelled(block: Block, keys: RowKeys, label: LabelColumn, reader: StandingReader) -> tuple[Block, Standing]:
    """The labelled rows of a block, and where they stand in the split.

    Args:
        keys: of all rows of the block.
    """
    there = label.is_there(block)
    if not there.all():
        block, keys = block.take(there), keys.take(there)
    return block, reader.read(block, keys)


def standing_reader(resolution: Resolution) -> StandingReader:
    """Reads where rows stand in the split of a resolved spec."""
    split = resolution.spec.split
    column = split.column or ""
    return StandingReader(split, resolution.date_formats.get(column), resolution.spelling(column))

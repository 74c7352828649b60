"""Which validation rows a model is asked about, beside the test rows, so that its decision can be chosen on them."""

from __future__ import annotations

import math

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.strings import BoolArray
from sageline.batch.encode import EncodedRows, encoded_rows, most_rows
from sageline.dataset.split import PositionArray
from sageline.encoder.columns.target import FOLDS
from sageline.encoder.fitted import Encoded, FittedEncoder

MOST_ASKED = 100_000

_MOST_ANSWERS = 1 << 24
"""Numbers that a model may answer for them: these are held in memory."""

_DIGITS = 1 << 24


def most_asked(encoder: FittedEncoder) -> int:
    """How many validation rows a model may be asked about."""
    return min(MOST_ASKED, max(1, _MOST_ANSWERS // len(encoder.classes or [0])))


def asked_share(encoder: FittedEncoder, rows: int) -> float:
    """The share of the validation rows that the model is asked about; of very many so few that chance hardly ever makes them more
    than :func:`most_asked`."""
    most = most_asked(encoder)
    return 1.0 if rows <= most else max(most - 5 * math.sqrt(most), 1.0) / rows


def is_asked(positions: PositionArray, share: float) -> BoolArray:
    """``bool[rows]``: whether the model is asked about each row if it is a validation row. It follows from digits of the position
    of which neither the channel nor the fold says anything."""
    digits = (positions * 2.0**53).astype(np.uint64) // np.uint64(FOLDS) % np.uint64(_DIGITS)
    return digits.astype(np.float64) < share * _DIGITS


def asked_rows(chunk: Block, is_in: BoolArray, encoded: Encoded, encoder: FittedEncoder) -> list[EncodedRows]:
    """The rows of a chunk that the model is asked about, encoded only once where all of them are.

    Args:
        is_in: ``bool[rows]``: which they are.
        encoded: the whole chunk.
    """
    if is_in.all() and chunk.rows <= most_rows(encoder):
        return [EncodedRows(chunk.rows, encoder.batch_body(encoded), chunk.where(0))]
    return list(encoded_rows([chunk.take(is_in)], encoder))

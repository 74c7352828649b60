"""EncodeBatch: a batch's raw rows as what its model takes, in objects that a transform job can send."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, cast

import numpy as np

from sageline.arrays.blocks import Block
from sageline.batch.batch import (
    CHANNEL,
    Batch,
    EncodedBatch,
    batch_of,
    check_columns,
    load_encoder,
    read_rows,
    with_absent_columns,
)
from sageline.batch.part_rows import PartRows, numbered
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.value_check import NotedValues, ValueCheck
from sageline.errors import InvalidDataset, RunFinished
from sageline.names import split_format
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import AssembleWith, SplitType, TransformPlan
from sageline.runs.store import RunRecord
from sageline.storage.part_sink import S3PartSink

PART_BYTES: Final = 5 << 20
"""The size of an object: a transform job sends one that is not split as one request, which may have 6 MB."""

_TYPED = ("jsonl", "parquet", "xlsx", "libsvm")
"""Formats with numbers, which are plain ones, and not spelled as somebody likes to."""

_MAX_REQUEST_BYTES = 6 << 20
_PART_ROWS = 50_000
_PART_ANSWERS = 1 << 20
"""How many numbers the model may answer for an object: so what comes back can be held in memory too."""


@dataclass
class EncodedParts:
    """What was encoded of a batch's rows, of all or of a shard's.

    Attributes:
        rows: how many each object has.
        columns: warnings about the columns; there are none of no rows.
        values: what is odd about values.
    """

    rows: list[int]
    columns: list[str]
    values: NotedValues


def encode_batch(run_id: str, *, run: RunContext) -> EncodedBatch:
    """Encode the batch's rows into ``runs/<run_id>/data/batch/part-00000.<ext>`` and so on.

    How many rows each part has is noted in ``runs/<run_id>/data/batch.json``; what a prediction would warn of, columns that are
    taken for missing or ignored, values that training did not have, dates that cannot be read and are taken for missing, in the
    run's record as ``details.batch.warnings``.

    Raises:
        InvalidDataset: columns that must be there are absent, a value that cannot be encoded; names row and column.
        InvalidEncoder: the model's encoder is gone.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "EncodeBatch")
    record = going_on(run_id, run)
    batch = batch_of(record)
    encoder = load_encoder(run.files, batch)
    layout = run.files.layout(run_id)
    rows = read_rows(run.files, batch, encoder.feature_columns)
    with S3PartSink(run.files.s3, layout, encoder.exchange.batch_extension, joined=False) as sink:
        encoded = encode_parts(rows, batch, encoder, sink, run.files)
    return note_encoded("EncodeBatch", record, encoded, PartRows(encoded.rows), encoder, run=run)


def going_on(run_id: str, run: RunContext) -> RunRecord:
    """The run's record.

    Raises:
        RunFinished: the run was stopped meanwhile.
    """
    record = run.store.get(run_id)
    if record.status == "Stopped":
        raise RunFinished(f"Run {run_id} was stopped.")
    return record


def encode_parts(rows: Iterator[Block], batch: Batch, encoder: FittedEncoder, sink: S3PartSink, files: RunFiles) -> EncodedParts:
    """Encode rows into objects of the sink.

    Raises:
        InvalidDataset: columns that must be there are absent, a value that cannot be encoded; names row and column.
    """
    left_out = files.read_spec(batch.trained_by).left_out
    blocks, warnings = _checked(_as_spelled(rows, batch, encoder), encoder, left_out)
    parts = TransformParts(sink, CHANNEL, encoder)
    check = ValueCheck(lambda number: f"row {number:,}")
    for piece in encoded_rows(_with_readable_values(blocks, encoder, check), encoder):
        parts.add(piece)
    parts.close()
    return EncodedParts(parts.rows, warnings, check.noted)


def note_encoded(
    state: str, record: RunRecord, encoded: EncodedParts, part_rows: PartRows, encoder: FittedEncoder, *, run: RunContext
) -> EncodedBatch:
    """Note what was encoded of all rows; what the transform job is asked for."""
    batch = batch_of(record)
    layout = run.files.layout(record.run_id)
    part_rows.write(run.files, layout)
    rows = sum(encoded.rows)
    warnings = encoded.columns + encoded.values.sentences()
    noted = {"rows": record.details.get("rows", {}) | {CHANNEL: rows}, "batch": record.details["batch"] | {"warnings": warnings}}
    run.store.enter(record.run_id, state, **noted)
    plan = transform_plan(
        encoder,
        model=batch.model,
        input_uri=layout.uri(layout.channel_prefix(CHANNEL)),
        output_uri=layout.uri(layout.transform_prefix),
        instance_type=batch.instance_type,
        instance_count=batch.instance_count,
    )
    return {"rows": rows, "parts": len(encoded.rows), "transform": plan}


def part_name(number: int, encoder: FittedEncoder, stem: str = "part") -> str:
    """The name that :class:`S3PartSink` gives the part."""
    return f"{numbered(number, stem)}.{encoder.exchange.batch_extension}"


def _as_spelled(blocks: Iterator[Block], batch: Batch, encoder: FittedEncoder) -> Iterator[Block]:
    """The rows with their numbers as the training data spelled them, whichever format they are in."""
    table = encoder.features
    if not isinstance(table, ColumnsEncoder):
        return blocks
    return map(table.with_truth_as_numbers, map(table.respelled, blocks) if split_format(batch.format).base in _TYPED else blocks)


def _checked(blocks: Iterator[Block], encoder: FittedEncoder, not_used: Collection[str]) -> tuple[Iterator[Block], list[str]]:
    """The blocks with every column of the encoder, and the warnings about their columns."""
    features = encoder.feature_columns
    first = next(blocks, None)
    if first is None:  # of a shard: a file without rows is refused
        return iter(()), []
    warnings = check_columns(first, features, encoder.required_columns, {encoder.label_column, *not_used})
    return (with_absent_columns(block, features) for block in chain([first], blocks)), warnings


def _with_readable_values(blocks: Iterable[Block], encoder: FittedEncoder, check: ValueCheck) -> Iterator[Block]:
    """The blocks as a prediction would read them: a date that is none is missing, which is noted, as is an unseen category."""
    table = encoder.features
    for block in blocks:
        if not isinstance(table, ColumnsEncoder):
            yield block
            continue
        columns = dict(block.columns)
        for name, category in table.categories.items():
            check.note_unseen(name, columns[name], category.index, block.row_numbers)
        for name, date in table.dates.items():
            columns[name] = check.readable(name, columns[name], date.format, block.row_numbers)
        yield replace(block, columns=columns)


@dataclass(frozen=True)
class EncodedRows:
    """Some encoded rows; ``where`` names the first of them in errors."""

    rows: int
    body: bytes
    where: str


class TransformParts:
    """Joins encoded rows to objects of about :data:`PART_BYTES`, which a transform job reads.

    Args:
        channel: of the sink, in which each part is an object of its own.

    Attributes:
        rows: how many rows each object has.
    """

    def __init__(self, sink: S3PartSink, channel: str, encoder: FittedEncoder) -> None:
        self.rows: list[int] = []
        self._sink = sink
        self._channel = channel
        self._joins = encoder.exchange.split_type != "None"
        self._most_rows = most_rows(encoder)
        self._pending = bytearray()
        self._pending_rows = 0

    def add(self, piece: EncodedRows) -> None:
        """Add a piece of at most :func:`most_rows`.

        Raises:
            InvalidDataset: a row that is larger than a request may be.
        """
        _check_size(piece, self._joins)
        is_full = len(self._pending) + len(piece.body) > PART_BYTES or self._pending_rows + piece.rows > self._most_rows
        if is_full or not self._joins:
            self.close()
        self._pending += piece.body
        self._pending_rows += piece.rows

    def close(self) -> None:
        """Write what is pending."""
        if self._pending:
            self._sink.write(self._channel, bytes(self._pending))
            self.rows.append(self._pending_rows)
            self._pending, self._pending_rows = bytearray(), 0


def most_rows(encoder: FittedEncoder) -> int:
    """How many rows a part may have."""
    return min(_PART_ROWS, max(1, _PART_ANSWERS // len(encoder.classes or [0])))


def encoded_rows(blocks: Iterable[Block], encoder: FittedEncoder) -> Iterator[EncodedRows]:
    """The rows encoded for a transform job, some at a time; raises as :meth:`FittedEncoder.encode`."""
    step = most_rows(encoder)
    for block in blocks:
        for chunk in encoder.chunks(block):
            for start in range(0, chunk.rows, step):
                some = chunk if chunk.rows <= step else chunk.take(np.arange(start, min(start + step, chunk.rows)))
                yield EncodedRows(some.rows, encoder.batch_body(encoder.encode(some)), some.where(0))


def _check_size(piece: EncodedRows, joins: bool) -> None:
    # Of several rows that are split SageMaker makes as many requests as it takes.
    if len(piece.body) > _MAX_REQUEST_BYTES and (piece.rows == 1 or not joins):
        raise InvalidDataset(
            f"{piece.where}: encoded it has {len(piece.body):,} bytes, and a transform job sends "
            f"{_MAX_REQUEST_BYTES:,} at a time."
        )


def transform_plan(
    encoder: FittedEncoder, *, model: str, input_uri: str, output_uri: str, instance_type: str, instance_count: int
) -> TransformPlan:
    """What RunTransform is asked for, in the formats of the encoder's model."""
    exchange = encoder.exchange
    return {
        "model_name": model,
        "input_uri": input_uri,
        "output_uri": output_uri,
        "content_type": exchange.batch_content_type,
        "accept": exchange.batch_accept,
        # The layer's formats know nothing of boto3's types.
        "split_type": cast("SplitType", exchange.split_type),
        "assemble_with": cast("AssembleWith", exchange.assemble_with),
        "instance_type": instance_type,
        "instance_count": instance_count,
    }

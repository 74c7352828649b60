"""A batch: rows of a file scored by a model, without an endpoint. What its states hand on to each other.

A run of its own (``POST /endpoints/{name}/batch``), or the end of a run that trains (``"deployment": null`` with ``batch``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal, NotRequired, TypedDict

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.dataset.readers.source import BLOCK_BYTES, ReadOptions, open_blocks
from sageline.encoder.column_check import ColumnCheck
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset, InvalidRequest
from sageline.json_objects import Json
from sageline.names import TransformPurpose
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import PlannedPreparation, TransformPlan
from sageline.runs.store import RunRecord
from sageline.runs.trigger import data_format
from sageline.serving.stored import EncoderCache
from sageline.storage.dataset_object import DatasetObject, open_object

CHANNEL = "batch"


class EncodedBatch(TypedDict):
    """Answer of EncodeBatch and MergeBatch."""

    rows: int
    parts: int
    transform: TransformPlan


class StartTransformEvent(TypedDict):
    """What the states get that run a transform job; without a ``purpose`` it is a batch's."""

    run_id: str
    transform: TransformPlan
    task_token: str
    purpose: NotRequired[TransformPurpose]


class WrittenPredictions(TypedDict):
    """Answer of WritePredictions."""

    uri: str
    rows: int
    status: Literal["Succeeded"]


@dataclass(frozen=True)
class Batch:
    """The rows that a run scores, and the model: ``details.batch`` of its record, written before anything is encoded.

    Attributes:
        rows: the file, in the version that it had.
        model: the model's name in SageMaker.
        encoder_uri: ``s3://<bucket>/runs/<run_id>/encoder/`` of the model's run.
        output: URI of the predictions.
        endpoint: whose model it is; None for the model of the run itself.
        variant: the endpoint's variant.
        escape_formulas: whether CSV cells that a spreadsheet would run as formulas become text.
        plan: whether one function encodes and writes it, or many do; None before it is planned.
    """

    rows: DatasetObject
    model: str
    encoder_uri: str
    output: str
    instance_type: str
    instance_count: int
    endpoint: str | None = None
    variant: str | None = None
    escape_formulas: bool = False
    plan: PlannedPreparation | None = None

    def to_json(self) -> Json:
        return asdict(self)

    @property
    def format(self) -> str:
        """One of :data:`sageline.names.DATA_FORMATS`."""
        return data_format(self.rows.uri)

    @property
    def trained_by(self) -> str:
        """The run that has made the model and its encoder."""
        return self.encoder_uri.rstrip("/").split("/")[-2]


def batch_of(record: RunRecord) -> Batch:
    """The batch in a run's record.

    Raises:
        InvalidRequest: the run has none.
    """
    found = record.details.get("batch")
    if found is None:
        raise InvalidRequest(f"Run {record.run_id} scores no batch.")
    known = {name: value for name, value in found.items() if name in Batch.__dataclass_fields__}
    return Batch(**{**known, "rows": DatasetObject(**found["rows"])})


def load_encoder(files: RunFiles, batch: Batch) -> FittedEncoder:
    """The encoder that the batch's model was trained with.

    Raises:
        InvalidEncoder: it is gone, or damaged.
    """
    return EncoderCache(files.s3).get(batch.encoder_uri)


def read_rows(files: RunFiles, batch: Batch, features: Collection[str], block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The batch's rows, a few megabytes at a time. Each call reads the same version of the file.

    Args:
        features: the columns that the model reads; in others, what cannot be read is missing.

    Raises:
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: while iterating.
    """
    options = options_of(features)
    with open_object(files.s3, batch.rows) as stream:
        yield from open_blocks(stream, batch.rows.uri, batch.format, block_bytes, labelled=False, options=options)


def options_of(features: Collection[str]) -> ReadOptions:
    """How a batch is read whose model reads these columns."""
    return ReadOptions(learnt=frozenset(features))


def check_columns(block: Block, features: Collection[str], required: Collection[str], not_used: Collection[str]) -> list[str]:
    """Warnings about absent columns, which are taken for missing, and about unknown ones, which are ignored.

    Args:
        required: the features that must be there.
        not_used: columns that may be there too: the label's, and those that training left out.

    Raises:
        InvalidDataset: columns that must be there are absent, or all are; names them.
    """
    check = ColumnCheck(list(features), required=required, unused=not_used, where=lambda _: "")
    check.note(0, block.columns)
    try:
        return check.finish()
    except InvalidRequest as error:
        raise InvalidDataset(f"{block.source}: {error.message}", **error.details) from None


def with_absent_columns(block: Block, features: Collection[str]) -> Block:
    """The block with a column of empty strings, which are missing values, for each feature that it lacks."""
    absent = [name for name in features if name not in block.columns]
    empty = StringArray.empty(block.rows)
    return replace(block, columns={**block.columns, **dict.fromkeys(absent, empty)}) if absent else block

"""A batch: rows of a file scored by a model, without an endpoint. What its states hand on to each other.

A run of its own (``POST /endpoints/{name}/batch``), or the end of a run that trains (``"deployment": null`` with ``batch``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Literal, NotRequired, TypedDict

from sageline.dataset.blocks import Block
from sageline.dataset.source import BLOCK_BYTES, open_blocks
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset, InvalidRequest
from sageline.names import TransformPurpose
from sageline.run.dataset_object import DatasetObject, open_dataset
from sageline.run.files import RunFiles
from sageline.run.payloads import TransformPlan
from sageline.run.trigger import data_format
from sageline.serving.stored import EncoderCache
from sageline.store import Json, RunRecord

CHANNEL = "batch"


class EncodedBatch(TypedDict):
    """Answer of EncodeBatch."""

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
    """What a run scores with what: ``details.batch`` of its record, written before anything is encoded.

    Attributes:
        rows: the file, in the version that it had.
        model: the model's name in SageMaker.
        encoder_uri: ``s3://<bucket>/runs/<run_id>/encoder/`` of the model's run.
        output: URI of the predictions.
        endpoint: whose model it is; None for the model of the run itself.
        variant: the endpoint's variant.
    """

    rows: DatasetObject
    model: str
    encoder_uri: str
    output: str
    instance_type: str
    instance_count: int
    endpoint: str | None = None
    variant: str | None = None

    def to_json(self) -> Json:
        return asdict(self)

    @property
    def format(self) -> str:
        """``csv``, ``csv.gz``, ``jsonl`` or ``npz``."""
        return data_format(self.rows.uri)


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


def read_rows(files: RunFiles, batch: Batch, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The batch's rows, a few megabytes at a time. Each call reads the same version of the file.

    Raises:
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: while iterating.
    """
    with open_dataset(files.s3, batch.rows) as stream:
        yield from open_blocks(stream, batch.rows.uri, batch.format, block_bytes, labelled=False)


def check_columns(block: Block, features: Collection[str], not_used: Collection[str]) -> None:
    """Refuse rows whose columns are not those that the model is trained on.

    Args:
        not_used: columns that may be there too: the label's, and those that training left out.

    Raises:
        InvalidDataset: names the columns that are missing, or not known.
    """
    missing = [name for name in features if name not in block.columns]
    if missing:
        raise InvalidDataset(f"{block.source}: {_columns(missing)} missing, which the model is trained on. Add it to every row.")
    unknown = [name for name in block.columns if name not in features and name not in not_used]
    if unknown:
        raise InvalidDataset(
            f"{block.source}: {_columns(unknown)} not among those that the model is trained on; they are "
            f"{', '.join(map(repr, list(features)[:20]))}. Take it out, or correct its name."
        )


def _columns(names: list[str]) -> str:
    listed = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"column {listed} is" if len(names) == 1 else f"columns {listed} are"

"""EncodeBatchShard: the rows of a shard as what the model takes; MergeBatch: what all shards have encoded."""

from __future__ import annotations

import json

from sageline.batch.batch import Batch, EncodedBatch, batch_of, load_encoder
from sageline.batch.encode import EncodedParts, encode_parts, going_on, note_encoded
from sageline.batch.part_rows import PartRows
from sageline.batch.shards.plan import BATCH_FOLDER, BatchSharding
from sageline.batch.write import added_names
from sageline.dataset.ranges.read import read_shard
from sageline.dataset.readers.source import open_lines
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.value_check import NotedValues
from sageline.errors import SagelineError
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.storage.dataset_object import open_object
from sageline.storage.part_sink import S3PartSink
from sageline.storage.shards.object_names import SHARDING, encoded_name, part_stem
from sageline.storage.shards.reading import opener
from sageline.storage.shards.shard_files import Refused, ShardFiles


def encode_batch_shard(run_id: str, shard: int, *, run: RunContext) -> None:
    """Encode the rows of a shard into ``runs/<run_id>/data/batch/part-<shard>-00000.<ext>`` and so on; what keeps them from being
    so is stored, so that it is said once, for the first shard of which it is so."""
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    try:
        files.put(encoded_name(shard), _encode(files, shard, batch_of(run.store.get(run_id)), run.files))
    except SagelineError as error:
        files.put(encoded_name(shard), Refused.because(error))


def merge_batch(run_id: str, *, run: RunContext) -> EncodedBatch:
    """Put together what the shards have encoded, and what is to be said of their rows.

    Raises:
        InvalidDataset: as :func:`sageline.batch.encode.encode_batch`, of the first shard that could not be encoded.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "MergeBatch")
    record = going_on(run_id, run)
    batch = batch_of(record)
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    sharding: BatchSharding = files.get(SHARDING)
    whole = EncodedParts([], [], NotedValues())
    parts = []
    for encoded in files.each(map(encoded_name, range(len(sharding.plan.shards)))):
        if isinstance(encoded, Refused):
            raise encoded.to_error()
        parts.append(len(encoded.rows))
        whole.rows += encoded.rows
        whole.columns = whole.columns or encoded.columns  # the same of all shards
        whole.values.merge(encoded.values)
    encoder = load_encoder(run.files, batch)
    part_rows = PartRows(whole.rows, parts, _added_keys(batch, encoder, run.files))
    return note_encoded("MergeBatch", record, whole, part_rows, encoder, run=run)


def _encode(files: ShardFiles, shard: int, batch: Batch, run_files: RunFiles) -> EncodedParts:
    sharding: BatchSharding = files.get(SHARDING)
    encoder = load_encoder(run_files, batch)
    rows = read_shard(sharding.plan, shard, opener(run_files.s3), sharding.options, [])
    extension = encoder.exchange.batch_extension
    with S3PartSink(run_files.s3, files.layout, extension, joined=False, stem=part_stem(shard)) as sink:
        return encode_parts(rows, batch, encoder, sink, run_files)


def _added_keys(batch: Batch, encoder: FittedEncoder, files: RunFiles) -> list[str] | None:
    """What the first row of JSON Lines says of the keys that all get; None for a table, whose columns every shard knows."""
    if batch.format != "jsonl":
        return None
    with open_object(files.s3, batch.rows) as stream:
        return added_names(encoder, json.loads(next(open_lines(stream, batch.rows.uri))))

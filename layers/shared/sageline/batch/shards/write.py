"""WriteBatchShard: the predictions for the rows of a shard; WritePredictions then joins them to one file."""

from __future__ import annotations

from sageline.batch.answers import TransformAnswers
from sageline.batch.batch import Batch, WrittenPredictions, batch_of, load_encoder
from sageline.batch.part_rows import PartRows
from sageline.batch.shards.plan import BATCH_FOLDER, BatchSharding
from sageline.batch.write import PART_BYTES, GivenRows, content_type, pieces_of, succeeded, write_pieces
from sageline.dataset.ranges.read import read_shard, read_shard_lines
from sageline.errors import SagelineError
from sageline.names import INTERMEDIATE, split_s3_uri
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.storage.joined_object import ObjectBytes, join_objects
from sageline.storage.object_writer import ObjectWriter
from sageline.storage.shards.object_names import SHARDING
from sageline.storage.shards.reading import opener
from sageline.storage.shards.shard_files import Refused, ShardFiles


def predictions_name(shard: int) -> str:
    return f"predictions-{shard:05d}"


def written_name(shard: int) -> str:
    return f"written-{shard:05d}"


def write_batch_shard(run_id: str, shard: int, *, run: RunContext) -> None:
    """Write the predictions for a shard's rows as they are to stand in the file of all; what keeps them from being written is
    stored, so that it is said once, for the first shard of which it is so."""
    if shard == 0:
        run.store.enter(run_id, "WriteBatchShards")  # which has no function of its own to note it
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    try:
        files.put(written_name(shard), _write(files, shard, batch_of(run.store.get(run_id)), run.files))
    except SagelineError as error:
        files.put(written_name(shard), Refused.because(error))


def join_predictions(run_id: str, *, run: RunContext) -> WrittenPredictions:
    """Join what the shards have written, and note the run's success.

    Raises:
        PredictionFailed: as :func:`sageline.batch.write.write_predictions`, of the first shard that could not be written.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "WritePredictions")
    batch = batch_of(run.store.get(run_id))
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    sharding: BatchSharding = files.get(SHARDING)
    pieces = []
    for shard, size in enumerate(files.each(map(written_name, range(len(sharding.plan.shards))))):
        if isinstance(size, Refused):
            raise size.to_error()
        pieces.append(ObjectBytes(files.key(predictions_name(shard)), 0, size))
    bucket, key = split_s3_uri(batch.output)
    join_objects(run.files.s3, bucket, pieces, key, content_type=content_type(batch))
    rows = sum(PartRows.read(run.files, files.layout).rows)
    return succeeded(run_id, batch, rows, run=run)


def _write(files: ShardFiles, shard: int, batch: Batch, run_files: RunFiles) -> int:
    """How many bytes were written."""
    sharding: BatchSharding = files.get(SHARDING)
    encoder = load_encoder(run_files, batch)
    part_rows = PartRows.read(run_files, files.layout)
    predictions = TransformAnswers(encoder, files.layout, run_files, part_rows.of_shard(shard))
    open_range = opener(run_files.s3)
    given = GivenRows(
        lambda: read_shard(sharding.plan, shard, open_range, sharding.options, []),
        lambda: read_shard_lines(sharding.plan, shard, open_range),
        part_rows.added,
    )
    key = files.key(predictions_name(shard))
    writer = ObjectWriter(run_files.s3, files.layout.bucket, key, PART_BYTES, tagging=INTERMEDIATE)
    size = write_pieces(pieces_of(batch, predictions, given, encoder), writer)
    predictions.let_expire()
    return size

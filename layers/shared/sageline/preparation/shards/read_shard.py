"""FitShard and EncodeShard: what is done with the rows of one shard."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sageline.arrays.blocks import Block
from sageline.batch.encode import TransformParts
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.ranges.read import Said, read_shard
from sageline.dataset.splits.standing import row_keys
from sageline.errors import SagelineError
from sageline.preparation.fit_and_encode import write_pieces
from sageline.preparation.hashed_blocks import hashed_blocks
from sageline.preparation.shards.object_names import FITTED, fit_name, round_name, validation_stem
from sageline.preparation.shards.shard_fit import Round, fit_rows
from sageline.preparation.shards.sharding import EncodedShard, Fitted, Sharding
from sageline.runs.documents import RunFiles
from sageline.storage.part_sink import PART_BYTES, S3PartSink
from sageline.storage.shards.object_names import SHARDING, encoded_name, part_stem
from sageline.storage.shards.reading import opener
from sageline.storage.shards.shard_files import Refused, ShardFiles
from sageline.training.machines import part_bytes


def fit_shard(run_id: str, number: int, shard: int, *, run_files: RunFiles) -> None:
    """Count the rows of a shard for a round; what keeps them from being read is stored, so that it is said
    once, for the first shard of which it is so."""
    files = ShardFiles(run_files, run_id)
    sharding: Sharding = files.get(SHARDING)
    reading: Round = files.get(round_name(number))
    said: list[Said] = []
    profile = DatasetProfile(findings=sharding.findings) if reading.reads == "profile" else None
    fit = fit_rows(_rows(sharding, shard, run_files, said), reading, profile, said)
    files.put(fit_name(number, shard), fit)


def encode_shard(run_id: str, shard: int, *, run_files: RunFiles) -> None:
    """Encode the rows of a shard into the run's channels; what keeps them from being so is stored, as of :func:`fit_shard`."""
    files = ShardFiles(run_files, run_id)
    try:
        files.put(encoded_name(shard), _encode(files, shard, run_files))
    except SagelineError as error:
        files.put(encoded_name(shard), Refused.because(error))


def _encode(files: ShardFiles, shard: int, run_files: RunFiles) -> EncodedShard:
    sharding: Sharding = files.get(SHARDING)
    fitted: Fitted = files.get(FITTED)
    encoding = fitted.first.encoding(asks_validation=fitted.asks_validation)
    encoder, split, algorithm = encoding.encoder, encoding.resolution.spec.split, encoding.resolution.spec.algorithm
    sink_of = partial(S3PartSink, run_files.s3, files.layout, behind=True)
    extension = encoder.exchange.batch_extension
    size = part_bytes(algorithm, sum(part.size for part in sharding.plan.parts), PART_BYTES)
    with (
        sink_of(encoder.exchange.file_extension, size, stem=part_stem(shard)) as sink,
        sink_of(extension, joined=False, stem=part_stem(shard)) as to_ask,
        sink_of(extension, joined=False, stem=validation_stem(shard)) as to_ask_validation,
    ):
        test_rows = TransformParts(to_ask, "evaluation", encoder)
        validation_rows = TransformParts(to_ask_validation, "evaluation", encoder)
        blocks = hashed_blocks(lambda: _rows(sharding, shard, run_files, []), None, split)
        pieces = (piece for block, hashes, _ in blocks for piece in encoding.pieces(block, row_keys(block, hashes, split)))
        rows = write_pieces(pieces, sink, test_rows.add, validation_rows.add if fitted.asks_validation else None)
        test_rows.close()
        validation_rows.close()
    return EncodedShard(rows, sink.bytes_written, sink.stored("train"), test_rows.rows, validation_rows.rows, sink.lines)


def _rows(sharding: Sharding, shard: int, run_files: RunFiles, said: list[Said]) -> Iterator[Block]:
    return read_shard(sharding.plan, shard, opener(run_files.s3), sharding.options, said)

"""PrepareData for a dataset in shards: what the shards have written is put together."""

from __future__ import annotations

from collections import Counter

from sageline.evaluation.held_out_rows import AskedRows
from sageline.preparation.finish import completed, finish
from sageline.preparation.run_dataset import RunDataset
from sageline.preparation.shards.object_names import FITTED, validation_stem
from sageline.preparation.shards.sharding import Fitted, Sharding
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData
from sageline.storage.part_sink import LINES
from sageline.storage.shards.object_names import SHARDING, encoded_name, part_stem
from sageline.storage.shards.shard_files import Refused, ShardFiles


def finish_shards(run_id: str, *, run: RunContext) -> PreparedData:
    """Save encoder, example and profile, and complete the spec, when all shards are encoded.

    Raises:
        InvalidDataset, InvalidSpec, InvalidHyperparameter: as :func:`sageline.preparation.prepare.prepare_data`.
    """
    run.store.enter(run_id, "PrepareData")
    of = RunDataset.of(run_id, run)
    files = ShardFiles(run.files, run_id)
    sharding: Sharding = files.get(SHARDING)
    fitted: Fitted = files.get(FITTED)
    extension = fitted.first.encoder.exchange.batch_extension
    rows: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    train_parts = 0
    counts: dict[str, list[int]] = {"rows": [], "validation": []}
    names: dict[str, list[str]] = {"rows": [], "validation": []}
    lines: dict[str, list[int]] = {channel: [] for channel in LINES}
    for shard, encoded in enumerate(files.each(map(encoded_name, range(len(sharding.plan.shards))))):
        if isinstance(encoded, Refused):
            raise encoded.to_error()
        rows.update(encoded.rows)
        sizes.update(encoded.bytes_written)
        train_parts += encoded.train_parts
        for channel, counted in encoded.lines.items():
            lines[channel] += counted
        for kind, parts, stem in (
            ("rows", encoded.test_parts, part_stem(shard)),
            ("validation", encoded.validation_parts, validation_stem(shard)),
        ):
            counts[kind] += parts
            names[kind] += [f"{stem}-{number:05d}.{extension}" for number in range(len(parts))]
    prepared = fitted.first.prepared(dict(rows))
    spec = completed(prepared, fitted.first.resolution.spec, of)
    asked = AskedRows(counts["rows"], counts["validation"] if fitted.asks_validation else None, names, lines)
    return finish(prepared, spec, of, asked=asked, bytes_written=sizes, train_parts=train_parts, run=run)

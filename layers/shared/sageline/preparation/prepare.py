"""PrepareData: stream the dataset through the encoder into the run's channels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sageline.arrays.blocks import Block
from sageline.batch.encode import TransformParts
from sageline.dataset.profile import DatasetProfile
from sageline.evaluation.held_out_rows import VALIDATION_STEM, AskedRows
from sageline.preparation.finish import completed, finish, note_warnings
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import means_for
from sageline.preparation.run_dataset import RunDataset
from sageline.resolve.resolution import Resolution
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData
from sageline.spec.decision import can_decide
from sageline.storage.dataset_parts import read_blocks
from sageline.storage.part_sink import PART_BYTES, S3PartSink
from sageline.training.machines import part_bytes


def prepare_data(run_id: str, *, run: RunContext) -> PreparedData:
    """Encode the run's dataset, save encoder, example and profile, and complete the spec with what only the data could tell.

    Raises:
        InvalidSpec: the run's spec is not a resolved one, or asks something of a class that no test row has.
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: see there.
        InvalidDataset: a candidate of ``auto`` has no validation rows.
        ProcessDied: the second process that works on it was killed.
        InvalidHyperparameter: a hyperparameter does not fit the classes that are there.
    """
    run.store.enter(run_id, "PrepareData")
    of = RunDataset.of(run_id, run)

    def read_rows() -> Iterator[Block]:
        return read_blocks(run.files.s3, of.dataset, of.options, of.notes)

    def resolve(profile: DatasetProfile) -> Resolution:
        profile.notes = of.notes
        resolution = of.resolve(profile)
        run.store.enter(run_id, "PrepareData", schema=of.schema)
        return resolution

    with means_for(of.dataset.size) as means:
        first = read_and_fit(read_rows, of.provisional, resolve, means, of.findings)
        note_warnings(first, of, run)
        resolved = first.resolution.spec
        exchange = first.encoder.exchange
        sink = S3PartSink(
            run.files.s3,
            of.layout,
            exchange.file_extension,
            part_bytes(resolved.algorithm, of.dataset.size, PART_BYTES),
            single_file=exchange.single_file,
            behind=True,
        )
        ask_of = partial(S3PartSink, run.files.s3, of.layout, exchange.batch_extension, joined=False, behind=True)
        asks_validation = of.is_candidate or can_decide(resolved.decision, of.spec.task or "", first.encoder.answers)
        with sink, ask_of() as to_ask, ask_of(stem=VALIDATION_STEM) as to_ask_validation:
            test_rows = TransformParts(to_ask, "evaluation", first.encoder)
            validation_rows = TransformParts(to_ask_validation, "evaluation", first.encoder)
            ask_validation = validation_rows.add if asks_validation else None
            prepared = prepare(read_rows, first, sink, test_rows.add, means, ask_validation=ask_validation)
            test_rows.close()
            validation_rows.close()
            spec = completed(prepared, resolved, of)
    asked = AskedRows(test_rows.rows, validation_rows.rows if asks_validation else None, lines=sink.lines)
    written = sink.bytes_written
    return finish(prepared, spec, of, asked=asked, bytes_written=written, train_parts=sink.stored("train"), run=run)

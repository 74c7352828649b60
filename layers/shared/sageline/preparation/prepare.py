"""PrepareData: stream the dataset through the encoder into the run's channels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from sageline.algorithms.catalog import DataFacts
from sageline.arrays.blocks import Block
from sageline.batch.encode import TransformParts
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.encoder.description import EXAMPLE, example_of
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.evaluation.held_out_rows import VALIDATION_STEM, AskedRows, first_rows, plan_evaluation
from sageline.names import RunLayout
from sageline.preparation.class_weight import class_weights
from sageline.preparation.fit_and_encode import FirstRead, Prepared, prepare, read_and_fit
from sageline.preparation.means import means_for
from sageline.resolve.complete import complete_spec
from sageline.resolve.resolution import Resolution, changes_of
from sageline.resolve.resolve import resolve_spec
from sageline.resolve.warnings import about_unknown_classes
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData, TransformPlan
from sageline.spec.decision import can_decide, check_decision
from sageline.spec.encoder import ImageSpec
from sageline.spec.evaluation import check_classes
from sageline.spec.model import Spec
from sageline.storage.dataset_object import read_options
from sageline.storage.dataset_parts import dataset_of, read_blocks
from sageline.storage.part_sink import S3PartSink

_EXAMPLES = 10
"""Test rows, one of which shows what rows to predict look like."""


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
    spec = run.files.read_spec(run_id)
    if spec.task is None:
        raise InvalidSpec("The run's spec says no task, so it is not a resolved one; start the run again.")
    record = run.store.get(run_id)
    layout = run.files.layout(run_id)
    dataset = dataset_of(record.details, layout, run.files.s3)
    given = run.files.find_given_spec(run_id, spec.algorithm.name)
    schema = dict(record.details.get("schema", {}))
    provisional = Resolution.of_schema(spec, schema)

    notes: list[str] = []
    asked = given or spec
    options = read_options(asked.dataset.model_copy(update={"label": spec.dataset.label}), asked.encoder)

    def read_rows() -> Iterator[Block]:
        return read_blocks(run.files.s3, dataset, options, notes)

    def resolve(profile: DatasetProfile) -> Resolution:
        if given is None:
            return provisional
        profile.notes = notes
        resolution = resolve_spec(given, profile, name=spec.name or "", uri=dataset.uri)
        changes = schema.get("changes") or changes_of(spec, resolution.spec, profile.rows)
        schema.update(resolution.schema(), changes=changes)
        run.store.enter(run_id, "PrepareData", schema=schema)
        return resolution

    with means_for(dataset.size) as means:
        first = read_and_fit(read_rows, provisional, resolve, means, Findings.of_schema(schema))
        warnings = _warnings(first, schema.get("warnings", []))
        if warnings != schema.get("warnings", []):
            schema["warnings"] = warnings
            run.store.enter(run_id, "PrepareData", schema=schema)
        resolved = first.resolution.spec
        exchange = first.encoder.exchange
        sink = S3PartSink(run.files.s3, layout, exchange.file_extension, single_file=exchange.single_file, behind=True)
        ask_of = partial(S3PartSink, run.files.s3, layout, exchange.batch_extension, joined=False, behind=True)
        is_candidate = "candidate_of" in record.details
        asks_validation = is_candidate or can_decide(resolved.decision, spec.task, first.encoder.answers)
        with sink, ask_of() as to_ask, ask_of(stem=VALIDATION_STEM) as to_ask_validation:
            test_rows = TransformParts(to_ask, "evaluation", first.encoder)
            validation_rows = TransformParts(to_ask_validation, "evaluation", first.encoder)
            ask_validation = validation_rows.add if asks_validation else None
            prepared = prepare(read_rows, first, sink, test_rows.add, means, ask_validation=ask_validation)
            test_rows.close()
            validation_rows.close()
            _check_validation(prepared, dataset.uri, is_candidate=is_candidate)
            check_classes(resolved.evaluation, _test_rows(prepared))
            check_decision(resolved.decision, spec.task, prepared.encoder.answers, prepared.num_class)
            completed = _completed(resolved, spec.task, prepared)
            run.files.write_spec(run_id, completed)
    _save(run_id, prepared, layout, run)
    run.store.enter(run_id, "PrepareData", rows=prepared.rows, num_class=prepared.num_class, feature_dim=prepared.feature_dim)
    asked_rows = AskedRows(test_rows.rows, validation_rows.rows if asks_validation else None)
    evaluation = plan_evaluation(run_id, completed, prepared.encoder, asked_rows, files=run.files)
    return _answer(prepared, layout, sink, evaluation)


def _check_validation(prepared: Prepared, uri: str, *, is_candidate: bool) -> None:
    if not is_candidate or prepared.rows.get("validation"):
        return
    raise InvalidDataset(
        f"{uri}: there is no validation row, and the algorithm auto chooses among models by these. Give `split.validation` a "
        "larger share, or name an algorithm in `algorithm.name`."
    )


def _save(run_id: str, prepared: Prepared, layout: RunLayout, run: RunContext) -> None:
    """Store the encoder, an example of a row to predict, and the profile."""
    for name, content in prepared.encoder.save().items():
        run.files.put(layout.encoder_prefix + name, content, "application/octet-stream")
    example = example_of(first_rows(run_id, _EXAMPLES, files=run.files), prepared.encoder)
    if example is not None:
        document = json.dumps(example, ensure_ascii=False).encode()
        run.files.put(layout.encoder_prefix + EXAMPLE, document, "application/json")
    run.files.put(layout.profile_key, json.dumps(prepared.profile, indent=2).encode(), "application/json")


def _warnings(first: FirstRead, told: Sequence[str]) -> list[str]:
    """What a person should know of the dataset: classes that the model cannot know first, the rest of the split last.

    Args:
        told: what was known of it before, also by an earlier attempt.
    """
    unknown = about_unknown_classes(first.tally.unknown_classes(), files_say=first.tally.files_say_what_is_held_out)
    split = first.tally.warnings()
    return [*unknown, *(text for text in told if text not in (*unknown, *split)), *split]


def _test_rows(prepared: Prepared) -> dict[str, int]:
    """Test rows of each class that the model can know."""
    counted = prepared.profile["label"].get("classes", {}).get("test", {})
    return {label: rows for label, rows in counted.items() if label in (prepared.encoder.classes or ())}


def _completed(spec: Spec, task: str, prepared: Prepared) -> Spec:
    encoder, label = spec.encoder, prepared.profile["label"]
    facts = DataFacts(
        task=task,
        num_class=prepared.num_class,
        feature_dim=prepared.feature_dim,
        train_rows=prepared.rows.get("train", 0),
        has_validation=prepared.rows.get("validation", 0) > 0,
        image_shape=_image_shape(encoder) if isinstance(encoder, ImageSpec) else None,
        encoder=encoder.kind if encoder else "columns",
        weighted=prepared.encoder.weighted,
        class_weight=_class_weight(spec, prepared),
        label_minimum=_learnt(label.get("minimum"), spec),
        label_maximum=_learnt(label.get("maximum"), spec),
    )
    train_rows = label.get("classes", {}).get("train", {})
    return complete_spec(spec, facts, {name: train_rows.get(name, 0) for name in prepared.encoder.classes or ()})


def _class_weight(spec: Spec, prepared: Prepared) -> Literal["balanced"] | tuple[float, ...] | None:
    """For an algorithm that weighs classes itself."""
    given = spec.algorithm.class_weight
    if given is None or spec.weighs_rows:
        return None
    if given == "balanced":
        return "balanced"
    return class_weights(given, prepared.profile["label"]["classes"]["train"], prepared.encoder.classes or [])


def _learnt(value: float | None, spec: Spec) -> float | None:
    """A label on the scale that is learnt."""
    return value if value is None or spec.target.transform != "log" else math.log1p(value)


def _image_shape(encoder: ImageSpec) -> tuple[int, ...] | None:
    """(height, width, channels) of a resolved spec's images; those without channels have one."""
    shape = tuple(encoder.shape or ())
    return (*shape, 1)[:3] if shape else None


def _answer(prepared: Prepared, layout: RunLayout, sink: S3PartSink, evaluation: TransformPlan) -> PreparedData:
    names = [name for name in ("train", "validation") if prepared.rows.get(name, 0) > 0]
    return {
        "channels": {
            name: {
                "uri": layout.uri(layout.channel_prefix(name)),
                "rows": prepared.rows[name],
                "bytes": sink.bytes_written.get(name, 0),
            }
            for name in names
        },
        "content_type": prepared.encoder.exchange.channel_content_type,
        "request_content_type": prepared.encoder.exchange.request_content_type,
        "num_class": prepared.num_class,
        "feature_dim": prepared.feature_dim,
        "test_rows": prepared.rows.get("test", 0),
        "evaluation": evaluation,
    }

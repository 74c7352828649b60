"""The end of preparing a dataset, however it was prepared: the spec is completed, and what is needed to go on is stored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from sageline.algorithms.catalog import DataFacts
from sageline.encoder.description import EXAMPLE, example_of
from sageline.errors import InvalidDataset
from sageline.evaluation.held_out_rows import AskedRows, first_rows, plan_evaluation
from sageline.names import RunLayout
from sageline.preparation.class_weight import class_weights
from sageline.preparation.first_read import FirstRead, Prepared
from sageline.preparation.run_dataset import RunDataset
from sageline.resolve.complete import complete_spec
from sageline.resolve.warnings import about_unknown_classes
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData, TransformPlan
from sageline.spec.decision import check_decision
from sageline.spec.encoder import ImageSpec
from sageline.spec.evaluation import check_classes
from sageline.spec.model import Spec
from sageline.training.machines import settle_machines

_EXAMPLES = 10
"""Test rows, one of which shows what rows to predict look like."""


def note_warnings(first: FirstRead, of: RunDataset, run: RunContext) -> None:
    """Note what a person should know of the dataset: classes that the model cannot know first, the rest of the split last."""
    told: Sequence[str] = of.schema.get("warnings", [])  # also by an earlier attempt
    unknown = about_unknown_classes(first.tally.unknown_classes(), files_say=first.tally.files_say_what_is_held_out)
    split = first.tally.warnings()
    warnings = [*unknown, *(text for text in told if text not in (*unknown, *split)), *split]
    if warnings != told:
        of.schema["warnings"] = warnings
        run.store.enter(of.run_id, "PrepareData", schema=of.schema)


def completed(prepared: Prepared, spec: Spec, of: RunDataset) -> Spec:
    """The spec with what only the prepared data could tell.

    Args:
        spec: resolved from all rows.

    Raises:
        InvalidSpec: it asks something of a class that no test row has.
        InvalidDataset: a candidate of ``auto`` has no validation rows.
        InvalidHyperparameter: a hyperparameter does not fit the classes that are there.
    """
    if of.is_candidate and not prepared.rows.get("validation"):
        raise InvalidDataset(
            f"{of.dataset.uri}: there is no validation row, and the algorithm auto chooses among models by these. Give "
            "`split.validation` a larger share, or name an algorithm in `algorithm.name`."
        )
    check_classes(spec.evaluation, _test_rows(prepared))
    check_decision(spec.decision, _task(spec), prepared.encoder.answers, prepared.num_class)
    encoder, label = spec.encoder, prepared.profile["label"]
    facts = DataFacts(
        task=_task(spec),
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


def finish(
    prepared: Prepared,
    spec: Spec,
    of: RunDataset,
    *,
    asked: AskedRows,
    bytes_written: Mapping[str, int],
    train_parts: int,
    run: RunContext,
) -> PreparedData:
    """Store the spec, the encoder, an example of a row to predict, and the profile; the answer of PrepareData.

    Args:
        spec: completed.
        asked: what the model will be asked about.
        bytes_written: of each channel.
        train_parts: how many objects the train rows are in.
    """
    run_id, layout = of.run_id, of.layout
    train_bytes = bytes_written.get("train", 0)
    spec = settle_machines(spec, prepared.encoder.exchange, train_parts=train_parts, train_bytes=train_bytes)
    run.files.write_spec(run_id, spec)
    for name, content in prepared.encoder.save().items():
        run.files.put(layout.encoder_prefix + name, content, "application/octet-stream")
    example = example_of(first_rows(run_id, _EXAMPLES, files=run.files), prepared.encoder)
    if example is not None:
        document = json.dumps(example, ensure_ascii=False).encode()
        run.files.put(layout.encoder_prefix + EXAMPLE, document, "application/json")
    run.files.put(layout.profile_key, json.dumps(prepared.profile, indent=2).encode(), "application/json")
    run.store.enter(run_id, "PrepareData", rows=prepared.rows, num_class=prepared.num_class, feature_dim=prepared.feature_dim)
    evaluation = plan_evaluation(run_id, spec, prepared.encoder, asked, files=run.files)
    return _answer(prepared, layout, bytes_written, evaluation)


def _task(spec: Spec) -> Literal["classification", "regression"]:
    """Of a resolved spec, which has one."""
    return spec.task or "classification"


def _test_rows(prepared: Prepared) -> dict[str, int]:
    """Test rows of each class that the model can know."""
    counted = prepared.profile["label"].get("classes", {}).get("test", {})
    return {label: rows for label, rows in counted.items() if label in (prepared.encoder.classes or ())}


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


def _answer(prepared: Prepared, layout: RunLayout, bytes_written: Mapping[str, int], evaluation: TransformPlan) -> PreparedData:
    names = [name for name in ("train", "validation") if prepared.rows.get(name, 0) > 0]
    return {
        "channels": {
            name: {
                "uri": layout.uri(layout.channel_prefix(name)),
                "rows": prepared.rows[name],
                "bytes": bytes_written.get(name, 0),
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

"""Resolving a spec against the data: every default filled in, with the reason for each choice."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from sageline.algorithms.catalog import DataFacts, check
from sageline.algorithms.tuning import check_tuning
from sageline.arrays.number_spelling import PLAIN
from sageline.arrays.numbers import NO_VALUE, shown
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.formats.exchange import answering
from sageline.json_objects import Json
from sageline.resolve.columns import ColumnChoices, spellings_of
from sageline.resolve.dates import date_formats_of
from sageline.resolve.layout import layout_of
from sageline.resolve.leaks import leaks
from sageline.resolve.matching import check_algorithm, check_encoder, check_weights, columns_defaults, tuning_defaults
from sageline.resolve.resolution import Resolution
from sageline.resolve.split import about_groups, about_time, about_validation, resolved_split, says_validation, time_kind
from sageline.resolve.target import target_transform
from sageline.resolve.warnings import (
    about_columns,
    about_label,
    about_passed_over,
    about_split,
    about_target,
    about_weights,
    how_columns_are_read,
    several_in_one,
)
from sageline.spec.decision import check_decision
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.evaluation import check_evaluation
from sageline.spec.model import Spec, SplitSpec, validate_spec
from sageline.spec.training import AUTO

_MOST_SENTENCES = 30


def resolve_spec(spec: Spec, profile: DatasetProfile, *, name: str, uri: str) -> Resolution:
    """The spec with every default filled in; its ``reasons`` say why, by key (``task``, ``dataset.label``,
    ``dataset.features.<column>``, ``encoder``, ...). Columns that are left out have their reason too. ``auto`` is resolved as one
    algorithm that learns from such columns; :mod:`sageline.resolve.candidates` adds the others.

    Args:
        profile: what the data look like, all of them or a sample.
        name: name for the run when the spec has none; also the endpoint's.
        uri: where the dataset is, when the spec does not say; a file that is not in S3 is named in errors only.

    Raises:
        InvalidDataset: no column can be learnt from, or nobody can tell which one is the label.
        InvalidSpec: the spec names a column that is not there, or its own values do not go together.
        InvalidHyperparameter: the algorithm would refuse a hyperparameter.
    """
    source = spec.dataset.uri or uri
    spec = _with_algorithm(spec)
    check_encoder(spec)
    spellings, ambiguous = spellings_of(profile, spec.dataset.decimal)
    choices = ColumnChoices(spec, profile, source, spec.name or name)
    label = choices.label()
    label_column = profile.columns[label]
    task = choices.task(label)
    check_weights(spec, task)
    no_label = _no_label(label_column) if task == "classification" and not profile.is_of_images else ()
    _check_labelled(label_column, no_label, source)
    _check_one_label(label_column, task, source)
    if spec.split.column is not None:
        choices.check_column(spec.split.column, "split.column")
    split = resolved_split(spec, profile, label, source, choices.reasons)
    features, encoder = choices.features(label, task)
    kind_of_times = time_kind(spec, profile, features, source)
    about_time(spec, features, choices.reasons)
    time_columns = {str(split.column): kind_of_times} if kind_of_times else {}
    date_formats = date_formats_of(profile, {**features, **time_columns}, spec.encoder, source)
    _check_not_a_series(features, label, task, source)
    dataset = {"uri": source if source.startswith("s3://") else None, "label": label, "features": features}
    transform, why = target_transform(spec, task, label_column, spellings.get(label, PLAIN))
    if why is not None:
        choices.reasons["target.transform"] = why
    spec = spec.model_copy(update={"split": split})
    resolved = _filled_in(
        spec, profile, choices, dataset, task, encoder=encoder, target={"transform": transform}, name=name, source=source
    )
    least, greatest = _label_range(label_column, transform) if task == "regression" else (None, None)
    facts = DataFacts(
        task,
        num_class=_class_count(label_column, profile, split, no_label) if task == "classification" else None,
        has_validation=split.validation > 0 or says_validation(profile, split),
        encoder=encoder["kind"],
        weighted=resolved.weighs_rows,
        label_minimum=least,
        label_maximum=greatest,
    )
    _check(resolved, facts)
    numbers = [column for column, kind in {**time_columns, **features}.items() if kind == "number"]
    read = {column: spellings[column] for column in numbers if column in spellings}
    label_is_number = (
        label_column.is_numeric and not label_column.numbers.is_spelled and spec.task is None and not profile.is_of_images
    )
    if label in spellings and task == "regression":
        read[label] = spellings[label]
    if spec.dataset.weight in spellings:
        read[spec.dataset.weight] = spellings[spec.dataset.weight]
    warnings = about_split(profile) + about_groups(profile, split)
    warnings += about_passed_over(choices.passed_over, profile.columns, label)
    warnings += leaks(profile, features, spellings, label, task)
    warnings += about_label(label_column, task, no_label, is_number=label_is_number)
    warnings += about_columns(resolved, profile, read, ambiguous)
    notes = how_columns_are_read(resolved, profile, read)
    notes += about_validation(profile, split) if not profile.is_sample else []
    notes += about_target(resolved) + about_weights(resolved)
    return Resolution(resolved, read, date_formats, label_is_number, no_label, _some(warnings), _some(notes))


def _with_algorithm(spec: Spec) -> Spec:
    if spec.algorithm.name != AUTO:
        return spec
    name = "blazingtext" if spec.encoder is not None and spec.encoder.kind == "tokens" else "xgboost"
    algorithm = spec.algorithm.model_copy(update={"name": name, "preset": None})
    return spec.model_copy(update={"algorithm": algorithm, "budget_minutes": None})


def _some(sentences: list[str]) -> tuple[str, ...]:
    """Those in front: a wide table has one for each of hundreds of columns, and a run's record is bounded."""
    more = len(sentences) - _MOST_SENTENCES
    return (*sentences[:_MOST_SENTENCES], f"There are {more:,} more such columns.") if more > 0 else tuple(sentences)


def _filled_in(
    spec: Spec,
    profile: DatasetProfile,
    choices: ColumnChoices,
    dataset: Json,
    task: str,
    *,
    encoder: Json,
    target: Json,
    name: str,
    source: str,
) -> Spec:
    noting = _Noting(spec, choices.reasons)
    document = spec.model_dump(exclude_none=True)
    document["name"] = noting.choose("name", spec.name, name, "the name of the dataset")
    document["task"] = task
    document["dataset"] = spec.dataset.model_dump(exclude={"exclude", "kinds"}) | dataset
    check_algorithm(spec.algorithm, task)
    if spec.algorithm.name == "tensorflow" and spec.algorithm.script is not None:
        document["algorithm"]["script"]["framework"] = "tensorflow"
    if encoder["kind"] == "columns":
        given = spec.encoder if isinstance(spec.encoder, ColumnsSpec) else ColumnsSpec()
        _check_kinds(given, dataset["features"])
        columns, reasons = columns_defaults(given, spec.algorithm)
        noting.reasons |= reasons
        layout, why = layout_of(columns, dataset["features"], profile.columns, spec.algorithm)
        if columns.layout is None:
            columns = columns.model_copy(update={"layout": layout})
            noting.reasons["encoder.layout"] = why
        encoder = columns.model_dump()
    document["encoder"] = encoder
    document["target"] = target
    if spec.tuning is not None:
        document["tuning"] |= noting.noted(tuning_defaults(spec.tuning, spec.algorithm, encoder["kind"]))
    document["deployment"] = noting.deployment(document["name"])
    document["reasons"] = noting.reasons
    return validate_spec(document, f"{source}: the spec")


def _check(resolved: Spec, facts: DataFacts) -> None:
    """What can be refused before the data is prepared; completing the spec checks again."""
    framework = resolved.algorithm.script.framework if resolved.algorithm.script else None
    answers = answering(resolved.algorithm.name, framework)
    check_evaluation(resolved.evaluation, facts.task, answers)
    check_decision(resolved.decision, facts.task, answers)
    check(resolved.algorithm, facts, list(resolved.tuning.ranges) if resolved.tuning else [])
    if resolved.tuning is not None:
        check_tuning(resolved.tuning, resolved.algorithm, facts)


def _class_count(label: ColumnProfile, profile: DatasetProfile, split: SplitSpec, no_label: Collection[str]) -> int | None:
    """How many classes the train rows have; None where that is not known before the rows are split: in a sample, and where files
    or a column say which rows are the train rows, which may lack a class."""
    if profile.is_sample or profile.has_sides or split.by != "hash" or not label.knows_all_values:
        return None
    classes = [value for value in label.values if value.lower() not in no_label]
    return len(classes) if len(classes) > 1 else None


def _label_range(label: ColumnProfile, transform: str | None) -> tuple[float | None, float | None]:
    """The least and the greatest label on the scale that is learnt, also those of a sample: what does not go with these does not
    go with all. Not known where numbers are spelled in a way of their own, and where a run stops at some."""
    least, greatest = label.numbers.minimum, label.numbers.maximum
    if label.numbers.is_spelled or not math.isfinite(least) or not math.isfinite(greatest):
        return None, None
    if transform == "log":
        return (math.log1p(least), math.log1p(greatest)) if least >= 0 else (None, None)
    return least, greatest


def _check_kinds(encoder: ColumnsSpec, features: Mapping[str, str]) -> None:
    for name, given in encoder.columns.items():
        if features.get(name) != given.kind:
            is_what = f"is one of kind {features[name]}" if name in features else "is not learnt from"
            raise InvalidSpec(
                f"`encoder.columns.{name}` has options of the kind {given.kind}, and the column {is_what}; take it out, or say "
                f"its kind in dataset.kinds."
            )


def _no_label(label: ColumnProfile) -> tuple[str, ...]:
    """What stands for a missing label among classes that are words; a minus is one beside a plus, and two classes stay."""
    if label.is_numeric:
        return ()
    found = {value.lower() for value in label.values} & NO_VALUE
    if "+" in label.values:
        found.discard("-")
    classes = [value for value in label.values if value.lower() not in found]
    return tuple(sorted(found)) if len(classes) > 1 else ()


def _check_labelled(label: ColumnProfile, no_label: Collection[str], source: str) -> None:
    missing = label.missing + sum(count for value, count in label.values.items() if value.lower() in no_label)
    if 2 * missing > label.rows:
        raise InvalidDataset(
            f"{source}: the label column {label.name!r} is empty in {missing:,} of {label.rows:,} rows, over half of them. "
            f"Fill it in, or name another column in dataset.label."
        )


def _check_one_label(label: ColumnProfile, task: str, source: str) -> None:
    """Refuse labels such as ``red|blue`` beside ``red``: several of a row."""
    if task != "classification" or label.is_numeric:
        return
    joined = several_in_one(label)
    parts = {part.strip() for value in joined for part in value.split("|")}
    if joined and len(parts) < len(label.values) and parts & (label.values.keys() - {*joined}):
        raise InvalidDataset(
            f"{source}: the label column {label.name!r} holds several labels a row, such as {shown(joined[0])}, and Sageline "
            f"learns one. Keep one of them, or make a column of yes and no for each label and train a model for each."
        )


def _check_not_a_series(features: Mapping[str, str], label: str, task: str, source: str) -> None:
    if task == "regression" and set(features.values()) == {"date"}:
        raise InvalidDataset(
            f"{source}: there is nothing but {next(iter(features))!r} to learn {label!r} from: a forecast from the past values "
            f"of a series, which Sageline does not make. Add columns that say what the value depends on."
        )


class _Noting:
    """Chooses value by value, and notes the reasons."""

    def __init__(self, spec: Spec, reasons: dict[str, str]) -> None:
        self.reasons = reasons
        self._spec = spec

    def choose(self, key: str, given: str | None, default: str, reason: str) -> str:
        if given is not None:
            return given
        self.reasons[key] = reason
        return default

    def noted(self, chosen: tuple[dict[str, Any], dict[str, str]]) -> dict[str, Any]:  # Any: a part of a JSON document
        values, reasons = chosen
        self.reasons |= reasons
        return values

    def deployment(self, name: str) -> dict[str, Any] | None:  # Any: a JSON document
        given = self._spec.deployment
        if given is None:
            return None
        document = given.model_dump()
        document["endpoint"] = self.choose("deployment.endpoint", given.endpoint, name, "the name of the dataset")
        if given.serverless is None and given.instances is None:
            if given.needs_instances:
                document["instances"] = {}
                self.reasons["deployment.instances"] = f"{given.needs_instances} needs them: a serverless endpoint cannot have it"
            else:
                document["serverless"] = {}
                self.reasons["deployment.serverless"] = "the default: it costs nothing while nobody asks"
        return document

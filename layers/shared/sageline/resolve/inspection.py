"""What would be made of a dataset, as one document: label, task, columns, encoder, and the spec that says otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, zip_longest
from typing import TypeVar

from sageline.dataset.distinct import MOST_DISTINCT
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.json_objects import Json
from sageline.resolve.candidates import ResolvedRun
from sageline.resolve.inspected.document import (
    InspectedAlgorithm,
    InspectedColumn,
    InspectedLabel,
    InspectedValues,
    Inspection,
)
from sageline.resolve.inspected.mistakes import label_classes, mistakes
from sageline.resolve.resolution import Resolution
from sageline.spec.model import Spec
from sageline.spec.training import AUTO

ColumnT = TypeVar("ColumnT")

MOST_COLUMNS = 200  # that are listed
_EXAMPLES = 3
_EXAMPLE_CHARACTERS = 80
_CLASSES = 10
_OF_COLUMN = "dataset.features."
_OF_ALGORITHM = ("encoder", "target")
"""Of the spec, what each algorithm has its own of and what is shown."""


def inspect(source: str, profile: DatasetProfile, resolved: ResolvedRun, given: Spec) -> Inspection:
    """The document that ``sageline inspect --json`` prints and ``POST /datasets/inspect`` answers (docs/api.md).

    Args:
        source: the file or its URI.
        given: the spec as it was before anything was chosen.
    """
    resolution = resolved.resolution
    spec = resolution.spec
    label, features = str(spec.dataset.label), dict(spec.dataset.features or {})
    others = [column for name, column in profile.columns.items() if name != label]
    listed = some_of_each_kind(others, lambda column: features.get(column.name), MOST_COLUMNS)
    why = {name: reason for name, reason in spec.reasons.items() if name.startswith(_OF_COLUMN)}
    encoder = _in_common([each.encoder.model_dump() if each.encoder else {} for each in resolved.trained])
    return {
        "source": source,
        "rows": profile.rows,
        "is_sample": profile.is_sample,
        "label": _label(profile.columns[label], profile, resolution),
        "task": spec.task,
        "encoder": encoder.get("kind"),
        "layout": encoder.get("layout"),
        "algorithms": _algorithms(resolved, given, features.values()),
        "refused_algorithms": dict(resolved.refused),
        "column_count": len(profile.columns),
        "kinds": dict(Counter(features.values())),
        "left_out": len(others) - len(features),
        "columns": [_column(column, profile, features, spec.reasons) for column in listed],
        "more_columns": len(others) - len(listed),
        "reasons": {key: reason for key, reason in spec.reasons.items() if key not in why},
        "mistakes": mistakes(profile, resolution),
        "warnings": list(resolution.warnings),
        "notes": list(resolution.notes),
        "spec": _to_edit(spec, given, encoder, is_listed=len(others) <= MOST_COLUMNS),
    }


def some_of_each_kind(columns: Sequence[ColumnT], kind_of: Callable[[ColumnT], str | None], most: int) -> list[ColumnT]:
    """Up to so many columns, in their order: of many of one kind only some, so that the few of another are among them."""
    of_kind: dict[str | None, list[int]] = {}
    for index, column in enumerate(columns):
        of_kind.setdefault(kind_of(column), []).append(index)
    by_turns = [index for turn in zip_longest(*of_kind.values()) for index in turn if index is not None]
    return [columns[index] for index in sorted(by_turns[:most])]


def _algorithms(resolved: ResolvedRun, given: Spec, kinds: Iterable[str]) -> list[InspectedAlgorithm]:
    """A document for each algorithm that is trained: its name, its encoder and its options for the columns that there are, its
    hyperparameters as far as they are chosen by now, how many trials it has, and the reasons for its encoder and its target.

    Args:
        given: the spec as it was before anything was chosen.
        kinds: of the columns that are learned from.
    """
    there = set(kinds)
    if not resolved.candidates:
        return [_algorithm(resolved.resolution.spec, given, there)]
    return [_algorithm(candidate.resolution.spec, candidate.given, there) for candidate in resolved.candidates]


def _in_common(documents: Sequence[Json]) -> Json:
    """What all of them say alike."""
    first, *others = documents
    return {name: value for name, value in first.items() if all(name in other and other[name] == value for other in others)}


def _algorithm(spec: Spec, given: Spec, kinds: set[str]) -> InspectedAlgorithm:
    encoder = spec.encoder.model_dump() if spec.encoder else {}
    asked = given.model_dump(mode="json", exclude_unset=True).get("encoder") or {}
    return {
        "algorithm": spec.algorithm.name,
        "encoder": encoder.get("kind"),
        "layout": encoder.get("layout"),
        "options": {name: options for name, options in asked.items() if name in kinds},
        "hyperparameters": dict(spec.algorithm.hyperparameters),
        "trials": spec.tuning.max_jobs if spec.tuning else None,
        "reasons": {key: reason for key, reason in spec.reasons.items() if key.partition(".")[0] in _OF_ALGORITHM},
    }


def _label(column: ColumnProfile, profile: DatasetProfile, resolution: Resolution) -> InspectedLabel:
    """The label, and how frequent its classes are; where there are many, the most frequent ones."""
    spec = resolution.spec
    classes = label_classes(column, resolution) if spec.task == "classification" else None
    return {
        **_about(column, profile, is_grouped=classes is not None),
        "reason": spec.reasons.get("dataset.label", "as asked for"),
        "classes": None if classes is None else {_shortened(name): count for name, count in classes.most_common(_CLASSES)},
    }


def _column(
    column: ColumnProfile, profile: DatasetProfile, features: Mapping[str, str], reasons: Mapping[str, str]
) -> InspectedColumn:
    kind = features.get(column.name)
    reason = reasons.get(_OF_COLUMN + column.name)
    if reason is None:
        reason = reasons.get("dataset.features", "") if kind == "pixel" else "dataset.features says so"
    return {
        **_about(column, profile, is_grouped=kind == "category"),
        "kind": kind,
        "reason": reason.removeprefix("left out: ").removeprefix(f"{kind}: "),
    }


def _about(column: ColumnProfile, profile: DatasetProfile, *, is_grouped: bool) -> InspectedValues:
    """What is in a column. Examples are its most frequent values where these repeat, else values of different rows."""
    found = dict(column.values.most_common(_EXAMPLES)) if is_grouped else _different(profile.sample.columns[column.name])
    return {
        "name": column.name,
        "examples": [] if column.images else [_shortened(text) for text in found],  # of an image only a fingerprint is known
        "missing": round(column.missing / column.rows, 4) if column.rows else 0.0,
        "distinct": column.distinct,
        "is_estimate": column.distinct > MOST_DISTINCT,
    }


def _different(values: list[str]) -> list[str]:
    return list(islice(dict.fromkeys(value for value in values if value.strip()), _EXAMPLES))


def _shortened(text: str) -> str:
    """A value on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _EXAMPLE_CHARACTERS else f"{line[: _EXAMPLE_CHARACTERS - 1]}…"


def _to_edit(spec: Spec, given: Spec, chosen: Json, *, is_listed: bool) -> Json:
    """The spec that was given, with what was chosen about the data: what a person would want to say otherwise.

    Args:
        chosen: of the encoder, that of every algorithm that is trained.
        is_listed: with all columns; a run that is given none chooses the same again.
    """
    document = given.model_dump(exclude_unset=True, exclude={"reasons"})
    dataset: Json = document.get("dataset", {})
    dataset["label"] = spec.dataset.label
    if is_listed:
        dataset = {key: value for key, value in dataset.items() if key not in ("exclude", "kinds")}
        dataset["features"] = dict(spec.dataset.features or {})
    encoder: Json = document.get("encoder") or {}
    encoder |= {name: chosen[name] for name in ("kind", "layout", "shape", "scale") if name in chosen}
    known: Json = {"encoder": encoder} if encoder or spec.algorithm.name != AUTO else {}
    target: Json = {"target": {"transform": "log"}} if spec.target.transform == "log" else {}
    return {**document, "task": spec.task, "dataset": dataset, **known, **target}

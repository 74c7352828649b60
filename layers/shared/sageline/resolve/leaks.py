"""Columns compared with the label on a sample of the rows: which give it away, and whether texts or the others tell more."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NamedTuple

from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import shown
from sageline.arrays.strings import IntArray
from sageline.dataset import probe
from sageline.dataset.probe import Feature, Target
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.row_sample import RowSample

_MOST_COLUMNS = 200  # of a wide table, those in front


class ColumnComparison(NamedTuple):
    """Whether numbers and categories are to be learnt from rather than the texts beside them, and why; no words where there is
    nothing to compare."""

    is_table: bool
    words: str = ""


def compare(
    profile: DatasetProfile, kinds: Mapping[str, str], spellings: Mapping[str, Spelling], label: str, task: str
) -> ColumnComparison:
    """Prefer the texts or the other columns, whichever tell the label of more rows of the sample; the texts if it is about the
    same. Texts that are there in less than half of the rows do not count."""
    texts = [name for name, kind in kinds.items() if kind == "text"]
    others = [name for name, kind in kinds.items() if kind in ("number", "category")]
    if not others:
        return ColumnComparison(False)
    columns = profile.columns
    listed = ", ".join(map(repr, texts))
    if all(2 * columns[name].present < columns[name].rows for name in texts):
        return ColumnComparison(True, f"the text in {listed} is empty in most rows")
    found = probe.target_of(profile.sample.columns[label], task, spellings.get(label, PLAIN))
    if found is None:
        return ColumnComparison(False)
    target, rows = found
    sample = {name: _some(profile.sample, name, rows) for name in [*texts, *others]}
    by_texts = probe.of_texts([sample[name] for name in texts], target)
    features = [Feature(kinds[name], sample[name], spellings.get(name, PLAIN)) for name in others[:_MOST_COLUMNS]]
    by_others = max(probe.of_table(features, target), *(probe.alone(feature, _as_classes(target)) for feature in features))
    error = math.sqrt((by_texts * (1 - by_texts) + by_others * (1 - by_others)) / len(rows))
    what = "labels" if task == "classification" else "fifths of the label"
    words = (
        f"in a quick look at {len(rows)} rows the text in {listed} tells {by_texts:.0%} of the {what}, and the other columns "
        f"{by_others:.0%}"
    )
    return ColumnComparison(by_others > by_texts + 2 * error, words)


def leaks(
    profile: DatasetProfile, features: Mapping[str, str], spellings: Mapping[str, Spelling], label: str, task: str
) -> list[str]:
    """A warning for each column that alone tells the label almost perfectly."""
    found = probe.target_of(profile.sample.columns[label], task, spellings.get(label, PLAIN))
    if found is None:
        return []
    target, rows = found
    warnings = []
    for name in list(features)[:_MOST_COLUMNS]:
        if features[name] == "image" or (features[name] == "text" and profile.columns[name].is_unique):
            continue
        feature = Feature(features[name], _some(profile.sample, name, rows), spellings.get(name, PLAIN))
        score = probe.alone(feature, target)
        if probe.gives_away(score, target):
            reached = f"R² {score:.3f}" if target.values is not None else f"accuracy {score:.3f}"
            without = json.dumps({"dataset": {"exclude": [name]}}, ensure_ascii=False)
            to_do = f"leave it out with {without}" if len(features) > 1 else "then there is nothing here to learn the label from"
            warnings.append(
                f"Column {shown(name)} alone tells the label almost perfectly ({reached} on {len(rows)} rows of the data). If it "
                f"is known only when the label is, it leaks it: {to_do}."
            )
    return warnings


def _some(sample: RowSample, name: str, rows: IntArray) -> list[str]:
    values = sample.columns[name]
    return [values[index] for index in rows.tolist()]


def _as_classes(target: Target) -> Target:
    return Target(target.classes, None)

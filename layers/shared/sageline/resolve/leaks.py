"""Columns compared with the label on a sample of the rows: which give it away."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import shown
from sageline.arrays.strings import IntArray
from sageline.dataset import probe
from sageline.dataset.probe import Feature
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.row_sample import RowSample

_MOST_COLUMNS = 200  # of a wide table, those in front


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
                f"Column {shown(name)} alone tells the label almost perfectly ({reached} on {len(rows):,} rows of the data). If "
                f"it is known only when the label is, it leaks it: {to_do}."
            )
    return warnings


def _some(sample: RowSample, name: str, rows: IntArray) -> list[str]:
    values = sample.columns[name]
    return [values[index] for index in rows.tolist()]

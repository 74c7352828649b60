"""What a model has answered for rows whose labels are known, Sageline's or a peer's alike, and how good that is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from sageline.evaluation.jackknife import standard_error
from sageline.evaluation.regression import RegressionSums
from sageline.json_objects import Json
from sageline.spec.metrics import METRICS


@dataclass(frozen=True, eq=False)
class Judged:
    """What rows are judged by: the metric of Sageline's choice, and the right answers.

    Attributes:
        classes: the labels in class order; None for a regression.
        positive: of two classes the one that is looked for.
        expected: ``int64[rows]`` numbers of classes, or ``float64[rows]`` values.
    """

    metric: str
    classes: list[str] | None
    positive: str | None
    expected: AnyArray


@dataclass(frozen=True, eq=False)
class Answers:
    """For the rows of a :class:`Judged`.

    Attributes:
        chosen: ``int64[rows]``: numbers of classes; or ``float64[rows]``: values.
        scores: ``float32[rows, classes]``: probabilities; None for a regression, or where only labels are answered.
    """

    chosen: AnyArray
    scores: FloatArray | None = None


def sums_of(judged: Judged, answers: Answers) -> Sums:
    """What the metrics are made of, as EvaluateModel counts it."""
    if judged.classes is None:
        values = RegressionSums()
        values.update(judged.expected, answers.chosen)
        return values
    positive = None if judged.positive is None else judged.classes.index(judged.positive)
    sums = ClassificationSums(judged.classes, positive)
    chosen: IntArray = answers.chosen.astype(np.int64)
    sums.update(judged.expected, ClassAnswers(chosen, answers.scores, are_probabilities=answers.scores is not None))
    return sums


def value_of(judged: Judged, answers: Answers, metric: str | None = None) -> float:
    """A metric, the one that they are judged by if none is named; NaN where the answers do not tell it."""
    value = sums_of(judged, answers).value(metric or judged.metric)
    return float("nan") if value is None else value


def baseline_of(judged: Judged) -> float:
    """The metric of always answering the most frequent class of the rows, or their mean."""
    return sums_of(judged, Answers(judged.expected)).baseline_metrics()[judged.metric]


def difference(judged: Judged, first: Answers, second: Answers) -> tuple[float, float]:
    """How much better the first is than the second, negative when it is worse, and the standard error of that: the jackknife of
    the paired difference, as a comparison with the model in service has it; NaN where it cannot be told."""
    one, other = sums_of(judged, first), sums_of(judged, second)
    sign = 1 if METRICS[judged.metric].better == "higher" else -1
    better = sign * (value_of(judged, first) - value_of(judged, second))
    without = sign * (one.without_each_group(judged.metric) - other.without_each_group(judged.metric))
    error = standard_error(better, without, one.group_rows[one.group_rows > 0])
    return better, float("nan") if error is None else error


def save(path: Path, facts: Json, arrays: dict[str, AnyArray | None]) -> None:
    """Keep arrays with a JSON document; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = {name: array for name, array in arrays.items() if array is not None}
    scratch = path.with_suffix(".part.npz")
    np.savez_compressed(scratch, facts=np.array(json.dumps(facts)), **there)  # type: ignore[arg-type]  # its flags are named
    scratch.replace(path)


def load(path: Path) -> tuple[Json, dict[str, AnyArray]]:
    """What :func:`save` has kept."""
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    facts: Json = json.loads(str(arrays.pop("facts")))
    return facts, arrays

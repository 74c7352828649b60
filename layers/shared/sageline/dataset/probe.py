"""How well columns tell the label, each by itself, estimated on a sample of rows.

Quick and rough models that need no training: the labels of one half of the sample are guessed from the other half. They find what
is plain, a column that gives the label away; how good a model is, only its test rows tell.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.numbers import BadNumber, parse_doubles
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.values import one_name

FEWEST_ROWS = 40
_ALMOST_RIGHT, _ALMOST_ALL = 0.98, 0.99
_GROUPS = 20  # a column of so few numbers is one of groups


class Target(NamedTuple):
    """The labels of a sample.

    Attributes:
        classes: ``int64[rows]``; for a regression, the fifth of the values that each is in.
        values: ``float64[rows]`` of a regression, else None.
    """

    classes: IntArray
    values: DoubleArray | None


class Feature(NamedTuple):
    """A column of a sample: its kind, its texts, and how numbers are spelled."""

    kind: str
    texts: Sequence[str]
    spelling: Spelling


def target_of(texts: Sequence[str], task: str, spelling: Spelling) -> tuple[Target, IntArray] | None:
    """The labels that are there, and ``int64[rows]`` which rows have them; None where these are too few, or all the same."""
    if task == "regression":
        values = _numbers(texts, spelling)
        rows = np.flatnonzero(~np.isnan(values))
        values = values[rows]
        bounds = np.unique(np.quantile(values, np.arange(1, 5) / 5)) if len(values) else values
        target = Target(np.searchsorted(bounds, values, side="left").astype(np.int64), values)
    else:
        names = one_name(Counter(texts))
        rows = np.array([index for index, text in enumerate(texts) if text.strip()], dtype=np.int64)
        labels = [names[texts[index]] for index in rows.tolist()]
        target = Target(np.unique(labels, return_inverse=True)[1].astype(np.int64) if labels else rows, None)
    enough = len(rows) >= FEWEST_ROWS and len(np.unique(target.classes)) > 1
    return (target, rows) if enough else None


def alone(feature: Feature, target: Target) -> float:
    """How well a column alone tells the label: the share of right labels, or R² of a regression.

    A number is looked up among its neighbours of the other half, a category by its value; what the other half lacks gets its most
    frequent label, or its mean.
    """
    numbers = _numbers(feature.texts, feature.spelling) if feature.kind in ("number", "pixel") else None
    if numbers is not None and len(np.unique(numbers[~np.isnan(numbers)])) <= _GROUPS:
        numbers = None
    answers = np.zeros(len(target.classes))
    for known, asked in _halves(len(target.classes)):
        of_known = target.classes[known] if target.values is None else target.values[known]
        if numbers is not None:
            answers[asked] = _of_neighbours(numbers[known], of_known, numbers[asked], is_class=target.values is None)
        else:
            answers[asked] = _of_equals(feature.texts, known, asked, of_known, is_class=target.values is None)
    if target.values is None:
        return float(np.mean(answers == target.classes))
    with np.errstate(over="ignore"):  # of a label beyond float32, which a run is refused for
        spread = float(((target.values - target.values.mean()) ** 2).sum())
        unexplained = float(((target.values - answers) ** 2).sum())
    return 1 - unexplained / spread if spread and math.isfinite(spread) else 0.0


def gives_away(score: float, target: Target) -> bool:
    """Whether a column that reaches this score alone tells the label almost perfectly."""
    if target.values is not None:
        return score >= _ALMOST_ALL
    most_frequent = float(np.bincount(target.classes).max() / len(target.classes))
    return score >= _ALMOST_RIGHT and 1 - score <= (1 - most_frequent) / 10


def _halves(rows: int) -> list[tuple[IntArray, IntArray]]:
    """Each half of the rows, with the other one that is known; the rows of a sample are in the order of the file."""
    even, odd = np.arange(0, rows, 2), np.arange(1, rows, 2)
    return [(even, odd), (odd, even)]


def _numbers(texts: Sequence[str], spelling: Spelling) -> DoubleArray:
    """NaN where a value is missing or none."""
    try:
        return parse_doubles(StringArray.from_list(texts), spelling)
    except BadNumber:
        return np.array([_number(text, spelling) for text in texts])


def _number(text: str, spelling: Spelling) -> float:
    try:
        return float(parse_doubles(StringArray.from_list([text]), spelling)[0])
    except BadNumber:
        return float("nan")


def _of_neighbours(known: DoubleArray, answers: AnyArray, asked: DoubleArray, *, is_class: bool) -> DoubleArray:
    """The answer of the nearest known number; of a regression, on the line between the two around it."""
    default = _default(answers, is_class=is_class)
    there = ~np.isnan(known)
    order = np.argsort(known[there], kind="stable")
    numbers, of_number = known[there][order], answers[there][order].astype(np.float64)
    if not len(numbers):
        return np.full(len(asked), default)
    if not is_class:
        found = np.interp(np.nan_to_num(asked), numbers, of_number)
    else:
        above = np.searchsorted(numbers, np.nan_to_num(asked)).clip(1, max(1, len(numbers) - 1))
        below = above - 1
        above = above.clip(0, len(numbers) - 1)
        nearer = np.abs(numbers[above] - asked) < np.abs(asked - numbers[below])
        found = of_number[np.where(nearer, above, below)]
    return np.where(np.isnan(asked), default, found)


def _of_equals(texts: Sequence[str], known: IntArray, asked: IntArray, answers: AnyArray, *, is_class: bool) -> DoubleArray:
    """The most frequent answer, or the mean one, of the known rows with the same value."""
    groups: dict[str, list[float]] = {}
    for index, answer in zip(known.tolist(), answers.tolist(), strict=True):
        groups.setdefault(texts[index].strip(), []).append(answer)
    of_value = {text: _default(np.array(group), is_class=is_class) for text, group in groups.items()}
    default = _default(answers, is_class=is_class)
    return np.array([of_value.get(texts[index].strip(), default) for index in asked.tolist()])


def _default(answers: AnyArray, *, is_class: bool) -> float:
    return float(np.bincount(answers.astype(np.int64)).argmax()) if is_class else float(answers.mean())

"""How much the rows of each class count in training."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Literal

from sageline.encoder.values import ValueIndex
from sageline.errors import InvalidSpec

_SHOWN_LABELS = 10


def class_weights(
    given: Literal["balanced"] | Mapping[str, float], rows: Mapping[str, int], classes: Sequence[str]
) -> tuple[float, ...]:
    """The weight of each class, in their order: ``balanced`` gives all classes the same weight in sum, and the rows 1 on average,
    as scikit-learn does; a label that is not named has 1.

    Args:
        rows: train rows of each class.

    Raises:
        InvalidSpec: names a label that no train row has.
    """
    if given == "balanced":
        total = sum(rows[label] for label in classes)
        return tuple(total / (len(classes) * rows[label]) for label in classes)
    index = ValueIndex(classes)
    weights = [1.0] * len(classes)
    for label, weight in given.items():
        number = index.index(label)
        if number < 0:
            hint = _hint(label, classes)
            raise InvalidSpec(f"`algorithm.class_weight` names the label {label!r}, which no train row has; {hint}")
        weights[number] = weight
    return tuple(weights)


def _hint(label: str, classes: Sequence[str]) -> str:
    near = difflib.get_close_matches(label, classes, n=1)
    more = " and more" if len(classes) > _SHOWN_LABELS else ""
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, classes[:_SHOWN_LABELS]))}{more}."

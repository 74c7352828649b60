"""What a model is judged by where the spec does not say: the metric, and which of two classes is looked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from sageline.errors import InvalidSpec
from sageline.formats.exchange import answering
from sageline.spec.metrics import default_metric
from sageline.spec.model import Spec

RARE = 0.2
"""Share of the train rows below which one of two classes is rare: always answering the other one has an accuracy of over 80 %."""

_MAY_ANSWER_LABELS_ONLY = ("knn", "scikit-learn")
"""Algorithms and frameworks without scores: scikit-learn's container calls ``predict`` unless the script says otherwise."""

_SHOWN_LABELS = 10


def complete_evaluation(spec: Spec, train_rows: Mapping[str, int]) -> Spec:
    """A resolved spec with ``evaluation.metric`` and, of two classes, ``evaluation.positive``; the reasons say why.

    Args:
        train_rows: of each class, in the order of the classes; empty for a regression.

    Raises:
        InvalidSpec: ``evaluation.positive`` is no class of the data, or they have more than two.
    """
    chosen, reasons = {}, dict(spec.reasons)
    positive = spec.evaluation.positive
    if positive is not None:
        _check_positive(positive, train_rows)
    elif len(train_rows) == 2:
        positive, reasons["evaluation.positive"] = _rarer(train_rows)
        chosen["positive"] = positive
    if spec.evaluation.metric is None:
        chosen["metric"], reasons["evaluation.metric"] = _metric(spec, train_rows)
    return spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update=chosen), "reasons": reasons})


def _check_positive(positive: str, train_rows: Mapping[str, int]) -> None:
    if positive not in train_rows:
        near = difflib.get_close_matches(positive, train_rows, n=1)
        labels = ", ".join(map(repr, list(train_rows)[:_SHOWN_LABELS]))
        more = f" and {len(train_rows) - _SHOWN_LABELS} more" if len(train_rows) > _SHOWN_LABELS else ""
        hint = f"did you mean {near[0]!r}? " if near else "take one that is there. "
        raise InvalidSpec(
            f"`evaluation.positive` is {positive!r}, and no train row has that label; {hint}They have {labels}{more}."
        )
    if len(train_rows) > 2:
        raise InvalidSpec(
            f"`evaluation.positive` is {positive!r}, which is for two classes, and the train rows have {len(train_rows)}; take "
            f'it out, or ask for {{"evaluation": {{"at_least": {{"recall:{positive}": 0.5}}}}}}.'
        )


def _rarer(train_rows: Mapping[str, int]) -> tuple[str, str]:
    """The class of two with fewer train rows, of equally many the second, and why."""
    (first, of_first), (second, of_second) = train_rows.items()
    if of_first == of_second:
        return second, "the second of two labels that equally many train rows have"
    label, rows = (first, of_first) if of_first < of_second else (second, of_second)
    return label, f"the rarer of two labels: {_share(rows, train_rows)} of the train rows have it"


def _metric(spec: Spec, train_rows: Mapping[str, int]) -> tuple[str, str]:
    """A metric, and why that one."""
    rows = min(train_rows.values(), default=0)
    if len(train_rows) != 2 or rows >= RARE * sum(train_rows.values()):
        task = spec.task or "classification"
        return default_metric(task), f"the usual one for a {task}"
    label = min(train_rows, key=lambda name: train_rows[name])
    rare = f"only {_share(rows, train_rows)} of the train rows have the label {label!r}, so accuracy would say little"
    framework = spec.algorithm.script.framework if spec.algorithm.script else None
    answers = answering(spec.algorithm.name, framework)
    if answers in _MAY_ANSWER_LABELS_ONLY:
        return "balanced_accuracy", f"{rare}; {answers} may answer labels and no scores"
    return "average_precision", rare


def _share(rows: int, train_rows: Mapping[str, int]) -> str:
    return f"{rows / sum(train_rows.values()):.2%}".removesuffix("%").rstrip("0").removesuffix(".") + " %"

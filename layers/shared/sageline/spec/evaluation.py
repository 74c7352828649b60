"""The part of the spec that says how good a model must be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, field_validator, model_validator

from sageline.errors import InvalidSpec
from sageline.spec.metrics import Metric, class_metric, current_name, hint, metric_named, metrics_of
from sageline.spec.section import BaseSpec, InstanceType

ONLY_LABELS = ("knn",)
"""Whose transform jobs answer labels and nothing else, see :mod:`sageline.formats.exchange`."""

_SHOWN_LABELS = 10


class EvaluationSpec(BaseSpec):
    """What is asked of a new model before it is deployed, on the rows of `split.test`. docs/evaluation.md lists the metrics."""

    metric: str | None = Field(
        None,
        description="What the model is judged by, and what `beat_champion` compares. Default: accuracy, or rmse for numbers; of "
        "two classes, of which one has less than 20 % of the train rows, average_precision (balanced_accuracy where only labels "
        "may be answered).",
    )
    positive: str | None = Field(
        None,
        description="Of two classes the label of the one that is looked for, such as `fraud`: roc_auc and average_precision are "
        "of it. Default: the one that fewer train rows have.",
    )
    at_least: dict[str, float] | None = Field(
        None,
        description="Metric to the value that it must reach; for metrics of which more is better. `recall:<label>`, "
        "`precision:<label>` and `f1:<label>` are those of one class.",
    )
    at_most: dict[str, float] | None = Field(
        None, description="Metric to the value that it must not exceed; for metrics of which less is better."
    )
    better_than_baseline: bool = Field(
        True,
        description="The model must be better, by two standard errors, than always answering the most frequent label, or the "
        "mean. Not asked with fewer than 50 test rows. `false` deploys it all the same, with a warning.",
    )
    beat_champion: bool = Field(
        False,
        description="The model must be better than the one that the endpoint serves, on the same rows and by more than chance.",
    )
    instance_type: InstanceType = Field("ml.m5.large", description="Of the transform job that scores the test rows.")

    @field_validator("metric", mode="before")
    @classmethod
    def _todays_metric(cls, metric: object) -> object:
        return current_name(metric) if isinstance(metric, str) else metric

    @field_validator("at_least", "at_most", mode="before")
    @classmethod
    def _todays_metrics(cls, limits: object) -> object:
        if not isinstance(limits, dict):
            return limits
        for name in limits:
            if isinstance(name, str) and (today := current_name(name)) != name and today in limits:
                raise ValueError(f"has {name} and {today}, which are one metric by two names; take one of them out")
        return {current_name(name) if isinstance(name, str) else name: value for name, value in limits.items()}

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        limits = {"at_least": self.at_least or {}, "at_most": self.at_most or {}}
        if self.metric is not None:
            _check_name("metric", self.metric)
            if class_metric(self.metric) is not None:
                raise ValueError(f"`metric` names {self.metric!r}, a metric of one class; ask for those with `at_least`")
        for rule, values in limits.items():
            for name, value in values.items():
                _check_name(rule, name)
                _check_direction(rule, name, value)
        return self


def check_evaluation(evaluation: EvaluationSpec, task: str, answers: str) -> None:
    """Refuse metrics that the models of a task, or those of an algorithm, do not have, and a positive class of a regression.

    Args:
        answers: whose answers are read (:func:`sageline.formats.exchange.answering`).

    Raises:
        InvalidSpec: names the key and the metric.
    """
    if evaluation.positive is not None and task != "classification":
        raise InvalidSpec(
            f"`evaluation.positive` names the class {evaluation.positive!r}, and a {task} has no classes; take it out."
        )
    named = [("evaluation.metric", evaluation.metric)] if evaluation.metric is not None else []
    named += [("evaluation.at_least", name) for name in evaluation.at_least or {}]
    named += [("evaluation.at_most", name) for name in evaluation.at_most or {}]
    for key, name in named:
        metric = _metric(name)
        if metric.task != task:
            raise InvalidSpec(
                f"`{key}` names {name}, which is for a {metric.task}, and the task is {task}; its metrics are "
                f"{', '.join(metrics_of(task))}."
            )
        if metric.needs != "labels" and answers in ONLY_LABELS:
            possible = ", ".join(other for other, row in metrics_of(task).items() if row.needs == "labels")
            raise InvalidSpec(f"`{key}` names {name}, which takes more than the labels that {answers} answers; take {possible}.")


def check_classes(evaluation: EvaluationSpec, test_rows: Mapping[str, int]) -> None:
    """Refuse limits of classes that no test row has: whether a model keeps them could not be told.

    Args:
        test_rows: of each class that train has.

    Raises:
        InvalidSpec: names the metric, and the classes that there are.
    """
    for name in evaluation.at_least or {}:
        of_class = class_metric(name)
        if of_class is not None and not test_rows.get(of_class[1]):
            near = difflib.get_close_matches(of_class[1], test_rows, n=1)
            hint = f" (did you mean `{of_class[0]}:{near[0]}`?)" if near else ""
            raise InvalidSpec(
                f"`evaluation.at_least` names {name}, and no test row has the label {of_class[1]!r}{hint}; "
                f"they have {_listed(list(test_rows))}. A larger `split.test` holds more of them."
            )


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(map(repr, labels[:_SHOWN_LABELS]))
    return f"{shown} and {len(labels) - _SHOWN_LABELS} more" if len(labels) > _SHOWN_LABELS else shown


def _check_name(key: str, name: str) -> None:
    if metric_named(name) is None:
        raise ValueError(f"`{key}` names {name!r}, and there is no such metric ({hint(name)})")


def _metric(name: str) -> Metric:
    """A metric whose name was checked."""
    metric = metric_named(name)
    if metric is None:
        raise KeyError(name)
    return metric


def _check_direction(rule: str, name: str, value: float) -> None:
    metric = _metric(name)
    right = "at_least" if metric.better == "higher" else "at_most"
    if rule != right:
        raise ValueError(
            f"`{rule}` has {name}, of which {metric.better} values are better: it would refuse the good models; "
            f'say "{right}": {{"{name}": {value:g}}}'
        )
    low, high = sorted((metric.best, metric.limit)) if metric.limit is not None else (None, None)
    if low is not None and high is not None and not low <= value <= high:
        share = f"; {value:g} percent is {value / 100:g}" if high < value <= 100 * high else ""
        raise ValueError(f"`{rule}.{name}` is {value:g}, and {name} goes from {low:g} to {high:g}{share}")
    if metric.limit is None and (value > metric.best if metric.better == "higher" else value < metric.best):
        raise ValueError(f"`{rule}.{name}` is {value:g}, and no model has a {name} better than {metric.best:g}")

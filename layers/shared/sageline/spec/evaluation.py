"""The part of the spec that says how good a model must be."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from sageline.errors import InvalidSpec
from sageline.evaluation.names import METRICS, hint, metrics_of
from sageline.spec.section import InstanceType, Section

_ONLY_LABELS = ("knn",)
"""Whose transform jobs answer labels and nothing else, see :mod:`sageline.formats.exchange`."""


class Evaluation(Section):
    """What is asked of a new model before it is deployed, on the rows of `split.test`. docs/evaluation.md lists the metrics."""

    metric: str | None = Field(
        None,
        description="What the model is judged by, and what `beat_champion` compares. Default: accuracy, or rmse for numbers.",
    )
    at_least: dict[str, float] | None = Field(
        None, description="Metric to the value that it must reach; for metrics of which more is better."
    )
    at_most: dict[str, float] | None = Field(
        None, description="Metric to the value that it must not exceed; for metrics of which less is better."
    )
    beat_champion: bool = Field(
        False,
        description="The model must be better than the one that the endpoint serves, on the same rows and by more than chance.",
    )
    instance_type: InstanceType = Field("ml.m5.large", description="Of the transform job that scores the test rows.")

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        limits = {"at_least": self.at_least or {}, "at_most": self.at_most or {}}
        if self.metric is not None:
            _check_name("metric", self.metric)
        for rule, values in limits.items():
            for name, value in values.items():
                _check_name(rule, name)
                _check_direction(rule, name, value)
        return self


def check_evaluation(evaluation: Evaluation, task: str, answers: str) -> None:
    """Refuse metrics that the models of a task, or those of an algorithm, do not have.

    Args:
        answers: whose answers are read (:func:`sageline.formats.exchange.answering`).

    Raises:
        InvalidSpec: names the key and the metric.
    """
    named = [("evaluation.metric", evaluation.metric)] if evaluation.metric is not None else []
    named += [("evaluation.at_least", name) for name in evaluation.at_least or {}]
    named += [("evaluation.at_most", name) for name in evaluation.at_most or {}]
    for key, name in named:
        metric = METRICS[name]
        if metric.task != task:
            raise InvalidSpec(
                f"`{key}` names {name}, which is for a {metric.task}, and the task is {task}; its metrics are "
                f"{', '.join(metrics_of(task))}."
            )
        if metric.needs != "labels" and answers in _ONLY_LABELS:
            possible = ", ".join(other for other, row in metrics_of(task).items() if row.needs == "labels")
            raise InvalidSpec(f"`{key}` names {name}, which takes more than the labels that {answers} answers; take {possible}.")


def _check_name(key: str, name: str) -> None:
    if name not in METRICS:
        raise ValueError(f"`{key}` names {name!r}, and there is no such metric ({hint(name)})")


def _check_direction(rule: str, name: str, value: float) -> None:
    metric = METRICS[name]
    if not math.isfinite(value):
        raise ValueError(f"`{rule}.{name}` is {value}; give a finite number")
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

"""The facts of the data that an algorithm's rules depend on, and the form of these rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sageline.algorithms.hyperparameters import HyperparameterTable

Hyperparameters: TypeAlias = dict[str, str | int | float | bool]
"""Hyperparameters as a spec has them: JSON values."""

Direction: TypeAlias = Literal["Minimize", "Maximize"]


@dataclass(frozen=True)
class DataFacts:
    """What the data says about a training job; None where it has not been read to its end.

    Attributes:
        task: ``classification`` or ``regression``.
        num_class: number of classes; None for a regression, too.
        feature_dim: columns of the encoded data.
        train_rows: rows to train on.
        has_validation: whether the job gets validation rows.
        image_shape: (height, width, channels) where the encoder is ``image``.
        encoder: the encoder's kind.
        weighted: the channels say how much each row counts.
        class_weight: ``balanced``, or the weight of each class in their order, for an algorithm that weighs classes itself.
        label_minimum, label_maximum: of a regression's labels, on the scale that is learnt.
    """

    task: str
    num_class: int | None = None
    feature_dim: int | None = None
    train_rows: int | None = None
    has_validation: bool = True
    image_shape: tuple[int, ...] | None = None
    encoder: str = "columns"
    weighted: bool = False
    class_weight: Literal["balanced"] | tuple[float, ...] | None = None
    label_minimum: float | None = None
    label_maximum: float | None = None

    @property
    def several_classes(self) -> bool:
        """Whether there are more than two; two are assumed while nobody knows."""
        return (self.num_class or 2) > 2


@dataclass(frozen=True)
class Rules:
    """One algorithm as Sageline runs it.

    Attributes:
        table: its hyperparameters.
        refused: what the container refuses in a complete set of hyperparameters, for a person.
        defaults: a value for each hyperparameter that Sageline does not leave to the container, given those that are there.
        misfits: what of the given hyperparameters does not go with the data, or makes answers that Sageline cannot read.
        metrics: what a job of the given hyperparameters reports and may be tuned by, the usual one first; depends on the task
            only while the number of classes is not known.
        from_data: set from the data, so not to be tuned.
        ranges: what is tuned when a spec names no ranges, as a spec would say it.
        iterations: what counts the steps of training, which Hyperband spends; None where there are none.
        aliases: other names of hyperparameters.
        validation_channel: the channel of the validation rows.
        renamed: by hyperparameter, values that go to the container under another name.
    """

    table: HyperparameterTable
    refused: Callable[[Mapping[str, str]], list[str]]
    defaults: Callable[[Mapping[str, str | int | float | bool], DataFacts], Hyperparameters]
    misfits: Callable[[Mapping[str, str], DataFacts], list[str]]
    metrics: Callable[[Mapping[str, str], DataFacts], dict[str, Direction]]
    from_data: frozenset[str]
    ranges: Mapping[str, Mapping[str, str | float]]
    iterations: str | None
    aliases: Mapping[str, str]
    validation_channel: str = "validation"
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

"""The document that says what would be made of a dataset, as types."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypedDict  # pydantic reads no other on Python 3.11

from sageline.json_objects import Json, Keywords


class InspectedValues(TypedDict):
    """What is in a column; ``missing`` is a share."""

    name: str
    examples: list[str]
    missing: Annotated[float, Keywords(minimum=0, maximum=1)]
    distinct: int
    is_estimate: bool


class InspectedLabel(InspectedValues):
    """The column that would be predicted; its most frequent classes, null for a regression."""

    reason: str
    classes: dict[str, int] | None


class InspectedColumn(InspectedValues):
    """Another column; its kind is null where it is left out."""

    kind: str | None
    reason: str


class InspectedAlgorithm(TypedDict):
    """An algorithm that would be trained; its trials are null for one training job."""

    algorithm: str
    encoder: str | None
    layout: str | None
    options: Json
    hyperparameters: Json
    trials: int | None
    reasons: dict[str, str]


class Inspection(TypedDict):
    """What would be made of a dataset, and why."""

    source: str
    rows: int
    is_sample: bool
    label: InspectedLabel
    task: str | None
    encoder: str | None
    layout: str | None
    algorithms: list[InspectedAlgorithm]
    refused_algorithms: dict[str, str]
    column_count: int
    kinds: dict[str, int]
    left_out: int
    columns: list[InspectedColumn]
    more_columns: int
    reasons: dict[str, str]
    mistakes: list[str]
    warnings: list[str]
    notes: list[str]
    spec: Annotated[Json, Keywords(description="The spec that was given, with what was chosen about the data.")]

"""What the routes answer, as docs/api.md of Sageline shows it. A newer API may answer more keys."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

RunStatus = Literal["Running", "Succeeded", "Rejected", "Failed", "Stopped", "Unknown"]
Kind = Literal["number", "category", "text", "date", "image"]


class StateEntered(TypedDict):
    state: str
    entered_at: str


class RunError(TypedDict):
    """Why a run failed. ``advice`` says what to try."""

    state: str
    error: str
    message: str
    job: str | None
    failure_reason: str | None
    log_lines: list[str]
    advice: str


class Run(TypedDict):
    """A run. ``details`` grows as it goes on: rows, jobs, the evaluation, the deployment, costs."""

    run_id: str
    name: str
    execution_arn: str
    status: RunStatus
    state: str
    created_at: str
    updated_at: str
    states: list[StateEntered]
    endpoint_name: str | None
    dataset_uri: str | None
    details: dict[str, Any]  # JSON, by what the run has done
    error: RunError | None


class RunPage(TypedDict):
    """Runs, newest first; ``next_token`` leads to the next page, and is None on the last one."""

    runs: list[Run]
    next_token: str | None


class StartedRun(TypedDict):
    run_id: str
    status: RunStatus


class StartedBatch(StartedRun):
    """``output``: the S3 URI of the predictions, which are there when the run has succeeded."""

    output: str


class ChangeRun(TypedDict):
    """The run that changes what an endpoint serves; ``run_id`` is None where there was nothing to do."""

    endpoint: str
    run_id: str | None
    status: RunStatus


class PresignedRequest(TypedDict):
    url: str
    method: str
    headers: dict[str, str]


class Upload(TypedDict):
    """Where a file is to be sent, with exactly these headers, and which object it becomes."""

    upload: PresignedRequest
    bucket: str
    key: str
    expires_in_seconds: int


class InspectedLabel(TypedDict):
    name: str
    examples: list[str]
    missing: float
    distinct: int
    is_estimate: bool
    reason: str
    classes: dict[str, int] | None


class InspectedColumn(TypedDict):
    name: str
    examples: list[str]
    missing: float
    distinct: int
    is_estimate: bool
    kind: str | None
    reason: str


class InspectedAlgorithm(TypedDict):
    algorithm: str
    encoder: str | None
    layout: str | None
    options: dict[str, Any]  # a part of a spec
    hyperparameters: dict[str, Any]  # as above
    trials: int | None
    reasons: dict[str, str]


class Inspection(TypedDict):
    """What a run would make of a dataset."""

    source: str
    rows: int
    is_sample: bool
    label: InspectedLabel | None
    task: str
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
    spec: dict[str, Any]  # a spec


class Variant(TypedDict):
    name: str
    weight: float
    model_version: str


class Endpoint(TypedDict):
    name: str
    status: str
    variants: list[Variant]
    created_at: str | None
    updated_at: str | None
    expires_at: str | None
    failure_reason: str | None


class Column(TypedDict):
    name: str
    kind: Kind
    required: bool
    values: NotRequired[list[str]]
    different_values: NotRequired[int]


class PredictedLabel(TypedDict):
    """What is predicted; the last two are None for a regression."""

    name: str
    classes: int | None
    labels: list[str] | None


class EndpointWithColumns(Endpoint):
    """An endpoint, and what rows it takes; all None where that is not known."""

    columns: list[Column] | None
    column_count: int | None
    image_shape: list[int] | None
    label: PredictedLabel | None
    example: Any  # an instance: an object of columns, an array or a text


class DeletedEndpoint(TypedDict):
    endpoint: str
    deleted: list[str]


class LabelProbability(TypedDict):
    label: str
    probability: float | None


class Prediction(TypedDict):
    """Of a row: ``label``, ``probability`` and ``top`` of a classification, ``value`` of a regression."""

    label: NotRequired[str]
    probability: NotRequired[float | None]
    top: NotRequired[list[LabelProbability]]
    probabilities: NotRequired[dict[str, float | None]]
    value: NotRequired[float]


class Predictions(TypedDict):
    """One prediction for each row, in their order."""

    predictions: list[Prediction]
    endpoint: str
    variant: str
    model_version: str
    warnings: NotRequired[list[str]]

"""What the routes answer, as types: the functions that make the answers return them, and the contract is made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from typing_extensions import TypedDict  # pydantic reads no other on Python 3.11

from sageline.encoder.schema.row_description import ColumnDescription, LabelDescription
from sageline.json_objects import Json, Keywords
from sageline.runs.store import RunRecord, RunStatus, StateEntered


class UploadTarget(TypedDict):
    """Where and how to send the file; the headers are signed."""

    url: str
    method: Literal["PUT"]
    headers: dict[str, str]


class UploadAnswer(TypedDict):
    """The answer to ``POST /datasets``."""

    upload: UploadTarget
    bucket: str
    key: str
    expires_in_seconds: int


class RunStarted(TypedDict):
    """The run that a request has started, or started before."""

    run_id: str
    status: RunStatus


class BatchStarted(RunStarted):
    """The run of a batch, and where its predictions will be."""

    output: str


class RunError(TypedDict):
    """Why a run has ended otherwise than it should, and what to try."""

    state: str
    error: str
    message: str
    job: str | None
    failure_reason: str | None
    log_lines: list[str]
    advice: str


class Run(TypedDict):
    """A run; times are ISO 8601 in UTC."""

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
    details: Annotated[Json, Keywords(description="What the states found out; grows as the run goes on.")]
    error: RunError | None


def run_json(run: RunRecord) -> Run:
    """A run as the routes show it."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "execution_arn": run.execution_arn,
        "status": run.status,
        "state": run.state,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "states": run.states,
        "endpoint_name": run.endpoint_name,
        "dataset_uri": run.dataset_uri,
        "details": run.details,
        "error": None if run.error is None else _error(run.error),
    }


def _error(recorded: Json) -> RunError:
    """The error in a record; one that is older, or was changed by hand, may lack parts."""
    job, reason, lines = recorded.get("job"), recorded.get("failure_reason"), recorded.get("log_lines")
    return {
        "state": str(recorded.get("state", "")),
        "error": str(recorded.get("error", "")),
        "message": str(recorded.get("message", "")),
        "job": None if job is None else str(job),
        "failure_reason": None if reason is None else str(reason),
        "log_lines": [str(line) for line in lines] if isinstance(lines, list) else [],
        "advice": str(recorded.get("advice", "")),
    }


class RunList(TypedDict):
    """A page of runs, newest first."""

    runs: list[Run]
    next_token: Annotated[str | None, Keywords(description="Asks for the page after this one; null where there is none.")]


class Variant(TypedDict):
    """A variant of an endpoint; its share of the traffic is its weight divided by the sum of all weights."""

    name: str
    weight: float
    model_version: str


class EndpointDocument(TypedDict):
    """An endpoint, and who answers for it."""

    name: str
    status: Annotated[str, Keywords(description="SageMaker's EndpointStatus, Missing or Unknown.")]
    variants: list[Variant]
    created_at: str | None
    updated_at: str | None
    expires_at: Annotated[str | None, Keywords(description="When it will be deleted; null if it is kept.")]
    failure_reason: str | None


class EndpointList(TypedDict):
    """The stack's endpoints, by name."""

    endpoints: list[EndpointDocument]


class RowsTaken(TypedDict):
    """What rows an endpoint takes; all null where the encoder is gone or damaged."""

    columns: list[ColumnDescription] | None
    column_count: int | None
    image_shape: list[int] | None
    label: LabelDescription | None
    example: Annotated[object, Keywords(description="An instance that works; null where none was kept.")]


class ShownEndpoint(EndpointDocument, RowsTaken):
    """An endpoint, and what rows it takes."""


class Changed(TypedDict):
    """A change of what an endpoint serves, and its run; null where there was nothing left to do."""

    endpoint: str
    run_id: str | None
    status: RunStatus

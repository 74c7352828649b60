"""The routes: what each takes and answers, and what can go wrong. The document of :mod:`sageline.api.contract.document` is made
of this table, of the types that it names, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from sageline import errors
from sageline.api import answers, requests
from sageline.api.runs import MAX_PAGE
from sageline.json_objects import Json, Keywords
from sageline.names import NAME_MAX_LENGTH
from sageline.resolve.inspected.document import Inspection
from sageline.runs.payloads import Deleted
from sageline.serving.document import PredictionBody, Predictions

Errors = tuple[type[errors.SagelineError], ...]


@dataclass(frozen=True)
class Operation:
    """A route.

    Attributes:
        id: the operation's name, which a client generator makes a function's of.
        takes: the type of its body in JSON; None where it takes no body.
        gives: the type of its answer in JSON.
        errors: what may be answered besides what any route may answer.
        repeatable: it takes an ``Idempotency-Key``.
        parameters: those of the query string, by name, as JSON Schema.
        needs_body: whether it can do without one.
        links: what of its answer other operations take: operation, parameter, and where in the answer it is, or an expression.
    """

    id: str
    summary: str
    gives: object
    status: int = 200
    takes: object = None
    needs_body: bool = True
    errors: Errors = ()
    repeatable: bool = False
    parameters: Mapping[str, Json] = field(default_factory=dict)
    links: tuple[tuple[str, str, str], ...] = ()


_BODY: Errors = (errors.InvalidRequest, errors.RequestTooLarge)
_SPEC: Errors = (*_BODY, errors.InvalidSpec, errors.InvalidHyperparameter)
_ENDPOINT: Errors = (errors.EndpointNotFound,)
_ONCE: Errors = (errors.ResourceConflict, errors.TooManyRequests)
_RUN: Errors = (errors.RunNotFound,)
_UNDONE: Errors = (
    errors.InvalidRequest,
    *_ENDPOINT,
    *_ONCE,
    *_RUN,
    errors.DamagedRecord,
    errors.RunFinished,
    errors.EndpointNotReady,
)
_PREDICTED: Errors = (
    *_BODY,
    *_ENDPOINT,
    errors.NotAcceptable,
    errors.UnsupportedMediaType,
    errors.TooManyRequests,
    errors.PredictionFailed,
    errors.EndpointFailed,
    errors.EndpointNotReady,
    errors.EndpointWarming,
)

_OF_RUN = (("getRun", "id", "run_id"), ("stopRun", "id", "run_id"))
_OF_ENDPOINT = (
    ("getEndpoint", "name", "name"),
    ("getRowSchema", "name", "name"),
    ("predict", "name", "name"),
    ("changeEndpoint", "name", "name"),
)
_OF_LISTED = tuple((operation, name, "endpoints/0/name") for operation, name, _ in _OF_ENDPOINT)

OPERATIONS: Mapping[str, Operation] = {
    "POST /datasets": Operation(
        "createUpload",
        "A URL to upload a dataset to, which starts a run, or a part of one, which starts none",
        answers.UploadAnswer,
        201,
        requests.UploadBody,
        errors=(*_SPEC, errors.ResourceConflict),
        links=(("listRuns", "name", "$request.body#/name"), ("completeDataset", "name", "$request.body#/name")),
    ),
    "POST /datasets/inspect": Operation(
        "inspectDataset",
        "What would be made of data that is in S3 already",
        Inspection,
        200,
        Annotated[requests.InspectionBody, Keywords(oneOf=[{"required": ["uri"]}, {"required": ["name"]}])],
        errors=(
            *_SPEC,
            errors.InvalidDataset,
            errors.DatasetAccessDenied,
            errors.DatasetNotFound,
            errors.BudgetExceeded,
            errors.InvalidPrices,
        ),
    ),
    "POST /datasets/{name}/complete": Operation(
        "completeDataset",
        "Start a run of all parts that were uploaded",
        answers.RunStarted,
        202,
        requests.CompletionBody,
        needs_body=False,
        errors=(*_BODY, errors.DatasetNotFound, *_ONCE),
        repeatable=True,
        links=_OF_RUN,
    ),
    "POST /pipelines": Operation(
        "startRun",
        "Start a run on data that is in S3 already",
        answers.RunStarted,
        202,
        requests.RunBody,
        errors=(*_SPEC, *_ONCE),
        repeatable=True,
        links=_OF_RUN,
    ),
    "GET /pipelines": Operation(
        "listRuns",
        "List runs, newest first",
        answers.RunList,
        errors=_BODY,
        parameters={
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 20},
            "name": {"type": "string", "pattern": "^[a-z0-9](-?[a-z0-9])*$", "maxLength": NAME_MAX_LENGTH},
            "next_token": {"type": "string", "description": "From the page before."},
            "details": {
                "type": "string",
                "enum": ["true", "false"],
                "default": "true",
                "description": "`false`: `states` and `details` of each run are empty.",
            },
        },
        links=(("getRun", "id", "runs/0/run_id"),),
    ),
    "GET /pipelines/{id}": Operation(
        "getRun",
        "Show a run",
        answers.Run,
        errors=_RUN,
        links=(("getEndpoint", "name", "endpoint_name"), ("stopRun", "id", "run_id")),
    ),
    "DELETE /pipelines/{id}": Operation(
        "stopRun",
        "Stop a run and undo what it was deploying",
        answers.Run,
        errors=(*_RUN, errors.RunFinished, errors.DamagedRecord, errors.EndpointNotReady),
        links=(("getRun", "id", "run_id"),),
    ),
    "GET /endpoints": Operation("listEndpoints", "List the endpoints", answers.EndpointList, links=_OF_LISTED),
    "GET /endpoints/{name}": Operation(
        "getEndpoint", "Show an endpoint, and what rows it takes", answers.ShownEndpoint, errors=_ENDPOINT, links=_OF_ENDPOINT[1:]
    ),
    "PATCH /endpoints/{name}": Operation(
        "changeEndpoint",
        "Split traffic between variants, or set the time to live",
        answers.EndpointDocument,
        200,
        Annotated[requests.EndpointBody, Keywords(minProperties=1)],
        errors=(*_BODY, *_ENDPOINT, errors.DamagedRecord, errors.ResourceConflict, errors.EndpointNotReady),
    ),
    "DELETE /endpoints/{name}": Operation(
        "deleteEndpoint",
        "Delete an endpoint with all that belongs to it",
        Deleted,
        errors=(*_ENDPOINT, errors.ResourceConflict, errors.EndpointNotReady),
    ),
    "GET /endpoints/{name}/schema": Operation(
        "getRowSchema",
        "JSON Schema of the rows that an endpoint takes",
        Json,
        errors=(*_ENDPOINT, errors.RequestTooLarge),
        links=(("predict", "name", "title"),),
    ),
    "POST /endpoints/{name}/batch": Operation(
        "startBatch",
        "Score the rows of a file, without the endpoint's instances",
        answers.BatchStarted,
        202,
        requests.BatchBody,
        errors=(*_BODY, errors.InvalidDataset, *_ENDPOINT, *_ONCE),
        repeatable=True,
        links=_OF_RUN,
    ),
    "POST /endpoints/{name}/promote": Operation(
        "promoteVariant",
        "Give one variant all the traffic",
        answers.Changed,
        202,
        requests.PromotionBody,
        errors=(*_BODY, *_ENDPOINT, *_ONCE, errors.DamagedRecord, errors.EndpointNotReady),
        repeatable=True,
        links=_OF_RUN,
    ),
    "POST /endpoints/{name}/rollback": Operation(
        "rollBack",
        "Go back to what the endpoint served before",
        answers.Changed,
        202,
        errors=_UNDONE,
        repeatable=True,
        links=_OF_RUN,
    ),
    "POST /endpoints/{name}/predictions": Operation(
        "predict",
        "Predict raw input",
        Predictions,
        200,
        PredictionBody,
        errors=_PREDICTED,
    ),
    "GET /openapi.json": Operation("getContract", "This document", Json),
}

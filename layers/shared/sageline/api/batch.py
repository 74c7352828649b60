"""Start a batch: rows of a file scored by the model of an endpoint, at most once for each ``Idempotency-Key``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError

from sageline.api.answers import BatchStarted, RunStarted
from sageline.api.endpoints import Endpoints
from sageline.api.requests import BatchBody
from sageline.api.start import RequestKey, read_request_key
from sageline.aws.http import Event, check_keys, endpoint_name, json_type, read_json_object
from sageline.batch.locations import check_input, predictions_uri
from sageline.errors import InvalidRequest
from sageline.json_objects import Json
from sageline.names import NAME_MAX_LENGTH, RunLayout
from sageline.spec.model import BatchSpec
from sageline.spec.problems import describe


@dataclass(frozen=True)
class BatchStart:
    """The rows to score and the model: a :class:`sageline.api.start.Startable`."""

    endpoint: str
    variant: str
    batch: BatchSpec
    asked: Json
    """The request's body."""
    request_key: RequestKey

    @property
    def name(self) -> str:
        """The endpoint's name, as far as it can be a run's."""
        return re.sub(r"[^a-z0-9]+", "-", self.endpoint.lower())[:NAME_MAX_LENGTH].strip("-")

    @property
    def compared(self) -> Json:
        # As it was asked: the variant of most weight may be another one when the same request comes again.
        return {"endpoint": self.endpoint, "batch": self.asked}

    @property
    def trigger(self) -> Json:
        return {"batch": {"endpoint": self.endpoint, "variant": self.variant, **self.batch.model_dump(mode="json")}}


def read_batch_request(event: Event, endpoints: Endpoints) -> BatchStart:
    """The request in an HTTP API event: ``{"input", "variant"?, "instance_type"?, "instance_count"?,
    "max_runtime_seconds"?, "escape_formulas"?}``.

    Raises:
        EndpointNotFound: there is no such endpoint.
        InvalidRequest: not JSON, unknown or missing keys, wrong values, a variant that the endpoint does not have, a file outside
            of what the stack may read.
    """
    endpoint = endpoint_name(event)
    body = read_json_object(event)
    check_keys(body, known=BatchBody.model_fields, required=("input",))
    wanted = body.get("variant")
    if wanted is not None and not isinstance(wanted, str):
        raise InvalidRequest(f"`variant` is a JSON {json_type(wanted)}; send a variant's name, or leave it out.", key="variant")
    try:
        batch = BatchSpec.model_validate({name: value for name, value in body.items() if name != "variant"})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise InvalidRequest(describe(problem, BatchSpec), key=str(problem["loc"][0])) from None
    check_input(batch.input, endpoints.context.settings.bucket_name)
    variant = endpoints.variant(endpoint, wanted)
    return BatchStart(endpoint, variant.name, batch, body, read_request_key(event))


def batch_started(request: BatchStart, run: RunStarted, bucket: str) -> BatchStarted:
    """The answer: the run, and where the predictions will be."""
    output = predictions_uri(RunLayout(bucket, run["run_id"]), request.batch.input)
    return {"run_id": run["run_id"], "status": run["status"], "output": output}

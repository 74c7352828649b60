"""Start a run by a request, at most once for each ``Idempotency-Key``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemNotFoundError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.api.answers import RunStarted
from sageline.api.requests import RunBody
from sageline.api.runs import Runs
from sageline.aws.http import Event, check_keys, read_json_object
from sageline.errors import InvalidRequest, InvalidSpec, RequestTooLarge, ResourceConflict, TooManyRequests
from sageline.json_objects import Json
from sageline.names import DATASET_FOLDER_PATTERN, DATASET_KEY_PATTERN, is_name, run_id, split_s3_uri
from sageline.runs.store import iso
from sageline.spec.model import Spec, check_choice, validate_spec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_EXECUTION_INPUT_BYTES = 262_144
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

_KEY_PREFIX = "start-run"
_KEPT_SECONDS = 100 * 365 * 86_400  # as long as the run's own record: for good


@dataclass(frozen=True)
class RequestKey:
    """What identifies a request: one with the same key is the same request."""

    identity: str
    """The caller's ``Idempotency-Key``, or the id that API Gateway gave the request."""
    has_key: bool
    received_at: datetime


class Repeatable(Protocol):
    """A request that may have been sent before."""

    @property
    def request_key(self) -> RequestKey: ...

    @property
    def compared(self) -> Json:
        """What must be equal for the same ``Idempotency-Key``."""


class Startable(Repeatable, Protocol):
    """A run to start, and the request for it."""

    @property
    def name(self) -> str:
        """The name that begins the run's id."""

    @property
    def trigger(self) -> Json:
        """What the execution gets, beside the run's id and the time."""


@dataclass(frozen=True)
class RunStart:
    """A run on data that is in S3 already."""

    spec: Spec
    request_key: RequestKey

    @property
    def name(self) -> str:
        return str(self.spec.name)

    @property
    def compared(self) -> Json:
        return self.spec.model_dump(mode="json")

    @property
    def trigger(self) -> Json:
        return {"spec": self.spec.model_dump(mode="json", exclude_unset=True)}


def read_run_request(event: Event) -> RunStart:
    """The request in an HTTP API event.

    Raises:
        InvalidRequest: not JSON, unknown or missing keys, an unusable ``Idempotency-Key``.
        InvalidSpec: the spec is wrong, or lacks the data's URI or a name, or ``auto`` has no validation rows.
    """
    body = read_json_object(event)
    check_keys(body, known=RunBody.__annotations__, required=RunBody.__required_keys__)
    spec = validate_spec(body["spec"], "spec")
    check_choice(spec)
    return RunStart(_with_name(spec), read_request_key(event))


def read_request_key(event: Event) -> RequestKey:
    """The key of a request, and when it was received.

    Raises:
        InvalidRequest: an unusable ``Idempotency-Key``.
    """
    key = event.get("headers", {}).get("idempotency-key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise InvalidRequest("`Idempotency-Key` is not 1 to 255 visible ASCII characters without spaces.", key="Idempotency-Key")
    context = event["requestContext"]
    received_at = datetime.fromtimestamp(context["timeEpoch"] / 1000, UTC)
    return RequestKey(key or context["requestId"], key is not None, received_at)


def _with_name(spec: Spec) -> Spec:
    if spec.dataset.uri is None:
        raise InvalidSpec("spec: `dataset.uri` is missing; give the S3 URI of the data, or upload it by POST /datasets.")
    if spec.name is not None:
        return spec
    key = split_s3_uri(spec.dataset.uri)[1]
    upload = DATASET_KEY_PATTERN.fullmatch(key) or DATASET_FOLDER_PATTERN.fullmatch(key)
    if upload is None or not is_name(upload["name"]):
        raise InvalidSpec("spec: `name` is missing, and does not follow from `dataset.uri`; give the run a name.")
    return spec.model_copy(update={"name": upload["name"]})


class RunIds(Protocol):
    """Chooses the id of a run: the same request gets the same answer, whenever it is sent."""

    def choose(self, request: Startable) -> dict[str, str]:
        """``{"run_id", "requested_at"}``."""
        ...


class IdempotentRunIds:
    """Run ids by ``Idempotency-Key``, remembered in the runs table by Powertools' idempotency.

    Only the choice is remembered, before anything starts. So a request that died half way is sent again with the same run
    id, and Step Functions starts no second execution of a name.
    """

    def __init__(self, table_name: str, dynamodb: DynamoDBClient, context: LambdaContext) -> None:
        """``context`` says how long a request that dies may block its key: until the function would have timed out."""
        self._layer = DynamoDBPersistenceLayer(
            table_name,
            key_attr="pk",
            sort_key_attr="sk",
            static_pk_value="IDEMPOTENCY",
            expiry_attr="expires_at",
            boto3_client=dynamodb,
        )
        self._config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="spec",
            expires_after_seconds=_KEPT_SECONDS,
            hash_function="sha256",
            lambda_context=context,
        )

    def choose(self, request: Startable) -> dict[str, str]:
        """As :class:`RunIds` says.

        Raises:
            ResourceConflict: the key was used with another request.
            TooManyRequests: the same key is being used at this moment.
        """
        return self._remember(request, lambda: _choice(request))

    def stopping(self, asked: Repeatable, run_id: str) -> None:
        """Note that a request stops a run, before that is done: sent again, it stops no other.

        Raises:
            As :meth:`choose`.
        """
        self._remember(asked, lambda: {"run_id": run_id, "stops": run_id})

    def find(self, asked: Repeatable) -> dict[str, str] | None:
        """What was noted of the same request before: ``{"run_id", "requested_at"}`` of the run that it starts, or ``{"run_id",
        "stops"}``. None for a first request, and without a key.

        Raises:
            ResourceConflict: the key was used with another request.
        """
        if not asked.request_key.has_key:
            return None
        self._layer.configure(self._config, key_prefix=_KEY_PREFIX)
        try:
            record = self._layer.get_record(_remembered_by(asked))
        except IdempotencyItemNotFoundError:
            return None
        except IdempotencyValidationError:
            raise _used_otherwise(asked) from None
        return record.response_json_as_dict() if record else None

    def _remember(self, asked: Repeatable, make: Callable[[], dict[str, str]]) -> dict[str, str]:
        if not asked.request_key.has_key:
            return make()

        def made(*, asked: Mapping[str, object]) -> dict[str, str]:
            return make()

        remember = idempotent_function(
            made, data_keyword_argument="asked", persistence_store=self._layer, config=self._config, key_prefix=_KEY_PREFIX
        )
        try:
            noted: dict[str, str] = remember(asked=_remembered_by(asked))
        except IdempotencyValidationError:
            raise _used_otherwise(asked) from None
        except IdempotencyAlreadyInProgressError:
            raise TooManyRequests(
                f"A request with Idempotency-Key {asked.request_key.identity!r} is being served; try again."
            ) from None
        return noted


def _remembered_by(asked: Repeatable) -> Json:
    return {"key": asked.request_key.identity, "spec": asked.compared}


def _used_otherwise(asked: Repeatable) -> ResourceConflict:
    return ResourceConflict(
        f"Idempotency-Key {asked.request_key.identity!r} was used with another request; use a new key for another run."
    )


def _choice(request: Startable) -> dict[str, str]:
    key = request.request_key
    chosen = run_id(request.name, key.received_at, "idempotency-key" if key.has_key else "request", key.identity)
    return {"run_id": chosen, "requested_at": iso(key.received_at)}


def start_run(request: Startable, run_ids: RunIds, runs: Runs) -> RunStarted:
    """Start the state machine, unless the same request has started it before.

    Raises:
        RequestTooLarge: the spec is larger than an execution's input may be.
    """
    chosen = run_ids.choose(request)
    document = json.dumps({**chosen, **request.trigger})
    if len(document.encode()) > MAX_EXECUTION_INPUT_BYTES:
        raise RequestTooLarge(
            f"The spec has {len(document.encode()):,} bytes; the limit is about {MAX_EXECUTION_INPUT_BYTES:,}.",
            max_bytes=MAX_EXECUTION_INPUT_BYTES,
        )
    stepfunctions = runs.context.clients.stepfunctions
    try:
        stepfunctions.start_execution(stateMachineArn=runs.state_machine_arn, name=chosen["run_id"], input=document)
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        return {"run_id": chosen["run_id"], "status": runs.show(chosen["run_id"]).status}
    return {"run_id": chosen["run_id"], "status": "Running"}

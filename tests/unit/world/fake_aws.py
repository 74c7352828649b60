"""AWS in memory behind real boto3 clients: one bucket, one table, SageMaker, and what else the functions talk to.

botocore prepares and checks each request as for the service itself, and checks what is answered; only signing, sending and
parsing are left out, which moto goes through and which take most of its time. A service that is not here is moto's, if anyone's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.validation import check
from tests.unit.world.fake_dynamodb import FakeTable
from tests.unit.world.fake_s3 import FakeBucket
from tests.unit.world.fake_sagemaker import Document, FakeSageMaker, Refused
from tests.unit.world.fake_services import FakeAlarms, FakeLogs, FakeSchedules, FakeTargets
from tests.unit.world.fake_stepfunctions import FakeStepFunctions

WITH_PATTERNS = ("sagemaker", "stepfunctions", "scheduler", "logs")
"""Services that say by a pattern which names they take."""


@dataclass
class FakeAws:
    """What there is."""

    sagemaker: FakeSageMaker = field(default_factory=FakeSageMaker)
    s3: FakeBucket = field(default_factory=FakeBucket)
    dynamodb: FakeTable = field(default_factory=FakeTable)
    stepfunctions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    scheduler: FakeSchedules = field(default_factory=FakeSchedules)
    logs: FakeLogs = field(default_factory=FakeLogs)
    cloudwatch: FakeAlarms = field(default_factory=FakeAlarms)
    autoscaling: FakeTargets = field(default_factory=FakeTargets)
    refuse: dict[str, Refused] = field(default_factory=dict)
    """What the next call of an operation fails with; of SageMaker's operations, it says so itself."""
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What happens ahead of the next call of an operation, but for SageMaker's."""
    more: dict[str, object] = field(default_factory=dict)
    """Other services by name, as objects with a method for each operation."""

    @contextmanager
    def behind_clients(self) -> Iterator[None]:
        """Answer what any client asks of the services that there are."""
        send = BaseClient._make_api_call  # type: ignore[attr-defined]  # what all operations of all clients go through

        lock = RLock()

        def answer(client: BaseClient, operation: str, request: Document) -> Document:
            if self._service(client) is None:
                return send(client, operation, request)  # type: ignore[no-any-return]  # as its client parses it
            with lock:
                return self._call(client, operation, request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", answer)
            yield

    def _service(self, client: BaseClient) -> object:
        name = client.meta.service_model.service_name.removeprefix("application-")
        return getattr(self, name, None) or self.more.get(name)

    def _call(self, client: BaseClient, operation: str, request: Document) -> Document:
        service, model = client.meta.service_model, client.meta.service_model.operation_model(operation)
        context: Document = {"client_region": client.meta.region_name, "client_config": client.meta.config}
        # botocore's own preparing: Python's values become DynamoDB's, a text becomes a body.
        request = client._emit_api_params(request, model, context)  # type: ignore[attr-defined]
        assert model.input_shape is not None
        report = ParamValidator().validate(request, model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        try:
            if service.service_name in WITH_PATTERNS:
                check(model, as_json(request))
            answer = self._answer(client, operation, request)
        except (ServiceError, Refused) as error:
            kind: Any = client.exceptions.from_code(error.code)  # its stubs take it for an error, and not for a kind of errors
            details = {"Error": {"Code": error.code, "Message": error.message}, "ResponseMetadata": {}}
            raise kind(details | (error.more if isinstance(error, Refused) else {}), operation) from None
        answer = parsed(model, answer)
        client.meta.events.emit(
            f"after-call.{service.service_id.hyphenize()}.{operation}",
            http_response=SimpleNamespace(status_code=200),
            parsed=answer,
            model=model,
            context=context,
        )
        return answer

    def _answer(self, client: BaseClient, operation: str, request: Document) -> Mapping[str, object]:
        service = self._service(client)
        self.before.pop(operation, lambda: None)()
        if operation in self.refuse:
            raise self.refuse.pop(operation)
        if service is self.sagemaker:
            return self.sagemaker.ask(operation, as_json(request))
        answer: Mapping[str, object] = getattr(service, xform_name(operation))(request)
        return answer


def parsed(model: OperationModel, answer: Mapping[str, object]) -> Document:
    """An answer as a client parses it: what the model does not know is dropped, what has the wrong type is refused."""
    shape = model.output_shape
    found: Document = _parsed(shape, answer, model.name) if shape is not None else {}
    return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "request"}}


def _parsed(shape: Shape, value: Any, path: str) -> Any:
    match shape:
        case StructureShape():
            members = shape.members
            return {k: _parsed(members[k], item, f"{path}.{k}") for k, item in value.items() if k in members and item is not None}
        case ListShape():
            return [_parsed(shape.member, item, path) for item in value]
        case MapShape():
            return {name: _parsed(shape.value, item, f"{path}.{name}") for name, item in value.items()}
        case _ if shape.type_name == "timestamp":
            return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    report = ParamValidator().validate(value, shape)
    assert hasattr(value, "read") or not report.has_errors(), f"{path}: {report.generate_report()}"
    return value


def as_json(request: Document) -> Document:
    """A request as it travels: nothing that the caller changes later changes what is kept."""
    copy: Document = json.loads(json.dumps(request, default=datetime.timestamp))
    return copy

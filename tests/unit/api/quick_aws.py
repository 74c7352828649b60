"""AWS in memory behind real boto3 clients, for tests of thousands of requests: a call takes a tenth of the time that moto needs.

What is sent is checked against botocore's service models, patterns of names included, as the services do.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.validation import check
from tests.unit.world.fake_sagemaker import FakeSageMaker, Refused

# Requests and answers are documents of JSON, and bytes.
Document: TypeAlias = dict[str, Any]

WITH_PATTERNS = ("sagemaker", "stepfunctions", "scheduler", "logs", "application-autoscaling")
LONGEST_KEY, LONGEST_ITEM_KEY = 1024, 2048  # bytes, of S3 and DynamoDB


@dataclass
class QuickAws:
    """What is there: SageMaker, one bucket, one table, executions; of anything else nothing."""

    sagemaker: FakeSageMaker = field(default_factory=FakeSageMaker)
    objects: dict[str, bytes] = field(default_factory=dict)
    items: dict[tuple[str, str], Document] = field(default_factory=dict)
    executions: dict[str, Document] = field(default_factory=dict)

    @contextmanager
    def behind_clients(self) -> Iterator[None]:
        """Answer what any client asks."""

        def answer(client: BaseClient, operation: str, request: Document) -> Document:
            return self._call(client, operation, request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", answer)
            yield

    def _call(self, client: BaseClient, operation: str, request: Document) -> Document:
        service, model = client.meta.service_model.service_name, client.meta.service_model.operation_model(operation)
        assert model.input_shape is not None
        report = ParamValidator().validate(request, model.input_shape)
        if report.has_errors() and service != "dynamodb":  # whose tables take Python's own values
            raise ParamValidationError(report=report.generate_report())
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower().replace("v2", "_v2")
        try:
            if service in WITH_PATTERNS:
                check(model, request)
            if service == "sagemaker":
                self.sagemaker.calls.append(operation)
                return dict(getattr(self.sagemaker, name)(json.loads(json.dumps(request))))
            return dict(getattr(self, f"_{name}", _nothing)(request))
        except (ServiceError, Refused) as error:
            message = error.message
            kind: Any = client.exceptions.from_code(error.code)  # its stubs take it for an error, and not for a kind of errors
            raise kind({"Error": {"Code": error.code, "Message": message}}, operation) from None

    # ---- S3 ----

    def _get_object(self, request: Document) -> Document:
        body = self.objects.get(_key(request))
        if body is None:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": _etag(body)}

    def _head_object(self, request: Document) -> Document:
        body = self.objects.get(_key(request))
        if body is None:
            raise Refused("404", "Not Found")
        return {"ETag": _etag(body), "ContentLength": len(body)}

    def _put_object(self, request: Document) -> Document:
        self.objects[_key(request)] = request["Body"]
        return {"ETag": _etag(request["Body"])}

    def _delete_object(self, request: Document) -> Document:
        self.objects.pop(_key(request), None)
        return {}

    def _list_objects_v2(self, request: Document) -> Document:
        folders = {"/".join(key.split("/")[:2]) + "/" for key in self.objects if key.startswith(request["Prefix"])}
        return {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}

    # ---- DynamoDB: of conditions, those that the functions need ----

    def _get_item(self, request: Document) -> Document:
        found = self.items.get(_item_key(request["Key"]))
        return {} if found is None else {"Item": found}

    def _put_item(self, request: Document) -> Document:
        key = _item_key(request["Item"])
        if key in self.items and "IDEMPOTENCY" in key[0]:
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        self.items[key] = request["Item"]
        return {}

    def _update_item(self, request: Document) -> Document:
        key = _item_key(request["Key"])
        if key not in self.items:
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        changes = re.findall(r"(#\w+) = (:\w+)", request["UpdateExpression"])
        self.items[key] = {**self.items[key], **{names[name]: values[value] for name, value in changes}}
        return {}

    def _query(self, request: Document) -> Document:
        _item_key(request.get("ExclusiveStartKey", {"pk": "RUN#", "sk": "RUN"}))
        runs = [item for (pk, _), item in self.items.items() if pk.startswith("RUN#")]
        name = request["ExpressionAttributeValues"].get(":name")
        return {"Items": [run for run in runs if name in (None, run["name"])], "ScannedCount": len(runs)}

    # ---- Step Functions ----

    def _start_execution(self, request: Document) -> Document:
        arn = request["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{request['name']}"
        if arn in self.executions:
            raise Refused("ExecutionAlreadyExists", "Execution Already Exists")
        json.loads(request["input"], parse_constant=_no_constant)
        self.executions[arn] = {"status": "RUNNING", "startDate": datetime.now(UTC), "input": request["input"]}
        return {"executionArn": arn}

    def _describe_execution(self, request: Document) -> Document:
        if request["executionArn"] not in self.executions:
            raise Refused("ExecutionDoesNotExist", "Execution Does Not Exist")
        return self.executions[request["executionArn"]]

    # ---- what is not there ----

    def _delete_schedule(self, request: Document) -> Document:
        raise Refused("ResourceNotFoundException", f"Schedule {request['Name']} does not exist.")

    def _update_schedule(self, request: Document) -> Document:
        return {}

    def _describe_scalable_targets(self, request: Document) -> Document:
        return {"ScalableTargets": []}

    def _describe_alarms(self, request: Document) -> Document:
        return {"MetricAlarms": [], "CompositeAlarms": []}

    def _invoke(self, request: Document) -> Document:
        return {"StatusCode": 200}

    def _invoke_endpoint(self, request: Document) -> Document:
        body = b"0.7,0.2,0.1\n" * request["Body"].count(b"\n")
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "text/csv"}


def _nothing(request: Document) -> Document:
    return {}


def _no_constant(name: str) -> None:
    raise Refused("InvalidExecutionInput", f"{name} is no JSON.")


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _key(request: Document) -> str:
    key: str = request["Key"]
    if len(key.encode()) > LONGEST_KEY:
        raise Refused("KeyTooLongError", "Your key is too long")
    return key


def _item_key(key: Document) -> tuple[str, str]:
    """Boto3's client says of each value which type it is; its table does not."""
    pk, sk = (str(key[name]["S"] if isinstance(key[name], dict) else key[name]) for name in ("pk", "sk"))
    if not 0 < len(pk.encode()) <= LONGEST_ITEM_KEY:
        raise Refused("ValidationException", "One or more parameter values were invalid: Size of hashkey has exceeded the limit")
    return pk, sk

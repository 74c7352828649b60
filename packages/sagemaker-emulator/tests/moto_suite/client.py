"""A client for moto's tests that makes their requests valid and waits for what they begin."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from moto_suite.valid import Json, Valid, any_role

# What is looked at by whom, and the ends of its name's and its status's members.
WAITED_BEFORE = {"describe_training_job": "TrainingJob", "describe_transform_job": "TransformJob"}
WAITED_AFTER = {
    "create_endpoint": "Endpoint",
    "delete_endpoint": "Endpoint",
    "create_hyper_parameter_tuning_job": "HyperParameterTuningJob",
}
UNDER_WAY = ("InProgress", "Stopping", "Creating", "Updating", "Deleting")


def changes(sent: object, given: object) -> Iterator[tuple[object, object]]:
    """What was sent in the place of what was given, at every depth."""
    if sent == given or isinstance(sent, int):
        return
    yield sent, given
    if isinstance(sent, dict) and isinstance(given, dict):
        for name in sent.keys() & given.keys():
            yield from changes(sent[name], given[name])
    elif isinstance(sent, list) and isinstance(given, list) and len(sent) == len(given):
        for pair in zip(sent, given, strict=True):
            yield from changes(*pair)


class Client:
    """A client whose requests are made valid, and which sees jobs and endpoints when they are done."""

    def __init__(self, client: BaseClient, valid: Valid) -> None:
        self._client = client
        self._valid = valid

    def __getattr__(self, operation: str) -> Callable[..., Json]:
        call: Callable[..., Json] = getattr(self._client, operation)
        change = getattr(self._valid, operation, lambda request: request)

        def wait_and_call(**given: object) -> Json:
            request = change(given)
            self._valid.names |= {str(value) for name, value in given.items() if name.endswith("Name")}
            self._valid.changes += changes(request, given)
            if operation == "create_transform_job":
                self._model(request["ModelName"])
            self._wait(WAITED_BEFORE.get(operation), request)
            answer = call(**request)
            self._wait(WAITED_AFTER.get(operation), request)
            given_back: Json = self._as_given(answer)
            return given_back

        return wait_and_call

    def _as_given(self, answer: Any) -> Any:
        """An answer with what was made valid as it was given, and names in ARNs, which SageMaker has in lower case."""
        for sent, given in self._valid.changes:
            if type(answer) is type(sent) and answer == sent:
                return given
            if isinstance(answer, str) and str(sent).startswith("s3://") and answer.startswith(str(sent)):
                return str(given) + answer.removeprefix(str(sent))
        if isinstance(answer, dict):
            return {key: self._as_given(value) for key, value in answer.items()}
        if isinstance(answer, list):
            return [self._as_given(value) for value in answer]
        if isinstance(answer, str) and answer.startswith("arn:aws:sagemaker:"):
            start, slash, name = answer.partition("/")
            return start + slash + next((known for known in self._valid.names if known.lower() == name), name)
        return answer

    def _model(self, name: str) -> None:
        with contextlib.suppress(ClientError):  # it is there
            self.create_model(ModelName=name, ExecutionRoleArn=any_role(""))

    def _wait(self, noun: str | None, request: Json) -> None:
        if noun is None:
            return
        look = getattr(self._client, f"describe_{xform_name(noun)}")
        for _ in range(600):
            try:
                status = look(**{f"{noun}Name": request[f"{noun}Name"]})[f"{noun}Status"]
            except ClientError:  # it is not there, or not any more
                return
            if status not in UNDER_WAY:
                return
            time.sleep(0.1)
        raise AssertionError(f"{noun} {request} has not ended")

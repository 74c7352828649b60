"""Calls about alarms. The first test guards the place where this leans on MiniStack's inside."""

from __future__ import annotations

import json

import pytest
from ministack.core import iam_actions

from sageline_local.alarm_access import install

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"


def about(request: object, operation: str = "DeleteAlarms") -> str:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    headers = {"x-amz-target": f"GraniteServiceVersion20100801.{operation}"}
    arn: str = iam_actions.extract_resource_arn("monitoring", "POST", "/", headers, body, {}, "us-east-1", "000000000000")
    return arn


def test_ministack_still_takes_a_list_of_alarms_for_everything() -> None:
    assert about({"AlarmNames": ["a", "b"]}) == "*"


@pytest.mark.parametrize("request_", [{"AlarmNames": ["a", "b"]}, {"AlarmName": "a"}])
def test_a_call_is_about_the_alarms_that_it_names(monkeypatch: pytest.MonkeyPatch, request_: object) -> None:
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    install()

    assert about(request_) == ARN + "a"


def test_looking_at_alarms_is_about_all_of_them_as_in_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    install()

    assert about({"AlarmNames": ["a", "b"]}, "DescribeAlarms") == ARN + "*"


@pytest.mark.parametrize("request_", [{"Namespace": "AWS/SageMaker"}, b"Action=DescribeAlarms", b""])
def test_other_calls_are_about_what_ministack_says(monkeypatch: pytest.MonkeyPatch, request_: object) -> None:
    before = about(request_)
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    install()

    assert about(request_) == before

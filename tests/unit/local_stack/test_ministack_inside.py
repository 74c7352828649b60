"""The two places that lean on MiniStack's inside: a new version that differs fails here first."""

from __future__ import annotations

import pytest
from ministack.core import iam_evaluator, lambda_runtime

from sagemaker_emulator.callers import function_access_key


def test_functions_get_the_access_key_that_is_derived_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ministack.app.AUTH", True)
    config = {
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:start-training",
        "FunctionName": "start-training",
        "Role": "arn:aws:iam::000000000000:role/StartTrainingRole",
    }

    credentials = lambda_runtime.execution_credentials(config)

    assert credentials["AWS_ACCESS_KEY_ID"] == function_access_key(config["FunctionArn"], config["Role"])


def test_the_evaluator_takes_condition_keys_in_lower_case() -> None:
    condition = {"StringEquals": {"aws:RequestTag/sageline:stack": "s", "aws:ResourceTag/Own": "t", "iam:PassedToService": "u"}}
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Condition": condition}
    policies = [iam_evaluator.parse_policy_document({"Statement": [statement]})]
    keys = {"aws:requesttag/sageline:stack": "s", "aws:resourcetag/own": "t", "iam:passedtoservice": "u"}

    def decide(service_context: dict[str, str]) -> str:
        context = iam_evaluator.EvalContext(
            principal_arn="arn:aws:sts::000000000000:assumed-role/r/s",
            principal_type="AssumedRole",
            principal_account="000000000000",
            action="sagemaker:CreateModel",
            resource_arn="arn:aws:sagemaker:us-east-1:000000000000:model/m",
            region="us-east-1",
            service_context=service_context,
        )
        return str(iam_evaluator.evaluate(context, policies).decision)

    assert decide(keys) == "Allow"
    for missing in keys:
        assert decide({key: value for key, value in keys.items() if key != missing}) == "ImplicitDeny"

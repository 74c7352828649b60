"""Application Auto Scaling by moto, as a deployment and a delete use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

from sageline_local.autoscaling_server import application

VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/wine/variant/wine-1",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


class Calls:
    """Calls in the service's wire protocol."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = ApplicationAutoscalingBackend.deregister_scalable_target
        monkeypatch.setattr(ApplicationAutoscalingBackend, "deregister_scalable_target", kept)
        self._client = application().test_client()

    def call(self, operation: str, **request: object) -> tuple[int, Any]:
        return self.call_service("AnyScaleFrontendService", operation, **request)

    def call_service(self, service: str, operation: str, **request: object) -> tuple[int, Any]:
        headers = {"X-Amz-Target": f"{service}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        answer = self._client.post("/", data=json.dumps(request), headers=headers)
        return answer.status_code, json.loads(answer.data or b"{}")

    def ping(self) -> int:
        return self._client.get("/ping").status_code


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


def test_a_target_that_is_registered_is_there_until_it_is_deregistered(calls: Calls) -> None:
    assert calls.call("RegisterScalableTarget", **VARIANT, MinCapacity=1, MaxCapacity=4)[0] == 200
    _, found = calls.call("DescribeScalableTargets", ServiceNamespace="sagemaker", ResourceIds=[VARIANT["ResourceId"]])
    assert [(target["MinCapacity"], target["MaxCapacity"]) for target in found["ScalableTargets"]] == [(1, 4)]

    tracking = {
        "TargetValue": 100,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    policy: dict[str, object] = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking}
    assert calls.call("PutScalingPolicy", PolicyName="follow", **VARIANT, **policy)[0] == 200

    assert calls.call("DeregisterScalableTarget", **VARIANT)[0] == 200

    assert calls.call("DescribeScalingPolicies", ServiceNamespace="sagemaker")[1]["ScalingPolicies"] == [], "as in AWS"
    assert calls.call("DescribeScalableTargets", ServiceNamespace="sagemaker")[1]["ScalableTargets"] == []


def test_it_answers_when_it_is_ready(calls: Calls) -> None:
    assert calls.ping() == 200


def test_no_other_service_is_served(calls: Calls) -> None:
    status, answer = calls.call_service("AmazonEC2ContainerServiceV20141113", "ListClusters")

    assert (status, answer["__type"]) == (400, "UnknownOperationException")

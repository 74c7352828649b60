"""What CloudWatch is told of invocations."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator_tests.support import FAST_IMAGE, Api, Refused, put_model, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.hosting.metrics import InvocationMetrics


def statistics(aws: Aws, endpoint: str, variant: str, metric: str, *wanted: str) -> dict[str, Any] | None:
    now = datetime.now(UTC)
    points = aws.cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=86_400,
        Statistics=list(wanted),  # type: ignore[arg-type]  # given as text here
    )["Datapoints"]
    return {name: points[0][name] for name in wanted} if points else None  # type: ignore[literal-required]  # the same


@pytest.fixture(scope="module")
def endpoint(api: Api, aws: Aws) -> str:
    """Its variants are named for what their containers do."""
    for text in ("good", "fail", "refuse"):
        api.ok("CreateModel", **api.model(f"measured-{text}", put_model(aws, f"measured-{text}", text), FAST_IMAGE))
    variants = [api.variant(text, f"measured-{text}") for text in ("good", "fail", "refuse")]
    api.endpoint_in_service("measured", api.endpoint_config("measured", *variants))
    return "measured"


@pytest.mark.parametrize(("variant", "errors"), [("good", (0, 0)), ("fail", (0, 3)), ("refuse", (3, 0))])
def test_each_request_counts_for_the_variant_that_answered(
    api: Api, aws: Aws, endpoint: str, variant: str, errors: tuple[int, int]
) -> None:
    client_errors, server_errors = errors
    for _ in range(3):
        with contextlib.suppress(Refused):
            api.invoke(endpoint, b"1", target_variant=variant)

    def said() -> dict[str, Any] | None:
        """Once all three are told of: they may go out in two parts."""
        told = statistics(aws, endpoint, variant, "Invocations", "Sum")
        return told if told and told["Sum"] >= 3 else None

    assert wait_until(said) == {"Sum": 3}
    assert statistics(aws, endpoint, variant, "Invocation5XXErrors", "SampleCount", "Sum") == {
        "SampleCount": 3,
        "Sum": server_errors,
    }
    assert statistics(aws, endpoint, variant, "Invocation4XXErrors", "Sum") == {"Sum": client_errors}
    assert statistics(aws, endpoint, variant, "InvocationModelErrors", "Sum") == {"Sum": client_errors + server_errors}


def test_latencies_are_in_microseconds(api: Api, aws: Aws, endpoint: str) -> None:
    api.invoke(endpoint, b"1", target_variant="good")

    model = wait_until(lambda: statistics(aws, endpoint, "good", "ModelLatency", "Maximum"))
    overhead = statistics(aws, endpoint, "good", "OverheadLatency", "Maximum")

    assert 100 < model["Maximum"] < 5e6
    assert overhead is not None
    assert 0 < overhead["Maximum"] < 5e6


class FakeCloudWatch:
    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803  # CloudWatch's own names
        assert Namespace == "AWS/SageMaker"
        self.calls.append(MetricData)


def test_many_values_go_out_in_parts_that_cloudwatch_takes() -> None:
    cloudwatch = FakeCloudWatch()
    metrics = InvocationMetrics(cloudwatch)  # type: ignore[arg-type]  # the one call that is made
    for number in range(400):
        metrics.record("e", "v", 200, number / 1e6, 1)

    metrics.flush()
    metrics.flush()

    [data] = cloudwatch.calls
    latencies = [datum for datum in data if datum["MetricName"] == "ModelLatency"]
    assert [len(datum["Values"]) for datum in latencies] == [150, 150, 100]
    assert sum(sum(datum["Counts"]) for datum in latencies) == 400
    [invocations] = [datum for datum in data if datum["MetricName"] == "Invocations"]
    assert (invocations["Values"], invocations["Counts"]) == ([1], [400])


def test_a_container_that_does_not_answer_counts_as_a_server_error() -> None:
    cloudwatch = FakeCloudWatch()
    metrics = InvocationMetrics(cloudwatch)  # type: ignore[arg-type]  # the one call that is made

    metrics.record("e", "v", None, 60, 60)
    metrics.flush()

    values = {datum["MetricName"]: datum["Values"] for datum in cloudwatch.calls[0]}
    assert (values["Invocation5XXErrors"], values["InvocationModelErrors"], values["Invocation4XXErrors"]) == ([1], [1], [0])

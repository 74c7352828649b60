"""Models, endpoint configs, endpoints, invocations."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psutil
import pytest
from botocore.exceptions import EndpointConnectionError

from emulator_tests.support import BUCKET, FAST_IMAGE, ROLE, Api, Json, Refused, put_model, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.hosting import deployments
from sagemaker_emulator.hosting.variants import Unhealthy, Variant, launch
from sagemaker_emulator.store import Store


def gone(api: Api, name: str) -> bool | None:
    return name not in [endpoint["EndpointName"] for endpoint in api.ok("ListEndpoints", MaxResults=100)["Endpoints"]] or None


def settled_on(api: Api, name: str, config: str) -> dict[str, Any] | None:
    endpoint = api.settled_endpoint(name)
    return endpoint if endpoint and endpoint["EndpointConfigName"] == config else None


def weights(endpoint: dict[str, Any]) -> dict[str, float]:
    return {variant["VariantName"]: variant["CurrentWeight"] for variant in endpoint["ProductionVariants"]}


@pytest.fixture(scope="module")
def endpoint(api: Api, model: str) -> str:
    """An endpoint with one instance-based variant, for tests that only invoke it."""
    api.endpoint_in_service("endpoint", api.endpoint_config("config", api.variant("v1", model)))
    return "endpoint"


def test_an_endpoint_hands_on_the_containers_answer_and_names_the_variant(api: Api, endpoint: str) -> None:
    body, headers = api.invoke(endpoint, b"5,6")

    assert body == b"good:5,6"
    assert headers["content-type"] == "text/plain"
    assert headers["x-amzn-invoked-production-variant"] == "v1"


def test_an_unknown_endpoint_is_a_validation_error_of_the_runtime(api: Api) -> None:
    with pytest.raises(Refused) as refused:
        api.invoke("nothing", b"1,2")

    assert (refused.value.status, refused.value.code) == (400, "ValidationError")
    assert refused.value.message == "Endpoint nothing of account 000000000000 not found."


def test_an_endpoints_name_is_invoked_in_the_case_in_which_it_was_created(api: Api, endpoint: str) -> None:
    with pytest.raises(Refused, match="not found"):
        api.invoke(endpoint.upper(), b"1,2")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("target_model", "Endpoint endpoint is not a multi-model endpoint and does not support target model header."),
        ("inference_component", "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy"),
        ("target_container_hostname", "does not support target container hostname header."),
    ],
)
def test_headers_for_endpoints_of_another_kind_are_refused(api: Api, endpoint: str, header: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        api.invoke(endpoint, b"1,2", **{header: "model-1"})

    assert (refused.value.status, refused.value.code) == (400, "ValidationError")
    assert message in refused.value.message


def test_what_is_wrong_with_a_target_model_has_a_code(api: Api, endpoint: str) -> None:
    with pytest.raises(Refused) as refused:
        api.invoke(endpoint, b"1,2", target_model="model-1")

    assert refused.value.body["ErrorCode"] == "TARGET_MODEL_HEADER_NOT_SUPPORTED"


def test_an_unknown_target_variant_is_a_validation_error(api: Api, endpoint: str) -> None:
    with pytest.raises(Refused, match="The variant v9 of endpoint endpoint") as refused:
        api.invoke(endpoint, b"1,2", target_variant="v9")

    assert refused.value.code == "ValidationError"


def test_a_body_over_the_limit_is_refused_before_it_reaches_the_container(api: Api, endpoint: str) -> None:
    with pytest.raises(Refused, match="less than or equal to 6291456") as refused:
        api.invoke(endpoint, b"1" * 6_291_457)

    assert refused.value.code == "ValidationError"


def test_many_callers_are_all_answered_while_an_update_replaces_the_variant(api: Api, model: str) -> None:
    configs = [api.endpoint_config(name, api.variant("blue", model)) for name in ("first", "second")]
    api.endpoint_in_service("asked", configs[0])
    done = threading.Event()

    def ask() -> int:
        answered = 0
        while not done.is_set():
            api.invoke("asked", b"1,2")
            answered += 1
        return answered

    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(ask) for _ in range(8)]
        try:
            for config in (configs[1], configs[0]):
                api.ok("UpdateEndpoint", EndpointName="asked", EndpointConfigName=config)
                wait_until(partial(settled_on, api, "asked", config))
        finally:
            done.set()
    assert all(caller.result() for caller in asked)


def test_an_update_to_variants_of_other_names_keeps_answering(api: Api, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (api.endpoint_config(f"only-{name}", api.variant(name, model)) for name in ("blue", "green"))
    api.endpoint_in_service("renamed", old)
    update = Store.update

    def update_slowly(store: Store, kind: str, name: str, change: Callable[[Json], None]) -> Json | None:
        time.sleep(0.2)
        return update(store, kind, name, change)

    monkeypatch.setattr(Store, "update", update_slowly)
    api.ok("UpdateEndpoint", EndpointName="renamed", EndpointConfigName=new)
    answered = []
    while not settled_on(api, "renamed", new):
        answered.append(api.invoke("renamed", b"1,2")[1]["x-amzn-invoked-production-variant"])

    assert answered == sorted(answered)
    assert set(answered) == {"blue", "green"}


def test_an_update_keeps_answering_and_ends_with_the_new_variants_only(api: Api, model: str) -> None:
    old = api.endpoint_config("old", api.variant("blue", model))
    both = api.endpoint_config("both", api.variant("blue", model), api.variant("green", model, weight=0))
    api.endpoint_in_service("updated", old)

    api.ok("UpdateEndpoint", EndpointName="updated", EndpointConfigName=both)
    answered = []
    while not settled_on(api, "updated", both):
        answered.append(api.invoke("updated", b"1,2")[1]["x-amzn-invoked-production-variant"])

    assert set(answered) <= {"blue"}
    assert weights(api.ok("DescribeEndpoint", EndpointName="updated")) == {"blue": 1.0, "green": 0.0}
    assert {api.invoke("updated", b"1,2")[1]["x-amzn-invoked-production-variant"] for _ in range(20)} == {"blue"}
    assert api.invoke("updated", b"1,2", target_variant="green")[1]["x-amzn-invoked-production-variant"] == "green"

    api.ok(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="updated",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredWeight": 1}, {"VariantName": "green", "DesiredWeight": 1}],
    )
    shares = Counter(api.invoke("updated", b"1,2")[1]["x-amzn-invoked-production-variant"] for _ in range(60))
    assert min(shares["blue"], shares["green"]) >= 10

    new = api.endpoint_config("new", api.variant("green", model))
    api.ok("UpdateEndpoint", EndpointName="updated", EndpointConfigName=new)
    wait_until(lambda: settled_on(api, "updated", new))
    with pytest.raises(Refused, match="The variant blue"):
        api.invoke("updated", b"1,2", target_variant="blue")
    assert api.refused("DeleteEndpointConfig", EndpointConfigName="none").message.startswith(
        "Could not find endpoint configuration"
    )


def test_a_deleted_endpoint_ends_its_processes(api: Api, model: str) -> None:
    api.endpoint_in_service("deleted", api.endpoint_config("deleted", api.variant("v1", model)))
    serving = [child for child in psutil.Process().children() if "/endpoints/deleted/" in " ".join(child.cmdline())]
    assert len(serving) == 1

    api.ok("DeleteEndpoint", EndpointName="deleted")

    wait_until(lambda: gone(api, "deleted"))
    assert not any(child.is_running() for child in serving)
    api.ok("DeleteEndpointConfig", EndpointConfigName="deleted")


def test_a_variant_that_dies_is_started_again(api: Api, model: str) -> None:
    api.endpoint_in_service("dying", api.endpoint_config("dying", api.variant("v1", model)))
    (serving,) = (child for child in psutil.Process().children() if "/endpoints/dying/" in " ".join(child.cmdline()))

    os.kill(serving.pid, signal.SIGKILL)

    def answers() -> bytes | None:
        try:
            return api.invoke("dying", b"1,2")[0]
        except Refused as refused:
            refusals.add(refused.code)
            return None

    refusals: set[str] = set()
    assert wait_until(answers)
    assert refusals == {"ServiceUnavailable"}


def test_a_variant_is_started_again_until_it_comes_back_and_needs_no_s3_for_it(
    api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.ok("CreateModel", **api.model("tried", put_model(aws, "tried", "good"), FAST_IMAGE))
    api.endpoint_in_service("tried", api.endpoint_config("tried", api.variant("v1", "tried")))
    aws.s3.delete_object(Bucket=BUCKET, Key="models/tried/model.tar.gz")
    out_of_reach: list[Exception] = [EndpointConnectionError(endpoint_url="http://sts")]
    unhealthy: list[Exception] = [Unhealthy("no ping")]
    wait_until_healthy = Variant.wait_until_healthy

    def launch_at_last(*arguments: Any, **members: Any) -> Variant:
        if out_of_reach:
            raise out_of_reach.pop()
        return launch(*arguments, **members)

    def healthy_at_last(variant: Variant) -> None:
        if unhealthy:
            raise unhealthy.pop()
        wait_until_healthy(variant)

    monkeypatch.setattr(deployments, "launch", launch_at_last)
    monkeypatch.setattr(deployments, "_LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(Variant, "wait_until_healthy", healthy_at_last)
    (serving,) = (child for child in psutil.Process().children() if "/endpoints/tried/" in " ".join(child.cmdline()))
    os.kill(serving.pid, signal.SIGKILL)

    def answers() -> bytes | None:
        with contextlib.suppress(Refused):
            return api.invoke("tried", b"1,2")[0]
        return None

    assert wait_until(answers) == b"good:1,2"
    assert not out_of_reach
    assert not unhealthy


def test_a_container_that_takes_too_long_is_a_model_error_and_holds_nobody_else_up(
    api: Api, aws: Aws, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagemaker_emulator.hosting.invoke.INVOCATION_SECONDS", 1)
    api.ok("CreateModel", **api.model("hanging", put_model(aws, "hanging", "hang"), FAST_IMAGE))
    api.endpoint_in_service("hanging", api.endpoint_config("hanging", api.variant("v1", "hanging")))

    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(api.invoke, "hanging", b"1,2")
        answers = {api.invoke(endpoint, b"1,2")[0] for _ in range(10)}
        assert not waiting.done()
        assert answers == {b"good:1,2"}
        with pytest.raises(
            Refused, match="Your invocation timed out while waiting for a response from container primary"
        ) as late:
            waiting.result()

    assert (late.value.status, late.value.code, late.value.body["OriginalStatusCode"]) == (424, "ModelError", 0)


def test_an_endpoint_on_model_data_that_is_no_archive_fails_and_says_so(api: Api, aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="broken/model.tar.gz", Body=b"not a tar")
    api.ok("CreateModel", **api.model("broken", f"s3://{BUCKET}/broken/model.tar.gz", FAST_IMAGE))
    config = api.endpoint_config("broken", api.variant("v1", "broken"))

    api.ok("CreateEndpoint", EndpointName="broken", EndpointConfigName=config)

    failed = wait_until(lambda: api.settled_endpoint("broken"))
    assert failed["EndpointStatus"] == "Failed"
    assert failed["FailureReason"].startswith('Failed to extract model data archive for container "container_1" from URL')
    with pytest.raises(Refused, match="not found"):
        api.invoke("broken", b"1,2")


def test_an_endpoint_whose_container_does_not_start_fails_the_health_check(api: Api, aws: Aws) -> None:
    api.ok("CreateModel", **api.model("damaged", put_model(aws, "damaged", "broken"), FAST_IMAGE))

    api.ok(
        "CreateEndpoint",
        EndpointName="damaged",
        EndpointConfigName=api.endpoint_config("damaged", api.variant("v1", "damaged")),
    )

    failed = wait_until(lambda: api.settled_endpoint("damaged"))
    assert "production variant v1 did not pass the ping health check" in failed["FailureReason"]
    streams = aws.logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/damaged")["logStreams"]
    assert streams[0]["logStreamName"].startswith("v1/i-")


def test_an_update_that_fails_leaves_the_old_variants_answering(api: Api, model: str, aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="bad/model.tar.gz", Body=b"not a tar")
    api.ok("CreateModel", **api.model("bad", f"s3://{BUCKET}/bad/model.tar.gz", FAST_IMAGE))
    good, bad = api.endpoint_config("good", api.variant("v1", model)), api.endpoint_config("bad", api.variant("v2", "bad"))
    api.endpoint_in_service("hurt", good)

    api.ok("UpdateEndpoint", EndpointName="hurt", EndpointConfigName=bad)

    failed = wait_until(lambda: api.settled_endpoint("hurt"))
    assert (failed["EndpointStatus"], failed["EndpointConfigName"]) == ("Failed", good)
    assert api.invoke("hurt", b"1,2")[0]
    api.ok("UpdateEndpoint", EndpointName="hurt", EndpointConfigName=good)
    assert wait_until(lambda: api.settled_endpoint("hurt"))["EndpointStatus"] == "InService"


def test_an_update_with_automatic_rollback_goes_back_to_service(api: Api, model: str, aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="worse/model.tar.gz", Body=b"not a tar")
    api.ok("CreateModel", **api.model("worse", f"s3://{BUCKET}/worse/model.tar.gz", FAST_IMAGE))
    fine, bad = api.endpoint_config("fine", api.variant("v1", model)), api.endpoint_config("worse", api.variant("v2", "worse"))
    api.endpoint_in_service("guarded", fine)
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }

    api.ok("UpdateEndpoint", EndpointName="guarded", EndpointConfigName=bad, DeploymentConfig=policy)

    back = wait_until(lambda: api.settled_endpoint("guarded"))
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", fine)
    assert "Failed to extract model data" in back["FailureReason"]


def test_an_endpoint_that_is_changing_refuses_other_changes(api: Api, aws: Aws) -> None:
    api.ok("CreateModel", **api.model("slow", put_model(aws, "slow", "slow"), FAST_IMAGE))
    config = api.endpoint_config("busy", api.variant("v1", "slow"))
    api.ok("CreateEndpoint", EndpointName="busy", EndpointConfigName=config)

    messages = [
        api.refused("UpdateEndpoint", EndpointName="busy", EndpointConfigName=config).message,
        api.refused("DeleteEndpoint", EndpointName="busy").message,
        api.refused(
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="busy",
            DesiredWeightsAndCapacities=[{"VariantName": "v1", "DesiredWeight": 2}],
        ).message,
    ]

    assert messages == ['Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/busy".'] * 3
    assert "is being created or updated with it" in api.refused("DeleteEndpointConfig", EndpointConfigName=config).message
    with pytest.raises(Refused, match="not found"):
        api.invoke("busy", b"1,2")


def test_a_name_in_use_can_not_be_created_again(api: Api, model: str, endpoint: str) -> None:
    prefix = "arn:aws:sagemaker:us-east-1:000000000000:"
    artifact = api.ok("DescribeModel", ModelName=model)["PrimaryContainer"]["ModelDataUrl"]

    assert api.refused("CreateModel", **api.model(model, artifact)).message == (
        f'Cannot create already existing model "{prefix}model/model".'
    )
    assert (
        api.refused("CreateEndpointConfig", EndpointConfigName="config", ProductionVariants=[api.variant("v1", model)]).message
        == f'Cannot create already existing endpoint configuration "{prefix}endpoint-config/config".'
    )
    assert (
        api.refused("CreateEndpoint", EndpointName=endpoint.upper(), EndpointConfigName="config").message
        == f'Cannot create already existing endpoint "{prefix}endpoint/endpoint".'
    )


def test_an_instance_based_endpoint_can_not_become_serverless(api: Api, model: str, endpoint: str) -> None:
    config = api.endpoint_config("serverless", api.serverless("v1", model))

    refused = api.refused("UpdateEndpoint", EndpointName=endpoint, EndpointConfigName=config)

    assert refused.message.startswith("Cannot update the instance-based endpoint")


def test_a_serverless_endpoint_takes_smaller_bodies_and_no_instance_counts(api: Api, model: str) -> None:
    serving = api.endpoint_in_service("small", api.endpoint_config("small", api.serverless("v1", model, 1024)))

    assert serving["ProductionVariants"][0]["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 5}
    with pytest.raises(Refused, match="less than or equal to 4194304"):
        api.invoke("small", b"1" * 4_194_305)
    change = [{"VariantName": "v1", "DesiredInstanceCount": 2}]
    refused = api.refused("UpdateEndpointWeightsAndCapacities", EndpointName="small", DesiredWeightsAndCapacities=change)
    assert "can not be set for the serverless variant v1" in refused.message


def test_weights_and_counts_are_kept_when_an_update_asks_for_it(api: Api, model: str) -> None:
    config = api.endpoint_config("kept", api.variant("v1", model), api.variant("v2", model))
    api.endpoint_in_service("kept", config)
    desired = [{"VariantName": "v1", "DesiredWeight": 3, "DesiredInstanceCount": 2}]
    api.ok("UpdateEndpointWeightsAndCapacities", EndpointName="kept", DesiredWeightsAndCapacities=desired)

    api.ok("UpdateEndpoint", EndpointName="kept", EndpointConfigName=config, RetainAllVariantProperties=True)

    kept = wait_until(lambda: api.settled_endpoint("kept"))
    assert weights(kept) == {"v1": 3.0, "v2": 1.0}
    assert kept["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    unknown = [{"VariantName": "v7", "DesiredWeight": 1}]
    refused = api.refused("UpdateEndpointWeightsAndCapacities", EndpointName="kept", DesiredWeightsAndCapacities=unknown)
    assert refused.message == f'The variant name(s) "v7" is/are not present within endpoint configuration "{config}".'
    twice = [{"VariantName": "v1", "DesiredWeight": 2}, {"VariantName": "v1", "DesiredWeight": 4}]
    refused = api.refused("UpdateEndpointWeightsAndCapacities", EndpointName="kept", DesiredWeightsAndCapacities=twice)
    assert refused.message == 'The variant name "v1" was non-unique within the request.'
    assert weights(api.ok("DescribeEndpoint", EndpointName="kept")) == {"v1": 3.0, "v2": 1.0}


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([Api.variant("v1", "nothing")], 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nothing".'),
        ([Api.variant("v1", "model"), Api.variant("v1", "model")], "Variant names in an endpoint configuration must be unique."),
        ([Api.serverless("v1", "model"), Api.variant("v2", "model")], "can have one production variant only"),
        (
            [Api.serverless("v1", "model", memory=1500)],
            "MemorySizeInMB must be one of [1024, 2048, 3072, 4096, 5120, 6144], not 1500",
        ),
        ([Api.serverless("v1", "model", ProvisionedConcurrency=6)], "ProvisionedConcurrency can not be greater"),
        ([{**Api.serverless("v1", "model"), "InstanceType": "ml.m5.large"}], "can not be given with ServerlessConfig"),
        ([{"VariantName": "v1", "ModelName": "model"}], "or ServerlessConfig, must be given"),
        ([{"VariantName": "v1"}], "a ModelName is required"),
    ],
)
def test_an_endpoint_config_is_checked(api: Api, model: str, variants: list[dict[str, Any]], message: str) -> None:
    refused = api.refused("CreateEndpointConfig", EndpointConfigName="checked", ProductionVariants=variants)

    assert refused.code == "ValidationException"
    assert message in refused.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PrimaryContainer": None}, "either PrimaryContainer or Containers"),
        ({"ExecutionRoleArn": None}, "ExecutionRoleArn is required"),
        ({"PrimaryContainer": {"ModelDataUrl": "s3://b/k"}}, "needs an Image"),
        ({"PrimaryContainer": {"Image": "i", "Mode": "MultiModel"}}, "Multi-model endpoints are not supported"),
        ({"PrimaryContainer": {"Image": "i", "ModelDataUrl": "https://x/k"}}, "it must look like s3://bucket/prefix"),
        (
            {"PrimaryContainer": {"Image": "i", "ModelDataUrl": f"s3://{BUCKET}/no"}},
            f"Could not find model data at s3://{BUCKET}/no.",
        ),
        ({"ExecutionRoleArn": ROLE.replace("SageMaker", "Nobody")}, "Could not assume role"),
    ],
)
def test_a_model_is_checked(api: Api, changes: dict[str, Any], message: str) -> None:
    request = {**api.model("checked", f"s3://{BUCKET}/data/train/part-0.csv"), **changes}

    assert message in api.refused("CreateModel", **request).message


def test_missing_resources_are_named_by_their_arn(api: Api) -> None:
    prefix = "arn:aws:sagemaker:us-east-1:000000000000"

    assert api.refused("DeleteModel", ModelName="no").message == f'Could not find model "{prefix}:model/no".'
    assert api.refused("DeleteEndpoint", EndpointName="no").message == f'Could not find endpoint "{prefix}:endpoint/no".'
    assert (
        api.refused("CreateEndpoint", EndpointName="no", EndpointConfigName="no").message
        == f'Could not find endpoint configuration "{prefix}:endpoint-config/no".'
    )

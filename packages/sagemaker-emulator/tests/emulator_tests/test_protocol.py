"""Requests and errors on the wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator_tests.support import ROLE, Api, Refused, authorization, wait_until
from sagemaker_emulator.protocol import service_model


def test_ping_answers_when_the_service_is_ready(api: Api) -> None:
    assert api.client.get("/ping").status_code == 200


def test_each_operation_of_sagemaker_is_answered_or_refused_by_its_name(api: Api) -> None:
    def refusal(name: str) -> Refused | None:
        try:
            api.ok(name)
        except Refused as error:
            return error if error.code == "UnknownOperationException" else None
        return None

    names = service_model().operation_names
    with ThreadPoolExecutor(16) as callers:
        refused = {name: error for name, error in zip(names, callers.map(refusal, names), strict=True) if error}

    assert all(f"does not implement {name}. It implements: " in error.message for name, error in refused.items())
    assert {error.status for error in refused.values()} == {400}
    assert not {"CreateTrainingJob", "CreateModelPackage", "AddTags"} & refused.keys()
    out = {"CreateProcessingJob", "CreatePipeline", "Search", "CreateExperiment", "CreateFeatureGroup"}
    assert out | {"CreateInferenceComponent", "CreateAutoMLJobV2", "CreateNotebookInstance"} <= refused.keys()


@pytest.mark.parametrize("target", ["SageMaker.Nonsense", "Other.CreateModel", ""])
def test_an_unknown_target_is_an_unknown_operation(api: Api, target: str) -> None:
    response = api.client.post("/", content="{}", headers={"x-amz-target": target, "authorization": authorization("test")})

    assert response.status_code == 400
    assert response.json()["__type"] == "UnknownOperationException"


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "[" * 100_000, '{"MaxResults": NaN}', '{"CreationTimeAfter": 1e999}', r'{"NameContains": "\ud800"}'],
    ids=["half", "a list", "too deep", "NaN", "infinity", "half a surrogate pair"],
)
def test_a_body_that_is_no_json_object_is_a_serialization_error(api: Api, body: str) -> None:
    headers = {"x-amz-target": "SageMaker.ListModels", "authorization": authorization("test")}

    assert api.client.post("/", content=body, headers=headers).json()["__type"] == "SerializationException"


def test_a_weight_that_a_float_of_32_bits_can_not_hold_is_refused(api: Api) -> None:
    variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    heavy = {**variant, "InitialVariantWeight": 1e308}

    refused = api.refused("CreateEndpointConfig", EndpointConfigName="heavy", ProductionVariants=[heavy])

    assert refused.code == "SerializationException"
    assert "initialVariantWeight" in refused.message


def test_letters_beyond_the_basic_plane_are_kept(api: Api) -> None:
    api.ok("CreateModelPackageGroup", ModelPackageGroupName="grapes", ModelPackageGroupDescription="\N{GRAPES}")

    group = api.ok("DescribeModelPackageGroup", ModelPackageGroupName="grapes")

    assert group["ModelPackageGroupDescription"] == "\N{GRAPES}"


def test_missing_members_are_named_as_aws_names_them(api: Api) -> None:
    refused = api.refused("DescribeModel")

    assert refused.code == "ValidationException"
    assert refused.message == (
        "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null"
    )


def test_every_broken_constraint_is_listed(api: Api) -> None:
    request = api.training_job(
        "x_y",
        ResourceConfig={"InstanceType": "ml.none", "InstanceCount": 1, "VolumeSizeInGB": 10},
        HyperParameters={"a": "b" * 2501},
        Tags=[{"Key": "<bad>", "Value": "v"}],
    )

    message = api.refused("CreateTrainingJob", **request).message

    assert message.startswith("4 validation errors detected: ")
    assert (
        "Value 'x_y' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        in message
    )
    assert (
        "Value 'ml.none' at 'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum value set: ["
        in message
    )
    assert "Value '<bad>' at 'tags.1.member.key' failed to satisfy constraint" in message
    assert (
        "at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length"
        in message
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [("ModelName", 5), ("PrimaryContainer", "text"), ("Containers", {}), ("EnableNetworkIsolation", "yes")],
)
def test_a_wrong_json_type_is_a_serialization_error_that_names_the_member(api: Api, member: str, value: object) -> None:
    refused = api.refused("CreateModel", **{**api.model("m", "s3://b/k"), member: value})

    assert refused.code == "SerializationException"
    assert member[1:] in refused.message


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/endpoints/e/invocations-response-stream", "InvokeEndpointWithResponseStream (POST /endpoints/e/invocations-response"),
        ("/other", "POST /other"),
    ],
)
def test_another_path_is_an_unknown_operation_that_is_named(api: Api, path: str, named: str) -> None:
    response = api.client.post(path, headers={"authorization": authorization("test")})

    assert (response.status_code, response.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    assert f"does not implement {named}" in response.json()["Message"]


def test_the_headers_of_an_invocation_are_checked_against_the_runtimes_model(api: Api) -> None:
    with pytest.raises(Refused, match="at 'targetVariant' failed to satisfy constraint") as refused:
        api.invoke("endpoint", b"1,2", target_variant="not_a_name")

    assert (refused.value.status, refused.value.code) == (400, "ValidationError")


def test_a_failure_inside_the_service_is_an_internal_failure(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagemaker_emulator.protocol.check", lambda *_: 1 / 0)

    refused = api.refused("ListModels")

    assert (refused.status, refused.code) == (500, "InternalFailure")


def test_timestamps_are_epoch_seconds(api: Api) -> None:
    arn = api.ok("CreateTrainingJob", **api.training_job("job-1"))["TrainingJobArn"]
    job = api.ok("DescribeTrainingJob", TrainingJobName="job-1")

    assert arn == job["TrainingJobArn"]
    assert isinstance(job["CreationTime"], float)
    assert not [name for name in job if name.startswith("_")]


def test_names_in_arns_are_in_lower_case(api: Api) -> None:
    assert api.ok("CreateTrainingJob", **api.training_job("Job-A"))["TrainingJobArn"].endswith(":training-job/job-a")


def test_a_model_error_tells_the_containers_own_status_and_message(api: Api) -> None:
    api.ok("CreateTrainingJob", **api.training_job("trained"))
    job = wait_until(lambda: api.ended_job("trained"))
    api.ok("CreateModel", **api.model("model", job["ModelArtifacts"]["S3ModelArtifacts"]))
    api.endpoint_in_service("endpoint", api.endpoint_config("config", api.serverless("v1", "model")))

    with pytest.raises(Refused, match="ModelError") as refused:
        api.invoke("endpoint", b"{}", content_type="application/json")

    body = refused.value.body
    assert refused.value.status == 424
    assert body["OriginalStatusCode"] == 415
    assert body["OriginalMessage"].startswith("application/json is not an accepted ContentType: csv, libsvm")
    assert body["Message"].startswith('Received client error (415) from primary with message "application/json')
    assert ROLE not in body["Message"]

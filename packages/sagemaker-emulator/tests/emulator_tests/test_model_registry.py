"""The model registry: groups, versions, approval, models made of packages."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator_tests.support import (
    ACCOUNT,
    FAST_IMAGE,
    ROLE,
    Api,
    FakeEventBridge,
    FakeLambda,
    Json,
    Refused,
    add_role,
    put_model,
    wait_until,
)
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.callers import function_access_key
from sagemaker_emulator.events import model_package_detail
from sagemaker_emulator.store import Document, Store

ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package"
DATA = "s3://bucket-1/models/registered/model.tar.gz"


def specification(data: str = DATA, **container: object) -> Json:
    return {
        "Containers": [{"Image": FAST_IMAGE, "ModelDataUrl": data, **container}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def group(api: Api, name: str, **more: object) -> str:
    request: Json = {"ModelPackageGroupName": name, **more}
    api.ok("CreateModelPackageGroup", **request)
    return name


def version(api: Api, group_name: str, **more: object) -> str:
    request: Json = {"ModelPackageGroupName": group_name, "InferenceSpecification": specification(), **more}
    return str(api.ok("CreateModelPackage", **request)["ModelPackageArn"])


def listed(api: Api, **request: Any) -> list[str]:
    packages = api.ok("ListModelPackages", **request)["ModelPackageSummaryList"]
    return [package["ModelPackageArn"].removeprefix(f"{ARN}/") for package in packages]


def model_of(name: str, package: str, **container: object) -> Json:
    container = {"ModelPackageName": package, **container}
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}


def test_a_group_is_found_by_name_and_by_arn(api: Api) -> None:
    arn = api.ok("CreateModelPackageGroup", ModelPackageGroupName="Wine", ModelPackageGroupDescription="of wine")[
        "ModelPackageGroupArn"
    ]

    for text in ("Wine", arn):
        found = api.ok("DescribeModelPackageGroup", ModelPackageGroupName=text)
        assert (found["ModelPackageGroupName"], found["ModelPackageGroupStatus"]) == ("Wine", "Completed")
    assert arn == f"{ARN}-group/wine"
    assert api.refused("CreateModelPackageGroup", ModelPackageGroupName="Wine").message == (
        f"Model Package Group already exists: {arn}"
    )


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "DescribeModelPackageGroup",
            {"ModelPackageGroupName": "none"},
            f"ModelPackageGroup {ARN}-group/none does not exist.",
        ),
        ("DeleteModelPackageGroup", {"ModelPackageGroupName": "none"}, f"ModelPackageGroup {ARN}-group/none does not exist."),
        ("DescribeModelPackage", {"ModelPackageName": "none"}, f"ModelPackage {ARN}/none does not exist."),
        ("DescribeModelPackage", {"ModelPackageName": f"{ARN}/none/1"}, f"ModelPackage {ARN}/none/1 does not exist."),
        ("DeleteModelPackage", {"ModelPackageName": f"{ARN}/none/1"}, f"ModelPackage {ARN}/none/1 does not exist."),
        ("UpdateModelPackage", {"ModelPackageArn": f"{ARN}/none/1"}, f"ModelPackage {ARN}/none/1 does not exist."),
        ("CreateModelPackage", {"ModelPackageGroupName": "none"}, "Model Package Group does not exist."),
        ("CreateModelPackage", {"ModelPackageGroupName": "a", "ModelPackageName": "b"}, "Cannot determine which one to use."),
        ("CreateModelPackage", {}, "Missing ARN."),
        ("CreateModel", model_of("m", f"{ARN}/none/1"), f"ModelPackage {ARN}/none/1 does not exist."),
    ],
)
def test_what_is_not_there_is_a_validation_exception(api: Api, operation: str, request_: Json, message: str) -> None:
    refused = api.refused(operation, **request_)

    assert refused.code == "ValidationException"
    assert refused.message.endswith(message)


def test_packages_of_a_group_are_numbered_and_wait_for_approval(api: Api) -> None:
    name = group(api, "Numbered")

    arns = [version(api, name, ModelPackageDescription=f"number {number}") for number in (1, 2)]

    assert arns == [f"{ARN}/numbered/1", f"{ARN}/numbered/2"]
    found = api.ok("DescribeModelPackage", ModelPackageName=arns[1])
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == ("Numbered", 2)
    assert (found["ModelPackageStatus"], found["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")
    assert found["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert found["InferenceSpecification"] == specification()
    assert not {"ModelPackageName", "_token", "_order"} & found.keys()


def test_a_number_is_not_used_again(api: Api) -> None:
    name = group(api, "counted")
    version(api, name)

    api.ok("DeleteModelPackage", ModelPackageName=version(api, name))

    assert version(api, name) == f"{ARN}/counted/3"
    assert listed(api, ModelPackageGroupName=name) == ["counted/1", "counted/3"]


def test_a_retry_makes_no_second_package(api: Api) -> None:
    name = group(api, "retried")

    assert version(api, name, ClientToken="a") == version(api, name, ClientToken="a")

    assert listed(api, ModelPackageGroupName=name) == ["retried/1"]


def test_retries_at_the_same_time_make_one_package(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    name = group(api, "retried-at-once")
    documents = Store.documents

    def documents_slowly(store: Store, kind: str) -> list[Document]:
        found = documents(store, kind)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(Store, "documents", documents_slowly)
    with ThreadPoolExecutor(4) as callers:
        made = {caller.result() for caller in [callers.submit(version, api, name, ClientToken="b") for _ in range(4)]}

    assert made == {f"{ARN}/retried-at-once/1"}


def test_a_package_that_comes_while_its_group_is_deleted_is_not_left_without_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = group(api, "deleted-meanwhile")
    looked_at = threading.Event()
    documents = Store.documents

    def documents_slowly(store: Store, kind: str) -> list[Document]:
        found = documents(store, kind)
        looked_at.set()
        time.sleep(0.2)
        return found

    monkeypatch.setattr(Store, "documents", documents_slowly)
    with ThreadPoolExecutor(1) as caller:
        deleted = caller.submit(api.ok, "DeleteModelPackageGroup", ModelPackageGroupName=name)
        assert looked_at.wait(10)
        with pytest.raises(Refused, match="Model Package Group does not exist"):
            version(api, name)
        deleted.result()


def test_a_group_with_packages_is_not_deleted(api: Api) -> None:
    name = group(api, "kept", Tags=[{"Key": "team", "Value": "a"}])
    package = version(api, name)

    refused = api.refused("DeleteModelPackageGroup", ModelPackageGroupName=name)
    assert (refused.status, refused.code) == (400, "ConflictException")
    api.ok("DeleteModelPackage", ModelPackageName=package)
    api.ok("DeleteModelPackageGroup", ModelPackageGroupName=name)

    assert "does not exist" in api.refused("DescribeModelPackageGroup", ModelPackageGroupName=name).message
    assert api.ok("CreateModelPackageGroup", ModelPackageGroupName=name)
    assert api.ok("ListTags", ResourceArn=f"{ARN}-group/kept")["Tags"] == []


def test_packages_are_listed_by_kind_status_name_and_in_order(api: Api) -> None:
    name = group(api, "sorted")
    for number in range(1, 12):
        version(api, name, ModelApprovalStatus="Approved" if number % 2 else "Rejected")
    api.ok("CreateModelPackage", ModelPackageName="sorted-alone", InferenceSpecification=specification())

    assert listed(api, ModelPackageGroupName=f"{ARN}-group/sorted", SortBy="Name", SortOrder="Descending", MaxResults=2) == [
        "sorted/11",
        "sorted/10",
    ]
    first = api.ok("ListModelPackages", ModelPackageGroupName=name, ModelApprovalStatus="Rejected", MaxResults=3)
    assert [package["ModelPackageVersion"] for package in first["ModelPackageSummaryList"]] == [2, 4, 6]
    rest = {"ModelApprovalStatus": "Rejected", "MaxResults": 3, "NextToken": first["NextToken"]}
    assert listed(api, ModelPackageGroupName=name, **rest) == ["sorted/8", "sorted/10"]
    assert listed(api, NameContains="SORTED") == ["sorted-alone"]
    assert listed(api, ModelPackageType="Both", NameContains="sorted", SortBy="CreationTime", SortOrder="Descending")[0] == (
        "sorted-alone"
    )
    groups = api.ok("ListModelPackageGroups", NameContains="sort")["ModelPackageGroupSummaryList"]
    assert [found["ModelPackageGroupName"] for found in groups] == ["sorted"]


def test_several_are_described_at_once(api: Api) -> None:
    arn = version(api, group(api, "batch"))

    found = api.ok("BatchDescribeModelPackage", ModelPackageArnList=[arn, f"{ARN}/batch/9"])

    assert found["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert found["BatchDescribeModelPackageErrorMap"] == {
        f"{ARN}/batch/9": {
            "ErrorCode": "ValidationException",
            "ErrorResponse": f"ModelPackage {ARN}/batch/9 does not exist.",
        }
    }


@pytest.fixture(scope="module")
def rules(api: Api) -> str:
    return group(api, "rules")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"ModelPackageGroupName": "rules", "Tags": [{"Key": "a", "Value": "b"}]}, "has those of its model package group"),
        ({"ModelPackageGroupName": "rules", "CertifyForMarketplace": True}, "CertifyForMarketplace is not supported"),
        ({"ModelPackageName": "alone", "ModelApprovalStatus": "Approved"}, "is for versioned model packages"),
        ({"ModelPackageName": "alone"}, "InferenceSpecification is required"),
        (
            {"ModelPackageName": "alone", "InferenceSpecification": specification(Environment={"a": "b"})},
            "Environment variable map cannot be specified when using non-versioned ModelPackages",
        ),
    ],
)
def test_what_a_kind_of_package_can_not_have(api: Api, rules: str, request_: Json, message: str) -> None:
    assert request_.get("ModelPackageGroupName") in (rules, None)
    assert message in api.refused("CreateModelPackage", **request_).message


def test_metadata_is_added_and_removed(api: Api) -> None:
    arn = version(api, group(api, "described"), CustomerMetadataProperties={"a": "1", "b": "2"})

    api.ok(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[{"Name": "other", "Containers": [{"Image": FAST_IMAGE}]}],
    )

    found = api.ok("DescribeModelPackage", ModelPackageName=arn)
    assert found["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert [item["Name"] for item in found["AdditionalInferenceSpecifications"]] == ["other"]
    many = {f"k{number}": "v" for number in range(49)}
    assert "at most 50" in api.refused("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties=many).message


def test_an_approval_is_told_and_its_package_becomes_an_endpoint(api: Api, aws: Aws) -> None:
    rules: FakeEventBridge = aws.events  # type: ignore[assignment]  # it is the fake of the fixture
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    rules.add("registry", "SageMaker Model Package State Change", "arn:aws:lambda:us-east-1:000000000000:function:deploy")
    data = put_model(aws, "registered", "good")
    arn = version(api, group(api, "deployed"), InferenceSpecification=specification(data, Environment={"A": "1", "B": "1"}))
    waiting = api.refused("CreateModel", **model_of("pending", arn))

    api.ok("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good enough")

    def told() -> list[Any] | None:
        events = [json.loads(invocation["Payload"]) for invocation in functions.invocations]
        own = [event for event in events if event["resources"] == [arn]]
        return own if len(own) == 2 else None

    created, approved = wait_until(told)
    assert created["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert (approved["detail"]["ModelApprovalStatus"], approved["detail"]["ModelPackageStatus"]) == ("Approved", "Completed")
    assert (approved["detail"]["ModelPackageGroupName"], approved["detail"]["ModelPackageVersion"]) == ("deployed", 1)
    assert "its ModelApprovalStatus must be Approved" in waiting.message
    api.ok("CreateModel", **model_of("approved", arn, Environment={"B": "2"}))
    assert api.ok("DescribeModel", ModelName="approved")["PrimaryContainer"] == {
        "ModelPackageName": arn,
        "Image": FAST_IMAGE,
        "ModelDataUrl": data,
        "Environment": {"A": "1", "B": "2"},
    }
    api.endpoint_in_service("approved", api.endpoint_config("approved", api.variant("v1", "approved")))
    assert api.invoke("approved", b"1")[0] == b"good:1"


def test_an_unversioned_package_needs_no_approval(api: Api, aws: Aws) -> None:
    data = put_model(aws, "alone", "good")
    request: Json = {"ModelPackageName": "unversioned", "InferenceSpecification": specification(data)}
    arn = api.ok("CreateModelPackage", **request, Tags=[{"Key": "a", "Value": "b"}])["ModelPackageArn"]

    api.ok("CreateModel", **model_of("unversioned", "unversioned"))

    assert api.ok("DescribeModel", ModelName="unversioned")["PrimaryContainer"]["ModelDataUrl"] == data
    assert api.ok("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert api.refused("CreateModelPackage", **request).message == f"ModelPackage already exists: {arn}"
    assert "has no version" in api.refused("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved").message


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"Image": FAST_IMAGE}, "Image can not be given with ModelPackageName"),
        ({"InferenceSpecificationName": "fast"}, "has no inference specification fast"),
    ],
)
def test_containers_that_contradict_their_package(api: Api, container: Json, message: str) -> None:
    name = "contradicted"
    if not listed(api, ModelPackageGroupName=name):
        version(api, group(api, name), ModelApprovalStatus="Approved")

    assert message in api.refused("CreateModel", **model_of("m", f"{ARN}/{name}/1", **container)).message


def test_a_role_may_be_kept_from_approving(api: Api, aws: Aws) -> None:
    arn = version(api, group(api, "guarded"))
    may = {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": f"{ARN}/guarded/*"}
    not_approve = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}}
    role = add_role(aws, "Registrar", may, {**may, "Effect": "Deny", "Condition": not_approve})
    function = {"FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:r", "FunctionName": "r", "Role": role}
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    functions.functions.append(function)
    key = function_access_key(function["FunctionArn"], role)

    refused = api.refused("UpdateModelPackage", key=key, ModelPackageArn=arn, ModelApprovalStatus="Approved")

    assert refused.code == "AccessDeniedException"
    assert api.ok("UpdateModelPackage", key=key, ModelPackageArn=arn, ModelApprovalStatus="Rejected")


def test_an_events_times_are_iso_8601() -> None:
    package = {"ModelPackageArn": ARN, "CreationTime": 1614186014.5, "LastModifiedTime": 1614186014.0, "_token": "t"}

    assert model_package_detail(package) == {
        "ModelPackageArn": ARN,
        "CreationTime": "2021-02-24T17:00:14Z",
        "LastModifiedTime": "2021-02-24T17:00:14Z",
    }

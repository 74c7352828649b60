"""Who calls, and what the caller's role allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator_tests.support import (
    ACCOUNT,
    ROLE,
    ROOT_ID,
    Api,
    FakeLambda,
    Json,
    Refused,
    add_role,
    authorization,
    wait_until,
)
from sagemaker_emulator.authorization import Authorizer, Role, read_role
from sagemaker_emulator.aws import Aws, Place
from sagemaker_emulator.callers import Caller, function_access_key

JOBS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/*"
PASS_ROLE = {
    "Effect": "Allow",
    "Action": "iam:PassRole",
    "Resource": ROLE,
    "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
}
STACK_TAG = {"Key": "stack", "Value": "mine"}


def allow(*actions: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


@pytest.fixture
def caller(aws: Aws, request: pytest.FixtureRequest) -> Any:
    """Makes a function with a role of these statements; returns the access key that MiniStack would give it."""

    def make(*statements: dict[str, Any]) -> str:
        name = f"f{abs(hash(request.node.name)) % 10**8}"
        role = add_role(aws, name, *statements)
        function = {"FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}", "FunctionName": name, "Role": role}
        fake: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
        fake.functions.append(function)
        return function_access_key(function["FunctionArn"], role)

    return make


def test_the_root_key_may_do_everything(api: Api) -> None:
    assert api.ok("ListModels", key=ROOT_ID) == {"Models": []}


def test_an_unknown_key_is_not_recognized(api: Api) -> None:
    refused = api.refused("ListModels", key="AKIAUNKNOWN")

    assert refused.code == "UnrecognizedClientException"
    assert refused.message == "The security token included in the request is invalid."


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("Basic dGVzdDp0ZXN0", "IncompleteSignatureException"),
        (authorization("test").replace("/sagemaker/", "/s3/"), "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request", "IncompleteSignatureException"),
    ],
)
def test_a_request_must_be_signed(api: Api, header: str | None, code: str) -> None:
    headers = {"x-amz-target": "SageMaker.ListModels"} | ({"authorization": header} if header else {})

    assert api.client.post("/", content="{}", headers=headers).json()["__type"] == code


def test_a_function_is_denied_what_its_role_does_not_grant_in_awss_words(api: Api, caller: Any) -> None:
    key = caller(allow("sagemaker:ListModels"))

    refused = api.refused("ListEndpoints", key=key)

    assert (refused.status, refused.code) == (400, "AccessDeniedException")
    assert refused.message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert refused.message.endswith(
        " is not authorized to perform: sagemaker:ListEndpoints on resource: * "
        "because no identity-based policy allows the sagemaker:ListEndpoints action"
    )
    assert api.ok("ListModels", key=key) == {"Models": []}


def test_an_explicit_deny_says_so(api: Api, caller: Any) -> None:
    key = caller(allow("sagemaker:*"), {"Effect": "Deny", "Action": "sagemaker:ListModels", "Resource": "*"})

    assert api.refused("ListModels", key=key).message.endswith("with an explicit deny in an identity-based policy")


def test_a_permission_that_is_granted_later_counts_at_once(api: Api, aws: Aws, caller: Any) -> None:
    key = caller(allow("sagemaker:ListModels"))
    assert "AccessDenied" in api.refused("ListEndpoints", key=key).code
    role = api.refused("ListEndpoints", key=key).message.split("assumed-role/")[1].split("/")[0]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sagemaker:ListEndpoints")]})

    aws.iam.put_role_policy(RoleName=role, PolicyName="test", PolicyDocument=document)

    def listed() -> Json | None:
        try:
            return api.ok("ListEndpoints", key=key)
        except Refused:
            return None

    assert wait_until(listed, seconds=2) == {"Endpoints": []}


def test_what_a_role_was_found_to_allow_is_remembered_as_long_as_its_policies_are() -> None:
    now = 0.0
    policy = {"Version": "2012-10-17", "Statement": [allow("sagemaker:InvokeEndpoint", resource="arn:wine")]}
    authorizer = Authorizer(lambda _name: Role([policy], trusted=True), Place(ACCOUNT, "us-east-1"), lambda: now)
    caller = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/asks/one", "asks")
    tags = {"stack": "mine"}
    assert not authorizer.remembers(caller, "sagemaker:InvokeEndpoint", "arn:wine", tags)

    authorizer.require(caller, "sagemaker:InvokeEndpoint", "arn:wine", resource_tags=tags)

    assert authorizer.remembers(caller, "sagemaker:InvokeEndpoint", "arn:wine", tags)
    assert not authorizer.remembers(caller, "sagemaker:InvokeEndpoint", "arn:wine", {})
    assert not authorizer.remembers(caller, "sagemaker:InvokeEndpoint", "arn:beer", tags)
    assert not authorizer.remembers(caller, "sagemaker:DeleteEndpoint", "arn:wine", tags)
    assert not authorizer.remembers(Caller(caller.arn, "another"), "sagemaker:InvokeEndpoint", "arn:wine", tags)
    now = 5.1
    assert not authorizer.remembers(caller, "sagemaker:InvokeEndpoint", "arn:wine", tags)


def test_an_attached_policy_counts_and_one_that_is_gone_is_passed_over(api: Api, aws: Aws, caller: Any) -> None:
    key = caller(allow("sagemaker:ListModels"))
    role = api.refused("ListEndpoints", key=key).message.split("assumed-role/")[1].split("/")[0]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sagemaker:ListEndpoints")]})
    aws.iam.attach_role_policy(
        RoleName=role, PolicyArn=aws.iam.create_policy(PolicyName="a", PolicyDocument=document)["Policy"]["Arn"]
    )
    gone = aws.iam.create_policy(PolicyName="gone", PolicyDocument=document)["Policy"]["Arn"]
    aws.iam.attach_role_policy(RoleName=role, PolicyArn=gone)
    missing = ClientError({"Error": {"Code": "NoSuchEntity"}}, "GetPolicy")
    get_policy = aws.iam.get_policy

    def without_the_gone(PolicyArn: str) -> Any:  # noqa: N803  # IAM's own name
        if PolicyArn == gone:
            raise missing
        return get_policy(PolicyArn=PolicyArn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.iam, "get_policy", without_the_gone)
        found = read_role(aws.iam, role)

    assert found is not None
    actions = [statement["Action"] for policy in found.policies if policy for statement in policy["Statement"]]  # type: ignore[index]  # documents
    assert sorted(actions) == [["sagemaker:ListEndpoints"], ["sagemaker:ListModels"]]


def test_creating_needs_the_action_the_tags_and_passing_the_role(api: Api, caller: Any) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/stack": "mine"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["stack", "run"]}}
    key = caller(allow("sagemaker:CreateTrainingJob", "sagemaker:AddTags", resource=JOBS, **tagged), PASS_ROLE)
    request = api.fast_job("tagged", "fail")

    untagged = api.refused("CreateTrainingJob", key=key, **request)
    foreign = api.refused("CreateTrainingJob", key=key, **request, Tags=[{"Key": "stack", "Value": "other"}])
    surplus = api.refused("CreateTrainingJob", key=key, **request, Tags=[STACK_TAG, {"Key": "x", "Value": "y"}])
    other_role = api.refused("CreateTrainingJob", key=key, **{**request, "RoleArn": ROLE + "2"}, Tags=[STACK_TAG])

    assert {untagged.code, foreign.code, surplus.code, other_role.code} == {"AccessDeniedException"}
    assert "iam:PassRole on resource: arn:aws:iam::000000000000:role/SageMaker2" in other_role.message
    api.ok("CreateTrainingJob", key=key, **request, Tags=[STACK_TAG])


def test_tags_in_a_request_need_the_permission_to_add_tags(api: Api, caller: Any) -> None:
    key = caller(allow("sagemaker:CreateTrainingJob", resource=JOBS), PASS_ROLE)

    refused = api.refused("CreateTrainingJob", key=key, **api.training_job("untaggable"), Tags=[STACK_TAG])

    assert "is not authorized to perform: sagemaker:AddTags on resource: " in refused.message


def test_a_condition_on_the_resources_tag_tells_own_from_others_and_from_missing(api: Api, caller: Any) -> None:
    for name, stack in (("own", "mine"), ("foreign", "other")):
        request = api.fast_job(name, "fail")
        api.ok("CreateTrainingJob", **request, Tags=[{"Key": "stack", "Value": stack}])
    key = caller(allow("sagemaker:DescribeTrainingJob", resource=JOBS, StringEquals={"aws:ResourceTag/stack": "mine"}))

    assert api.ok("DescribeTrainingJob", key=key, TrainingJobName="own")["TrainingJobName"] == "own"
    assert api.refused("DescribeTrainingJob", key=key, TrainingJobName="foreign").code == "AccessDeniedException"
    assert api.refused("DescribeTrainingJob", key=key, TrainingJobName="missing").code == "AccessDeniedException"


def test_deploying_a_config_needs_the_permission_on_the_config_too(api: Api, model: str, caller: Any) -> None:
    config = api.endpoint_config("config", api.variant("v1", model))
    endpoints_only = caller(allow("sagemaker:CreateEndpoint", resource=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/*"))

    refused = api.refused("CreateEndpoint", key=endpoints_only, EndpointName="e", EndpointConfigName=config)

    assert (
        "sagemaker:CreateEndpoint on resource: arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/config" in refused.message
    )


def test_the_tags_of_a_request_count_for_the_config_that_it_deploys(api: Api, model: str, caller: Any) -> None:
    config = api.endpoint_config("untagged", api.variant("v1", model))
    key = caller(allow("sagemaker:CreateEndpoint", "sagemaker:AddTags", StringEquals={"aws:RequestTag/stack": "mine"}))

    api.ok("CreateEndpoint", key=key, EndpointName="tagged", EndpointConfigName=config, Tags=[STACK_TAG])

    assert api.ok("ListTags", ResourceArn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/tagged")["Tags"] == [STACK_TAG]


def test_invoking_is_authorised_too(api: Api, model: str, caller: Any) -> None:
    api.ok("CreateEndpointConfig", EndpointConfigName="invoked", ProductionVariants=[api.variant("v1", model)])
    api.endpoint_in_service("invoked", "invoked")
    api.ok("AddTags", ResourceArn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/invoked", Tags=[STACK_TAG])
    key = caller(allow("sagemaker:InvokeEndpoint", StringEquals={"aws:ResourceTag/stack": "mine"}))

    assert api.invoke("invoked", b"1,2", key=key)[0]
    api.ok("DeleteTags", ResourceArn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/invoked", TagKeys=["stack"])
    with pytest.raises(Refused) as refused:
        api.invoke("invoked", b"1,2", key=key)
    assert (refused.value.status, refused.value.code) == (403, "AccessDeniedException")


def test_functions_are_listed_again_only_for_a_key_that_is_not_known(api: Api, aws: Aws, caller: Any) -> None:
    key = caller(allow("sagemaker:ListModels"))
    fake: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture

    before = fake.listed
    for _ in range(3):
        api.ok("ListModels", key=key)

    assert fake.listed == before + 1

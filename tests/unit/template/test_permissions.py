"""Least privilege: single actions on named resources, SageMaker's by tag, one role per function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest

from sageline.aws.images import serving_image, training_image
from sageline.batch.locations import INPUT_PREFIXES
from sageline.spec.training import AlgorithmName, Framework
from tests.unit.template import documents, permissions
from tests.unit.template.documents import Document, listed

STACK_TAG = "aws:ResourceTag/sageline:stack"
REQUEST_TAG = "aws:RequestTag/sageline:stack"
STACK_NAME = {"Ref": "AWS::StackName"}

EVERYWHERE = {
    ("ConfigureRunFunctionRole", "KnowQuotas"): "a list is of everything",
    ("CheckStatusFunctionRole", "AnswerTokens"): "a task token names no resource",
    ("StartTransformFunctionRole", "AnswerTokens"): "a task token names no resource",
    ("DeployEndpointFunctionRole", "FindScalableTargets"): "looking for scalable targets knows no resources",
    ("DeleteEndpointFunctionRole", "FindScalableTargets"): "looking for scalable targets knows no resources",
    ("SweepFunctionRole", "FindScalableTargets"): "looking for scalable targets knows no resources",
    ("SweepFunctionRole", "FindEverything"): "a list is of everything",
    ("SweepFunctionRole", "CountInvocations"): "metrics are no resources",
    ("PipelineRole", "DeliverLogs"): "log delivery knows no resources",
    ("SageMakerRole", "LogInToRegistry"): "a registry's token is for all of it",
    ("SageMakerRole", "PublishMetrics"): "metrics are no resources; the namespace is a condition",
    ("ServerlessModelRole", "LogInToRegistry"): "a registry's token is for all of it",
    ("NetworkScriptRole", "LogInToRegistry"): "a registry's token is for all of it",
    ("NetworkScriptRole", "PublishMetrics"): "metrics are no resources; the namespace is a condition",
}
"""The only statements for all resources, and why."""
JOB_ROLES = ("SageMakerRole", "ServerlessModelRole", "NetworkScriptRole")
JOBS = {"hyper-parameter-tuning-job/*", "training-job/*", "transform-job/*"}
KINDS = JOBS | {"model/*", "endpoint-config/*", "endpoint/*"}
METRICS_OF_NO_KIND = {"dataset"}
"""PutMetricData can be limited to data sets, which training and endpoint metrics do not belong to."""
TIMES = {"StringEquals": {STACK_TAG: STACK_NAME}, "ForAllValues:StringEquals": {"aws:TagKeys": ["sageline:expires-at"]}}
"""The condition under which the tag is changed that says until when an endpoint lives, and no other tag."""


def granted(stack: Document) -> Iterator[tuple[str, Document]]:
    for role in documents.of_type(stack, "AWS::IAM::Role"):
        yield from ((role, statement) for statement in documents.statements(stack, role))


def actions_of(stack: Document, role: str) -> set[str]:
    return {action for name, statement in granted(stack) if name == role for action in listed(statement["Action"])}


@pytest.fixture(scope="module")
def actions_that_aws_has() -> dict[str, Document]:
    """Each service's actions in lower case, with the kinds of resources they can be limited to: cfn-lint's copy of AWS's list."""
    cfnlint = find_spec("cfnlint")  # found, not imported: that takes seconds
    assert cfnlint is not None
    assert cfnlint.origin is not None
    listing = Path(cfnlint.origin).parent / "data" / "AdditionalSpecs" / "Policies.json"
    services: dict[str, Document] = json.loads(listing.read_text())
    return {service: known["Actions"] for service, known in services.items()}


def test_who_may_do_what_is_written_down(stack: Document) -> None:
    """A permission that becomes wider shows in the listing's diff, wherever in the template it comes from."""
    assert permissions.listing(stack).splitlines() == permissions.FILE.read_text().splitlines(), (
        "permissions have changed; if they should: python -m tests.unit.template.permissions"
    )


def test_no_role_has_a_wildcard_action(stack: Document) -> None:
    for role, statement in granted(stack):
        assert statement["Effect"] == "Allow", role
        assert "NotAction" not in statement, role
        assert "NotResource" not in statement, role
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{role}: {action}"


def test_every_action_exists(stack: Document, actions_that_aws_has: dict[str, Document]) -> None:
    for role, statement in granted(stack):
        for action in listed(statement["Action"]):
            service, name = action.split(":")
            assert name.lower() in actions_that_aws_has[service], f"{role}: {action}"


def test_only_what_cannot_be_limited_is_granted_on_everything(stack: Document, actions_that_aws_has: dict[str, Document]) -> None:
    everywhere = [(role, statement) for role, statement in granted(stack) if "*" in listed(statement["Resource"])]
    assert {(role, statement["Sid"]) for role, statement in everywhere} == EVERYWHERE.keys()
    for role, statement in everywhere:
        for action in listed(statement["Action"]):
            service, name = action.split(":")
            kinds = set(actions_that_aws_has[service][name.lower()].get("Resources", []))
            assert kinds <= METRICS_OF_NO_KIND, f"{role} could name what it may {action}"


def test_each_function_has_a_role_of_its_own_that_logs_and_traces_by_awss_policies(stack: Document) -> None:
    functions = documents.of_type(stack, "AWS::Lambda::Function")
    assert [function["Properties"]["Role"] for function in functions.values()] == [
        {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in functions
    ]
    for name in functions:
        of_aws = [arn for arn in stack["Resources"][f"{name}Role"]["Properties"]["ManagedPolicyArns"] if isinstance(arn, str)]
        assert [arn.rpartition("/")[2] for arn in of_aws] == ["AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"], name


def test_a_managed_policy_is_what_several_functions_share_and_of_a_size_that_iam_takes(stack: Document) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    roles = documents.of_type(stack, "AWS::IAM::Role")
    for name, policy in documents.of_type(stack, "AWS::IAM::ManagedPolicy").items():
        assert sum(name in documents.shared_policies(stack, role) for role in roles) >= 2, name
        # Intrinsic functions are longer than what they become, but for names: a stack's has up to 128 characters.
        text = json.dumps(policy["Properties"]["PolicyDocument"], separators=(",", ":")).replace("AWS::StackName", "s" * 128)
        assert len(text) <= 6144, name
        assert "ManagedPolicyName" not in policy["Properties"], "a name of one's own needs CAPABILITY_NAMED_IAM"
    for role in roles.values():
        assert len(role["Properties"].get("ManagedPolicyArns", [])) <= 10


# ---- SageMaker ----


def sagemaker_statements(stack: Document) -> list[tuple[str, str, Document]]:
    return [
        (role, action.removeprefix("sagemaker:"), statement)
        for role, statement in granted(stack)
        for action in listed(statement["Action"])
        if action.startswith("sagemaker:")
    ]


def condition(statement: Document) -> Any:  # Any: a condition of IAM
    return statement.get("Condition")


def test_what_is_made_in_sagemaker_carries_the_stacks_tag(stack: Document) -> None:
    made = [
        entry
        for entry in sagemaker_statements(stack)
        if (entry[1].startswith("Create") or entry[1] == "AddTags") and entry[2]["Sid"] != "SayUntilWhenEndpointsLive"
    ]
    assert {action for _, action, _ in made} == {
        "AddTags",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "CreateHyperParameterTuningJob",
        "CreateModel",
        "CreateTrainingJob",
        "CreateTransformJob",
    }
    for role, action, statement in made:
        assert condition(statement)["StringEquals"] == {REQUEST_TAG: STACK_NAME}, f"{role}: {action}"


def test_only_what_carries_the_stacks_tag_is_changed_stopped_deleted_or_invoked(stack: Document) -> None:
    changed = [entry for entry in sagemaker_statements(stack) if entry[1].startswith(("Update", "Stop", "Delete", "Invoke"))]
    assert {action for _, action, _ in changed} == {
        "DeleteTags",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
        "InvokeEndpoint",
        "StopHyperParameterTuningJob",
        "StopTrainingJob",
        "StopTransformJob",
        "UpdateEndpoint",
        "UpdateEndpointWeightsAndCapacities",
    }
    for role, action, statement in changed:
        expected = TIMES if action == "DeleteTags" else {"StringEquals": {STACK_TAG: STACK_NAME}}
        assert condition(statement) == expected, f"{role}: {action}"


def test_of_the_tags_of_an_endpoint_that_is_there_only_its_end_is_changed(stack: Document) -> None:
    changing = [entry for entry in sagemaker_statements(stack) if entry[2]["Sid"] == "SayUntilWhenEndpointsLive"]
    assert {role for role, _, _ in changing} == {"DeployEndpointFunctionRole", "ManagePipelinesFunctionRole"}
    for role, action, statement in changing:
        assert condition(statement) == TIMES, f"{role}: {action}"


def test_another_stacks_resources_are_described_only_to_tell_them_from_ours(stack: Document) -> None:
    """What does not exist has no tags, so a strict condition would answer "denied" for what is "not there"."""
    for role, action, statement in sagemaker_statements(stack):
        if action.startswith(("Describe", "List")):
            tells = statement["Sid"].startswith("TellOwn") or statement["Resource"] == "*"
            expected = None if tells else {"StringEqualsIfExists": {STACK_TAG: STACK_NAME}}
            assert condition(statement) == expected, f"{role}: {action}"


def test_sagemaker_actions_are_limited_to_kinds_of_resources(stack: Document) -> None:
    for role, action, statement in sagemaker_statements(stack):
        for resource in listed(statement["Resource"]):
            if (role, statement["Sid"]) in EVERYWHERE:
                continue
            arn = resource["Fn::Sub"]
            assert arn.startswith("arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:"), f"{role}: {action}"
            assert arn.rsplit(":", 1)[1].removesuffix("-open") in KINDS, f"{role}: {action}"


def test_an_endpoint_is_made_and_updated_from_configs_of_the_stack(stack: Document) -> None:
    for role, action, statement in sagemaker_statements(stack):
        if action in ("CreateEndpoint", "UpdateEndpoint"):
            covered = documents.text(statement["Resource"])
            assert ":endpoint/*" in covered, role
            assert ":endpoint-config/*" in covered, f"{role}: AWS authorizes {action} on the config too"


def test_the_roles_of_sagemaker_are_passed_by_two_functions_to_sagemaker_only(stack: Document) -> None:
    passed: dict[str, set[str]] = {}
    for role, statement in granted(stack):
        if "iam:PassRole" in listed(statement["Action"]) and statement["Sid"] == "PassRole":
            passed.setdefault(role, set()).update(resource["Fn::GetAtt"][0] for resource in listed(statement["Resource"]))
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert passed == {
        "StartTrainingFunctionRole": {"SageMakerRole", "NetworkScriptRole"},
        "CreateModelFunctionRole": {"SageMakerRole", "NetworkScriptRole", "ServerlessModelRole"},
    }


def test_the_schedules_role_is_passed_to_the_scheduler_only_and_may_only_delete_endpoints(stack: Document) -> None:
    passing = [(role, statement) for role, statement in granted(stack) if statement.get("Sid") == "PassScheduleRole"]
    assert {role for role, _ in passing} == {"DeployEndpointFunctionRole", "ManagePipelinesFunctionRole"}
    for _, statement in passing:
        assert statement["Resource"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    assert actions_of(stack, "ScheduleRole") == {"lambda:InvokeFunction", "sqs:SendMessage"}
    [trust] = stack["Resources"]["ScheduleRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


IMAGES = [(algorithm, None) for algorithm in get_args(AlgorithmName) if algorithm not in ("auto", "script")] + [
    ("script", framework) for framework in get_args(Framework)
]


@pytest.mark.parametrize(("algorithm", "framework"), IMAGES)
def test_sagemaker_may_pull_the_images_of_every_algorithm(
    stack: Document, algorithm: AlgorithmName, framework: Framework | None
) -> None:
    repositories = pulled(stack)
    assert repository(training_image(algorithm, framework, "eu-west-1")) in repositories
    assert repository(serving_image(algorithm, framework, "eu-west-1")) in repositories


def test_sagemaker_may_pull_no_other_images(stack: Document) -> None:
    images = [
        image(algorithm, framework, "eu-west-1") for algorithm, framework in IMAGES for image in (training_image, serving_image)
    ]
    assert pulled(stack) == {repository(image) for image in images}


def test_other_roles_of_sagemaker_pull_what_they_need_of_these(stack: Document) -> None:
    assert pulled(stack, "ServerlessModelRole") == {name for name in pulled(stack) if not name.endswith("-training")}
    framework_images = {name for name in pulled(stack) if "scikit-learn" in name or name.startswith(("pytorch", "tensorflow"))}
    assert pulled(stack, "NetworkScriptRole") == framework_images


def pulled(stack: Document, of: str = "SageMakerRole") -> set[str]:
    """The repositories that a role of SageMaker may pull from."""
    [statement] = [item for role, item in granted(stack) if (role, item.get("Sid")) == (of, "PullAlgorithmImages")]
    return {resource["Fn::Sub"].rpartition(":repository/")[2] for resource in statement["Resource"]}


def repository(image_uri: str) -> str:
    return image_uri.partition("/")[2].partition(":")[0]


def test_whoever_stops_jobs_stops_every_kind_that_a_run_starts(stack: Document) -> None:
    for role in ("RecordFailure", "ManagePipelines"):
        stopped = {
            kind["Fn::Sub"].rsplit(":", 1)[1]
            for name, action, statement in sagemaker_statements(stack)
            if name == f"{role}FunctionRole" and action.startswith("Stop")
            for kind in listed(statement["Resource"])
        }
        assert stopped == JOBS, role


# ---- Alarms ----

ALARM = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"


def alarms_of(stack: Document, role: str, action: str) -> set[str]:
    """The alarms, by name, that a role may do something with."""
    return {
        resource["Fn::Sub"].removeprefix(ALARM)
        for name, statement in granted(stack)
        if name == role and f"cloudwatch:{action}" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize("function", ["CheckStatus", "DeployEndpoint", "DeleteEndpoint", "Sweep"])
def test_who_looks_at_alarms_may_look_at_all(stack: Document, function: str) -> None:
    """CloudWatch denies DescribeAlarms on ``alarm:*`` to who may look at some only, even if it names those:
    https://github.com/mattclay/aws-terminator/pull/63"""
    assert alarms_of(stack, f"{function}FunctionRole", "DescribeAlarms") == {"*"}


@pytest.mark.parametrize("function", ["DeployEndpoint", "DeleteEndpoint", "Sweep"])
def test_who_registers_scalable_targets_passes_the_trial_of_its_permissions(stack: Document, function: str) -> None:
    """Application Auto Scaling calls PutMetricAlarm and DeleteAlarms without any alarm, and DescribeAlarms of all, as the caller:
    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html"""
    role = f"{function}FunctionRole"
    own = "${AWS::StackName}-rollout-*"
    assert "application-autoscaling:RegisterScalableTarget" in actions_of(stack, role)
    assert alarms_of(stack, role, "PutMetricAlarm") - {own} == {"", "TargetTracking-endpoint/*"}
    assert alarms_of(stack, role, "DeleteAlarms") == {own, "", "TargetTracking-endpoint/*"}
    assert {"sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"} <= actions_of(stack, role)
    assert "sagemaker:UpdateEndpointWeightsAndCapacities" in actions_of(stack, role)


# ---- Others ----


def test_the_state_machine_may_invoke_its_functions_and_no_other(stack: Document) -> None:
    used = {
        value["Fn::GetAtt"][0]
        for name, value in stack["Resources"]["Pipeline"]["Properties"]["DefinitionSubstitutions"].items()
        if name.endswith("Arn")
    }
    [statement] = [
        statement for role, statement in granted(stack) if (role, statement.get("Sid")) == ("PipelineRole", "InvokeStates")
    ]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert {resource["Fn::GetAtt"][0] for resource in statement["Resource"]} == used


def test_the_state_machine_may_start_itself_and_wait_for_what_it_has_started(stack: Document) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/stepfunctions-iam.html (Synchronous)"""
    own = {
        action: resource.get("Fn::Sub", resource)
        for role, statement in granted(stack)
        if role == "PipelineRole"
        for action in listed(statement["Action"])
        if action.startswith(("states:", "events:"))
        for resource in listed(statement["Resource"])
    }
    executions = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Pipeline.Name}:*"
    rules = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"
    rule = f"{rules}StepFunctionsGetEventsForStepFunctionsExecutionRule"
    assert own == {
        "states:StartExecution": {"Ref": "Pipeline"},
        **dict.fromkeys(("states:DescribeExecution", "states:StopExecution"), executions),
        **dict.fromkeys(("events:DescribeRule", "events:PutRule", "events:PutTargets"), rule),
    }


def test_the_state_machines_role_may_make_the_rule_before_there_is_a_state_machine(stack: Document) -> None:
    """Step Functions refuses a state machine whose role may not ("not authorized to create managed-rule"), and CloudFormation
    attaches a policy that names the state machine after it only."""
    inline = [policy["PolicyDocument"] for policy in stack["Resources"]["PipelineRole"]["Properties"]["Policies"]]
    assert any("events:PutRule" in documents.text(policy) for policy in inline)


def test_predictions_write_nothing(stack: Document) -> None:
    assert actions_of(stack, "InvokePreprocessFunctionRole") == {
        "s3:GetObject",
        "s3:ListBucket",
        "sagemaker:DescribeEndpoint",
        "sagemaker:InvokeEndpoint",
    }


def test_inspections_read_datasets_and_prices_and_nothing_else(stack: Document) -> None:
    found = [statement for role, statement in granted(stack) if role == "InspectDatasetFunctionRole"]
    assert {action for statement in found for action in listed(statement["Action"])} == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
    }
    reading = [statement["Resource"]["Fn::Sub"] for statement in found if "s3:GetObject" in listed(statement["Action"])]
    assert sorted(reading) == ["${DataBucket.Arn}/datasets/*", "${DataBucket.Arn}/prices.json"]


def test_whoever_reads_objects_is_told_missing_from_denied(stack: Document) -> None:
    """S3 answers 403 for a key that does not exist, unless the caller may list the bucket, on no condition."""
    readers = {role for role, statement in granted(stack) if "s3:GetObject" in listed(statement["Action"])} - set(JOB_ROLES)
    assert len(readers) == 21
    told = {
        role
        for role, statement in granted(stack)
        if "s3:ListBucket" in listed(statement["Action"])
        and statement["Resource"] == {"Fn::GetAtt": ["DataBucket", "Arn"]}
        and "Condition" not in statement
    }
    assert readers <= told


def test_a_batchs_rows_are_read_where_the_use_cases_say_and_nowhere_else(stack: Document) -> None:
    for role in ("ConfigureRun", "EncodeBatch", "WritePredictions"):
        [statement] = [
            statement
            for name, statement in granted(stack)
            if name == f"{role}FunctionRole" and "s3:GetObjectVersion" in listed(statement["Action"])
        ]
        read = [resource["Fn::Sub"] for resource in listed(statement["Resource"])]
        assert read == [f"${{DataBucket.Arn}}/{prefix}*" for prefix in INPUT_PREFIXES], role

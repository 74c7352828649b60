"""What SageMaker works as may read and write, and what is isolated: a script must not reach what is not its own."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from sageline.names import RunLayout, open_model_name
from tests.unit.template import documents
from tests.unit.template.documents import Document, listed

RUN_ID = "wine-20261120101500-3fa9c1"
LAYOUT = RunLayout("b", RUN_ID)
ARTIFACT = f"{LAYOUT.training_prefix}{RUN_ID}/output/model.tar.gz"
NETWORK_ARTIFACT = f"{LAYOUT.network_prefix}{RUN_ID}/output/model.tar.gz"
TRAIN, EVALUATION = f"{LAYOUT.channel_prefix('train')}part-00000.csv", f"{LAYOUT.channel_prefix('evaluation')}part-00000.csv"
ANSWERS = f"{LAYOUT.transform_prefix}evaluation/part-00000.csv.out"
CHECKPOINT, NETWORK_CHECKPOINT = f"{LAYOUT.checkpoints_prefix}1.npz", f"{LAYOUT.network_checkpoints_prefix}1.npz"
OTHERS = (
    *("datasets/wine/data.csv", "datasets/wine/source.tar.gz", "batch/rows.csv", "endpoints/wine/routing.json", "prices.json"),
    *(
        LAYOUT.spec_key,
        LAYOUT.given_spec_key,
        f"{LAYOUT.encoder_prefix}encoder.json",
        f"{LAYOUT.test_raw_prefix}part-00000.jsonl",
    ),
    *(LAYOUT.evaluation_key, LAYOUT.report_key, f"{LAYOUT.prefix}predictions.csv"),
)
KEYS = (
    *(LAYOUT.model_key, ARTIFACT, NETWORK_ARTIFACT, TRAIN, EVALUATION, ANSWERS, CHECKPOINT, NETWORK_CHECKPOINT),
    *(LAYOUT.source_key, *OTHERS),
)
READS = {
    "SageMakerRole": {LAYOUT.model_key, ARTIFACT, TRAIN, EVALUATION, CHECKPOINT, NETWORK_CHECKPOINT, LAYOUT.source_key},
    "ServerlessModelRole": {LAYOUT.model_key},
    "NetworkScriptRole": {LAYOUT.model_key, TRAIN, EVALUATION, NETWORK_CHECKPOINT, LAYOUT.source_key},
}
WRITES = {
    "SageMakerRole": {ARTIFACT, ANSWERS, CHECKPOINT, NETWORK_CHECKPOINT},
    "ServerlessModelRole": set[str](),
    "NetworkScriptRole": {NETWORK_ARTIFACT, ANSWERS, NETWORK_CHECKPOINT},
}
ISOLATED = {"sagemaker:NetworkIsolation": True}


def objects(stack: Document, role: str, *, reading: bool) -> set[str]:
    """Which of the bucket's objects a role may read, or change in any way."""
    patterns = [
        resource["Fn::Sub"].removeprefix("${DataBucket.Arn}/")
        for statement in documents.statements(stack, role)
        for action in listed(statement["Action"])
        if action.startswith("s3:") and not action.startswith("s3:List") and action.startswith("s3:Get") == reading
        for resource in listed(statement["Resource"])
    ]
    return {key for key in KEYS if any(fnmatchcase(key, pattern) for pattern in patterns)}


def roles_of(stack: Document, service: str) -> set[str]:
    return {
        name
        for name, role in documents.of_type(stack, "AWS::IAM::Role").items()
        if service in documents.text(role["Properties"]["AssumeRolePolicyDocument"])
    }


def test_these_are_all_roles_that_sagemaker_works_as(stack: Document) -> None:
    assert roles_of(stack, "sagemaker.amazonaws.com") == READS.keys() == WRITES.keys()


@pytest.mark.parametrize("role", READS)
def test_a_role_of_sagemaker_reads_and_writes_what_its_jobs_do_and_nothing_else(stack: Document, role: str) -> None:
    assert objects(stack, role, reading=True) == READS[role]
    assert objects(stack, role, reading=False) == WRITES[role]


def test_models_are_written_by_the_function_that_copies_artifacts_and_by_nobody_else(stack: Document) -> None:
    writing = {
        role for role in documents.of_type(stack, "AWS::IAM::Role") if LAYOUT.model_key in objects(stack, role, reading=False)
    }
    assert writing == {"CreateModelFunctionRole"}


def test_what_serves_on_demand_writes_its_log_and_nothing_else(stack: Document) -> None:
    actions = {
        action for statement in documents.statements(stack, "ServerlessModelRole") for action in listed(statement["Action"])
    }
    reading = ("s3:GetObject", "ecr:")
    assert {action for action in actions if not action.startswith(reading)} == {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }
    [logs] = [item for item in documents.statements(stack, "ServerlessModelRole") if item["Sid"] == "WriteLogs"]
    assert logs["Resource"]["Fn::Sub"].endswith(":log-group:/aws/sagemaker/Endpoints/*")


@pytest.mark.parametrize("role", READS)
def test_sagemaker_assumes_a_role_for_this_account_only(stack: Document, role: str) -> None:
    [trust] = stack["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


# ---- who may make what is not isolated ----


def making(stack: Document, action: str) -> list[tuple[str, Document]]:
    """Who may make something in SageMaker, with the statement; also where the stack lets scripts use the network."""
    return [
        (role, statement)
        for role in documents.of_type(stack, "AWS::IAM::Role")
        for statement in documents.statements(stack, role)
        if action in listed(statement["Action"])
    ]


@pytest.mark.parametrize("action", ["sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob"])
def test_a_job_with_a_network_is_started_only_where_the_stack_lets_scripts_use_it(stack: Document, action: str) -> None:
    found = {statement["Sid"]: statement["Condition"].get("Bool") for _, statement in making(stack, action)}
    assert found == {"StartIsolatedJobs": ISOLATED, "StartJobsWithNetwork": None}


def test_a_model_with_a_network_is_one_for_serverless_endpoints(stack: Document) -> None:
    found = {statement["Sid"]: statement for _, statement in making(stack, "sagemaker:CreateModel")}
    assert {sid for sid, statement in found.items() if statement["Condition"].get("Bool") != ISOLATED} == {
        "CreateServerlessModels",
        "CreateModelsWithNetwork",
    }
    pattern = found["CreateServerlessModels"]["Resource"]["Fn::Sub"].rpartition("/")[2]
    assert fnmatchcase(open_model_name(RUN_ID), pattern)
    assert not fnmatchcase(RUN_ID, pattern)


def test_by_default_nothing_is_there_for_scripts_with_a_network(source: Document, stack: Document) -> None:
    conditional = {name for name, item in stack["Resources"].items() if item.get("Condition") == "ScriptsMayUseNetwork"}
    assert conditional == {"NetworkScriptRole", "StartTrainingUsesNetwork", "CreateModelUsesNetwork"}
    assert source["Parameters"]["AllowScriptNetwork"]["Default"] == "false"
    assert source["Conditions"]["ScriptsMayUseNetwork"] == {"Fn::Equals": [{"Ref": "AllowScriptNetwork"}, "true"]}
    named = {
        name
        for name, item in stack["Resources"].items()
        if "NetworkScriptRole" in documents.text(item) and name not in conditional
    }
    assert named == {"StartTrainingFunction", "CreateModelFunction"}, "which are told of it by their environment"


def test_scripts_are_read_from_beside_the_datasets_only(stack: Document) -> None:
    readable = objects(stack, "StartTrainingFunctionRole", reading=True)
    assert readable == {"datasets/wine/source.tar.gz", LAYOUT.spec_key}

"""What starts and wakes runs: the rules, their targets, and where an event goes that could not be delivered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.services import eventbridge

from sageline import names
from sageline.names import DATA_FORMATS
from tests.unit.template import documents
from tests.unit.template.documents import Document


def rule(stack: Document, name: str) -> Document:
    properties: Document = stack["Resources"][name]["Properties"]
    return properties


def pattern(stack: Document, name: str) -> Any:  # Any: an event pattern
    return rule(stack, name)["EventPattern"]


def starts_a_run(stack: Document, key: str, size: int = 1) -> bool:
    """Whether EventBridge, as MiniStack has it, finds that an upload of so many bytes is one of a dataset."""
    detail = {"detail": {"$or": pattern(stack, "PipelineDatasetUploaded")["detail"]["$or"]}}
    event = {"Detail": json.dumps({"object": {"key": key, "size": size}})}
    return bool(eventbridge._matches_pattern(json.dumps(detail), event))


@pytest.mark.parametrize("size", [1, 10**10])
@pytest.mark.parametrize("data_format", DATA_FORMATS)
def test_an_upload_of_data_starts_a_run(stack: Document, data_format: str, size: int) -> None:
    assert starts_a_run(stack, names.dataset_key("wine", data_format), size)


@pytest.mark.parametrize("data_format", [name for name in DATA_FORMATS if not name.endswith((".gz", ".zst"))])
def test_an_empty_file_that_is_not_compressed_starts_a_run_which_refuses_it(stack: Document, data_format: str) -> None:
    """One that is compressed is never empty; and EventBridge refuses a rule of too many wildcards."""
    assert starts_a_run(stack, names.dataset_key("wine", data_format), size=0)


def test_an_upload_of_another_format_starts_a_run_that_refuses_it(stack: Document) -> None:
    assert starts_a_run(stack, "datasets/wine/data.xls")


def test_ready_starts_the_run_of_the_parts_beside_it(stack: Document) -> None:
    assert starts_a_run(stack, names.ready_key("wine"), size=0)


@pytest.mark.parametrize(
    "key", ["data-00.csv", "data-00.csv.gz", "data_1.jsonl", "train.csv", "train-00.csv", "test.csv", "ready"]
)
def test_a_part_starts_nothing(stack: Document, key: str) -> None:
    assert not starts_a_run(stack, names.dataset_folder("wine") + key)


@pytest.mark.parametrize("key", ["datasets/wine/data.csv/", "datasets/wine/data.d/", "datasets/wine/", "datasets/wine/_READY/"])
def test_a_folder_made_in_the_console_starts_nothing(stack: Document, key: str) -> None:
    assert not starts_a_run(stack, key, size=0)


@pytest.mark.parametrize(
    "key",
    [
        names.dataset_spec_key("wine"),
        names.RunLayout("b", "wine-20261120101500-3fa9c1").spec_key,
        names.RunLayout("b", "wine-20261120101500-3fa9c1").profile_key,
        names.RunLayout("b", "wine-20261120101500-3fa9c1").channel_prefix("train") + "part-00000.csv",
        names.routing_key("wine"),
        "batch/wine/rows.csv",
    ],
)
def test_nothing_else_that_is_put_into_the_bucket_starts_a_run(stack: Document, key: str) -> None:
    assert not starts_a_run(stack, key)


def test_uploads_to_the_stacks_bucket_start_the_state_machine(stack: Document) -> None:
    upload = pattern(stack, "PipelineDatasetUploaded")
    [target] = rule(stack, "PipelineDatasetUploaded")["Targets"]
    assert upload["source"] == ["aws.s3"]
    assert upload["detail-type"] == ["Object Created"]
    assert upload["detail"]["bucket"]["name"] == [{"Ref": "DataBucket"}]
    assert target["Arn"] == {"Ref": "Pipeline"}
    assert target["RoleArn"] == {"Fn::GetAtt": ["PipelineDatasetUploadedRole", "Arn"]}


@pytest.mark.parametrize(
    ("job", "said", "status"),
    [
        ("Training", "Training", "TrainingJobStatus"),
        ("Tuning", "HyperParameter Tuning", "HyperParameterTuningJobStatus"),
        ("Transform", "Transform", "TransformJobStatus"),
    ],
)
def test_the_end_of_a_job_of_this_stack_wakes_its_run(stack: Document, job: str, said: str, status: str) -> None:
    changed = pattern(stack, f"CheckStatusFunction{job}JobChanged")
    [target] = rule(stack, f"CheckStatusFunction{job}JobChanged")["Targets"]
    assert changed["source"] == ["aws.sagemaker"]
    assert changed["detail-type"] == [f"SageMaker {said} Job State Change"]
    assert changed["detail"] == {
        status: ["Completed", "Failed", "Stopped"],
        "Tags": {"sageline:stack": [{"Ref": "AWS::StackName"}]},
    }
    assert target["Arn"] == {"Fn::GetAtt": ["CheckStatusFunction", "Arn"]}


def test_an_endpoint_that_is_no_longer_changing_wakes_its_run(stack: Document) -> None:
    changed = pattern(stack, "CheckStatusFunctionEndpointChanged")
    [target] = rule(stack, "CheckStatusFunctionEndpointChanged")["Targets"]
    assert changed["source"] == ["aws.sagemaker"]
    assert changed["detail-type"] == ["SageMaker Endpoint State Change"]
    assert changed["detail"] == {"EndpointStatus": [{"anything-but": ["CREATING", "UPDATING", "DELETING"]}]}
    assert target["Arn"] == {"Fn::GetAtt": ["CheckStatusFunction", "Arn"]}


def test_an_event_that_cannot_be_delivered_is_tried_again_and_then_kept(stack: Document) -> None:
    rules = documents.of_type(stack, "AWS::Events::Rule")
    assert len(rules) == 7
    for name in rules:
        [target] = rule(stack, name)["Targets"]
        queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
        assert stack["Resources"][queue]["Type"] == "AWS::SQS::Queue", name


def test_each_rule_may_write_to_its_queue_and_no_one_else_may(stack: Document) -> None:
    allowed = {}
    for statement in stack["Resources"]["DeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        assert statement["Action"] == "sqs:SendMessage"
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}:
            assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "RolloutTopic"}}}
            continue
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        for source in documents.listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"]):
            allowed[source["Fn::GetAtt"][0]] = statement["Resource"]
    rules = documents.of_type(stack, "AWS::Events::Rule")
    assert allowed == {name: rule(stack, name)["Targets"][0]["DeadLetterConfig"]["Arn"] for name in rules}


def test_an_alarm_of_a_rollout_and_nothing_else_tells_the_function_that_ends_it(stack: Document) -> None:
    subscriptions = documents.of_type(stack, "AWS::SNS::Subscription")
    subscriptions.pop("NotificationSubscription")
    [subscription] = subscriptions.values()
    assert subscription["Properties"]["TopicArn"] == {"Ref": "RolloutTopic"}
    assert subscription["Properties"]["Endpoint"] == {"Fn::GetAtt": ["CheckStatusFunction", "Arn"]}
    assert subscription["Properties"]["RedrivePolicy"]
    [statement] = stack["Resources"]["RolloutTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:${AWS::StackName}-rollout-*")


def test_queues_are_encrypted_and_keep_messages_for_two_weeks(stack: Document) -> None:
    for name, queue in documents.of_type(stack, "AWS::SQS::Queue").items():
        assert queue["Properties"] == {"MessageRetentionPeriod": 14 * 86400, "SqsManagedSseEnabled": True}, name


def test_executions_are_logged_without_data_and_traced(stack: Document) -> None:
    properties = stack["Resources"]["Pipeline"]["Properties"]
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["StateMachineType"] == "STANDARD"

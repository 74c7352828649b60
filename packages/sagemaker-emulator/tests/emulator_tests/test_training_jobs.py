"""Training jobs from CreateTrainingJob to their end."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from emulator_tests.support import BUCKET, ENDLESS, IMAGE, ROLE, Api, add_role, until_training, wait_until
from sagemaker_emulator.aws import Aws

ROWS = {"Name": "rows", "Regex": r"matrix has ([0-9]+) rows"}
LINEAR_LEARNER = {
    "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
    "TrainingInputMode": "File",
}


def run(api: Api, **request: Any) -> dict[str, Any]:
    api.ok("CreateTrainingJob", **request)
    return wait_until(lambda: api.ended_job(request["TrainingJobName"]))


def secondary(job: dict[str, Any]) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def names_in_archive(aws: Aws, key: str) -> list[str]:
    archive = aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return tarfile.open(fileobj=io.BytesIO(archive)).getnames()


def streams(aws: Aws) -> list[str]:
    found = aws.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    return [stream["logStreamName"] for stream in found]


def log_lines(aws: Aws, stream: str) -> list[str]:
    events = aws.logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream)["events"]
    return [event["message"] for event in events]


@pytest.fixture(scope="module")
def completed(api: Api) -> dict[str, Any]:
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [ROWS]}
    return run(api, **api.training_job("completed", AlgorithmSpecification=specification))


def test_a_job_walks_through_sagemakers_statuses_and_leaves_a_model(completed: dict[str, Any], aws: Aws) -> None:
    assert completed["TrainingJobStatus"] == "Completed"
    assert secondary(completed) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    messages = [transition["StatusMessage"] for transition in completed["SecondaryStatusTransitions"]]
    assert messages[1:4] == [
        "Downloading input data",
        "Training image download completed. Training in progress.",
        "Uploading generated training model",
    ]
    times = [transition["StartTime"] for transition in completed["SecondaryStatusTransitions"]]
    assert times == sorted(times)
    assert all("EndTime" in transition for transition in completed["SecondaryStatusTransitions"])
    assert completed["TrainingTimeInSeconds"] == completed["BillableTimeInSeconds"] >= 1
    uri = completed["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/output/completed/output/model.tar.gz"
    assert names_in_archive(aws, "output/completed/output/model.tar.gz") == ["xgboost-model"]


def test_metrics_come_from_the_log_lines_and_the_lines_go_to_cloudwatch(completed: dict[str, Any], aws: Aws) -> None:
    metrics = {metric["MetricName"]: metric["Value"] for metric in completed["FinalMetricDataList"]}
    assert metrics == {"train:error": 0.0, "rows": 4.0}
    lines = log_lines(aws, f"completed/algo-1-{int(completed['CreationTime'])}")
    assert any("Train matrix has 4 rows and 2 columns" in line for line in lines)
    assert "[2]#011train-error:0.00000" in lines


def test_a_name_is_used_once(api: Api, completed: dict[str, Any]) -> None:
    refused = api.refused("CreateTrainingJob", **api.training_job("completed"))

    assert refused.code == "ResourceInUse"
    assert f"already exists ({completed['TrainingJobArn']})" in refused.message


def test_a_built_in_image_brings_its_metric_definitions_along(api: Api, completed: dict[str, Any]) -> None:
    api.ok("CreateTrainingJob", **api.training_job("defined"))

    definitions = api.ok("DescribeTrainingJob", TrainingJobName="defined")["AlgorithmSpecification"]["MetricDefinitions"]

    assert "validation:mlogloss" in [definition["Name"] for definition in definitions]
    assert "#011validation-mlogloss:" in json.dumps(definitions)
    assert completed["AlgorithmSpecification"]["MetricDefinitions"] == [ROWS]  # a request's own come instead


def test_a_deleted_jobs_name_is_free_again(api: Api) -> None:
    run(api, **api.fast_job("deleted", "fail"))
    api.ok("DeleteTrainingJob", TrainingJobName="deleted")

    assert api.refused("DescribeTrainingJob", TrainingJobName="deleted").message == "Requested resource not found."
    api.ok("CreateTrainingJob", **api.training_job("deleted"))


def test_a_refused_hyperparameter_fails_the_job_with_the_containers_words(api: Api) -> None:
    job = run(api, **api.training_job("job-6", HyperParameters={"num_round": "5", "max_dept": "3"}))

    assert job["TrainingJobStatus"] == "Failed"
    assert secondary(job)[-2:] == ["Training", "Failed"]
    assert job["FailureReason"].startswith("AlgorithmError: framework error: \nTraceback (most recent call last):\n")
    assert job["FailureReason"].endswith("UserError: Extraneous hyperparameter found: max_dept, exit code: 1")
    assert "ModelArtifacts" not in job


def test_a_prefix_without_objects_is_refused(api: Api) -> None:
    refused = api.refused(
        "CreateTrainingJob", **api.training_job("job-8", InputDataConfig=[api.channel("train", "nothing/here/")])
    )

    assert (refused.code, refused.message) == (
        "ValidationException",
        f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here/" given in input data source. Please ensure that the '
        "bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "
        f'"{ROLE}" has "s3:ListBucket" permissions on bucket "{BUCKET}".',
    )
    api.refused("DescribeTrainingJob", TrainingJobName="job-8")


def test_objects_that_can_not_be_files_fail_the_job_and_are_named(api: Api, aws: Aws) -> None:
    for key in ("odd/../../outside", "both/a", "both/a/b"):
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")

    outside = run(api, **api.fast_job("outside", InputDataConfig=[api.channel("train", "odd/")]))
    both = run(api, **api.fast_job("both", InputDataConfig=[api.channel("train", "both/")]))

    assert "The key of s3://bucket-1/odd/../../outside can not be a file's path" in outside["FailureReason"]
    assert "Failed to download s3://bucket-1/both/a/b: " in both["FailureReason"]


@pytest.mark.parametrize(
    ("allowed", "reason"),
    [
        (["s3:ListBucket", "s3:PutObject"], "is not authorized to perform s3:GetObject on it"),
        (["s3:ListBucket", "s3:GetObject"], "ClientError: Artifact upload failed:Error 7: AccessDenied (403): Access Denied"),
    ],
)
def test_a_job_may_do_what_its_execution_role_may(api: Api, aws: Aws, allowed: list[str], reason: str) -> None:
    name = allowed[0][3:] + allowed[1][3:]
    role = add_role(aws, name, {"Effect": "Allow", "Action": allowed, "Resource": "*"})

    job = run(api, **api.fast_job(name, RoleArn=role))

    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_a_role_may_list_only_the_prefix_that_its_condition_names(api: Api, aws: Aws) -> None:
    condition = {"StringLike": {"s3:prefix": "other/*"}}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition}
    others = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    role = add_role(aws, "OtherPrefix", others, listing)

    refused = api.refused("CreateTrainingJob", **api.fast_job("prefix", RoleArn=role))

    assert refused.message.endswith(f'and that the role "{role}" has "s3:ListBucket" permissions on bucket "{BUCKET}".')


def test_an_unknown_image_fails_the_job_and_says_what_can_be_run(api: Api) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:9.9-1"

    job = run(api, **api.training_job("job-11", AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"}))

    assert job["FailureReason"].startswith(f"ClientError: Cannot pull the image {image}")
    assert "; sagemaker-xgboost:0.90-1, 0.90-2, 1.0-1, " in job["FailureReason"]
    assert len(job["FailureReason"]) < 1024  # what Describe shows of it


def test_a_stopped_job_is_stopping_then_stopped(api: Api) -> None:
    api.ok("CreateTrainingJob", **api.fast_job("stopped", "wait"))
    until_training(api, "stopped")

    api.ok("StopTrainingJob", TrainingJobName="stopped")

    assert api.ok("DescribeTrainingJob", TrainingJobName="stopped")["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = wait_until(lambda: api.ended_job("stopped"))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert secondary(job)[-2:] == ["Stopping", "Stopped"]
    refused = api.refused("StopTrainingJob", TrainingJobName="stopped")
    assert refused.message == "The request was rejected because the training job is in status Stopped."


def test_a_stopped_job_keeps_the_model_that_it_saved(api: Api, aws: Aws) -> None:
    api.ok("CreateTrainingJob", **api.fast_job("saved", "save-at-the-end"))
    stream = f"saved/algo-1-{int(api.ok('DescribeTrainingJob', TrainingJobName='saved')['CreationTime'])}"
    wait_until(lambda: stream in streams(aws) or None)  # its first line is there

    api.ok("StopTrainingJob", TrainingJobName="saved")

    job = wait_until(lambda: api.ended_job("saved"))
    assert secondary(job)[-3:] == ["Stopping", "Uploading", "Stopped"]
    assert names_in_archive(aws, "output/saved/output/model.tar.gz") == ["model.txt"]


@pytest.mark.usefixtures("completed")  # with which the log group is there
def test_a_stopped_xgboost_job_leaves_a_checkpoint_that_the_next_does_not_read(api: Api, aws: Aws) -> None:
    checkpoints: Any = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/boosted", "LocalPath": "/opt/ml/checkpoints"}}
    api.ok("CreateTrainingJob", **api.training_job("boosted-1", HyperParameters=ENDLESS, **checkpoints))
    stream = f"boosted-1/algo-1-{int(api.ok('DescribeTrainingJob', TrainingJobName='boosted-1')['CreationTime'])}"
    wait_until(lambda: (stream in streams(aws) and any(line.startswith("[9]") for line in log_lines(aws, stream))) or None)
    api.ok("StopTrainingJob", TrainingJobName="boosted-1")
    wait_until(lambda: api.ended_job("boosted-1"))
    assert saved(aws, "checkpoints/boosted/") == ["checkpoints/boosted/xgboost-checkpoint_0.ubj"]

    job = run(api, **api.training_job("boosted-2", HyperParameters={**ENDLESS, "num_round": "4"}, **checkpoints))

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    rounds = [line for line in log_lines(aws, f"boosted-2/algo-1-{int(job['CreationTime'])}") if "train-rmse" in line]
    assert [line.partition("#")[0] for line in rounds] == [f"[{number}]" for number in range(4)]


def saved(aws: Aws, prefix: str) -> list[str]:
    return [item["Key"] for item in aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]


def test_a_job_that_leaves_no_model_is_completed_and_its_model_is_not_found(api: Api, aws: Aws) -> None:
    job = run(api, **api.fast_job("no-model", "leave-no-model"))
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": job["AlgorithmSpecification"]["TrainingImage"], "ModelDataUrl": uri}

    refused = api.refused("CreateModel", ModelName="no-model", PrimaryContainer=container, ExecutionRoleArn=job["RoleArn"])

    assert job["TrainingJobStatus"] == "Completed"
    assert refused.message == f"Could not find model data at {uri}."
    assert aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="output/no-model/")["KeyCount"] == 0


def test_a_job_over_its_maximum_runtime_is_stopped_with_that_reason(api: Api) -> None:
    job = run(api, **api.fast_job("over", "wait", StoppingCondition={"MaxRuntimeInSeconds": 1}))

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_what_the_container_says_of_its_failure_is_the_reason(api: Api) -> None:
    assert run(api, **api.fast_job("fails", "fail"))["FailureReason"] == "AlgorithmError: it was told to, exit code: 1"


def test_output_data_gets_an_archive_of_its_own(api: Api, aws: Aws) -> None:
    run(api, **api.fast_job("output"))

    assert names_in_archive(aws, "output/output/output/output.tar.gz") == ["report.txt"]


def test_a_channel_may_be_a_manifest_of_objects(api: Api, aws: Aws) -> None:
    for name, rows in {"one.csv": b"0,1,2\n1,5,6\n", "deep/two.csv": b"0,1,3\n1,6,5\n", "not-named.csv": b"broken"}.items():
        aws.s3.put_object(Bucket=BUCKET, Key=f"listed/{name}", Body=rows)
    manifest = json.dumps([{"prefix": f"s3://{BUCKET}/listed/"}, "one.csv", "deep/two.csv"])
    aws.s3.put_object(Bucket=BUCKET, Key="listed/train.manifest", Body=manifest.encode())
    channel = api.channel("train", "listed/train.manifest")
    channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    job = run(api, **api.training_job("of-a-manifest", InputDataConfig=[channel]))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_several_hosts_train_one_model_on_their_shards(api: Api, aws: Aws) -> None:
    for part in range(3):
        rows = "\n".join(f"{row % 2},{row % 2 + row / 100},{row}" for row in range(part, 60, 3))
        aws.s3.put_object(Bucket=BUCKET, Key=f"data/many/part-{part}.csv", Body=rows.encode())
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10}
    channel = api.channel("train", "data/many/", distribution="ShardedByS3Key")

    job = run(api, **api.training_job("job-16", ResourceConfig=resources, InputDataConfig=[channel]))

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert names_in_archive(aws, "output/job-16/output/model.tar.gz") == ["xgboost-model"]
    epoch = int(job["CreationTime"])
    assert "has 40 rows" in "".join(log_lines(aws, f"{job['TrainingJobName']}/algo-1-{epoch}"))
    assert "has 20 rows" in "".join(log_lines(aws, f"{job['TrainingJobName']}/algo-2-{epoch}"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "Either TrainingImage or AlgorithmName, but not both"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File", "AlgorithmName": "a"}}, "AlgorithmName is not supported"),
        ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "InstanceType and InstanceCount, or InstanceGroups, must be provided"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 1}}, "must be at least 1"),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/x"}}, "must look like s3://bucket/prefix"),
        (
            {"AlgorithmSpecification": LINEAR_LEARNER, "CheckpointConfig": {"S3Uri": "s3://b/c"}},
            "CheckpointConfig is not supported",
        ),
        (
            {
                "AlgorithmSpecification": LINEAR_LEARNER,
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 3601},
            },
            "MaxWaitTimeInSeconds above 3600 is not supported for the given algorithm.",
        ),
        ({"CheckpointConfig": {"S3Uri": "https://b/c"}}, "must look like s3://bucket/prefix"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            "The regular expression '(' of metric 'm' is not valid",
        ),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}}, "It must not be present"),
        ({"RoleArn": "arn:aws:iam::000000000000:role/Nobody"}, "Could not assume role arn:aws:iam::000000000000:role/Nobody"),
        (
            {"InputDataConfig": [Api.channel("train", "a"), Api.channel("train", "b")]},
            "Channel names in InputDataConfig must be unique",
        ),
        ({"InputDataConfig": [{**Api.channel("train", "a"), "InputMode": "Pipe"}]}, "input modes File and FastFile only"),
        ({"InputDataConfig": [{"ChannelName": "train", "DataSource": {}}]}, "reads from an S3DataSource only"),
    ],
)
def test_rules_beyond_the_model_are_checked_when_a_job_is_created(api: Api, changes: dict[str, Any], message: str) -> None:
    refused = api.refused("CreateTrainingJob", **api.training_job("job-17", **changes))

    assert refused.code == "ValidationException"
    assert message in refused.message


def test_a_quota_bounds_the_instances_that_train_at_the_same_time(api: Api) -> None:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 21, "VolumeSizeInGB": 10}

    refused = api.refused("CreateTrainingJob", **api.training_job("job-18", ResourceConfig=resources))

    assert refused.code == "ResourceLimitExceeded"
    assert "'ml.m5.xlarge for training job usage' is 20 Instances, with current utilization of 0 Instances" in refused.message


def test_a_job_can_not_be_deleted_before_it_has_ended(api: Api) -> None:
    api.ok("CreateTrainingJob", **api.fast_job("running", "wait"))

    assert api.refused("DeleteTrainingJob", TrainingJobName="running").code == "ResourceInUse"

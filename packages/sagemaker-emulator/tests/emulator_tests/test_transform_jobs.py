"""Transform jobs from CreateTransformJob to their outputs, with containers that answer in no time."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable

import pytest

from emulator_tests.support import BUCKET, FAST_IMAGE, ROLE, Api, FakeLambda, Json, Refused, add_role, put_model, wait_until
from sagemaker_emulator.aws import Aws

_NUMBERS = itertools.count()

# Answers with every number in an object: (object's key below the input prefix, its content).
Objects = dict[str, bytes]


class Transforms:
    """Models, inputs and jobs whose names no other test has."""

    def __init__(self, api: Api, aws: Aws) -> None:
        self.api = api
        self.aws = aws

    def model(self, does: str, role: str = ROLE) -> str:
        name = f"model-{next(_NUMBERS)}"
        model = {**self.api.model(name, put_model(self.aws, name, does), FAST_IMAGE), "ExecutionRoleArn": role}
        self.api.ok("CreateModel", **model)
        return name

    def request(self, model: str, objects: Objects, *, split: str = "Line", **changes: object) -> Json:
        """A CreateTransformJob request; ``input`` and ``output`` change TransformInput and TransformOutput."""
        name = f"job-{next(_NUMBERS)}"
        for key, content in objects.items():
            self.aws.s3.put_object(Bucket=BUCKET, Key=f"in/{name}/{key}", Body=content)
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/{name}"}
        given_input, given_output = changes.pop("input", {}), changes.pop("output", {})
        assert isinstance(given_input, dict)
        assert isinstance(given_output, dict)
        return {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {
                "DataSource": {"S3DataSource": source},
                "ContentType": "text/csv",
                "SplitType": split,
                **given_input,
            },
            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out/{name}/", "AssembleWith": "Line", **given_output},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }

    def run(self, request: Json) -> Json:
        """The job when it has ended."""
        self.api.ok("CreateTransformJob", **request)
        return wait_until(lambda: self.ended(request["TransformJobName"]))

    def ended(self, name: str) -> Json | None:
        job = self.api.ok("DescribeTransformJob", TransformJobName=name)
        return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

    def outputs(self, request: Json) -> Objects:
        prefix = f"out/{request['TransformJobName']}/"
        found = self.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            item["Key"].removeprefix(prefix): self.aws.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            for item in found
        }

    def done(self, request: Json) -> Objects:
        job = self.run(request)
        assert job["TransformJobStatus"] == "Completed", job
        return self.outputs(request)

    def failed(self, request: Json) -> str:
        job = self.run(request)
        assert job["TransformJobStatus"] == "Failed", job
        return str(job["FailureReason"])

    def data_log(self, request: Json) -> list[str]:
        """What the data logs of all instances say, without the times."""
        group, prefix = "/aws/sagemaker/TransformJobs", f"{request['TransformJobName']}/"
        streams = self.aws.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        lines = [
            event["message"]
            for stream in streams
            if stream["logStreamName"].endswith("/data-log")
            for event in self.aws.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]
        return [line.partition(":[sagemaker logs]: ")[2] for line in lines]


@pytest.fixture(scope="module")
def transforms(api: Api, aws: Aws) -> Transforms:
    return Transforms(api, aws)


def test_each_object_has_an_output_beside_its_place_below_the_prefix(transforms: Transforms) -> None:
    request = transforms.request(transforms.model("sum"), {"a.csv": b"1,2\n3,4\n", "deep/b.csv": b"5,6"})
    assert transforms.done(request) == {"a.csv.out": b"3.0\n7.0\n", "deep/b.csv.out": b"11.0\n"}


def test_requests_hold_as_many_records_as_fit_and_answers_stay_in_order(transforms: Transforms) -> None:
    line = b"x" * 300_000
    rows = b"".join(b"%d:%s\n" % (number, line) for number in range(10))
    request = transforms.request(transforms.model("types"), {"a": rows}, MaxPayloadInMB=1, MaxConcurrentTransforms=3)
    lines = transforms.done(request)["a.out"].decode().splitlines()
    # Three records of 300,003 bytes fill a megabyte, and the last is alone.
    assert [line.split()[-1] for line in lines] == ["900009", "900009", "900009", "300003"]


def test_single_record_sends_each_line_by_itself_and_without_its_end(transforms: Transforms) -> None:
    request = transforms.request(
        transforms.model("got"), {"a": b"1\n2\n\n3"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4
    )
    assert transforms.done(request) == {"a.out": b"got:1\ngot:2\ngot:\ngot:3\n"}


def test_without_assembly_the_answers_follow_each_other_as_they_are(transforms: Transforms) -> None:
    request = transforms.request(
        transforms.model("got"), {"a": b"1\n2\n"}, BatchStrategy="SingleRecord", output={"AssembleWith": "None"}
    )
    assert transforms.done(request) == {"a.out": b"got:1got:2"}


def test_an_object_that_is_not_split_is_one_request(transforms: Transforms) -> None:
    objects = {"a": b"1\n2\n", "b": b"", "c": b"3"}
    request = transforms.request(
        transforms.model("got"), objects, split="None", MaxConcurrentTransforms=2, output={"AssembleWith": "None"}
    )
    assert transforms.done(request) == {"a.out": b"got:1\n2\n", "b.out": b"got:", "c.out": b"got:3"}


def test_a_payload_of_no_limit_is_streamed_whole(transforms: Transforms) -> None:
    rows = b"1,2\n" * 2_000_000
    request = transforms.request(transforms.model("types"), {"a": rows}, split="None", MaxPayloadInMB=0)
    assert transforms.done(request) == {"a.out": b"text/csv */* 8000000\n"}


def test_gzipped_input_is_read_unzipped_and_what_is_not_gzip_fails(transforms: Transforms) -> None:
    objects = {"a.gz": gzip.compress(b"1,2\n") + gzip.compress(b"3,4\n"), "b.gz": b"1,2\n"}
    request = transforms.request(transforms.model("sum"), objects, input={"CompressionType": "Gzip"})
    assert transforms.failed(request) == "ClientError: See job logs for more information"
    assert transforms.outputs(request) == {"a.gz.out": b"3.0\n7.0\n"}
    assert any("b.gz: Fail to decompress" in line for line in transforms.data_log(request))


def test_a_manifest_names_the_objects(transforms: Transforms, aws: Aws) -> None:
    manifest = [{"prefix": f"s3://{BUCKET}/lists/"}, "one.csv", "deep/two.csv"]
    aws.s3.put_object(Bucket=BUCKET, Key="lists/manifest", Body=json.dumps(manifest).encode())
    for name, content in {"one.csv": b"1,1", "deep/two.csv": b"2,2", "three.csv": b"3,3"}.items():
        aws.s3.put_object(Bucket=BUCKET, Key=f"lists/{name}", Body=content)
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/lists/manifest"}
    request = transforms.request(transforms.model("sum"), {}, input={"DataSource": {"S3DataSource": source}})
    assert transforms.done(request) == {"one.csv.out": b"2.0\n", "deep/two.csv.out": b"4.0\n"}
    source["S3Uri"] = f"s3://{BUCKET}/lists/one.csv"
    assert "is not valid" in transforms.failed({**request, "TransformJobName": "bad-manifest"})


def test_several_instances_share_out_the_objects(transforms: Transforms, aws: Aws) -> None:
    objects = {f"{number}.csv": b"%d,1" % number for number in range(5)}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    request = transforms.request(transforms.model("sum"), objects, TransformResources=resources)
    assert transforms.done(request) == {f"{number}.csv.out": b"%.1f\n" % (number + 1) for number in range(5)}
    found = transforms.data_log(request)
    assert found == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"] * 2


def test_the_container_is_told_how_it_is_used(transforms: Transforms) -> None:
    request = transforms.request(
        transforms.model("environment"),
        {"a": b"1"},
        Environment={"SAGEMAKER_MINE": "yes"},
        MaxPayloadInMB=2,
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=3,
    )
    assert json.loads(transforms.done(request)["a.out"]) == {
        "SAGEMAKER_MINE": "yes",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
    }


def test_the_container_may_say_how_it_wants_to_be_used(transforms: Transforms) -> None:
    parameters = '{"MaxConcurrentTransforms": 7, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 4}'
    model = transforms.model(f"sum {parameters}")
    theirs, ours = transforms.request(model, {"a": b"1"}), transforms.request(model, {"a": b"1"}, MaxPayloadInMB=5)
    assert transforms.done(theirs)
    assert transforms.data_log(theirs) == ["MaxConcurrentTransforms=7, MaxPayloadInMB=4, BatchStrategy=SINGLE_RECORD"]
    assert transforms.done(ours)
    assert transforms.data_log(ours) == ["MaxConcurrentTransforms=7, MaxPayloadInMB=5, BatchStrategy=SINGLE_RECORD"]


def test_content_type_and_accept_reach_the_container(transforms: Transforms) -> None:
    request = transforms.request(transforms.model("types"), {"a": b"1"}, output={"Accept": "application/jsonlines"})
    assert transforms.done(request) == {"a.out": b"text/csv application/jsonlines 2\n"}


def test_columns_are_left_out_joined_and_chosen(transforms: Transforms) -> None:
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    request = transforms.request(
        transforms.model("sum"), {"a": b'"x, y",1,2\nz,3,4\n'}, DataProcessing=processing, output={"Accept": "text/csv"}
    )
    assert transforms.done(request) == {"a.out": b'"x, y",3.0\nz,7.0\n'}


def test_what_the_model_refuses_fails_its_object_and_not_the_others(transforms: Transforms) -> None:
    request = transforms.request(transforms.model("sum"), {"a.csv": b"1,2", "b.csv": b"1,x", "c.csv": b"3,4"})
    request["ModelClientConfig"] = {"InvocationsMaxRetries": 0}
    assert transforms.failed(request) == "AlgorithmError: See job logs for more information"
    assert transforms.outputs(request) == {"a.csv.out": b"3.0\n", "c.csv.out": b"7.0\n"}


def test_a_client_error_is_not_tried_again_and_is_in_the_data_log(transforms: Transforms) -> None:
    request = transforms.request(transforms.model("refuse"), {"a.csv": b"1"})
    assert transforms.failed(request) == "ClientError: See job logs for more information"
    place = f"{BUCKET}/in/{request['TransformJobName']}/a.csv"
    assert transforms.data_log(request)[1:] == [
        f"{place}: ClientError: 415",
        f"{place}: Message:",
        f"{place}: no such",
        f"{place}: content type",
    ]


def test_a_server_error_is_tried_again(transforms: Transforms) -> None:
    assert transforms.done(transforms.request(transforms.model("recover"), {"a": b"1"})) == {"a.out": b"recover:1\n"}


@pytest.mark.parametrize("retries", [0, 1])
def test_server_errors_that_stay_fail_the_job(transforms: Transforms, retries: int) -> None:
    request = transforms.request(transforms.model("fail"), {"a": b"1"}, ModelClientConfig={"InvocationsMaxRetries": retries})
    assert transforms.failed(request) == "AlgorithmError: See job logs for more information"
    assert any("Bad HTTP status received from algorithm: 500" in line for line in transforms.data_log(request))


def test_a_model_that_takes_too_long_or_dies_fails_the_job(transforms: Transforms) -> None:
    config = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    for does in ("hang", "die"):
        request = transforms.request(transforms.model(does), {"a": b"1"}, ModelClientConfig=config)
        assert transforms.failed(request) == "AlgorithmError: See job logs for more information"
        assert any("Unable to get response from algorithm" in line for line in transforms.data_log(request))


def test_a_record_that_is_larger_than_a_payload_fails_its_object(transforms: Transforms) -> None:
    request = transforms.request(transforms.model("types"), {"a": b"x" * (1 << 20), "b": b"1\n"}, MaxPayloadInMB=1)
    request["TransformInput"]["SplitType"] = "None"
    assert transforms.done(request)["a.out"].endswith(b" 1048576\n")
    request["TransformJobName"] += "-lines"
    request["TransformInput"]["SplitType"] = "Line"
    transforms.aws.s3.put_object(Bucket=BUCKET, Key=f"in/{request['TransformJobName']}/a", Body=b"x" * (1 << 20) + b"\n")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/in/{request['TransformJobName']}"
    assert transforms.failed(request) == "ClientError: See job logs for more information"
    assert any("Too much data for max payload size" in line for line in transforms.data_log(request))


def test_a_model_that_does_not_come_up_fails_the_job(transforms: Transforms) -> None:
    reason = transforms.failed(transforms.request(transforms.model("broken"), {"a": b"1"}))
    assert reason.startswith("AlgorithmError: The model's container did not pass the ping health check")


def test_a_prefix_without_objects_is_refused(transforms: Transforms) -> None:
    refused = transforms.api.refused("CreateTransformJob", **transforms.request(transforms.model("sum"), {}))

    assert refused.code == "ValidationException"
    assert refused.message.startswith(f'No S3 objects found under S3 URL "s3://{BUCKET}/in/job-')


def test_the_models_role_reads_and_writes(transforms: Transforms, aws: Aws) -> None:
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    blind = add_role(aws, "Blind", everything, {**everything, "Effect": "Deny", "Resource": f"arn:aws:s3:::{BUCKET}/in/*"})
    mute = add_role(aws, "Mute", everything, {**everything, "Effect": "Deny", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"})
    reading = transforms.request(transforms.model("sum", blind), {"a": b"1"})
    assert transforms.failed(reading) == "ClientError: See job logs for more information"
    assert any("is not authorized to perform s3:GetObject" in line for line in transforms.data_log(reading))
    writing = transforms.request(transforms.model("sum", mute), {"a": b"1"})
    expected = "ClientError: Artifact upload failed:Error 7: AccessDenied (403): Access Denied"
    assert transforms.failed(writing) == expected


def test_a_stopped_job_ends_soon_and_keeps_what_was_written(transforms: Transforms, api: Api) -> None:
    request = transforms.request(transforms.model("hang"), {"a": b"1"})
    name = request["TransformJobName"]
    api.ok("CreateTransformJob", **request)
    wait_until(lambda: "TransformStartTime" in api.ok("DescribeTransformJob", TransformJobName=name) or None)
    api.ok("StopTransformJob", TransformJobName=name)
    assert api.ok("DescribeTransformJob", TransformJobName=name)["TransformJobStatus"] in ("Stopping", "Stopped")
    job = wait_until(lambda: transforms.ended(name), seconds=8)
    assert job["TransformJobStatus"] == "Stopped"
    assert job["TransformEndTime"] >= job["TransformStartTime"]
    assert transforms.outputs(request) == {}
    assert "is in status Stopped" in api.refused("StopTransformJob", TransformJobName=name).message


def test_describe_and_list_show_the_job_with_its_defaults(transforms: Transforms, api: Api) -> None:
    request = transforms.request(transforms.model("sum"), {"a": b"1"})
    job = transforms.run(request)
    assert job["TransformJobArn"].endswith(f":transform-job/{request['TransformJobName']}")
    assert job["TransformInput"] == {"CompressionType": "None", **request["TransformInput"]}
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    (summary,) = api.ok("ListTransformJobs", NameContains=request["TransformJobName"])["TransformJobSummaries"]
    assert summary["TransformJobStatus"] == "Completed"
    assert summary["TransformEndTime"] == job["TransformEndTime"]
    with pytest.raises(Refused, match="Could not find requested job with name: nobody"):
        api.ok("DescribeTransformJob", TransformJobName="nobody")


def test_tags_are_given_with_permission_and_found_again(transforms: Transforms, api: Api, aws: Aws) -> None:
    tags = [{"Key": "project", "Value": "s"}]
    request = transforms.request(transforms.model("sum"), {"a": b"1"}, Tags=tags)
    arn = transforms.run(request)["TransformJobArn"]
    assert api.ok("ListTags", ResourceArn=arn)["Tags"] == tags


def test_every_change_of_status_is_told_with_iso_times(transforms: Transforms, aws: Aws) -> None:
    aws.events.add("transforms", "SageMaker Transform Job State Change", "arn:aws:lambda:us-east-1:0:function:told")  # type: ignore[attr-defined]  # the fake's own
    request = transforms.request(transforms.model("sum"), {"a": b"1"}, Tags=[{"Key": "k", "Value": "v"}])
    assert transforms.done(request)
    functions = aws.functions
    assert isinstance(functions, FakeLambda)

    def told() -> list[Json] | None:
        events = [json.loads(invocation["Payload"]) for invocation in functions.invocations]
        found = [event["detail"] for event in events if event["detail"]["TransformJobName"] == request["TransformJobName"]]
        return found if found[-1:] and found[-1]["TransformJobStatus"] == "Completed" else None

    first, last = wait_until(told)
    assert first["TransformJobStatus"] == "InProgress"
    assert last["ModelName"] == request["ModelName"]
    assert last["Tags"] == {"k": "v"}
    assert all(
        last[name].endswith("Z") and "T" in last[name] for name in ("CreationTime", "TransformStartTime", "TransformEndTime")
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelName": "nobody"}, 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nobody"'),
        ({"MaxConcurrentTransforms": 30, "MaxPayloadInMB": 4}, "must not be greater than 100 MB"),
        ({"output": {"S3OutputPath": "https://bucket/out"}}, "must look like s3://bucket/prefix"),
        ({"DataProcessing": {"InputFilter": "$.id"}}, "a CSV row is an array"),
        ({"DataProcessing": {"OutputFilter": "$[?]"}}, "is not an operator of the supported subset"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "output": {"Accept": "application/json"}},
            "must be the same as ContentType",
        ),
        ({"DataProcessing": {"JoinSource": "Input"}, "output": {"AssembleWith": "None"}}, "must be the same as SplitType"),
        (
            {"DataProcessing": {"InputFilter": "$[0]"}, "input": {"ContentType": "image/png"}},
            "DataProcessing needs a ContentType",
        ),
        ({"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 21}}, "ml.m5.large for transform job usage"),
        ({"TransformJobName": "not_a_name"}, "failed to satisfy constraint"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "DataCaptureConfig is not supported"),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_started(
    transforms: Transforms, api: Api, changes: Json, message: str
) -> None:
    request = transforms.request(transforms.model("sum"), {"a": b"1"}, **changes)
    assert message in api.refused("CreateTransformJob", **request).message
    jobs = api.ok("ListTransformJobs", MaxResults=100)["TransformJobSummaries"]
    assert request["TransformJobName"] not in {job["TransformJobName"] for job in jobs}


def test_a_name_is_taken_for_good(transforms: Transforms, api: Api) -> None:
    request = transforms.request(transforms.model("sum"), {"a": b"1"})
    transforms.run(request)
    refused = api.refused("CreateTransformJob", **request)
    assert refused.code == "ResourceInUse"
    assert "must be unique" in refused.message


def test_a_restart_fails_the_jobs_that_ran(start: Callable[[], Api], aws: Aws) -> None:
    api = start()
    transforms = Transforms(api, aws)
    request = transforms.request(transforms.model("hang"), {"a": b"1"})
    api.ok("CreateTransformJob", **request)
    name = request["TransformJobName"]
    wait_until(lambda: "TransformStartTime" in api.ok("DescribeTransformJob", TransformJobName=name) or None)
    job = start().ok("DescribeTransformJob", TransformJobName=name)
    assert job["TransformJobStatus"] == "Failed"
    assert "the local SageMaker service was shut down while the job was running" in job["FailureReason"]

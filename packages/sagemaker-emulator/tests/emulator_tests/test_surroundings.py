"""Where the rest of AWS is, and what stands in for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagemaker_emulator import surroundings
from sagemaker_emulator.authorization import Authorizer
from sagemaker_emulator.aws import connect
from sagemaker_emulator.callers import Caller
from sagemaker_emulator.hosting.metrics import InvocationMetrics
from sagemaker_emulator.logs import CloudWatchLogs, LogFiles, LogShipper
from sagemaker_emulator.objects import FolderObjects, S3Objects
from sagemaker_emulator.permissions import Unchecked
from sagemaker_emulator.surroundings import of_environment

EVERYTHING = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


@pytest.mark.slow
def test_everything_is_where_one_variable_leads(tmp_path: Path) -> None:
    found = of_environment({**EVERYTHING, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "123456789012"}, tmp_path, None)

    assert isinstance(found.objects, S3Objects)
    assert isinstance(found.permissions, Authorizer)
    assert isinstance(found.log_sink, CloudWatchLogs)
    assert found.cloudwatch is not None
    assert found.sts is not None
    assert (found.place.account, found.place.region) == ("123456789012", "eu-west-1")
    assert found.notes == ("S3, IAM, logs and events are at http://127.0.0.1:1.",)


def test_a_services_own_variable_goes_before(tmp_path: Path) -> None:
    found = of_environment({**EVERYTHING, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:2"}, tmp_path, None)

    assert found.sts is not None
    assert found.sts.meta.endpoint_url == "http://127.0.0.1:2"


def test_a_server_for_s3_alone(tmp_path: Path) -> None:
    found = of_environment({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, tmp_path, None)

    assert isinstance(found.objects, S3Objects)
    assert isinstance(found.permissions, Unchecked)
    assert (found.cloudwatch, found.sts, list(found.functions())) == (None, None, [])
    assert "S3 is at http://127.0.0.1:1." in found.notes


def test_with_no_server_objects_are_files_that_containers_do_not_see(tmp_path: Path) -> None:
    own, given = of_environment({}, tmp_path / "home", None), of_environment({}, tmp_path / "home", tmp_path / "given")

    assert isinstance(own.objects, FolderObjects)
    assert own.hidden == (tmp_path / "home" / "s3",)
    assert given.hidden == (tmp_path / "given",)
    assert (tmp_path / "given").is_dir()
    assert "roles are not checked" in " ".join(own.notes)


def test_a_server_and_a_folder_for_s3_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"S3 is at http://127\.0\.0\.1:1, .* a folder is for where there is none"):
        of_environment(EVERYTHING, tmp_path, tmp_path / "given")


@pytest.mark.slow
def test_without_the_evaluator_roles_are_not_checked_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "find_spec", lambda _name: None)

    found = of_environment(EVERYTHING, tmp_path, None)

    assert isinstance(found.permissions, Unchecked)
    assert "pip install 'sagemaker-emulator[iam]'" in found.notes[1]


def test_where_roles_are_not_checked_everybody_may_do_everything() -> None:
    permissions, caller = Unchecked(), Caller("arn:aws:sts::000000000000:assumed-role/r/s", "r")

    permissions.require(caller, "sagemaker:CreateModel", "*")
    permissions.require_pass_role(caller, "arn:aws:iam::000000000000:role/none")
    assert permissions.role_allows("arn:aws:iam::000000000000:role/none", "s3:GetObject", "*")


def test_without_sns_the_messages_for_a_topic_are_a_file(tmp_path: Path) -> None:
    found = of_environment({}, tmp_path / "home", None)

    found.publish("arn:aws:sns:us-east-1:000000000000:done", '{"invocationStatus":"Completed"}')

    assert (tmp_path / "home/logs/sns/done.log").read_text().endswith(' {"invocationStatus":"Completed"}\n')


def test_log_files_are_named_as_groups_and_streams(tmp_path: Path) -> None:
    logs = LogShipper(LogFiles(tmp_path))
    for line in ("first", "", "second"):
        logs.write("/aws/sagemaker/TrainingJobs", "job/algo-1-1", line)
        logs.flush()

    lines = (tmp_path / "aws/sagemaker/TrainingJobs/job/algo-1-1.log").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["first", "second"]
    assert all(line[10] == "T" and line[23] == "Z" for line in lines)


def test_log_lines_that_can_not_be_written_are_dropped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    def sink(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutLogEvents")

    logs = LogShipper(sink)
    logs.write("g", "s", "line")
    logs.flush()

    assert "1 log lines of g/s were not sent" in caplog.text


@pytest.mark.slow
def test_what_is_left_to_tell_a_server_that_has_ended_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    nobody_listens = connect(EVERYTHING, "us-east-1")
    metrics, logs = InvocationMetrics(nobody_listens.cloudwatch), LogShipper(CloudWatchLogs(nobody_listens.logs))
    metrics.start()
    logs.start()
    metrics.record("flowers", "v1", 200, model_seconds=0.1, whole_seconds=0.1)
    logs.write("g", "s", "line")

    began = time.monotonic()
    metrics.stop()
    logs.stop()

    assert time.monotonic() - began < 1
    assert "metrics were not sent: Could not connect" in caplog.text
    assert "1 log lines of g/s were not sent: Could not connect" in caplog.text

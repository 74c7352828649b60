"""Tags; and jobs by their status."""

from __future__ import annotations

from emulator_tests.support import Api, wait_until


def test_jobs_are_listed_by_status(api: Api) -> None:
    api.ok("CreateTrainingJob", **api.training_job("fails", InputDataConfig=[api.channel("train", "nothing/")]))
    wait_until(lambda: api.ended_job("fails"))

    failed = api.ok("ListTrainingJobs", StatusEquals="Failed", NameContains="fail")["TrainingJobSummaries"]

    assert [job["TrainingJobName"] for job in failed] == ["fails"]
    assert "HyperParameters" not in failed[0]
    assert api.ok("ListTrainingJobs", StatusEquals="Completed")["TrainingJobSummaries"] == []


def test_tags_are_added_changed_and_deleted(api: Api) -> None:
    request = api.fast_job("tagged", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    arn = api.ok("CreateTrainingJob", **request)["TrainingJobArn"]

    api.ok("AddTags", ResourceArn=arn, Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}])
    api.ok("DeleteTags", ResourceArn=arn, TagKeys=["a"])

    assert api.ok("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]


def test_tags_go_with_the_resource(api: Api) -> None:
    request = api.training_job("short", Tags=[{"Key": "a", "Value": "1"}], InputDataConfig=[api.channel("train", "nothing/")])
    arn = api.ok("CreateTrainingJob", **request)["TrainingJobArn"]
    wait_until(lambda: api.ended_job("short"))
    api.ok("DeleteTrainingJob", TrainingJobName="short")

    assert api.refused("ListTags", ResourceArn=arn).message == f"Could not find resource: {arn}"


def test_a_resource_has_at_most_fifty_tags(api: Api) -> None:
    arn = api.ok("CreateTrainingJob", **api.fast_job("many", Tags=[{"Key": "first", "Value": "1"}]))["TrainingJobArn"]

    refused = api.refused("AddTags", ResourceArn=arn, Tags=[{"Key": f"t{n}", "Value": ""} for n in range(50)])

    assert "at most 50 tags" in refused.message


def test_an_arn_of_another_account_is_refused(api: Api) -> None:
    refused = api.refused("ListTags", ResourceArn="arn:aws:sagemaker:us-east-1:111111111111:model/m")

    assert refused.message.startswith("Invalid resource ARN")

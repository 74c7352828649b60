"""Tags; and jobs by their status."""

from __future__ import annotations

import pytest

from emulator_tests.support import Api, wait_until


def test_jobs_are_listed_by_status(api: Api) -> None:
    api.ok("CreateTrainingJob", **api.fast_job("fails", "fail"))
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


def test_an_arn_may_have_the_capitals_of_the_name(api: Api) -> None:
    arn = api.ok("CreateTrainingJob", **api.fast_job("Capitals", Tags=[{"Key": "a", "Value": "1"}]))["TrainingJobArn"]
    spelt = arn.replace("capitals", "Capitals")

    api.ok("AddTags", ResourceArn=spelt, Tags=[{"Key": "b", "Value": "2"}])

    both = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert api.ok("ListTags", ResourceArn=arn)["Tags"] == api.ok("ListTags", ResourceArn=spelt)["Tags"] == both


def test_tags_go_with_the_resource(api: Api) -> None:
    request = api.fast_job("short", "fail", Tags=[{"Key": "a", "Value": "1"}])
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


@pytest.mark.parametrize("key", ["aws:name", "AWS:cloudformation:stack-name"])
def test_keys_that_are_awss_own_are_refused(api: Api, key: str) -> None:
    arn = api.ok("CreateTrainingJob", **api.fast_job(f"own-{len(key)}"))["TrainingJobArn"]
    tags = [{"Key": key, "Value": "1"}]

    refused = [
        api.refused("CreateTrainingJob", **api.fast_job("never", Tags=tags)),
        api.refused("AddTags", ResourceArn=arn, Tags=tags),
        api.refused("DeleteTags", ResourceArn=arn, TagKeys=[key]),
    ]

    assert {(one.code, one.message) for one in refused} == {
        ("ValidationException", "aws: prefixed tag key names are not allowed for external use.")
    }
    api.refused("DescribeTrainingJob", TrainingJobName="never")


def test_a_key_is_given_once(api: Api) -> None:
    twice = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]

    assert "Duplicate tag keys in Tags: a." in api.refused("CreateTrainingJob", **api.fast_job("twice", Tags=twice)).message


def test_a_resource_is_not_made_with_more_than_fifty_tags(api: Api) -> None:
    tags = [{"Key": f"t{n}", "Value": ""} for n in range(51)]

    message = api.refused("CreateTrainingJob", **api.fast_job("more", Tags=tags)).message

    assert "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50" in message


def test_tags_have_one_page(api: Api) -> None:
    arn = api.ok("CreateTrainingJob", **api.fast_job("page", Tags=[{"Key": "a", "Value": "1"}]))["TrainingJobArn"]

    assert "NextToken" not in api.ok("ListTags", ResourceArn=arn, MaxResults=50)
    assert "Invalid NextToken" in api.refused("ListTags", ResourceArn=arn, NextToken="x").message

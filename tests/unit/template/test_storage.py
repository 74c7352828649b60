"""The bucket and the table: nothing is public, nothing is lost by accident, what is temporary goes."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qsl

import pytest

from sageline.names import RunLayout
from sageline.storage.part_sink import S3PartSink
from tests.unit.template.documents import Document


@pytest.fixture(scope="module")
def bucket(stack: Document) -> Document:
    properties: Document = stack["Resources"]["DataBucket"]["Properties"]
    return properties


@pytest.mark.parametrize("name", ["DataBucket", "RunsTable"])
def test_what_people_made_outlives_the_stack(stack: Document, name: str) -> None:
    assert stack["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_reached_over_tls_only(stack: Document) -> None:
    policy = stack["Resources"]["DataBucketPolicy"]["Properties"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": "DataBucket"}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [{"Fn::GetAtt": ["DataBucket", "Arn"]}, {"Fn::Sub": "${DataBucket.Arn}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def lifecycle(bucket: Document) -> dict[str, Any]:  # Any: a lifecycle rule
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    return {rule["Id"]: rule for rule in rules}


def test_only_checkpoints_and_what_is_tagged_as_intermediate_expire(bucket: Document) -> None:
    expiring = [rule for rule in lifecycle(bucket).values() if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == ["runs/", "batch/", "models/", "checkpoints/"]
    for rule in expiring:
        assert rule["ExpirationInDays"] == {"Ref": "DataRetentionDays"}
    for rule in expiring[:3]:
        assert rule["TagFilters"] == [{"Key": "sageline:retention", "Value": "intermediate"}]


def test_checkpoints_expire_all_of_them(bucket: Document) -> None:
    rule = lifecycle(bucket)["expire-checkpoints"]
    assert RunLayout("b", "wine-20261120101500-3fa9c1").checkpoints_prefix.startswith(rule["Prefix"])
    assert "TagFilters" not in rule


def test_encoded_data_carries_the_tag_by_which_it_expires(bucket: Document) -> None:
    [tag] = lifecycle(bucket)["expire-intermediate-data"]["TagFilters"]
    s3 = Mock()
    sink = S3PartSink(s3, RunLayout("b", "wine-20261120101500-3fa9c1"), "csv")
    sink.write("train", b"1,2,3\n")
    sink.close()
    assert dict(parse_qsl(s3.put_object.call_args.kwargs["Tagging"])) == {tag["Key"]: tag["Value"]}


def test_old_versions_and_broken_uploads_go(bucket: Document) -> None:
    rules = lifecycle(bucket)
    old = rules["expire-noncurrent-versions"]
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentVersionDays"}}
    assert old["ExpiredObjectDeleteMarker"] is True
    assert rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0


def test_the_table_is_encrypted_and_forgets_what_has_expired(stack: Document) -> None:
    table = stack["Resources"]["RunsTable"]["Properties"]
    assert table["SSESpecification"] == {"SSEEnabled": True}, "under the account's own key, which AWS manages"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}

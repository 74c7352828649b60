"""What the doctor says of an account and its region."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.response import StreamingBody

from sageline_cli.doctor import account
from sageline_cli.doctor.account import CallerIdentity
from sageline_cli.doctor.finding import Finding
from tests.unit.cli.stubs import ACCOUNT, aws, stubbed

TRAINING = "ml.m5.xlarge for training job usage"


def only(found: list[Finding]) -> Finding:
    [finding] = found
    return finding


def page(**values: float) -> dict[str, Any]:
    return {"Quotas": [{"QuotaName": name, "QuotaCode": "L-1", "Value": value} for name, value in values.items()]}


def test_the_caller_is_named() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    with stubbed(aws().sts) as sts:
        sts.add_response("get_caller_identity", {"Arn": arn, "Account": ACCOUNT})

        assert account.find_caller(aws()) == CallerIdentity(arn, ACCOUNT)


@pytest.mark.parametrize(
    ("error", "what", "to_do"),
    [
        (NoCredentialsError(), "No AWS credentials were found", "aws sso login"),
        (EndpointConnectionError(endpoint_url="https://sts"), "could not be reached", "Look at the network"),
    ],
)
def test_what_is_wrong_with_credentials_is_said_with_what_to_do(
    error: Exception, what: str, to_do: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(aws().sts, "get_caller_identity", fail)

    found = account.find_caller(aws())

    assert isinstance(found, Finding)
    assert found.state == "failed"
    assert what in found.what
    assert to_do in found.to_do


def test_expired_credentials_are_to_be_renewed() -> None:
    with stubbed(aws().sts) as sts:
        sts.add_client_error("get_caller_identity", "ExpiredToken", "expired")

        found = account.find_caller(aws())

    assert isinstance(found, Finding)
    assert "sign in again" in found.what


def test_a_region_is_needed() -> None:
    finding = only(account.check_region(None))

    assert (finding.state, finding.to_do) == ("failed", "Set AWS_REGION, or `region` in the profile.")


@pytest.mark.parametrize(
    ("region", "state", "words"),
    [
        ("eu-west-1", "ok", "every algorithm"),
        ("mx-central-1", "failed", "No images of SageMaker's algorithms"),
        ("us-gov-east-1", "ok", "every algorithm"),
    ],
)
def test_the_images_of_a_region_are_those_that_requests_are_made_with(region: str, state: str, words: str) -> None:
    _, images = account.check_region(region)

    assert images.state == state
    assert words in images.what


def test_a_region_without_some_frameworks_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "_has_images", lambda algorithm, framework, region: framework != "pytorch")

    _, images = account.check_region("eu-west-1")

    assert (images.state, images.what) == ("warning", "No image is known in eu-west-1 of pytorch.")


@pytest.mark.parametrize(
    ("code", "state"), [("AccessDeniedException", "ok"), ("UnrecognizedClientException", "failed"), ("OptInRequired", "failed")]
)
def test_a_region_that_is_not_enabled_is_told_from_a_missing_permission(code: str, state: str) -> None:
    with stubbed(aws().sagemaker) as sagemaker:
        sagemaker.add_client_error("list_endpoints", code)

        assert only(account.check_sagemaker(aws())).state == state


def test_a_quota_of_0_fails_with_the_command_that_requests_more() -> None:
    with stubbed(aws().service_quotas) as quotas:
        quotas.add_response("list_service_quotas", page(**{TRAINING: 0.0, "ml.m5.large for transform job usage": 2.0}))

        low, enough, rest = account.check_quotas(aws())

    assert (low.state, enough.state, rest.state) == ("failed", "ok", "unknown")
    assert low.what == f"{TRAINING}: 0, a first run needs 1."
    assert "--service-code sagemaker --quota-code L-1 --desired-value 1 --region eu-west-1" in low.to_do
    assert "serverless" in rest.what


def test_quotas_that_may_not_be_asked_are_unknown() -> None:
    with stubbed(aws().service_quotas) as quotas:
        quotas.add_client_error("list_service_quotas", "AccessDeniedException", "no")

        finding = only(account.check_quotas(aws()))

    assert finding.state == "unknown"
    assert "AccessDeniedException" in finding.what
    assert TRAINING in finding.what


@pytest.mark.parametrize(("unreserved", "state"), [(1000, "ok"), (10, "warning"), (0, "failed")])
def test_few_concurrent_functions_are_said(unreserved: int, state: str) -> None:
    limit = {"ConcurrentExecutions": max(unreserved, 10), "UnreservedConcurrentExecutions": unreserved}
    with stubbed(aws().lambda_) as lambda_:
        lambda_.add_response("get_account_settings", {"AccountLimit": limit})

        finding = only(account.check_lambda(aws()))

    assert finding.state == state
    assert ("--service-code lambda --quota-code L-B99A9384" in finding.to_do) == (state != "ok")


def prices_of(document: bytes | None, region: str = "eu-west-1") -> Finding:
    """With that prices.json in the stack's bucket; None: with none."""
    with stubbed(aws(region).s3) as s3:
        if document is None:
            s3.add_client_error("get_object", "NoSuchKey")
        else:
            s3.add_response("get_object", {"Body": StreamingBody(io.BytesIO(document), len(document)), "ETag": "e"})
        return only(account.check_prices(aws(region), "the-bucket"))


@pytest.mark.slow
def test_prices_of_another_region_are_a_warning_until_the_stack_has_its_own() -> None:
    own = b'{"date": "2026-11-01", "instances": {"ml.m5.xlarge": 0.3, "ml.m5.large": 0.15}}'

    assert prices_of(None, "us-east-1").state == "ok"
    assert prices_of(None).state == "warning"
    assert "s3://the-bucket/prices.json" in prices_of(None).to_do
    assert prices_of(own).state == "ok"
    assert prices_of(b'{"instances": {"ml.c5.large": 0.3}}').state == "warning"


def test_prices_that_would_fail_every_run_fail() -> None:
    finding = prices_of(b'{"instances": {"m5": 1}}')

    assert finding.state == "failed"
    assert "no instance type of SageMaker" in finding.what


def test_before_there_is_a_bucket_the_list_prices_count() -> None:
    assert only(account.check_prices(aws("us-east-1"), None)).state == "ok"

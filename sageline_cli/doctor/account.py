"""The account and its region: who calls, what SageMaker has there, and how much of it may run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from sageline.aws.errors import code, is_denied
from sageline.aws.images import serving_image, training_image
from sageline.configuration.quotas import Quota, QuotaDemand, demands_of_run, largest, list_quotas, request_command
from sageline.errors import InvalidPrices, SettingsError
from sageline.names import PRICES_KEY
from sageline.runs import price_list
from sageline.runs.documents import RunFiles
from sageline.runs.price_list import Use
from sageline.runs.prices import LIST_PRICES, Prices
from sageline.spec.model import Spec
from sageline_cli.aws import Aws
from sageline_cli.doctor.finding import Finding
from sageline_cli.errors import explain

_IMAGES = (
    *(("xgboost", None), ("linear-learner", None), ("knn", None), ("blazingtext", None), ("tensorflow", None)),
    *(("script", "scikit-learn"), ("script", "pytorch")),
)
_FEW_CONCURRENT = 50
"""Executions of functions at once, below which predictions for several callers are soon throttled: an account may have 1,000,
new ones have 10."""
_LAMBDA_CONCURRENCY = "L-B99A9384"
"""Code of the quota `Concurrent executions` of Lambda."""
_SIGN_IN = "Sign in (`aws sso login`, `aws configure`) or set AWS_PROFILE, until `aws sts get-caller-identity` answers."
_NOT_ENABLED = {"UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired"}


@dataclass(frozen=True)
class CallerIdentity:
    """Who calls AWS, as STS says."""

    arn: str
    account: str


def find_caller(aws: Aws) -> CallerIdentity | Finding:
    """Who the credentials are of, or what is wrong with them."""
    try:
        identity = aws.sts.get_caller_identity()
    except ClientError as error:
        return Finding("credentials", "failed", explain(error).message, _SIGN_IN)
    except (HTTPClientError, NoConnection) as error:
        to_do = f"Look at the network (a proxy?), and whether there is a region {aws.region}."
        return Finding("credentials", "failed", explain(error).message, to_do)
    except BotoCoreError as error:
        return Finding("credentials", "failed", explain(error).message, _SIGN_IN)
    return CallerIdentity(identity["Arn"], identity["Account"])


def check_region(region: str | None) -> list[Finding]:
    """Whether a region is set, and which algorithms have an image there. Asks nobody."""
    if region is None:
        return [Finding("region", "failed", "No AWS region is set.", "Set AWS_REGION, or `region` in the profile.")]
    missing = [framework or algorithm for algorithm, framework in _IMAGES if not _has_images(algorithm, framework, region)]
    if "xgboost" in missing:
        to_do = "Deploy to a region that has them, such as us-east-1 or eu-west-1 (AWS_REGION)."
        return [
            Finding("region", "ok", region),
            Finding("images", "failed", f"No images of SageMaker's algorithms are known for {region}.", to_do),
        ]
    if missing:
        to_do = "Specs that name them need another region; all others run."
        return [
            Finding("region", "ok", region),
            Finding("images", "warning", f"No image is known in {region} of {', '.join(missing)}.", to_do),
        ]
    return [Finding("region", "ok", region), Finding("images", "ok", f"SageMaker has an image of every algorithm in {region}.")]


def _has_images(algorithm: str, framework: str | None, region: str) -> bool:
    try:
        training_image(algorithm, framework, region)
        serving_image(algorithm, framework, region)
    except SettingsError:
        return False
    return True


def check_sagemaker(aws: Aws) -> list[Finding]:
    """Whether SageMaker answers in the region."""
    try:
        aws.sagemaker.list_endpoints(MaxResults=1)
    except ClientError as error:
        if is_denied(error):
            what = "SageMaker answers; you may not list endpoints, which nothing but this check needs."
            return [Finding("sagemaker", "ok", what)]
        if code(error) in _NOT_ENABLED:
            what = f"The account may not use {aws.region} ({code(error)})."
            return [Finding("sagemaker", "failed", what, "Enable the region in the account's settings, or take another.")]
        raise
    except BotoCoreError as error:
        return [
            Finding("sagemaker", "failed", explain(error).message, f"Look whether SageMaker is in {aws.region}, and the network.")
        ]
    return [Finding("sagemaker", "ok", f"SageMaker answers in {aws.region}.")]


@cache
def demands_of_a_first_run() -> dict[str, QuotaDemand]:
    """By quota, what a run without a spec needs."""
    return largest(demands_of_run(Spec()))


def check_quotas(aws: Aws) -> list[Finding]:
    """What the quotas of SageMaker allow of a run without a spec."""
    wanted, region = demands_of_a_first_run(), str(aws.region)
    listed = list_quotas(wanted, aws.service_quotas)
    found = [_of_quota(wanted[name], quota, region) for name, quota in listed.quotas.items()]
    unknown = [name for name in wanted if name not in listed.quotas]
    if unknown:
        why = listed.problem or "Service Quotas does not list all; SageMaker itself refuses what is too much."
        found.append(Finding("quotas", "unknown", f"{why} Not known: {'; '.join(unknown)}."))
    return found


def _of_quota(demand: QuotaDemand, quota: Quota, region: str) -> Finding:
    what = f"{demand.quota}: {quota.value:g}, a first run needs {demand.needed}."
    if quota.value >= demand.needed:
        return Finding("quotas", "ok", what)
    to_do = f"Change `{demand.key}` in the spec, or: {request_command(quota, demand.needed, region)}"
    return Finding("quotas", "failed", what, to_do)


def check_lambda(aws: Aws) -> list[Finding]:
    """How many functions may run at once."""
    limit = aws.lambda_.get_account_settings()["AccountLimit"]
    total, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    what = f"{total} functions may run at once in the account, {unreserved} of them without a reservation."
    if unreserved >= _FEW_CONCURRENT:
        return [Finding("lambda", "ok", what)]
    request = request_command(Quota(_LAMBDA_CONCURRENCY, total), 1000, str(aws.region), "lambda")
    if unreserved == 0:
        return [Finding("lambda", "failed", what, f"Release reservations of other functions, or: {request}")]
    return [Finding("lambda", "warning", f"{what} A run needs few; predictions for many callers are throttled.", request)]


def check_prices(aws: Aws, bucket: str | None) -> list[Finding]:
    """What runs are counted with: the list prices, and over them ``prices.json`` in the stack's bucket, if there is a bucket."""
    prices, uri = LIST_PRICES, f"s3://{bucket or 'BUCKET'}/{PRICES_KEY}"
    if bucket is not None:
        try:
            prices = RunFiles(aws.s3, bucket).read_prices()
        except InvalidPrices as error:
            return [Finding("prices", "failed", error.message, f"Mend or delete {uri}: every run fails with it (docs/costs.md).")]
    return [_of_prices(prices, str(aws.region), uri)]


def _of_prices(prices: Prices, region: str, uri: str) -> Finding:
    spec = Spec()
    used: set[tuple[str, Use]] = {(spec.algorithm.instance_type, "training"), (spec.evaluation.instance_type, "transform")}
    known = ", ".join(f"{name} for {use}" for name, use in sorted(used))
    if used <= prices.own:
        dated = f" of {prices.override_date}" if prices.override_date else ""
        return Finding("prices", "ok", f"{uri}{dated} has the price of {known}.")
    if region == price_list.REGION:
        return Finding("prices", "ok", f"List prices of {price_list.REGION}, {prices.date}, have the price of {known}.")
    what = f"Runs are counted with the list prices of {price_list.REGION}, {prices.date}; in {region} they may be higher."
    return Finding("prices", "warning", what, f"Write those of {region} to {uri} (docs/costs.md).")

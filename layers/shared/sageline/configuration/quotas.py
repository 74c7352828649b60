"""What the account may run at once in SageMaker, as Service Quotas tells it: asked before anything is started.

There is no dry run of CreateTrainingJob or CreateEndpoint; what Service Quotas does not tell is found out when they refuse
with ``ResourceLimitExceeded``. The quotas' names are those of the service ``sagemaker`` in the console of Service Quotas.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sageline.aws.clients import ServiceQuotas
from sageline.deployment.endpoints import capacity
from sageline.deployment.requests import OnInstances
from sageline.errors import QuotaExceeded
from sageline.spec.model import Spec
from sageline.spec.training import AUTO

_PAGE_SIZE = 100  # quotas; SageMaker has about 1,500
_LONGEST_SECONDS = 15.0
"""A run does not wait longer for its quotas than this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QuotaDemand:
    """What a run needs of a quota, and the key of the spec that asks for it."""

    quota: str
    needed: int
    key: str


def demands_of_run(spec: Spec, trained: Sequence[Spec] = ()) -> list[QuotaDemand]:
    """What the jobs and the endpoint of a resolved spec need at once.

    Args:
        trained: the specs of several algorithms that the run trains side by side; none for that of ``spec`` alone.
    """
    algorithm = spec.algorithm
    parallel = sum(_parallel_jobs(each) for each in trained or [spec])
    spot = "spot " if algorithm.spot else ""
    instances = algorithm.instance_count * parallel
    key = "tuning.max_parallel_jobs" if parallel > 1 else "algorithm.instance_count"
    if trained and algorithm.name == AUTO:
        key = "algorithm.name"
    demands = [
        QuotaDemand(f"{algorithm.instance_type} for {spot}training job usage", instances, f"algorithm.instance_type` and `{key}"),
        QuotaDemand(f"Number of instances across all {spot}training jobs", instances, key),
        *demands_of_transform(spec.evaluation.instance_type, len(trained) or 1, "evaluation.instance_type"),
    ]
    if spec.batch is not None:
        demands += demands_of_transform(spec.batch.instance_type, spec.batch.instance_count, "batch")
    if spec.deployment is not None:
        wanted = capacity(spec.deployment)
        if isinstance(wanted, OnInstances):
            scaling = spec.deployment.autoscaling
            count = max(wanted.count, scaling.min if scaling else 0)
            demands += [
                QuotaDemand(f"{wanted.instance_type} for endpoint usage", count, "deployment.instances"),
                QuotaDemand("Number of instances across active endpoints", count, "deployment.instances"),
            ]
        else:
            quota = "Maximum total concurrency that can be allocated across all serverless endpoints"
            demands += [
                QuotaDemand(quota, wanted.max_concurrency, "deployment.serverless.max_concurrency"),
                QuotaDemand("Memory size in MB per serverless endpoint", wanted.memory_mb, "deployment.serverless.memory_mb"),
            ]
    return demands


def _parallel_jobs(spec: Spec) -> int:
    """How many training jobs run at once."""
    return min(spec.tuning.max_parallel_jobs, spec.tuning.max_jobs) if spec.tuning else 1


def demands_of_transform(instance_type: str, instances: int, key: str) -> list[QuotaDemand]:
    """What a transform job needs."""
    return [
        QuotaDemand(f"{instance_type} for transform job usage", instances, key),
        QuotaDemand("Number of instances across all transform jobs", instances, key),
    ]


@dataclass(frozen=True)
class Quota:
    """A quota of the account as Service Quotas lists it."""

    code: str
    value: float


@dataclass(frozen=True)
class QuotaList:
    """What Service Quotas tells of the quotas that were asked for.

    Attributes:
        quotas: by name, in the order of the list; those that it does not list, or lists without a value, are not here.
        problem: why the list was not read to its end; None if it was, or if all were found before.
    """

    quotas: Mapping[str, Quota]
    problem: str | None = None


def check_quotas(
    demands: Iterable[QuotaDemand], client: ServiceQuotas, region: str, clock: Callable[[], float] = time.monotonic
) -> None:
    """Refuse what the account's quotas do not allow even while nothing else runs. What Service Quotas does not tell, or not in
    time, is not refused.

    Raises:
        QuotaExceeded: names each quota that is too low, its value, and how to have it raised.
    """
    wanted = largest(demands)
    listed = list_quotas(wanted, client, clock)
    if listed.problem is not None:
        _log.info("The run goes on without the rest of SageMaker's quotas: %s", listed.problem)
    problems = [
        _problem(wanted[name], quota, region) for name, quota in listed.quotas.items() if quota.value < wanted[name].needed
    ]
    if problems:
        raise QuotaExceeded(" ".join(problems))


def largest(demands: Iterable[QuotaDemand]) -> dict[str, QuotaDemand]:
    """By quota, the demand that needs most of it."""
    return {demand.quota: demand for demand in sorted(demands, key=lambda demand: demand.needed)}


def list_quotas(names: Iterable[str], client: ServiceQuotas, clock: Callable[[], float] = time.monotonic) -> QuotaList:
    """SageMaker's quotas of these names in the account, as far as Service Quotas answers within 15 seconds."""
    wanted, found = set(names), dict[str, Quota]()
    request: dict[str, str | int] = {"ServiceCode": "sagemaker", "MaxResults": _PAGE_SIZE}
    started = clock()
    while wanted:
        if clock() - started > _LONGEST_SECONDS:
            return QuotaList(found, f"Service Quotas takes longer than {_LONGEST_SECONDS:g} s.")
        try:
            page = client.list_service_quotas(**request)
        except (ClientError, BotoCoreError) as error:
            return QuotaList(found, str(error))
        for quota in page.get("Quotas", []):
            if quota["QuotaName"] in wanted:
                wanted.remove(quota["QuotaName"])
                if "Value" in quota:
                    found[quota["QuotaName"]] = Quota(quota["QuotaCode"], quota["Value"])
        if not page.get("NextToken"):
            break
        request["NextToken"] = page["NextToken"]
    return QuotaList(found)


def request_command(quota: Quota, needed: int, region: str, service: str = "sagemaker") -> str:
    """The command of the AWS CLI that requests more of a quota."""
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {quota.code} "
        f"--desired-value {needed} --region {region}"
    )


def _problem(demand: QuotaDemand, quota: Quota, region: str) -> str:
    return (
        f"The account's SageMaker quota {demand.quota!r} in {region} is {quota.value:g}, and the run needs {demand.needed}: "
        f"change `{demand.key}`, or request more with `{request_command(quota, demand.needed, region)}`."
    )

"""What the account may run at once in SageMaker, as Service Quotas tells it: asked before anything is started.

There is no dry run of CreateTrainingJob or CreateEndpoint; what Service Quotas does not tell is found out when they refuse
with ``ResourceLimitExceeded``. The quotas' names are those of the service ``sagemaker`` in the console of Service Quotas.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sageline.errors import QuotaExceeded
from sageline.requests.endpoint import OnInstances
from sageline.run.endpoints import capacity
from sageline.spec.model import Spec

_PAGE_SIZE = 100  # quotas; SageMaker has about 1,500
_LONGEST_SECONDS = 15.0
"""A run does not wait longer for its quotas than this."""

_log = logging.getLogger(__name__)


class ServiceQuotas(Protocol):
    """The part of boto3's client for Service Quotas that is needed here."""

    def list_service_quotas(self, **request: str | int) -> Mapping[str, Any]: ...  # Any: the answer as botocore parses it


@dataclass(frozen=True)
class Demand:
    """What a run needs of a quota, and the key of the spec that asks for it."""

    quota: str
    needed: int
    key: str


def demands_of_run(spec: Spec) -> list[Demand]:
    """What the jobs and the endpoint of a resolved spec need at once."""
    algorithm, tuning = spec.algorithm, spec.tuning
    parallel = min(tuning.max_parallel_jobs, tuning.max_jobs) if tuning else 1
    spot = "spot " if algorithm.spot else ""
    instances = algorithm.instance_count * parallel
    key = "tuning.max_parallel_jobs" if parallel > 1 else "algorithm.instance_count"
    demands = [
        Demand(f"{algorithm.instance_type} for {spot}training job usage", instances, f"algorithm.instance_type` and `{key}"),
        Demand(f"Number of instances across all {spot}training jobs", instances, key),
        *demands_of_transform(spec.evaluation.instance_type, 1, "evaluation.instance_type"),
    ]
    if spec.batch is not None:
        demands += demands_of_transform(spec.batch.instance_type, spec.batch.instance_count, "batch")
    if spec.deployment is not None:
        wanted = capacity(spec.deployment)
        if isinstance(wanted, OnInstances):
            scaling = spec.deployment.autoscaling
            count = max(wanted.count, scaling.min if scaling else 0)
            demands += [
                Demand(f"{wanted.instance_type} for endpoint usage", count, "deployment.instances"),
                Demand("Number of instances across active endpoints", count, "deployment.instances"),
            ]
        else:
            quota = "Maximum total concurrency that can be allocated across all serverless endpoints"
            demands.append(Demand(quota, wanted.max_concurrency, "deployment.serverless.max_concurrency"))
    return demands


def demands_of_transform(instance_type: str, instances: int, key: str) -> list[Demand]:
    """What a transform job needs."""
    return [
        Demand(f"{instance_type} for transform job usage", instances, key),
        Demand("Number of instances across all transform jobs", instances, key),
    ]


def check_quotas(
    demands: Iterable[Demand], client: ServiceQuotas, region: str, clock: Callable[[], float] = time.monotonic
) -> None:
    """Refuse what the account's quotas do not allow even while nothing else runs. What Service Quotas does not tell, or not in
    time, is not refused.

    Raises:
        QuotaExceeded: names each quota that is too low, its value, and how to have it raised.
    """
    wanted = {demand.quota: demand for demand in sorted(demands, key=lambda demand: demand.needed)}
    problems = []
    for quota in _known(client, clock):
        demand = wanted.pop(quota["QuotaName"], None)
        if demand is not None and "Value" in quota and quota["Value"] < demand.needed:
            problems.append(_problem(demand, quota, region))
        if not wanted:
            break
    if problems:
        raise QuotaExceeded(" ".join(problems))


def _known(client: ServiceQuotas, clock: Callable[[], float]) -> Iterator[Mapping[str, Any]]:  # Any: as botocore parses it
    """SageMaker's quotas in the account, page by page, as far as Service Quotas answers."""
    request: dict[str, str | int] = {"ServiceCode": "sagemaker", "MaxResults": _PAGE_SIZE}
    started = clock()
    while True:
        if clock() - started > _LONGEST_SECONDS:
            _log.info("Service Quotas takes longer than %s s; the run goes on without the rest", _LONGEST_SECONDS)
            return
        try:
            page = client.list_service_quotas(**request)
        except (ClientError, BotoCoreError) as error:
            _log.info("Service Quotas does not tell SageMaker's quotas; the run goes on without: %s", error)
            return
        yield from page.get("Quotas", [])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _problem(demand: Demand, quota: Mapping[str, Any], region: str) -> str:  # Any: as botocore parses it
    return (
        f"The account's SageMaker quota {demand.quota!r} in {region} is {quota['Value']:g}, and the run needs {demand.needed}: "
        f"change `{demand.key}`, or request more with `aws service-quotas request-service-quota-increase --service-code "
        f"sagemaker --quota-code {quota['QuotaCode']} --desired-value {demand.needed} --region {region}`."
    )

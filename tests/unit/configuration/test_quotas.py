"""What the account's quotas do not allow is refused before anything is started; what they do not tell is not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from sageline.configuration.configure import configure
from sageline.configuration.quotas import QuotaDemand, check_quotas, demands_of_run
from sageline.errors import QuotaExceeded
from sageline.spec.model import validate_spec
from tests.unit.batch.batches import ROWS, SIX_ROWS, trained
from tests.unit.configuration.test_configure import KEY, uploaded
from tests.unit.golden import golden_event
from tests.unit.sessions import session
from tests.unit.world.world import EXECUTION, World, resolved_spec, with_clients

REGION = "eu-west-1"
TRAINING = "ml.m5.xlarge for training job usage"
CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
ONE = {"algorithm": {"name": "xgboost"}}


@cache
def client() -> Any:  # there are no stubs of this service
    return session().client("service-quotas")


@pytest.fixture
def service_quotas() -> Iterator[Stubber]:
    """Checks requests and answers against botocore's model of the service."""
    with Stubber(client()) as stubber:
        yield stubber


def page(*quotas: tuple[str, float | None], then: str | None = None) -> dict[str, Any]:
    known: list[dict[str, Any]] = []
    for name, value in quotas:
        known.append({"QuotaName": name, "QuotaCode": "L-CCE2AFA6"} | ({} if value is None else {"Value": value}))
    return {"Quotas": known} | ({"NextToken": then} if then else {})


def answer(service_quotas: Stubber, *quotas: tuple[str, float | None]) -> None:
    service_quotas.add_response("list_service_quotas", page(*quotas), {"ServiceCode": "sagemaker", "MaxResults": 100})


def needs(**spec: object) -> dict[str, int]:
    return {demand.quota: demand.needed for demand in demands_of_run(validate_spec(resolved_spec() | spec, "test"))}


def test_a_run_needs_a_training_a_transform_and_a_serverless_endpoint_with_its_concurrency_and_memory() -> None:
    assert needs() == {
        "ml.m5.xlarge for training job usage": 1,
        "Number of instances across all training jobs": 1,
        "ml.m5.large for transform job usage": 1,
        "Number of instances across all transform jobs": 1,
        CONCURRENCY: 5,
        "Memory size in MB per serverless endpoint": 2048,
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"algorithm": {"instance_count": 3}}, {TRAINING: 3}),
        ({"algorithm": {"spot": True}}, {"ml.m5.xlarge for spot training job usage": 1}),
        ({"algorithm": {"name": "xgboost", "instance_count": 2}, "tuning": {"max_parallel_jobs": 4}}, {TRAINING: 8}),
        ({**ONE, "tuning": {"max_jobs": 2, "max_parallel_jobs": 3}}, {"Number of instances across all training jobs": 2}),
        (
            {"deployment": {"instances": {"instance_type": "ml.c5.large", "count": 2}}},
            {"ml.c5.large for endpoint usage": 2, "Number of instances across active endpoints": 2},
        ),
        ({"deployment": {"autoscaling": {"min": 3}}}, {"ml.m5.large for endpoint usage": 3}),
    ],
)
def test_what_runs_at_once_is_counted(spec: dict[str, object], expected: dict[str, int]) -> None:
    assert needs(**spec).items() >= expected.items()


def test_a_run_without_an_endpoint_needs_no_concurrency() -> None:
    assert CONCURRENCY not in needs(deployment=None)


def test_a_quota_that_is_too_low_is_named_with_what_to_do(service_quotas: Stubber) -> None:
    answer(service_quotas, (TRAINING, 1.0), ("another", 0.0))

    with pytest.raises(QuotaExceeded) as caught:
        check_quotas([QuotaDemand(TRAINING, 3, "algorithm.instance_count")], client(), REGION)

    assert caught.value.message == (
        f"The account's SageMaker quota {TRAINING!r} in eu-west-1 is 1, and the run needs 3: change `algorithm.instance_count`, "
        "or request more with `aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code "
        "L-CCE2AFA6 --desired-value 3 --region eu-west-1`."
    )


def test_every_quota_that_is_too_low_is_named_and_the_greatest_need_counts(service_quotas: Stubber) -> None:
    answer(service_quotas, (TRAINING, 0.0), (CONCURRENCY, 4.0))

    with pytest.raises(QuotaExceeded, match=r"is 0, and the run needs 2: .* is 4, and the run needs 5: "):
        check_quotas(
            [QuotaDemand(TRAINING, 2, "a"), QuotaDemand(TRAINING, 1, "b"), QuotaDemand(CONCURRENCY, 5, "c")], client(), REGION
        )


def test_quotas_that_are_high_enough_or_have_no_value_let_the_run_go_on(service_quotas: Stubber) -> None:
    answer(service_quotas, (TRAINING, 1.0), (CONCURRENCY, None))

    check_quotas([QuotaDemand(TRAINING, 1, "a"), QuotaDemand(CONCURRENCY, 5, "b")], client(), REGION)

    service_quotas.assert_no_pending_responses()


def test_pages_are_read_until_each_quota_is_found(service_quotas: Stubber) -> None:
    service_quotas.add_response("list_service_quotas", page(("another", 0.0), then="2"))
    second = {"ServiceCode": "sagemaker", "MaxResults": 100, "NextToken": "2"}
    service_quotas.add_response("list_service_quotas", page((TRAINING, 1.0), then="3"), second)

    check_quotas([QuotaDemand(TRAINING, 1, "a")], client(), REGION)

    service_quotas.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException", "400"])
def test_where_service_quotas_does_not_answer_what_is_known_counts(service_quotas: Stubber, code: str) -> None:
    service_quotas.add_response("list_service_quotas", page((TRAINING, 0.0), then="2"))
    service_quotas.add_client_error("list_service_quotas", code)
    with pytest.raises(QuotaExceeded):
        check_quotas([QuotaDemand(TRAINING, 1, "a"), QuotaDemand(CONCURRENCY, 5, "b")], client(), REGION)

    service_quotas.add_client_error("list_service_quotas", code)
    check_quotas([QuotaDemand(TRAINING, 1, "a")], client(), REGION)


def test_a_service_that_cannot_be_reached_or_takes_long_does_not_hold_up_the_run() -> None:
    class Slow:
        now = 0.0

        def list_service_quotas(self, **request: str | int) -> dict[str, Any]:
            self.now += 6
            if self.now > 100:
                raise AssertionError("asked for ever")
            return page(("another", 1.0), then="again")

    class Unreachable:
        def list_service_quotas(self, **request: str | int) -> dict[str, Any]:
            raise ReadTimeoutError(endpoint_url="https://servicequotas")

    slow = Slow()
    check_quotas([QuotaDemand(TRAINING, 1, "a")], slow, REGION, clock=lambda: slow.now)
    check_quotas([QuotaDemand(TRAINING, 1, "a")], Unreachable(), REGION)


def test_a_run_is_refused_by_its_quotas_before_its_spec_is_written(world: World, service_quotas: Stubber) -> None:
    answer(service_quotas, (TRAINING, 0.0))
    event = uploaded(world)

    with pytest.raises(QuotaExceeded, match=TRAINING.replace(".", r"\.")):
        configure(EXECUTION, event["trigger"], run=with_clients(world.run, service_quotas=client()))

    assert world.keys() == [KEY]


def test_a_batch_is_refused_by_its_quotas(world: World, service_quotas: Stubber) -> None:
    trigger = golden_event("configure_run/batch")["trigger"]
    quota = f"{trigger['batch']['instance_type']} for transform job usage"
    answer(service_quotas, (quota, 0.0))
    trained(world)
    world.put(ROWS, SIX_ROWS)

    with pytest.raises(QuotaExceeded, match="for transform job usage"):
        configure(EXECUTION, trigger, run=with_clients(world.run, service_quotas=client()))

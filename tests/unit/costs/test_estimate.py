"""Sums made by hand: ml.m5.xlarge costs 0.23 an hour, ml.m5.large 0.115, ml.c5.xlarge 0.204."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.costs.actual import BilledJob, with_billed_job
from sageline.costs.budget import check_budget
from sageline.costs.estimate import BillableWork, CostFacts, Estimate, cost_bound
from sageline.errors import BudgetExceeded, InvalidPrices
from sageline.runs.prices import LIST_PRICES, with_override
from sageline.spec.model import validate_spec
from tests.unit.world.world import with_one_algorithm

PRICES_URI = "s3://sageline-data/prices.json"
TWO_INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 2}}
TWENTY_JOBS = {"max_jobs": 20, "max_parallel_jobs": 3}


def estimate(facts: CostFacts | None = None, **spec: object) -> Estimate:
    return cost_bound(validate_spec(with_one_algorithm(spec), "test"), facts or CostFacts())


def refusal(budget: float, estimated: Estimate) -> str:
    with pytest.raises(BudgetExceeded) as caught:
        check_budget(budget, estimated, PRICES_URI)
    return caught.value.message


def is_refused(budget: float, estimated: Estimate) -> bool:
    try:
        check_budget(budget, estimated, PRICES_URI)
    except BudgetExceeded:
        return True
    return False


# ---- the bound ----


def test_a_training_job_may_cost_its_price_for_its_whole_time() -> None:
    # 0.23 x 1 h, and a serverless endpoint that nobody asks anything
    found = estimate()
    assert found.most_usd == 0.23
    assert found.endpoint_usd_per_hour == 0.0
    assert found.parts[0].text == "training: 1 ml.m5.xlarge x 1 h x $0.23 = $0.23"
    # 0.00002 x 2 GB; of which 5 at once x 3600 s = 0.72
    assert found.parts[1].text == (
        "endpoint: serverless, nothing while idle; $0.00004 per second of computing (up to $0.72 per hour, 5 at once), "
        "$0.016 per GB of data"
    )


def test_instances_and_hours_multiply() -> None:
    # 3 x 0.204 x 2.5 h
    found = estimate(algorithm={"instance_type": "ml.c5.xlarge", "instance_count": 3, "max_runtime_seconds": 9000})
    assert found.most_usd == 1.53


@pytest.mark.parametrize("parallel", [1, 20])
def test_a_tuning_may_cost_all_its_jobs_however_many_run_at_once(parallel: int) -> None:
    # 20 x 0.23
    found = estimate(tuning={"max_jobs": 20, "max_parallel_jobs": parallel}, deployment=None)
    assert found.most_usd == 4.6
    assert found.parts[0].text == "tuning: 20 jobs x 1 ml.m5.xlarge x 1 h x $0.23 = $4.60"


def test_an_endpoint_on_instances_may_cost_its_time_to_live() -> None:
    # 0.23 + 2 x 0.115 x 8 h
    found = estimate(CostFacts(ttl_hours=8), deployment=TWO_INSTANCES)
    assert found.most_usd == 2.07
    assert found.endpoint_usd_per_hour == 0.23


def test_an_endpoint_that_scales_may_cost_its_most_instances() -> None:
    # 0.23 + 4 x 0.115 x 8 h
    found = estimate(CostFacts(ttl_hours=8, most_instances=4), deployment=TWO_INSTANCES)
    assert (found.most_usd, found.endpoint_usd_per_hour) == (3.91, 0.46)


def test_an_endpoint_lives_longer_by_the_rollout_that_precedes_its_time_to_live() -> None:
    # 0.23 + 2 x 0.115 x (8 h + 0.5 h)
    found = estimate(CostFacts(ttl_hours=8, rollout_seconds=1800), deployment=TWO_INSTANCES)
    assert found.most_usd == 2.185
    assert found.parts[1].text == "endpoint: 2 ml.m5.large x 8.5 h x $0.115 = $1.955"


def test_an_endpoint_that_nobody_deletes_has_no_bound() -> None:
    found = estimate(deployment=TWO_INSTANCES)
    assert found.most_usd is None
    assert found.to_json()["parts"][1] == {
        "what": "endpoint",
        "usd": None,
        "text": "endpoint: 2 ml.m5.large x $0.115 per hour, and it bills until it is deleted",
        "use": "hosting",
        "instance_type": "ml.m5.large",
        "instances": 2,
        "jobs": 1,
        "usd_per_hour": 0.115,
        "reason": "it bills until it is deleted",
    }


def test_a_batch_and_other_transform_jobs_are_parts_of_the_sum() -> None:
    # training 0.23, batch 2 x 0.204 x 0.5 h, evaluation 0.115 x 1 h
    evaluation = BillableWork(what="evaluation", use="transform", instance_type="ml.m5.large", instances=1, seconds=3600)
    batch = {"input": "s3://b/rows.csv", "instance_type": "ml.c5.xlarge", "instance_count": 2, "max_runtime_seconds": 1800}
    found = estimate(CostFacts(transforms=(evaluation,)), batch=batch, deployment=None)
    assert [part.usd for part in found.parts] == [0.23, 0.204, 0.115]
    assert found.most_usd == 0.549
    assert cost_bound(None, CostFacts(transforms=(evaluation,))).most_usd == 0.115


def test_an_instance_type_without_a_price_has_no_bound_and_says_so() -> None:
    found = estimate(algorithm={"instance_type": "ml.x9.large"}, deployment=None).to_json()
    assert found["most_usd"] is None
    assert found["parts"][0]["reason"] == "no price is known of ml.x9.large for training"


def test_another_region_gets_the_tables_prices_with_a_note() -> None:
    found = estimate(CostFacts(region="eu-central-1")).to_json()
    assert (found["most_usd"], found["region"], found["prices"]) == (0.23, "eu-central-1", "2026-09-25")
    assert "those of us-east-1; in eu-central-1 they may be higher" in found["notes"][0]
    assert "notes" not in estimate().to_json()


# ---- the stack's own prices ----


def test_own_prices_take_the_place_of_the_lists() -> None:
    own = with_override(
        b'{"date": "2026-11-01", "instances": {"ml.m5.xlarge": 0.3, "ml.x9.large": {"hosting": 2}}, '
        b'"serverless": {"gb_second": 0.00003}}',
        PRICES_URI,
    )
    found = estimate(CostFacts(region="eu-central-1", prices=own))
    assert found.most_usd == 0.3
    assert "$0.00006 per second of computing (up to $1.08 per hour, 5 at once)" in found.parts[1].text
    assert found.notes == ("The stack's prices.json of 2026-11-01 gives the price of ml.m5.xlarge.",)
    assert (own.per_hour("ml.x9.large", "hosting"), own.per_hour("ml.x9.large", "training")) == (2.0, None)
    assert (own.per_hour("ml.m5.large", "training"), own.data_gb) == (0.115, 0.016)
    assert LIST_PRICES.per_hour("ml.m5.xlarge", "training") == 0.23


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "the document is not a JSON object"),
        (b'{"instance": {}}', "the document has the key 'instance'; known are date, instances, serverless"),
        (b'{"instances": {"ml.m5.large": {"train": 1}}}', "`instances.ml.m5.large` has the key 'train'; known are training"),
        (
            b'{"instances": {"m5.large": 1}}',
            "`instances.m5.large` is no instance type of SageMaker; they are called like ml.m5.xlarge",
        ),
        (b'{"instances": {"ml.m5.large": null}}', "`instances.ml.m5.large` is null; a price is a number of USD"),
        (b'{"instances": {"ml.m5.large": "1"}}', '`instances.ml.m5.large` is "1"; a price is a number of USD'),
        (b'{"instances": {"ml.m5.large": true}}', "`instances.ml.m5.large` is true"),
        (b'{"instances": {"ml.m5.large": {"hosting": -1}}}', "`instances.ml.m5.large.hosting` is -1"),
        (b'{"serverless": {"data_gb": NaN}}', "`serverless.data_gb` is NaN"),
        (b'{"serverless": []}', "`serverless` is not a JSON object"),
    ],
)
def test_prices_that_are_none_are_refused(document: bytes, expected: str) -> None:
    with pytest.raises(InvalidPrices) as caught:
        with_override(document, PRICES_URI)
    assert caught.value.message.startswith(f"{PRICES_URI}: ")
    assert expected in caught.value.message


# ---- the budget ----


@pytest.mark.parametrize("budget", [0.23, 10.0])
def test_a_run_within_its_budget_is_not_refused(budget: float) -> None:
    assert not is_refused(budget, estimate())


def test_a_run_that_could_exceed_its_budget_is_told_the_sum_and_what_to_change() -> None:
    # 2 of the 4.60 would pay for 8 jobs of an hour (1.84), or 20 jobs of 2 / (20 x 0.23) h = 1565 s
    message = refusal(2.0, estimate(tuning=TWENTY_JOBS, deployment=None))
    assert message == (
        "This run may cost up to $4.60, and `budget_usd` is $2.00. tuning: 20 jobs x 1 ml.m5.xlarge x 1 h x $0.23 = $4.60. "
        "To change: `tuning.max_jobs` to at most 8; `algorithm.max_runtime_seconds` to at most 1565; "
        "a cheaper `algorithm.instance_type`; or raise `budget_usd`."
    )


def test_a_grid_has_as_many_jobs_as_combinations_so_it_is_its_ranges_that_can_change() -> None:
    with pytest.raises(
        BudgetExceeded, match=r"change: fewer values in `tuning\.ranges`, for at most 8 combinations; `algorithm\.max"
    ) as caught:
        check_budget(2.0, estimate(tuning=TWENTY_JOBS, deployment=None), PRICES_URI, tries_all=True)
    assert "max_jobs" not in caught.value.message


def test_a_sum_that_exceeds_its_budget_by_less_than_a_cent_looks_like_more() -> None:
    # 20 x 0.23 x 3601 s / 3600
    message = refusal(4.6, estimate(tuning=TWENTY_JOBS, algorithm={"max_runtime_seconds": 3601}, deployment=None))
    assert message.startswith("This run may cost up to $4.601, and `budget_usd` is $4.60. ")


def test_what_is_advised_fits_the_budget() -> None:
    assert not is_refused(2.0, estimate(tuning={"max_jobs": 8}, deployment=None))
    assert not is_refused(2.0, estimate(tuning=TWENTY_JOBS, algorithm={"max_runtime_seconds": 1565}, deployment=None))
    assert is_refused(2.0, estimate(tuning={"max_jobs": 9}, deployment=None))
    assert is_refused(2.0, estimate(tuning=TWENTY_JOBS, algorithm={"max_runtime_seconds": 1566}, deployment=None))


def test_nothing_is_advised_that_could_not_help() -> None:
    # The endpoint alone, 1.84, is over the budget: no training is short enough.
    message = refusal(1.0, estimate(CostFacts(ttl_hours=8), deployment=TWO_INSTANCES))
    assert "max_runtime_seconds" not in message
    assert "fewer or cheaper `deployment.instances`" in message


def test_fewer_hosts_are_advised_where_there_are_several() -> None:
    assert "`algorithm.instance_count`" in refusal(0.3, estimate(algorithm={"instance_count": 2}))


def test_with_a_budget_an_unknown_price_is_refused_with_what_to_do() -> None:
    message = refusal(100.0, estimate(algorithm={"instance_type": "ml.x9.large"}))
    assert "what this run may cost has no bound (training: no price is known of ml.x9.large for training)" in message
    assert f'give the price of ml.x9.large in {PRICES_URI} ({{"instances": {{"ml.x9.large": {{"training": 1.23}}}}}}' in message
    assert "leave `budget_usd` out" in message


def test_with_a_budget_an_endpoint_without_an_end_is_refused() -> None:
    message = refusal(100.0, estimate(deployment=TWO_INSTANCES))
    assert "it bills until it is deleted" in message
    assert "leave `deployment.instances` out" in message


# ---- what it did cost ----


def spent(job: str, seconds: int, **more: Any) -> BilledJob:  # fields of several types
    return BilledJob(
        **{"job": job, "use": "training", "instance_type": "ml.m5.xlarge", "instances": 1, "seconds": seconds, **more}
    )


def test_a_job_did_cost_its_billed_seconds_on_all_its_instances() -> None:
    # 0.23 x 2 x 90 s / 3600
    cost = with_billed_job(estimate().to_json(), spent("a", 90, instances=2))
    assert cost["actual_usd"] == 0.0115
    assert cost["most_usd"] == 0.23


def test_jobs_add_up_and_the_same_job_counts_once() -> None:
    # 0.23 x 0.5 h + 0.204 x 0.25 h
    transform = spent("b", 900, use="transform", instance_type="ml.c5.xlarge")
    cost = with_billed_job(with_billed_job(with_billed_job(estimate().to_json(), spent("a", 1800)), transform), spent("a", 1800))
    assert cost["actual_usd"] == 0.166
    assert [job["job"] for job in cost["jobs"]] == ["b", "a"]


def test_a_transform_job_with_the_name_of_the_training_job_counts_too() -> None:
    cost = with_billed_job(estimate().to_json(), spent("a", 1800))
    cost = with_billed_job(cost, spent("a", 900, use="transform", instance_type="ml.c5.xlarge"))
    assert cost["actual_usd"] == 0.166


def test_what_was_spent_is_counted_with_the_prices_of_the_bound() -> None:
    own = with_override(b'{"instances": {"ml.m5.xlarge": 0.3}}', PRICES_URI)
    assert with_billed_job(estimate(CostFacts(prices=own)).to_json(), spent("a", 3600))["actual_usd"] == 0.3


def test_without_a_price_what_was_spent_is_not_known() -> None:
    cost = with_billed_job(
        estimate(algorithm={"instance_type": "ml.x9.large"}).to_json(), spent("a", 60, instance_type="ml.x9.large")
    )
    assert (cost["actual_usd"], cost["jobs"][0]["usd"]) == (None, None)


def test_what_preparing_in_shards_was_planned_to_cost_is_part_of_what_it_did_cost() -> None:
    cost = with_billed_job({**estimate().to_json(), "preparation_usd": 0.02}, spent("a", 1800))

    assert (cost["actual_usd"], cost["jobs"][0]["usd"]) == (0.135, 0.115)


def test_what_scoring_in_shards_was_planned_to_cost_counts_once_the_batch_was_answered() -> None:
    planned = {**estimate().to_json(), "scoring_usd": 0.02}
    transform = {"use": "transform", "instance_type": "ml.c5.xlarge"}

    judged = with_billed_job(with_billed_job(planned, spent("a", 1800)), spent("a-test", 900, **transform))
    scored = with_billed_job(judged, spent("a", 900, **transform))

    assert judged["actual_usd"] == 0.166
    assert scored["actual_usd"] == pytest.approx(0.166 + 0.051 + 0.02)


# ---- what is kept warm ----

TWO_WARM = {"serverless": {"memory_mb": 3072, "max_concurrency": 5, "provisioned_concurrency": 2}}


def test_what_is_kept_warm_costs_for_as_long_as_the_endpoint_lives() -> None:
    # 2 x 3 GB x 0.00002 x 3600 s = 0.432 an hour, for 8 h
    found = estimate(CostFacts(ttl_hours=8), deployment=TWO_WARM)
    assert found.endpoint_usd_per_hour == 0.432
    assert found.parts[1].usd == 3.456
    assert found.parts[1].text.startswith("endpoint: serverless, 2 kept warm x 8 h x $0.432 = $3.456; $0.00006 per second")
    assert found.notes == (
        "AWS's price of keeping a serverless endpoint warm is not known here: it is counted like computing, all the time. "
        "prices.json can say it (`serverless.provisioned_gb_second`).",
    )


def test_the_stacks_own_price_of_keeping_warm_counts_without_a_note() -> None:
    own = with_override(b'{"serverless": {"provisioned_gb_second": 0.00001}}', PRICES_URI)
    found = estimate(CostFacts(ttl_hours=8, prices=own), deployment=TWO_WARM)
    assert (found.endpoint_usd_per_hour, found.notes) == (0.216, ())


def test_what_is_kept_warm_without_an_end_has_no_bound() -> None:
    found = estimate(CostFacts(ttl_hours=None), deployment=TWO_WARM)
    assert found.most_usd is None
    assert "give `deployment.ttl_hours`, or leave `provisioned_concurrency` out" in refusal(100, found)


def test_a_budget_says_that_less_can_be_kept_warm() -> None:
    told = refusal(1, estimate(CostFacts(ttl_hours=8), deployment=TWO_WARM))
    assert "fewer copies in `deployment.serverless.provisioned_concurrency`" in told

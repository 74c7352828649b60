"""What an acceptance does and may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sageline.costs.budget import check_budget
from sageline.names import NAME_MAX_LENGTH, run_id, tuning_job_name
from sageline.runs.prices import LIST_PRICES, Prices
from sageline.runs.store import utc_now
from sageline.spec.model import validate_spec
from sageline_cli.accept.plan import LIMIT_USD, Pace, Plan, check_limit, estimate, with_budget
from sageline_cli.errors import CommandFailed

PLAN = Plan("acc123abc", Pace(bake_minutes=3, most_minutes=120))


def dearer(times: float) -> Prices:
    """The list prices, all of them that many times as high."""
    instances = {name: {use: price * times for use, price in uses.items()} for name, uses in LIST_PRICES.instances.items()}
    return replace(LIST_PRICES, instances=instances)


def test_what_a_real_account_pays_for_is_under_two_dollars() -> None:
    costs = estimate(PLAN.specs(), LIST_PRICES, "us-east-1")

    check_limit(costs)
    assert costs.most_usd is not None
    assert 0.5 < costs.most_usd < LIMIT_USD
    assert costs.most_usd == pytest.approx(sum(run.most_usd or 0 for run in costs.runs.values()) + (costs.batch.usd or 0))


def test_dearer_prices_are_refused_with_the_sum() -> None:
    with pytest.raises(CommandFailed, match=r"may cost up to \$2\.7\d+, and no more than \$2\.00 is allowed"):
        check_limit(estimate(PLAN.specs(), dearer(3), "eu-west-1"))


def test_a_price_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CommandFailed, match=r"no price is known of ml\.t2\.medium for hosting"):
        check_limit(estimate(PLAN.specs(), replace(LIST_PRICES, instances={"ml.m5.xlarge": {"training": 0.2}}), "us-east-1"))


def test_every_run_is_given_a_budget_that_what_is_estimated_fits_into_and_no_cent_more() -> None:
    costs = estimate(PLAN.specs(), LIST_PRICES, "us-east-1")

    for step, spec in PLAN.specs().items():
        budget = validate_spec(with_budget(spec, costs.runs[step]), step).budget_usd
        assert budget is not None
        check_budget(budget, costs.runs[step], "s3://bucket/prices.json")
        assert budget - (costs.runs[step].most_usd or 0) < 0.01


def test_the_steps_are_the_main_job_a_tuned_run_and_a_canary_to_its_endpoint() -> None:
    main, tuned, canary = (validate_spec(spec, step) for step, spec in PLAN.specs().items())

    assert main.deployment is not None
    assert main.deployment.instances is None
    assert tuned.tuning is not None
    assert tuned.deployment is not None
    assert canary.deployment is not None
    assert canary.deployment.strategy == "canary"
    assert canary.deployment.endpoint == tuned.deployment.endpoint
    assert all(spec.deployment and spec.deployment.ttl_hours for spec in (main, tuned, canary)), "deleted even if we cannot"


def test_all_that_is_made_can_be_found_by_its_name() -> None:
    for name in PLAN.names:
        assert len(name) <= NAME_MAX_LENGTH
        assert tuning_job_name(run_id(name, utc_now(), "x")).startswith(PLAN.token)

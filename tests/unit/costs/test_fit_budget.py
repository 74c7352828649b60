"""Trying less, so that a run of `auto` keeps within its budgets."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.costs.budget import check_budget
from sageline.costs.estimate import Estimate, cost_bound
from sageline.costs.fit_budget import within_budget
from sageline.costs.run_cost import evaluation_work, facts_of
from sageline.dataset.profile import DatasetProfile
from sageline.errors import BudgetExceeded
from sageline.resolve.candidates import ResolvedRun, resolve_run
from sageline.runs.prices import LIST_PRICES, Prices
from sageline.spec.model import parse_spec, validate_spec
from tests.unit.dataset.reading import block_of
from tests.unit.resolve.test_candidates import TEXTS
from tests.unit.resolve.test_resolve import TABLE, URI
from tests.unit.world.world import World, new_world

PROFILES = {name: DatasetProfile.of([block_of(columns)]) for name, columns in (("table", TABLE), ("texts", TEXTS))}


def resolved(of: str = "table", **document: Any) -> ResolvedRun:
    return resolve_run(validate_spec(document, "test"), PROFILES[of], name="posts", uri=URI)


def bound(run: ResolvedRun, world: World) -> Estimate:
    """As ConfigureRun counts it."""
    spec = run.resolution.spec
    facts = facts_of(world.run, evaluation_work(spec, jobs=len(run.trained)), deployment=spec.deployment)
    return cost_bound(spec, facts, run.trained)


def fit(run: ResolvedRun, world: World) -> ResolvedRun:
    return within_budget(run, facts_of(world.run, deployment=run.resolution.spec.deployment))


def fitted(world: World, of: str = "table", **document: Any) -> ResolvedRun:
    return fit(resolved(of, **document), world)


def tried(run: ResolvedRun) -> dict[str, tuple[int, int]]:
    """By algorithm, the number of its training jobs and for how many seconds each may run."""
    return {
        spec.algorithm.name: (spec.tuning.max_jobs if spec.tuning else 1, spec.algorithm.max_runtime_seconds)
        for spec in run.trained
    }


def reasons(run: ResolvedRun) -> dict[str, str]:
    return run.resolution.spec.reasons


# ---- Without budgets, or within them ----


@pytest.mark.parametrize("budgets", [{}, {"budget_usd": 1000}, {"budget_minutes": 10_000}])
def test_a_run_within_its_budgets_is_as_it_was(world: World, budgets: dict[str, Any]) -> None:
    run = resolved(algorithm={"preset": "good"}, **budgets)

    assert fit(run, world) == run


def test_a_run_of_one_algorithm_is_left_alone(world: World) -> None:
    run = resolved(algorithm={"name": "xgboost"}, budget_usd=0.0001)

    assert fit(run, world) is run


def test_a_run_without_a_bound_is_left_to_the_refusal_that_says_why(world: World) -> None:
    run = fitted(world, budget_usd=1, deployment={"instances": {}, "ttl_hours": None})

    with pytest.raises(BudgetExceeded, match="has no bound"):
        check_budget(1, bound(run, world), "s3://b/prices.json")


# ---- Minutes ----


def test_fewer_minutes_than_a_job_may_take_end_it_earlier(world: World) -> None:
    run = fitted(world, budget_minutes=10)

    assert tried(run) == {"xgboost": (1, 600), "linear-learner": (1, 600)}
    assert reasons(run)["budget_minutes"] == (
        "xgboost gets at most 0.1667 h instead of 1 h; linear-learner gets at most 0.1667 h instead of 1 h"
    )


def test_fewer_minutes_than_all_trials_take_leave_some_out(world: World) -> None:
    run = fitted(world, budget_minutes=10, algorithm={"preset": "good"})

    # Three at once, of at least five minutes each: two after another.
    assert tried(run) == {"xgboost": (6, 300), "linear-learner": (4, 300)}
    assert "xgboost gets at most 6 trials, 300 s each instead of 8 trials, 1 h each" in reasons(run)["budget_minutes"]


def longest_minutes(run: ResolvedRun) -> float:
    """The training jobs run side by side; of each tuning so many at once, one such round after the other."""
    rounds = [
        math.ceil(spec.tuning.max_jobs / spec.tuning.max_parallel_jobs) * spec.algorithm.max_runtime_seconds
        if spec.tuning
        else spec.algorithm.max_runtime_seconds
        for spec in run.trained
    ]
    return max(rounds) / 60


def test_too_few_trials_to_find_anything_become_one_job_with_the_settings_of_quick(world: World) -> None:
    run = fitted(world, "table", budget_usd=0.3, algorithm={"preset": "good"})

    trees = run.candidates[0]
    assert trees.given.tuning is None
    assert trees.resolution.spec.tuning is None
    assert trees.given.algorithm.hyperparameters["eta"] == 0.05
    told = reasons(run)["budget_usd"]
    assert "xgboost gets at most one training job of " in told
    assert "with the settings of `quick`, instead of 8 trials" in told


PRESETS = st.sampled_from(["quick", "good", "best"])


@given(st.floats(1, 2000), PRESETS, st.integers(60, 90_000), st.sampled_from(["table", "texts"]))
def test_no_algorithm_trains_for_longer_than_its_minutes(minutes: float, preset: str, longest: int, of: str) -> None:
    with new_world() as world:
        run = fitted(world, of, budget_minutes=minutes, algorithm={"preset": preset, "max_runtime_seconds": longest})

    before = resolved(of, algorithm={"preset": preset, "max_runtime_seconds": longest})
    assert longest_minutes(run) <= minutes
    changed = tried(run) != tried(before)
    assert ("budget_minutes" in reasons(run)) == changed
    for algorithm, (jobs, seconds) in tried(run).items():
        told = f"{algorithm} gets at most" in reasons(run).get("budget_minutes", "")
        assert told == ((jobs, seconds) != tried(before)[algorithm])
        assert (seconds >= 60, seconds <= longest, jobs >= 1) == (True, True, True)


# ---- Dollars ----


def test_a_smaller_budget_ends_the_jobs_earlier_rather_than_leaving_an_algorithm_out(world: World) -> None:
    whole = bound(resolved(), world).most_usd
    assert whole is not None

    run = fitted(world, budget_usd=whole * 0.75)

    assert [jobs for jobs, _ in tried(run).values()] == [1, 1]
    assert max(seconds for _, seconds in tried(run).values()) < 3600
    assert set(reasons(run)) - set(reasons(resolved())) == {"budget_usd"}
    assert "xgboost gets at most" in reasons(run)["budget_usd"]
    assert "linear-learner gets at most" in reasons(run)["budget_usd"]


def test_a_budget_that_is_too_small_for_all_leaves_the_last_algorithm_out_and_says_so(world: World) -> None:
    # Two evaluations of at most an hour are $0.23 of it, one is half of that.
    run = fitted(world, "texts", budget_usd=0.2)

    assert list(tried(run)) == ["xgboost"]
    for left_out in ("linear-learner", "blazingtext"):
        assert reasons(run)[f"algorithm.{left_out}"] == "left out: `budget_usd` of $0.20 does not allow it"
        assert left_out not in reasons(run)["algorithm.name"]
    assert reasons(run)["algorithm.name"].startswith("auto trains xgboost")
    assert "nothing else can learn" not in reasons(run)["algorithm.name"]


def test_what_is_left_out_is_not_said_to_get_fewer_minutes(world: World) -> None:
    run = fitted(world, "texts", budget_usd=0.2, budget_minutes=5)

    assert list(tried(run)) == ["xgboost"]
    told = " ".join(reason for key, reason in reasons(run).items() if key.startswith("budget_"))
    assert "xgboost gets" in told
    assert "linear-learner" not in told
    assert "blazingtext" not in told


def test_the_trials_of_what_is_left_out_are_not_lost(world: World) -> None:
    run = fitted(world, budget_usd=0.3, algorithm={"preset": "good"})

    assert all(jobs >= 1 for jobs, _ in tried(run).values())
    most = bound(run, world).most_usd
    assert most is not None
    assert 0.28 <= most <= 0.3


@pytest.mark.parametrize("preset", ["quick", "good", "best"])
def test_a_budget_that_allows_no_training_job_is_refused_with_what_to_do(world: World, preset: str) -> None:
    with pytest.raises(BudgetExceeded) as refused:
        fitted(world, budget_usd=0.05, algorithm={"preset": preset})

    assert refused.value.message == (
        "`budget_usd` is $0.05, which allows no training job: the jobs that judge the model, a batch and the endpoint may cost "
        "$0.115, and the shortest training job of 60 s costs $0.003833. Raise `budget_usd`, or take a cheaper "
        "`algorithm.instance_type` or `evaluation.instance_type`."
    )


def test_the_cheapest_run_that_there_is_is_let_through(world: World) -> None:
    """So a person who is refused knows by how much to raise the budget."""
    run = fitted(world, budget_usd=0.115 + 0.00384)

    assert tried(run) == {"xgboost": (1, 60)}


def test_the_champions_answers_and_a_batch_are_counted(world: World) -> None:
    batch = {"batch": {"input": "s3://bucket/datasets/posts/rows.csv"}, "deployment": None}

    for document in ({"evaluation": {"beat_champion": True}}, batch):
        run = fitted(world, budget_usd=0.8, algorithm={"preset": "good"}, **document)
        most = bound(run, world).most_usd
        assert most is not None
        assert most <= 0.8


MACHINES = st.sampled_from(["ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.p3.2xlarge"])


@given(
    st.floats(1e-4, 60),
    PRESETS,
    MACHINES,
    st.integers(1, 3),
    st.sampled_from([60, 61, 299, 3600, 86_400]),
    st.none() | st.floats(1, 600),
    st.sampled_from([{}, {"evaluation": {"beat_champion": True}}, {"deployment": {"instances": {}, "ttl_hours": 1}}]),
)
def test_what_is_let_through_costs_no_more_than_its_budget(  # noqa: PLR0917 # what a bound depends on
    budget: float, preset: str, machine: str, count: int, seconds: int, minutes: float | None, more: dict[str, Any]
) -> None:
    algorithm = {"preset": preset, "instance_type": machine, "instance_count": count, "max_runtime_seconds": seconds}
    document = {"algorithm": algorithm, "budget_usd": budget, **more}
    if minutes is not None:
        document["budget_minutes"] = minutes
    before = resolved(**document)
    with new_world() as world:
        try:
            run = fit(before, world)
        except BudgetExceeded:
            return
        estimate = bound(run, world)

    check_budget(budget, estimate, "s3://b/prices.json")
    assert estimate.most_usd is not None
    assert estimate.most_usd <= budget
    assert all(seconds >= 60 and jobs >= 1 for jobs, seconds in tried(run).values())
    told = " ".join(reason for key, reason in reasons(run).items() if key.startswith(("budget_", "algorithm.")))
    for algorithm_name, work in tried(before).items():
        if tried(run).get(algorithm_name) != work:
            assert f"{algorithm_name} gets at most" in told or f"algorithm.{algorithm_name}" in reasons(run)
    if minutes is not None:
        assert longest_minutes(run) <= minutes


@given(st.floats(0.2, 30), PRESETS)
def test_what_is_cut_off_is_cut_off_of_both_specs(budget: float, preset: str) -> None:
    """PrepareData resolves the given one again; the job is made by the resolved one."""
    with new_world() as world:
        run = fitted(world, budget_usd=budget, algorithm={"preset": preset})

    for candidate in run.candidates:
        given_spec = parse_spec(candidate.given.model_dump_json(exclude_unset=True), "given-spec.json")
        again = resolve_run(given_spec, PROFILES["table"], name="posts", uri=URI).resolution.spec
        assert again == candidate.resolution.spec


def test_a_budget_is_spent_rather_than_left(world: World) -> None:
    """At most a second of each job is lost by rounding."""
    run = fitted(world, budget_usd=2, algorithm={"preset": "best"})
    most = bound(run, world).most_usd
    assert most is not None
    assert most >= 1.9


def test_a_free_machine_costs_nothing_and_divides_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    free = replace(LIST_PRICES, instances={"ml.m5.xlarge": {"training": 0.0}, "ml.m5.large": {"transform": 0.115}})
    monkeypatch.setattr(type(world.run.files), "read_prices", lambda _self: free)
    assert isinstance(free, Prices)

    with pytest.raises(BudgetExceeded, match="Raise `budget_usd`"):
        fitted(world, budget_usd=0.001)

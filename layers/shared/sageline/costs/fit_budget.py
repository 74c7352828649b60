"""Trying less, so that a run of ``auto`` keeps within its budgets: fewer trials, a shorter time for each, fewer algorithms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeAlias

from sageline.algorithms.presets import settings
from sageline.costs.estimate import CostFacts, cost_bound, training_work
from sageline.costs.run_cost import evaluation_work
from sageline.errors import BudgetExceeded
from sageline.resolve.candidates import Candidate, ResolvedRun, which_are_trained
from sageline.runs.money import length, usd
from sageline.spec.model import Spec

_SHORTEST_SECONDS = 60
"""The least that ``max_runtime_seconds`` may be."""

_WORTHWHILE_TRIALS = 4
"""Fewer trials, which begin at random, find nothing as good as the settings of ``quick``."""

_WORTHWHILE_SECONDS = 300
"""A trial that may take less than this is given up before the others are cut further."""

_Cut: TypeAlias = dict[tuple[str, str], str]
"""By budget and algorithm, what was cut off."""


def within_budget(resolved: ResolvedRun, facts: CostFacts) -> ResolvedRun:
    """The run with as many candidates and trials as its budgets allow; ``reasons`` say what was cut off.

    Args:
        facts: of the run, without the jobs that judge its models.

    Raises:
        BudgetExceeded: not even one training job is within them.
    """
    spec = resolved.resolution.spec
    if not resolved.candidates:
        return resolved
    cut: _Cut = {}
    candidates = resolved.candidates
    if spec.budget_minutes is not None:
        candidates = tuple(_within_minutes(candidate, spec.budget_minutes, cut) for candidate in candidates)
    if spec.budget_usd is not None:
        candidates = _within_usd(spec, spec.budget_usd, candidates, cut, facts)
    if candidates == resolved.candidates:
        return resolved
    told = spec.model_copy(update={"reasons": {**spec.reasons, **_reasons(spec, resolved.candidates, candidates, cut)}})
    return replace(resolved, resolution=replace(resolved.resolution, spec=told), candidates=candidates)


def _reasons(spec: Spec, before: tuple[Candidate, ...], candidates: tuple[Candidate, ...], cut: _Cut) -> dict[str, str]:
    left = [candidate.algorithm for candidate in candidates]
    reasons = {}
    for budget in ("budget_minutes", "budget_usd"):
        told = [cut[budget, algorithm] for algorithm in left if (budget, algorithm) in cut]
        if told:
            reasons[budget] = "; ".join(told)
    dropped = [candidate.algorithm for candidate in before if candidate.algorithm not in left]
    for algorithm in dropped:
        reasons[f"algorithm.{algorithm}"] = f"left out: `budget_usd` of {usd(spec.budget_usd or 0)} does not allow it"
    if dropped:
        reasons["algorithm.name"] = which_are_trained(candidates, "alone, as `budget_usd` allows no more")
    return reasons


def _within_minutes(candidate: Candidate, minutes: float, cut: _Cut) -> Candidate:
    """Its trials, of which several run at once, one after the other in so many minutes."""
    spec, seconds = candidate.resolution.spec, math.floor(minutes * 60)
    tuning, longest = spec.tuning, spec.algorithm.max_runtime_seconds
    if tuning is None:
        return _limited(candidate, min(longest, seconds), None, "budget_minutes", cut)
    at_once = min(tuning.max_parallel_jobs, tuning.max_jobs)
    trials = min(tuning.max_jobs, at_once * max(1, seconds // min(_WORTHWHILE_SECONDS, longest)))
    if trials < min(tuning.max_jobs, _WORTHWHILE_TRIALS):
        return _untuned(candidate, min(longest, seconds), "budget_minutes", cut)
    each = max(_SHORTEST_SECONDS, seconds // math.ceil(trials / at_once))
    return _limited(candidate, min(longest, each), trials, "budget_minutes", cut)


def _within_usd(
    spec: Spec, budget: float, candidates: tuple[Candidate, ...], cut: _Cut, facts: CostFacts
) -> tuple[Candidate, ...]:
    while True:
        counted = replace(facts, transforms=(evaluation_work(spec, jobs=len(candidates)),))
        trained = [candidate.resolution.spec for candidate in candidates]
        bound = cost_bound(spec, counted, trained).most_usd
        prices = [counted.prices.per_hour(each.algorithm.instance_type, "training") for each in trained]
        if bound is None or bound <= budget or None in prices:
            return candidates  # what has no bound is refused with the budget
        works = [training_work(each) for each in trained]
        hourly = [(price or 0) * work.instances for price, work in zip(prices, works, strict=True)]
        training = sum(price * work.jobs * (work.seconds or 0) / 3600 for price, work in zip(hourly, works, strict=True))
        left = budget - (bound - training)
        shared = left / training if left > 0 else 0.0
        seconds = [math.floor((work.seconds or 0) * work.jobs * shared) for work in works]
        if min(seconds) >= _SHORTEST_SECONDS:
            return tuple(_trials(*each, cut) for each in zip(candidates, seconds, strict=True))
        if len(candidates) == 1:
            raise BudgetExceeded(
                f"`budget_usd` is {usd(budget)}, which allows no training job: the jobs that judge the model, a batch and the "
                f"endpoint may cost {usd(bound - training)}, and the shortest training job of {length(_SHORTEST_SECONDS)} costs "
                f"{usd(hourly[0] * _SHORTEST_SECONDS / 3600)}. Raise `budget_usd`, or take a cheaper `algorithm.instance_type` "
                "or `evaluation.instance_type`."
            )
        candidates = candidates[:-1]


def _trials(candidate: Candidate, seconds: int, cut: _Cut) -> Candidate:
    """So many seconds for all training jobs of a candidate together: for fewer trials, rather than for very short ones."""
    tuning, longest = candidate.resolution.spec.tuning, candidate.resolution.spec.algorithm.max_runtime_seconds
    if tuning is None:
        return _limited(candidate, min(longest, seconds), None, "budget_usd", cut)
    trials = min(tuning.max_jobs, seconds // min(_WORTHWHILE_SECONDS, longest))
    if trials < min(tuning.max_jobs, _WORTHWHILE_TRIALS):
        return _untuned(candidate, min(longest, seconds), "budget_usd", cut)
    return _limited(candidate, min(longest, seconds // trials), trials, "budget_usd", cut)


def _limited(candidate: Candidate, seconds: int, trials: int | None, budget: str, cut: _Cut) -> Candidate:
    spec = candidate.resolution.spec
    each = " each" if spec.tuning is not None else ""
    before = [f"{length(spec.algorithm.max_runtime_seconds)}{each}"] if seconds < spec.algorithm.max_runtime_seconds else []
    now = [f"{length(seconds)}{each}"] if before else []
    if trials is not None and spec.tuning is not None and trials < spec.tuning.max_jobs:
        before.insert(0, f"{spec.tuning.max_jobs} trials")
        now.insert(0, f"{trials} trial{'s' if trials > 1 else ''}")
    if not before:
        return candidate
    cut[budget, candidate.algorithm] = f"{candidate.algorithm} gets at most {', '.join(now)} instead of {', '.join(before)}"
    given, resolved = (_with_limits(each, seconds, trials) for each in (candidate.given, spec))
    return replace(candidate, given=given, resolution=replace(candidate.resolution, spec=resolved))


def _untuned(candidate: Candidate, seconds: int, budget: str, cut: _Cut) -> Candidate:
    """A single training job, as of the preset ``quick``, in the place of trials that are too few to find anything as good."""
    spec = candidate.resolution.spec
    kinds = (spec.dataset.features or {}).values()
    hyperparameters = settings(candidate.algorithm, (candidate.algorithm,), "quick", kinds).hyperparameters
    trials = f"{spec.tuning.max_jobs} trials" if spec.tuning else "trials"
    cut[budget, candidate.algorithm] = (
        f"{candidate.algorithm} gets at most one training job of {length(seconds)}, with the settings of `quick`, instead of "
        f"{trials}, {length(spec.algorithm.max_runtime_seconds)} each"
    )

    def single(of: Spec) -> Spec:
        limits = {"max_runtime_seconds": seconds, "hyperparameters": dict(hyperparameters)}
        return of.model_copy(update={"algorithm": of.algorithm.model_copy(update=limits), "tuning": None})

    resolution = replace(candidate.resolution, spec=single(spec))
    return replace(candidate, given=single(candidate.given), resolution=resolution)


def _with_limits(spec: Spec, seconds: int, trials: int | None) -> Spec:
    algorithm, tuning = spec.algorithm.model_copy(update={"max_runtime_seconds": seconds}), spec.tuning
    if tuning is not None and trials is not None:
        at_once = min(tuning.max_parallel_jobs, trials)
        tuning = tuning.model_copy(update={"max_jobs": trials, "max_parallel_jobs": at_once})
    return spec.model_copy(update={"algorithm": algorithm, "tuning": tuning})

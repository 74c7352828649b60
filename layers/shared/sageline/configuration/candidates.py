"""The candidates of a run of the algorithm ``auto``: each is a run of its own, which trains one algorithm and ends with what its
model answers for the validation and test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NotRequired, TypedDict

from sageline.configuration.preparation_plan import preparation_usd, with_plans
from sageline.costs.estimate import CostFacts, cost_bound
from sageline.costs.run_cost import evaluation_work, facts_of
from sageline.names import candidate_run_id
from sageline.resolve.candidates import Candidate
from sageline.runs.context import RunContext
from sageline.runs.payloads import AskedOfAuto, Configured, PlannedPreparation
from sageline.runs.store import RunRecord
from sageline.runs.trigger import CandidateRequest, identify
from sageline.spec.model import Spec
from sageline.spec.training import DEFAULT_PRESET
from sageline.storage.dataset_parts import Dataset


class PlannedCandidate(TypedDict):
    """A candidate, as the record of its run lists it; with ``preparation``, its dataset is prepared in shards."""

    run_id: str
    algorithm: str
    preparation: NotRequired[PlannedPreparation]


def write_candidates(
    run_id: str, candidates: tuple[Candidate, ...], plans: Sequence[PlannedPreparation], dataset: Dataset, *, run: RunContext
) -> list[PlannedCandidate]:
    """Write what each candidate's own run begins with: its spec, given and resolved, and which parts it reads.

    Args:
        plans: of the candidates: how the dataset is prepared for each.
    """
    planned: list[PlannedCandidate] = []
    for candidate, plan in zip(candidates, plans, strict=bool(candidates)):
        its_run = candidate_run_id(run_id, candidate.algorithm)
        if dataset.is_folder:
            run.files.put(run.files.layout(its_run).parts_key, dataset.manifest(), "application/json")
        run.files.write_given_spec(its_run, candidate.given)
        run.files.write_spec(its_run, with_plans(candidate.resolution.spec, {candidate.algorithm: plan}))
        planned.append({"run_id": its_run, "algorithm": candidate.algorithm})
        if plan["shards"] is not None:
            planned[-1]["preparation"] = plan
    return planned


def asked_of_auto(spec: Spec) -> AskedOfAuto:
    """What the resolved spec of a run of ``auto`` asks of it."""
    return {"preset": spec.algorithm.preset or DEFAULT_PRESET, "budget_minutes": spec.budget_minutes}


def alone_usd(spec: Spec, candidates: tuple[Candidate, ...], facts: CostFacts) -> dict[str, dict[str, float]]:
    """``{"alone_usd": {"xgboost": 0.345, …}}``: what the run may cost at most if it trained but one of its algorithms; without
    those that have no bound, and empty for a run of one algorithm.

    Args:
        facts: of the run; their transform jobs are not counted, but those that judge one model.
    """
    of_one = replace(facts, transforms=(evaluation_work(spec),))
    bounds = {each.algorithm: cost_bound(spec, of_one, [each.resolution.spec]).most_usd for each in candidates}
    known = {algorithm: bound for algorithm, bound in bounds.items() if bound is not None}
    return {"alone_usd": known} if known else {}


def configure_candidate(execution_arn: str, trigger: CandidateRequest, run: RunContext) -> Configured:
    """Claim the run of a candidate, with what was found out for the run that it belongs to.

    Raises:
        AlreadyStarted: another execution has claimed it.
        RunNotFound: there is no such run.
        ObjectMissing: the candidate's spec is not there.
    """
    identity = identify(trigger, run.files.s3)
    whole = run.store.get(trigger.candidate_of)
    spec = run.files.read_spec(identity.run_id)
    cost = cost_bound(spec, facts_of(run, evaluation_work(spec)))
    planned = next(each for each in whole.details["candidates"] if each["run_id"] == identity.run_id)
    preparation: PlannedPreparation | None = planned.get("preparation")
    details = {
        "candidate_of": trigger.candidate_of,
        "dataset": whole.details["dataset"],
        "schema": whole.details["schema"],
        "cost": cost.to_json() | ({} if preparation is None else preparation_usd([preparation])),
        **({} if preparation is None else {"preparation": preparation}),
    }
    run.store.claim(
        RunRecord(
            run_id=identity.run_id,
            name=identity.name,
            execution_arn=execution_arn,
            dataset_uri=whole.dataset_uri,
            state="ConfigureRun",
            details=details,
        ),
        listed=False,
    )
    configured: Configured = {"run_id": identity.run_id, "endpoint_name": None, "kind": "training", "then": "candidate"}
    if preparation is not None:
        configured["sharded"] = True
    return configured

"""What an acceptance does, on what, and what it may cost at most. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sageline.costs.estimate import BillableWork, CostFacts, CostPart, Estimate, cost_bound, part_of
from sageline.costs.run_cost import EVALUATION_SECONDS
from sageline.json_objects import Json
from sageline.runs.deployment_record import rollout_of
from sageline.runs.money import usd
from sageline.runs.prices import Prices
from sageline.spec.model import Spec, validate_spec
from sageline_cli.errors import CommandFailed

LIMIT_USD = 2.0
"""An acceptance that could cost more is not begun."""

HOST = "ml.t2.medium"
"""The cheapest that a model is hosted on; canaries need instances."""

_TTL_HOURS = 2.0
"""After which endpoints are deleted even if the acceptance cannot do it."""

BATCH_OPTIONS: Json = {"instance_type": "ml.m5.large", "max_runtime_seconds": 1800}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long the canary's alarms are watched, and after which time what is not done is given up."""

    bake_minutes: float
    most_minutes: float


@dataclass(frozen=True)
class Plan:
    """The names that everything made has, and the specs of the runs.

    Attributes:
        token: what every name begins with, by which what is left is found; at most 10 characters, to which the names of tuning
            jobs are cut.
    """

    token: str
    pace: Pace

    @property
    def text(self) -> str:
        """Of the main job: its dataset, runs and endpoint."""
        return f"{self.token}-text"

    @property
    def table(self) -> str:
        """Of the tuned run and the canary, which is a rollout to the tuned run's endpoint."""
        return f"{self.token}-table"

    @property
    def names(self) -> tuple[str, str]:
        return self.text, self.table

    def _main(self) -> Json:
        """The main job: one training job, as new accounts may train on one instance at a time."""
        return {"algorithm": {"name": "xgboost", "max_runtime_seconds": 1800}, "deployment": {"ttl_hours": _TTL_HOURS}}

    def _tuned(self) -> Json:
        return {
            **_SHORT,
            "tuning": {
                "max_jobs": 2,
                "max_parallel_jobs": 1,  # new accounts may train on one instance
                "ranges": {"max_depth": {"type": "integer", "min": 3, "max": 6}},
            },
            "deployment": self._on_an_instance(),
        }

    def _canary(self) -> Json:
        canary = {"strategy": "canary", "canary": {"first_percent": 50, "bake_minutes": self.pace.bake_minutes}}
        return {**_SHORT, "deployment": {**self._on_an_instance(), **canary}}

    def specs(self) -> dict[str, Json]:
        """The runs' specs by step, in the order of the steps."""
        return {"main": self._main(), "tuned": self._tuned(), "canary": self._canary()}

    def _on_an_instance(self) -> Json:
        return {"endpoint": self.table, "instances": {"instance_type": HOST, "count": 1}, "ttl_hours": _TTL_HOURS}


_SHORT: Json = {
    "dataset": {"label": "progression"},
    "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 20}, "max_runtime_seconds": 900},
}


@dataclass(frozen=True)
class Costs:
    """What an acceptance may cost at most, by step."""

    runs: Mapping[str, Estimate]
    batch: CostPart

    @property
    def most_usd(self) -> float | None:
        amounts = [self.batch.usd, *(estimate.most_usd for estimate in self.runs.values())]
        known = [amount for amount in amounts if amount is not None]
        return round(sum(known), 6) if len(known) == len(amounts) else None

    def lines(self) -> list[str]:
        """For people, one for each step."""
        return [
            *(f"{step}: {'; '.join(part.text for part in estimate.parts)}" for step, estimate in self.runs.items()),
            self.batch.text,
        ]

    def to_json(self) -> Json:
        return {
            "most_usd": self.most_usd,
            "runs": {step: estimate.to_json() for step, estimate in self.runs.items()},
            "batch": self.batch.to_json(),
        }


def estimate(specs: Mapping[str, Json], prices: Prices, region: str) -> Costs:
    """What runs of these specs and the batch may cost at most, by the prices of the stack."""
    work = BillableWork(
        what="batch",
        use="transform",
        instance_type=BATCH_OPTIONS["instance_type"],
        instances=1,
        seconds=BATCH_OPTIONS["max_runtime_seconds"],
    )
    runs = {step: _of_run(validate_spec(spec, step), prices, region) for step, spec in specs.items()}
    return Costs(runs, part_of(work, prices))


def _of_run(spec: Spec, prices: Prices, region: str) -> Estimate:
    evaluation = BillableWork(
        what="evaluation",
        use="transform",
        instance_type=spec.evaluation.instance_type,
        instances=1,
        seconds=EVALUATION_SECONDS,
    )
    rollout = rollout_of(spec.deployment) if spec.deployment else None
    facts = CostFacts(
        region=region,
        prices=prices,
        transforms=(evaluation,),
        rollout_seconds=rollout.bake_seconds * len(rollout.steps) if rollout else 0,
        ttl_hours=spec.deployment.ttl_hours if spec.deployment else None,
    )
    return cost_bound(spec, facts)


def check_limit(costs: Costs) -> None:
    """
    Raises:
        CommandFailed: it could cost more than an acceptance may, or nobody knows how much.
    """
    most = costs.most_usd
    if most is None:
        raise CommandFailed(
            f"What the acceptance may cost has no bound, for lack of a price: {'; '.join(costs.lines())}. Give it in prices.json "
            "of the stack's bucket (docs/costs.md)."
        )
    if most > LIMIT_USD:
        raise CommandFailed(f"The acceptance may cost up to {usd(most)}, and no more than {usd(LIMIT_USD)} is allowed.")


def with_budget(spec: Json, estimate: Estimate) -> Json:
    """The spec with a budget of what was estimated, in whole cents: a run that the stack reckons dearer is refused there."""
    if estimate.most_usd is None:
        raise CommandFailed("Nobody knows what the run may cost, so it gets no budget.")
    return {**spec, "budget_usd": math.ceil(round(estimate.most_usd * 100, 4)) / 100}

"""A run that trains nothing and changes what an endpoint serves: all traffic for one of its variants, or back to what it served
before.

The HTTP API finds out what is to serve in the end (:mod:`sageline.api.changes`); such a run makes the models that are gone by
now (:mod:`sageline.models.restore`), and goes on with DeployEndpoint like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sageline.json_objects import Json
from sageline.runs.deployment_record import read_routing
from sageline.runs.routing import Routing
from sageline.runs.store import RunRecord

ChangeKind: TypeAlias = Literal["promote", "rollback"]


@dataclass(frozen=True)
class EndpointChange:
    """What is to serve in the end; the capacity of each variant that does not serve now; and the weights before the change, which
    undoing it restores."""

    kind: ChangeKind
    goal: Routing
    capacities: Mapping[str, Json]
    weights_before: Mapping[str, float]

    def to_json(self) -> Json:
        """As it is kept in the run's record, and given to the execution."""
        return {
            "kind": self.kind,
            "goal": json.loads(self.goal.dump()),
            "capacities": dict(self.capacities),
            "weights_before": dict(self.weights_before),
        }


def read_change(document: Json, source: str) -> EndpointChange:
    """The change in a JSON document, as :meth:`EndpointChange.to_json` makes it."""
    goal = read_routing(document["goal"], source)
    return EndpointChange(document["kind"], goal, document["capacities"], document["weights_before"])


def change_of(record: RunRecord) -> EndpointChange | None:
    """The change that a run makes; None for a run that trains a model, or scores a batch."""
    found = record.details.get("change")
    return None if found is None else read_change(found, f"record of run {record.run_id}")

"""A candidate whose run has ended, and how candidates compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sageline.errors import RunNotFound
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord
from sageline.spec.metrics import METRICS

_WIDELY_KNOWN = ("balanced_accuracy", "accuracy", "rmse")
"""Metrics that every algorithm's answers have a value of, where the candidates are judged by different ones."""


@dataclass(frozen=True)
class Ended:
    """A candidate whose run has ended, or never began."""

    run_id: str
    algorithm: str
    record: RunRecord | None

    @property
    def validation(self) -> Json | None:
        """What it has answered; None of one that has failed."""
        if self.record is None or self.record.status != "Succeeded":
            return None
        found: Json | None = self.record.details.get("validation")
        return found

    @property
    def problem(self) -> str | None:
        """Why it has no model, in one line."""
        if self.validation is not None:
            return None
        if self.record is None:
            return "its run has not begun"
        if self.record.status == "Stopped":
            return "its run was stopped"
        told = (self.record.error or {}).get("message") or f"its run ended in {self.record.state} without saying why"
        return " ".join(str(told).split())


def find_ended(planned: Mapping[str, Any], run: RunContext) -> Ended:  # Any: JSON
    try:
        record = run.store.get(planned["run_id"])
    except RunNotFound:
        record = None
    return Ended(planned["run_id"], planned["algorithm"], record)


def common_metric(answered: list[Ended]) -> str:
    """The metric that all of them are judged by, if one of them has a value of it; else one that all have a value of."""
    validations = [candidate.validation or {} for candidate in answered]
    asked = [str(validation["metric"]) for validation in validations]
    if len(set(asked)) == 1 and any(each["metrics"].get(asked[0]) is not None for each in validations):
        return asked[0]
    possible = [name for name in (*asked, *_WIDELY_KNOWN) if all(each["metrics"].get(name) is not None for each in validations)]
    return [*possible, *asked, "accuracy"][0]


def tie_break_of(metric: str, answered: list[Ended]) -> str:
    """What tells candidates apart that are equal by their metric, as shares of few rows often are."""
    known = all((candidate.validation or {})["metrics"].get("log_loss") is not None for candidate in answered)
    return "log_loss" if known else metric


def rank(metric: str, tie_break: str, candidate: Ended) -> tuple[float, float]:
    """Greater for the better candidate."""
    return goodness(metric, candidate), goodness(tie_break, candidate)


def goodness(metric: str, candidate: Ended) -> float:
    value = (candidate.validation or {})["metrics"].get(metric)
    if value is None:
        return float("-inf")
    return float(value) if METRICS[metric].better == "higher" else -float(value)

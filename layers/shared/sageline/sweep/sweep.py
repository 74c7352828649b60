"""The sweep: finds what a stack has in SageMaker that nothing needs, and deletes it if it may.

What a running run makes is left alone, and so is what was made in the last hour. Four kinds of things are always cleaned up,
because that was decided before: an endpoint whose time to live is over, what a run has left that ended without success, a run
whose execution ended without a word, and the alarms of a rollout that is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.delete import delete_endpoint, deploying_run
from sageline.deployment.discard import discard
from sageline.deployment.endpoints import Endpoint, delete_config, find_config, find_endpoint, remove_model
from sageline.deployment.lifetime import expires_at
from sageline.errors import RunNotFound, SagelineError
from sageline.failures.ended_execution import end_if_dead
from sageline.json_objects import Json
from sageline.names import models_like
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord, iso
from sageline.sweep import inventory
from sageline.sweep.inventory import TaggedResource

FindingKind: TypeAlias = Literal["endpoint", "endpoint-config", "model", "run", "alarm"]

_log = logging.getLogger(__name__)

YOUNG = timedelta(hours=1)
"""What is younger may be part of something that is being made."""
IDLE = timedelta(days=1)
_LATE = timedelta(minutes=10)
"""So much time a schedule has before the sweep does its work."""


@dataclass(frozen=True)
class SweepFinding:
    """Something that nobody needs, and why. ``deleted`` names what was removed, as the answer of a delete does."""

    kind: FindingKind
    name: str
    reason: str
    deleted: tuple[str, ...] = ()

    def to_json(self) -> Json:
        return {"kind": self.kind, "name": self.name, "reason": self.reason, "deleted": list(self.deleted)}


@dataclass(frozen=True)
class SweepReport:
    """What a sweep has found. ``endpoints``: how many the stack has now."""

    endpoints: int
    findings: tuple[SweepFinding, ...]

    def to_json(self) -> Json:
        return {"endpoints": self.endpoints, "findings": [finding.to_json() for finding in self.findings]}

    @property
    def left(self) -> int:
        """How many findings are still there."""
        return sum(not finding.deleted for finding in self.findings)


@dataclass
class Sweep:
    """One look at everything.

    ``deletes``: whether resources that nothing refers to and endpoints that nobody asks are deleted, or only reported. What goes
    wrong is logged, and the sweep goes on with the rest.
    """

    run: RunContext
    schedule_group: str
    deletes: bool
    _findings: list[SweepFinding] = field(default_factory=list)
    _records: dict[str, RunRecord | None] = field(default_factory=dict)

    def report(self) -> SweepReport:
        """Look, and put in order."""
        stack, now = self.run.stack_name, self.run.clock()
        made = inventory.endpoints(self.run.clients.sagemaker, stack)
        configs = [config for config in inventory.configs(self.run.clients.sagemaker, stack) if config.made_at < now - YOUNG]
        models = [model for model in inventory.models(self.run.clients.sagemaker, stack) if model.made_at < now - YOUNG]
        cleaned = self._clean_up({*(config.run_id for config in configs), *(model.run_id for model in models)})
        models = [model for model in models if model.run_id not in cleaned]
        endpoints = [endpoint for item in made if (endpoint := self._endpoint(item, now)) is not None]
        self._configs_and_models(endpoints, configs, models)
        self._alarms()
        return SweepReport(len(endpoints), tuple(self._findings))

    def _clean_up(self, run_ids: Iterable[str]) -> set[str]:
        """Finish the cleaning up of runs that have ended; the runs of which something was removed."""
        cleaned = set()
        for run_id in sorted(run_ids):
            record = self._record(run_id)
            if record is None:
                continue
            if record.status == "Running" and end_if_dead(record, run=self.run):
                record = self._records[run_id] = self.run.store.get(run_id)
            if record.status in ("Running", "Succeeded"):
                continue
            found = SweepFinding("run", run_id, f"the run ended as {record.status} and has left something behind")
            if self._remove(found, partial(self._discarded, run_id), always=True):
                cleaned.add(run_id)
        return cleaned

    def _discarded(self, run_id: str) -> list[str]:
        return discard(run_id, schedule_group=self.schedule_group, run=self.run)["discarded"]

    def _endpoint(self, made: TaggedResource, now: datetime) -> Endpoint | None:
        """The endpoint if it is there in the end."""
        endpoint = find_endpoint(made.name, self.run)
        if endpoint is None or deploying_run(made.name, self.run) is not None:
            return endpoint
        until = expires_at(self.run.clients.sagemaker, made.arn)
        is_over = until is not None and until < iso(now - _LATE)
        reason = f"its time to live was over at {until}" if is_over else self._uselessness(endpoint, made, now)
        if reason is None:
            return endpoint
        removed = self._remove(SweepFinding("endpoint", made.name, reason), partial(self._deleted, made.name), always=is_over)
        return None if removed else endpoint

    def _uselessness(self, endpoint: Endpoint, made: TaggedResource, now: datetime) -> str | None:
        if made.made_at < now - YOUNG and self.run.routings.find(made.name) is None:
            return "no routing leads to it, so nothing can ask it"
        if endpoint.status != "InService" or made.made_at > now - IDLE or self._invocations(endpoint, now):
            return None
        return "nobody has asked it for a day"

    def _invocations(self, endpoint: Endpoint, now: datetime) -> float:
        """How many requests all variants have had in the last day."""
        config = find_config(self.run.clients.sagemaker, endpoint.config)
        total = 0.0
        for variant in config["ProductionVariants"] if config else []:
            points = self.run.clients.cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName="Invocations",
                Dimensions=[
                    {"Name": "EndpointName", "Value": endpoint.name},
                    {"Name": "VariantName", "Value": variant["VariantName"]},
                ],
                StartTime=now - IDLE,
                EndTime=now,
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
            total += sum(point["Sum"] for point in points)
        return total

    def _deleted(self, name: str) -> list[str]:
        return delete_endpoint(name, schedule_group=self.schedule_group, run=self.run)["deleted"]

    def _configs_and_models(self, endpoints: list[Endpoint], configs: list[TaggedResource], models: list[TaggedResource]) -> None:
        variants = [variant for endpoint in endpoints for variant in self.run.routings.variants(endpoint.name)]
        used = {config for endpoint in endpoints for config in endpoint.configs}
        used |= {variant.endpoint_config for variant in variants}
        used_models = {model for variant in variants for model in models_like(variant.model_name)}
        # A config that is gone by now went with its endpoint, or with the run that made it.
        sagemaker = self.run.clients.sagemaker
        there = {config.name: found for config in configs if (found := find_config(sagemaker, config.name)) is not None}
        for config in configs:
            if config.name not in there:
                continue
            if config.name in used or self._is_running(config.run_id):
                named = [variant.get("ModelName", "") for variant in there[config.name]["ProductionVariants"]]
                used_models |= {model for name in named for model in models_like(name)}
                continue
            finding = SweepFinding("endpoint-config", config.name, "no endpoint uses it")
            self._remove(finding, partial(delete_config, sagemaker, config.name))
        for model in models:
            if model.name in used_models or self._is_running(model.run_id) or self._is_product(model.run_id):
                continue
            finding = SweepFinding("model", model.name, "no endpoint config uses it")
            self._remove(finding, partial(remove_model, sagemaker, model.name))

    def _alarms(self) -> None:
        """A variant has its alarms from the run of its name, for as long as that runs."""
        alarms = RolloutAlarms(self.run)
        for variant in alarms.variants():
            if not self._is_running(variant):
                finding = SweepFinding("alarm", variant, "its rollout is over")
                self._remove(finding, partial(alarms.remove, [variant]), always=True)

    def _remove(self, finding: SweepFinding, remove: Callable[[], list[str]], *, always: bool = False) -> bool:
        """Note a finding, and remove it if that is to be; whether anything was removed. What is removed without a trace was
        not there."""
        deleted: list[str] = []
        try:
            deleted = remove() if always or self.deletes else []
        except (SagelineError, ClientError, BotoCoreError) as error:
            _log.warning("The %s %s could not be cleaned up (%s): %s", finding.kind, finding.name, finding.reason, error)
        else:
            if not deleted and (always or self.deletes):
                return False
        self._findings.append(replace(finding, deleted=tuple(deleted)))
        return bool(deleted)

    def _record(self, run_id: str) -> RunRecord | None:
        if run_id not in self._records:
            try:
                self._records[run_id] = self.run.store.get(run_id)
            except RunNotFound:
                self._records[run_id] = None
        return self._records[run_id]

    def _is_running(self, run_id: str) -> bool:
        record = self._record(run_id)
        return record is not None and record.status == "Running"

    def _is_product(self, run_id: str) -> bool:
        """Whether the model is what the run was for: a spec may ask for a model without an endpoint."""
        record = self._record(run_id)
        return record is not None and record.status == "Succeeded" and "deployment" not in record.details

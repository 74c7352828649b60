"""Runs as the state machine has them, from the model to the traffic, and what may come between two of their calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sageline.aws.tags import tags
from sageline.deployment.delete import delete_endpoint
from sageline.deployment.deploy import deploy
from sageline.deployment.discard import discard
from sageline.deployment.endpoints import set_weights_now
from sageline.deployment.promote import promote
from sageline.deployment.rollout import shift
from sageline.errors import ConcurrentModification, EndpointNotReady, RolloutPending, SagelineError, SmokeTestFailed
from sageline.jobs.outcomes import endpoint_outcome
from sageline.json_objects import Json
from sageline.models.restore import restore_models
from sageline.names import RunLayout, model_names
from sageline.runs.deployment_record import deployment_of
from sageline.runs.endpoint_change import ChangeKind, EndpointChange
from sageline.runs.payloads import DeployedEndpoint, Shifted
from sageline.runs.routing import Routing
from sageline.sweep.sweep import Sweep
from tests.unit.world.memory_aws import Fate, MemoryWorld, Send, sent
from tests.unit.world.world import BUCKET, LIFETIMES, ROLE, ROLES, STACK, TOPIC, logged_warnings

_RETRIED = ("DeployEndpoint", "ShiftTraffic", "PromoteVariant", "DiscardDeployment")
"""States that come again when the endpoint is not ready."""
_TRIES = 20
ENDED = ("Succeeded", "Failed", "Aborted")


class FunctionDied(BaseException):
    """What no code catches: the function is gone in the middle of its work. The state machine calls it again."""


@dataclass
class Execution:
    """One run's execution. ``state`` is the one that comes next; ``failures`` is what went wrong, by state."""

    world: MemoryWorld
    run_id: str
    state: str = "DeployEndpoint"
    step: int = 0
    tries: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    deployed: DeployedEndpoint | None = None
    shifted: Shifted | None = None

    def finish(self) -> str:
        """Go on to the end; how it ended."""
        while self.state not in ENDED:
            self.go_on()
        return self.state

    def go_on(self) -> None:
        """One state, once."""
        state = self.state
        try:
            following = getattr(self, f"_{state}")()
        except FunctionDied:
            return
        except (EndpointNotReady, ConcurrentModification) as error:
            following = self._again(state, error)
        except Exception as error:
            following = self._fail(state, error)
        if self.state in ENDED:
            return
        self.state, self.tries = following, self.tries if following == state else 0

    def stop(self) -> None:
        """As a person does who stops the run: its execution, its record, then what it has deployed."""
        self.state = "Aborted"
        self.world.run.store.finish(self.run_id, "Stopped")
        undo(self.world, self.run_id)

    def _again(self, state: str, error: EndpointNotReady | ConcurrentModification) -> str:
        self.tries += 1
        self.world.pass_time()
        return state if state in _RETRIED and self.tries < _TRIES else self._fail(state, error)

    def _fail(self, state: str, error: Exception) -> str:
        self.failures.append((state, f"{type(error).__name__}: {error}"))
        return "RecordFailure" if state == "DiscardDeployment" else "DiscardDeployment"

    def _RestoreModels(self) -> str:  # noqa: N802  # states have their own names
        world = self.world
        restore_models(self.run_id, roles=ROLES, run=world.run)
        return "DeployEndpoint"

    def _DeployEndpoint(self) -> str:  # noqa: N802
        self.deployed = deploy(self.run_id, "text/csv", run=self.world.run)
        return "CheckEndpoint"

    def _CheckEndpoint(self) -> str:  # noqa: N802
        return "SmokeTest" if self._has_settled() else "CheckEndpoint"

    def _SmokeTest(self) -> str:  # noqa: N802
        assert self.deployed is not None
        routed = self.world.run.routings.find(self.deployed["name"])
        if routed is None or routed.routing is None or routed.routing.variant(self.deployed["variant"]) is None:
            raise SmokeTestFailed("not routed to")
        if self.deployed["variant"] not in served(self.world):
            raise SmokeTestFailed("not served")
        return "PromoteVariant"

    def _ShiftTraffic(self) -> str:  # noqa: N802
        self.shifted = shift(self.run_id, self.step, topic_arn=TOPIC, run=self.world.run)
        return "Bake"

    def _Bake(self) -> str:  # noqa: N802
        assert self.shifted is not None
        if self.shifted["is_last"] and self._has_settled():
            return "PromoteVariant"
        self.step += 1
        return "ShiftTraffic"

    def _PromoteVariant(self) -> str:  # noqa: N802
        with logged_warnings() as warnings:
            try:
                promote(self.run_id, lifetime=LIFETIMES, run=self.world.run)
            except RolloutPending:
                return "ShiftTraffic"
            finally:
                self.failures += [("warning", text) for text in warnings]
        return "Succeeded"

    def _DiscardDeployment(self) -> str:  # noqa: N802
        discard(self.run_id, schedule_group=LIFETIMES.schedule_group_name, run=self.world.run)
        return "RecordFailure"

    def _RecordFailure(self) -> str:  # noqa: N802
        self.world.run.store.finish(self.run_id, "Failed")
        return "Failed"

    def _has_settled(self) -> bool:
        self.world.pass_time()
        assert self.deployed is not None
        deployment = deployment_of(self.world.record(self.run_id))
        endpoint = self.world.sagemaker.describe_endpoint(EndpointName=self.deployed["name"])
        outcome = endpoint_outcome(endpoint, config=deployment.config if deployment else self.run_id)
        if isinstance(outcome, SagelineError):
            raise outcome
        return outcome is not None


def trained(world: MemoryWorld, run_id: str, deployment: Json) -> Execution:
    """A run that has its model and is about to deploy it."""
    world.begin(run_id, deployment={"endpoint": "flowers", **deployment})
    artifact = f"s3://{BUCKET}/runs/{run_id}/training/model.tar.gz"
    world.run.store.note(run_id, training={"model_artifact_uri": artifact})
    world.objects.kept[RunLayout(BUCKET, run_id).model_key] = (artifact.encode(), artifact)
    serverless = "instances" not in deployment
    for name in model_names(run_id) if serverless else (run_id,):
        world.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Tags=tags(STACK, run_id))
    return Execution(world, run_id)


def changing(world: MemoryWorld, run_id: str, kind: ChangeKind, to: str) -> Execution:
    """A run that gives a variant everything, or goes back to what was there before the run ``to``; as the API starts it."""
    now = world.routing()
    if kind == "promote":
        variant = now.variant(to)
        assert variant is not None
        goal, capacities = Routing("flowers", (replace(variant, weight=1.0),), now.updated_at), {}
    else:
        deployment = deployment_of(world.record(to))
        assert deployment is not None
        assert deployment.previous_routing is not None
        goal, capacities = deployment.previous_routing, dict(deployment.capacities or {})
    there = world.weights()
    if {variant.name for variant in goal.variants} <= there.keys():
        split(world, dict.fromkeys(there, 0.0) | {variant.name: variant.weight for variant in goal.variants})
    world.begin(run_id)
    world.run.store.note(run_id, change=EndpointChange(kind, goal, capacities, there).to_json())
    return Execution(world, run_id, "RestoreModels")


def split(world: MemoryWorld, weights: dict[str, float]) -> None:
    """Set weights as the API does."""
    stored = world.run.routings.find("flowers")
    assert stored is not None
    assert stored.routing is not None
    changed = stored.routing.with_weights(weights, stored.routing.updated_at)
    set_weights_now(world.sagemaker, changed)
    world.run.routings.write(changed, stored)


def undo(world: MemoryWorld, run_id: str) -> None:
    """Discard as the ended-execution path does, until it is done."""
    patiently(world, lambda: discard(run_id, schedule_group=LIFETIMES.schedule_group_name, run=world.run))


def delete(world: MemoryWorld) -> None:
    """Delete the endpoint, until it is done."""
    patiently(world, lambda: delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run))
    world.pass_time()


def patiently(world: MemoryWorld, action: Callable[[], object]) -> None:
    for _ in range(_TRIES):
        try:
            action()
            return
        except (EndpointNotReady, ConcurrentModification):
            world.pass_time()
        except FunctionDied:
            continue
    raise AssertionError("never ready")


def swept(world: MemoryWorld, *, deletes: bool = False) -> list[str]:
    """What the sweep finds."""
    world.pass_time()
    with logged_warnings() as warnings:
        report = Sweep(world.run, LIFETIMES.schedule_group_name, deletes=deletes).report()
    assert warnings == []
    return sorted(f"{finding.kind} {finding.name}" for finding in report.findings)


# ---- what serves ----


def served(world: MemoryWorld) -> set[str]:
    """The variants that answer now."""
    endpoint = world.fake.endpoints.get("flowers", {"EndpointStatus": "Deleting"})
    if endpoint["EndpointStatus"] in ("Deleting", "Creating", "Failed"):
        return set()
    return {variant["VariantName"] for variant in endpoint["ProductionVariants"]}


# ---- what becomes of a call ----

Blow = Literal["dies before", "dies after", "sent twice"]


def blow(kind: Blow, at: int) -> Fate:
    """The function dies before the call is made, or after it was; or its answer gets lost, and botocore sends it again."""

    def fate(number: int, send: Send) -> Any:
        if number != at:
            return send()
        if kind == "dies before":
            raise FunctionDied
        answer = send()
        if kind == "dies after":
            raise FunctionDied
        return send() if kind == "sent twice" else answer

    return fate


class Cut(BaseException):
    """The history ends here."""


def cut_after(at: int) -> Fate:
    def fate(number: int, send: Send) -> Any:
        try:
            return send()
        finally:
            if number == at:
                raise Cut

    return fate


def before(world: MemoryWorld, at: int, action: Callable[[], object]) -> Fate:
    """Something else happens, whole, before a call."""

    def fate(number: int, send: Send) -> Any:
        if number == at:
            world.wire.fate = sent
            action()
        return send()

    return fate

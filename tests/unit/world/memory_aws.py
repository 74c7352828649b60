"""AWS in memory, behind plain objects in the place of boto3's clients: for tests that go through thousands of histories.

Every call that changes something has a number, and a test says what becomes of it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

from botocore.exceptions import ClientError

from sageline.errors import RunNotFound
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord, RunStatus, RunStore
from tests.unit.world.fake_sagemaker import Document, FakeSageMaker, Refused
from tests.unit.world.fake_services import FakeAlarms, FakeLogs, FakeSchedules, FakeTargets
from tests.unit.world.world import SETTINGS, Clock, World, clients_with

Send: TypeAlias = Callable[[], Any]
"""Makes a call, and answers as AWS does."""
Fate: TypeAlias = Callable[[int, Send], Any]
"""What becomes of a call that changes something, given its number."""

_READS = ("describe", "list", "get", "head")


def sent(_: int, send: Send) -> Any:
    return send()


def unwatched() -> None:
    """Nobody looks at what has changed."""


def copied(value: Any) -> Any:
    """A copy of a request or an answer. Its dicts, lists and records are new; what else is in them does not change.

    ``copy.deepcopy`` takes ten times as long.
    """
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    if isinstance(value, RunRecord):
        return replace(value, states=list(value.states), details=copied(value.details), error=copied(value.error))
    return value


@dataclass
class Wire:
    """Where all calls go through. ``changes`` names those that have changed something, in their order, or were to."""

    services: dict[str, object]
    fate: Fate = sent
    changes: list[str] = field(default_factory=list)
    changed: Callable[[], None] = unwatched
    """Called after each change."""

    def call(self, service: str, operation: str, request: Document) -> Any:
        is_change = not operation.startswith(_READS)

        def send() -> Any:
            try:
                answer = getattr(self.services[service], operation)(copied(request))
            except Refused as refused:
                raise ClientError({"Error": {"Code": refused.code, "Message": refused.message}}, operation) from None
            if is_change:
                self.changed()
            return copied(answer)

        if not is_change:
            return send()
        self.changes.append(f"{service} {operation}")
        return self.fate(len(self.changes), send)


class Client:
    """Takes what a boto3 client takes, without looking at it: other tests do."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, wire: Wire, service: str) -> None:
        self._wire, self._service = wire, service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("__"):
            raise AttributeError(operation)  # what Python asks any object for
        return lambda **request: self._wire.call(self._service, operation, request)

    def get_paginator(self, operation: str) -> Any:
        return Pages(getattr(self, operation))


@dataclass
class Pages:
    ask: Callable[..., Any]

    def paginate(self, **request: Any) -> list[Any]:
        return [self.ask(**request)]


@dataclass
class Objects:
    """S3, one bucket of it."""

    kept: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    writes: int = 0

    def get_object(self, request: Document) -> Document:
        if request["Key"] not in self.kept:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        body, etag = self.kept[request["Key"]]
        return {"Body": io.BytesIO(body), "ETag": etag}

    def head_object(self, request: Document) -> Document:
        """Of the copy of an artifact: in the place of its bytes and its ETag there is where it is from."""
        if request["Key"] not in self.kept:
            raise Refused("404", "Not Found")
        return {"Metadata": {"sageline-source": self.kept[request["Key"]][1]}}

    def put_object(self, request: Document) -> Document:
        key, etag = request["Key"], self.kept.get(request["Key"], (b"", None))[1]
        if "IfMatch" in request and etag is None:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        if ("IfNoneMatch" in request and etag) or request.get("IfMatch", etag) != etag:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.writes += 1
        self.kept[key] = (request["Body"], f'"{self.writes}"')
        return {"ETag": self.kept[key][1]}

    def delete_object(self, request: Document) -> Document:
        if "IfMatch" in request and self.kept.get(request["Key"], (b"", request["IfMatch"]))[1] != request["IfMatch"]:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.kept.pop(request["Key"], None)
        return {}


@dataclass
class Items:
    """The runs table; each operation is one of :class:`RunStore`, which other tests look at."""

    kept: Document = field(default_factory=dict)

    def claim(self, request: Document) -> None:
        self.kept[request["run"].run_id] = request["run"]

    def get(self, request: Document) -> RunRecord:
        if request["run_id"] not in self.kept:
            raise RunNotFound(f"No run {request['run_id']!r} is known.")
        record: RunRecord = self.kept[request["run_id"]]
        return record

    def note(self, request: Document) -> None:
        record = self.get(request)
        self.kept[record.run_id] = replace(record, details=record.details | json.loads(json.dumps(request["details"])))

    def enter(self, request: Document) -> None:
        self.note(request)
        self.kept[request["run_id"]] = replace(self.get(request), state=request["state"])

    def finish(self, request: Document) -> bool:
        if self.get(request).status not in ("Running", request["status"]):
            return False
        self.note(request)
        self.kept[request["run_id"]] = replace(self.get(request), status=request["status"])
        return True


class Records(RunStore):
    """The runs table in memory."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def claim(self, run: RunRecord, *, listed: bool = True) -> RunRecord:
        self._client.claim(run=run)
        return run

    def get(self, run_id: str) -> RunRecord:
        return cast("RunRecord", self._client.get(run_id=run_id))

    def enter(self, run_id: str, state: str, **details: Any) -> None:
        self._client.enter(run_id=run_id, state=state, details=details)

    def finish(self, run_id: str, status: RunStatus, **details: Any) -> bool:
        return bool(self._client.finish(run_id=run_id, status=status, details=details))

    def note(self, run_id: str, **details: object) -> None:
        self._client.note(run_id=run_id, details=details)


class MemoryContext(RunContext):
    @cached_property
    def store(self) -> RunStore:
        return Records(vars(self.clients)["records"])


class AllRunning:
    """Step Functions, where everything runs."""

    def describe_execution(self, _: Document) -> Document:
        return {"status": "RUNNING"}


class StandingClock(Clock):
    """Stays where it is, so that what ends the same way looks the same."""

    def __call__(self) -> datetime:
        return self.now


@dataclass
class MemoryWorld(World):
    """A world of which nothing leaves this process."""

    wire: Wire = field(kw_only=True)
    objects: Objects = field(kw_only=True)
    alarms: FakeAlarms = field(kw_only=True)
    targets: FakeTargets = field(kw_only=True)
    schedules_kept: FakeSchedules = field(kw_only=True)

    def pass_time(self, _: float = 0) -> None:
        """Whatever endpoints are in the middle of comes to its end."""
        for name, endpoint in list(self.fake.endpoints.items()):
            if endpoint["EndpointStatus"] == "Deleting":
                del self.fake.endpoints[name]
            elif endpoint["EndpointStatus"] in ("Creating", "Updating"):
                config = self.fake.configs[endpoint["next"]]
                gone = [item["ModelName"] for item in config["ProductionVariants"] if item["ModelName"] not in self.fake.models]
                self.fake.settle(name, **{"status": "Failed", "reason": f"no model {gone[0]}"} if gone else {})
        self.wire.changed()

    def standing(self) -> Document:
        """All that is there, by kind and name, in a form that compares."""
        fake = self.fake
        kept = self.objects.kept.items()
        routing = {key: json.loads(body)["variants"] for key, (body, _) in kept if key.endswith("routing.json")}
        endpoints = {
            name: _served(item) | {"tags": _lasting(fake.tags[item["EndpointArn"]])} for name, item in fake.endpoints.items()
        }
        found: Document = {
            "endpoint": endpoints,
            "endpoint-config": {name: config["ProductionVariants"] for name, config in fake.configs.items()},
            "model": dict.fromkeys(fake.models, ""),
            "routing": routing,
            "alarm": self.alarms.kept,
            "scalable-target": self.targets.kept,
            "schedule": self.schedules_kept.kept,
        }
        return cast("Document", copied({kind: kept for kind, kept in found.items() if kept}))


def _served(endpoint: Document) -> Document:
    variants = {variant["VariantName"]: variant["CurrentWeight"] for variant in endpoint.get("ProductionVariants", [])}
    return {"status": endpoint["EndpointStatus"], "config": endpoint["EndpointConfigName"], "weights": variants}


def _lasting(tags: list[Document]) -> Document:
    return {tag["Key"]: tag["Value"] for tag in tags}


def memory_world() -> MemoryWorld:
    """An account with nothing in it."""
    fake = FakeSageMaker(lingers=True)
    objects, alarms, targets, schedules = Objects(), FakeAlarms(is_busy=True), FakeTargets(), FakeSchedules()
    fake.scaled = targets.kept.keys
    services = {"sagemaker": fake, "s3": objects, "records": Items(), "cloudwatch": alarms, "autoscaling": targets}
    wire = Wire({**services, "logs": FakeLogs(), "scheduler": schedules, "stepfunctions": AllRunning()})
    client: dict[str, Any] = {name: Client(wire, name) for name in wire.services}
    clock = StandingClock()
    run = MemoryContext(SETTINGS, clients_with(**client), clock)
    world = MemoryWorld(
        run,
        fake,
        client["sagemaker"],
        client["s3"],
        clock,
        wire=wire,
        objects=objects,
        alarms=alarms,
        targets=targets,
        schedules_kept=schedules,
    )
    world.run = replace(run, sleep=world.pass_time)
    return world

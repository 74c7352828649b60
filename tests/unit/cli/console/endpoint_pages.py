"""An endpoint of two variants as the API and CloudWatch show it, and the console's pages of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import boto3
import httpx
from botocore.config import Config
from starlette.types import ASGIApp

from sageline.runs.routing import RoutedVariant, Routing
from sageline_cli.connection import Connection
from sageline_cli.console.app import create_app
from sageline_cli.console.guard import Address
from sageline_cli.console.stack import StackAccess
from sageline_cli.watching import WatchingClients
from tests.unit.cli.fakes import BUCKET, FakeApi, run_record
from tests.unit.world.fake_aws import FakeAws

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

OLD, NEW = "wine-20261120100000-0a1b2c", "wine-20261121100000-3d4e5f"
EVIL = "<img src=x onerror=alert(1)>"
"""Somebody's name of a column, or of a label."""

LOCAL = "http://127.0.0.1:4566"
ADDRESS = Address(8300, "token")
HTMX = {"HX-Request": "true"}
EXAMPLE = {"alcohol": 13.2, "colour": "red", "note": "fruity"}
ENDPOINT: dict[str, Any] = {
    "name": "wine",
    "status": "InService",
    "variants": [
        {"name": OLD, "weight": 0.75, "model_version": OLD},
        {"name": NEW, "weight": 0.25, "model_version": NEW},
    ],
    "created_at": "2026-11-20T10:03:00.000Z",
    "updated_at": "2026-11-20T10:04:10.000Z",
    "expires_at": "2999-11-20T18:04:10Z",
    "failure_reason": None,
    "columns": [
        {"name": "alcohol", "kind": "number", "required": True},
        {"name": "colour", "kind": "category", "required": False, "values": ["red", "white"], "different_values": 2},
        {"name": "note", "kind": "text", "required": False},
    ],
    "column_count": 3,
    "image_shape": None,
    "label": {"name": "grape", "classes": 2, "labels": ["merlot", "pinot"]},
    "example": EXAMPLE,
}
COST = {
    "parts": [{"what": "endpoint", "usd": 0.92, "text": "…", "use": "hosting", "instance_type": "ml.m5.large", "instances": 1}],
    "endpoint_usd_per_hour": 0.115,
}
ROUTING = Routing(
    "wine",
    tuple(
        RoutedVariant(
            name=name,
            weight=weight,
            model_version=name,
            model_name=name,
            encoder_uri=f"s3://{BUCKET}/runs/{name}/encoder/",
            content_type="text/csv",
            endpoint_config=NEW,
        )
        for name, weight in ((OLD, 0.75), (NEW, 0.25))
    ),
    "2026-11-20T10:04:10.000Z",
)


def deployed(run_id: str, before: Sequence[str] = (), **changes: Any) -> dict[str, Any]:  # any JSON value
    """A run that has deployed a variant on an instance, where variants ``before`` served."""
    previous = {"variants": [{"name": name} for name in before]} if before else None
    details = {"cost": COST, "deployment": {"endpoint": "wine", "previous_routing": previous}}
    states = [{"state": "DeployEndpoint", "entered_at": "2026-11-20T10:03:00.000Z"}]
    return run_record(run_id=run_id, details=details, states=states, **changes)


@dataclass
class FakeCloudWatch:
    """Metrics by name and statistic, the same for each variant; and alarms."""

    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: Exception | None = None

    def get_paginator(self, operation: str) -> FakeCloudWatch:
        assert operation == "get_metric_data"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:  # any JSON value, here and below
        if self.refuses:
            raise self.refuses
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            self.asked.append(stat["Metric"]["MetricName"])
            value = self.values.get((stat["Metric"]["MetricName"], stat["Stat"]))
            period = stat["Period"]
            at = datetime.fromtimestamp(asked["StartTime"].timestamp() // period * period + 2 * period, UTC)
            found = {"Timestamps": [at], "Values": [value]} if value is not None else {"Timestamps": [], "Values": []}
            results.append({"Id": query["Id"], **found})
        yield {"MetricDataResults": results}

    def describe_alarms_for_metric(self, **asked: Any) -> dict[str, Any]:
        variant = asked["Dimensions"][1]["Value"]
        wanted = (asked["MetricName"], variant)
        return {"MetricAlarms": [alarm for alarm in self.alarms if (alarm["MetricName"], alarm["Variant"]) == wanted]}


@dataclass(frozen=True)
class Pages:
    """The console in front of a fake API."""

    app: ASGIApp
    api: FakeApi
    account: FakeAws
    cloudwatch: FakeCloudWatch

    def get(self, path: str, *, part: bool = True) -> httpx.Response:
        """A page, or a part of one."""
        return self._send("GET", path, headers=HTMX if part else {})

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self._send("POST", path, data=fields, headers=HTMX)

    def send_file(self, path: str, content: bytes, media_type: str, **fields: str) -> httpx.Response:
        return self._send("POST", path, data=fields, files={"image": ("cat.png", content, media_type)}, headers=HTMX)

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:  # as httpx takes them
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1:8300") as client:
                return await client.request(method, f"/token{path}", **parts)

        return asyncio.run(send())

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests that reached the API."""
        return [json.loads(r.content or b"null") for r in self.api.requests if (r.method, r.url.path) == (method, path)]

    def route(self, routing: Routing | None) -> None:
        """What the bucket says of the endpoint's variants; None: there is no endpoint."""
        key = "endpoints/wine/routing.json"
        if routing is None:
            self.account.s3.objects.pop(key, None)
        else:
            self.account.s3.put_object({"Bucket": BUCKET, "Key": key, "Body": routing.dump()})

    def show(self, **changes: Any) -> None:
        self.api.answer("GET", "/endpoints/wine", ENDPOINT | changes)


def pages_of(connection: Connection, api: FakeApi, account: FakeAws, name: str | None = None) -> Pages:
    """The pages of a stack in AWS of that name, or of the local one, with the endpoint ``wine``, which two runs have deployed."""
    cloudwatch = FakeCloudWatch()
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    watching = WatchingClients(session, Config(), None if name else LOCAL)
    watching.__dict__["cloudwatch"] = cast("CloudWatchClient", cloudwatch)
    there = replace(connection, watching=watching, is_local=name is None)
    app = create_app(StackAccess(name or "local stack", lambda: there), ADDRESS, LOCAL)
    pages = Pages(app, api, account, cloudwatch)
    pages.route(ROUTING)
    pages.show()
    api.answer("GET", "/endpoints", {"endpoints": [ENDPOINT]})
    api.answer("GET", f"/pipelines/{OLD}", deployed(OLD))
    api.answer("GET", f"/pipelines/{NEW}", deployed(NEW, [OLD]))
    return pages

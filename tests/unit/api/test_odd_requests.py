"""Thousands of odd requests to every route, on the real handlers: none is answered with a fault of ours."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.response import StreamingBody

from functions.delete_endpoint import app as delete_endpoint
from functions.inspect_dataset import app as inspect_dataset
from functions.invoke_preprocess import app as invoke_preprocess
from functions.manage_pipelines import app as manage_pipelines
from sageline.aws.clients import CLIENTS
from sageline.runs.routing import Routing
from sageline.runs.store import RunRecord, RunStore
from tests.odd_requests import (
    BUCKET,
    ENDPOINT,
    ODD_BODIES,
    ODD_NAMES,
    ODD_TABLES,
    ODD_TYPES,
    OF_PREDICTIONS,
    OTHER_RUN,
    ROUTES,
    RUN,
    SEED,
    OddRequest,
    complaint,
    odd_requests,
)
from tests.unit.api.fakes import LIFETIMES, TABLE, Context
from tests.unit.serving.fakes import encoder, variant
from tests.unit.sessions import s3_client, session
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import ARN
from tests.unit.world.fake_stepfunctions import MACHINE

REQUESTS = 3_250
WINES = b"alcohol,colour,grape\n" + b"13.2,red,merlot\n12.1,white,riesling\n" * 4
STACK = "sageline"
OF_DELETING = "DELETE /endpoints/{name}"
OF_INSPECTING = "POST /datasets/inspect"
SERVICES = {
    **{name: name for name in ("s3", "sagemaker", "stepfunctions", "scheduler", "logs", "cloudwatch", "dynamodb")},
    **{"s3_presigner": "s3", "autoscaling": "application-autoscaling", "lambda_": "lambda"},
}

Ask = Callable[[OddRequest], tuple[int, str]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Asks whichever function serves the route. Each request finds one endpoint with two variants, and two runs."""
    aws = FakeAws(more={"lambda": Functions(), "sagemaker-runtime": Runtime()})
    with pytest.MonkeyPatch.context() as patch, aws.behind_clients():
        for name, value in {
            "BUCKET_NAME": BUCKET,
            "RUNS_TABLE_NAME": TABLE,
            "STACK_NAME": STACK,
            "MAX_UPLOAD_MEGABYTES": "1024",
            "STATE_MACHINE_ARN": MACHINE,
            "DELETE_ENDPOINT_FUNCTION_NAME": "sageline-delete-endpoint",
            **{name.upper(): value for name, value in dataclasses.asdict(LIFETIMES).items()},
        }.items():
            patch.setenv(name, value)
        any_session: Any = session()  # its stubs know services by literal names
        for name, service in SERVICES.items():
            client = any_session.client(service)
            patch.setitem(vars(CLIENTS), name, client)
        runtime, tables = session().client("sagemaker-runtime"), session().resource("dynamodb")
        patch.setattr(invoke_preprocess, "sagemaker_runtime", lambda _: runtime)
        patch.setitem(vars(CLIENTS), "dynamodb_resource", tables)
        invoke_preprocess.predictor.cache_clear()
        restore = standing(aws)

        def call(request: OddRequest) -> tuple[int, str]:
            restore()
            apps: Any = {
                OF_PREDICTIONS: invoke_preprocess.handler,
                OF_DELETING: delete_endpoint.handler,
                OF_INSPECTING: inspect_dataset.handler,
            }
            answer = apps.get(request.route, manage_pipelines.handler)(json.loads(json.dumps(request.event())), Context())
            return answer["statusCode"], answer["body"]

        yield call
        invoke_preprocess.predictor.cache_clear()


def standing(aws: FakeAws) -> Callable[[], None]:
    """What makes the endpoint and the runs that each request finds."""
    routing = Routing(ENDPOINT, (variant(RUN, 1), variant(OTHER_RUN, 0.5)), "2026-11-20T10:00:00.000Z").dump()
    contents = {f"endpoints/{ENDPOINT}/routing.json": routing, f"datasets/{ENDPOINT}/data.csv": WINES}
    store = RunStore(session().resource("dynamodb").Table(TABLE))
    for run_id in (RUN, OTHER_RUN):
        contents |= {f"runs/{run_id}/encoder/{name}": content for name, content in encoder().save().items()}
        arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{run_id}"
        store.claim(RunRecord(run_id=run_id, name=ENDPOINT, execution_arn=arn, created_at="2026-11-20T10:00:00.000Z"))
    store.finish(RUN, "Succeeded")
    for key, content in contents.items():
        s3_client().put_object(Bucket=BUCKET, Key=key, Body=content)
    objects = {key: list(versions) for key, versions in aws.s3.objects.items()}
    items = dict(aws.dynamodb.items)
    served = ({"VariantName": RUN}, {"VariantName": OTHER_RUN, "CurrentWeight": 0.5})

    def restore() -> None:
        fake = aws.sagemaker
        if fake.changes() or not fake.endpoints:
            fake.run_endpoint(ENDPOINT, "InService", *served)
            fake.tags = {f"{ARN}:endpoint/{ENDPOINT}": [{"Key": "sageline:stack", "Value": STACK}]}
        fake.calls.clear()
        aws.s3.objects = {key: list(versions) for key, versions in objects.items()}
        aws.dynamodb.items |= items

    return restore


class Functions:
    """Lambda, whose functions answer nothing."""

    def invoke(self, _: dict[str, object]) -> dict[str, object]:
        return {"StatusCode": 200}


class Runtime:
    """An endpoint that gives each row the same probabilities."""

    def invoke_endpoint(self, request: dict[str, Any]) -> dict[str, object]:
        body = b"0.7,0.2,0.1\n" * request["Body"].count(b"\n")
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "text/csv"}


@pytest.mark.slow
def test_no_odd_request_is_answered_with_a_fault_of_ours(ask: Ask) -> None:
    complaints = [
        f"request {number} of seed {SEED}: {found}\n  {request}"
        for number, request in enumerate(odd_requests(SEED, REQUESTS))
        if (found := complaint(*ask(request)))
    ]
    assert complaints == []


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route])
def test_no_odd_name_is_answered_with_a_fault_of_ours(ask: Ask, route: str) -> None:
    complaints = {name: complaint(*ask(OddRequest(route, name, body="{}"))) for name in ODD_NAMES}
    assert {name: found for name, found in complaints.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.startswith("GET")])
def test_no_odd_body_is_answered_with_a_fault_of_ours(ask: Ask, route: str) -> None:
    bodies: list[str | bytes] = [
        *ODD_BODIES,
        *(body.encode(errors="surrogatepass") for body in ODD_BODIES),
        b"\xff\xfe",
        b"\x80{}",
    ]
    complaints = [complaint(*ask(OddRequest(route, ENDPOINT if "{name}" in route else RUN, body=body))) for body in bodies]
    assert [found for found in complaints if found] == []


@pytest.mark.slow
@pytest.mark.parametrize("content_type", ODD_TYPES)
def test_no_odd_table_is_answered_with_a_fault_of_ours_whatever_its_type(ask: Ask, content_type: str) -> None:
    for table in ODD_TABLES:
        for body in (table, table.encode(errors="surrogatepass")):
            as_json = OddRequest(OF_PREDICTIONS, ENDPOINT, headers={"content-type": content_type}, body=body)
            as_csv = dataclasses.replace(as_json, headers={"content-type": content_type, "accept": "text/csv"})
            (status, text), (again, cells) = ask(as_json), ask(as_csv)
            assert complaint(status, text) is None
            assert (again, cells.startswith("label,probability\n")) == (status, status == 200)


@pytest.mark.parametrize(("route", "name"), [("GET /endpoints/{name}", ENDPOINT), ("GET /pipelines/{id}", RUN)])
def test_a_name_with_a_line_feed_at_its_end_is_another_name(ask: Ask, route: str, name: str) -> None:
    assert ask(OddRequest(route, name))[0] == 200
    assert ask(OddRequest(route, f"{name}\n"))[0] == 404

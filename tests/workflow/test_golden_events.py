"""Every golden event, on the stack's own Lambda and under its function's role, reaches the case that it is named for: as they are
listed, and in another order when all of them have been there once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from sageline_local import deploy, functions
from sageline_local.aws import LocalClients
from sageline_local.fixture import EventPreparer
from sageline_local.fixture.make import make_fixture
from sageline_local.golden_events import GoldenEvent, fill, golden_events
from sageline_local.golden_names import CHAMPION, VARIABLES, WINES
from sageline_local.stack import LocalStack
from tests.golden import check
from tests.workflow.workbench import Workbench

pytestmark = [pytest.mark.stack, pytest.mark.full]

Run = Callable[[Iterable[GoldenEvent]], list[str]]

SEED = 12
ENDPOINTS = ["flowers", "wines", "aws-docs", *(name for variable, name in VARIABLES.items() if variable.endswith("Endpoint"))]


@pytest.fixture(scope="module")
def run(stack: LocalStack, clients: LocalClients, workbench: Workbench) -> Iterator[Run]:
    """Runs events, each prepared for; what is not as expected. Afterwards nothing serves: other tests take such names."""
    make_fixture(stack)
    preparing, deployed = EventPreparer(stack), deploy.function_names(clients)

    def one(event: GoldenEvent) -> str | None:
        variables = preparing.prepare(event)
        name = deployed[functions.find(event.function, list(deployed))]
        answer = clients.lambda_.invoke(FunctionName=name, Payload=json.dumps(fill(event, variables)))
        try:
            check(event, json.loads(answer["Payload"].read() or b"null"), variables)
        except AssertionError as error:
            return str(error)
        return None

    yield lambda events: [problem for event in events if (problem := one(event)) is not None]
    for name in ENDPOINTS:
        workbench.connection.api.delete_endpoint(name)
    for model in clients.sagemaker.list_models(NameContains=CHAMPION)["Models"]:
        clients.sagemaker.delete_model(ModelName=model["ModelName"])


def test_every_event_reaches_its_case(run: Run) -> None:
    assert run(golden_events()) == []


def test_every_event_reaches_its_case_in_any_order(run: Run) -> None:
    events = golden_events()
    random.Random(SEED).shuffle(events)
    assert run(events) == []


def test_the_fixture_is_made_once_and_puts_back_what_was_changed(run: Run, stack: LocalStack, clients: LocalClients) -> None:
    assert make_fixture(stack) == []
    table = stack.require_up().outputs["RunsTableName"]
    key = {"pk": {"S": f"RUN#{WINES}"}, "sk": {"S": "RUN"}}
    clients.dynamodb.delete_item(TableName=table, Key=key)
    assert make_fixture(stack) == []
    assert clients.dynamodb.get_item(TableName=table, Key=key)["Item"]["status"] == {"S": "Succeeded"}

"""The client for applications on the local stack: the example of docs/api.md as it stands there, and what follows it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest
from botocore.credentials import Credentials

from sageline.aws.scopes import CHANGE, READ
from sageline_client import Conflict, Forbidden, NotFound, Retries, Sageline, SigV4, Unauthorized
from sageline_local.stack import LocalStack
from tests.workflow.workbench import csv_text

pytestmark = pytest.mark.stack

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
NAME = "client-wines"
ROWS = [{"alcohol": 13.2, "colour": "red"}, {"alcohol": 11.0, "colour": "white"}]


def example() -> str:
    """The Python of the section on calling the API; other tests have a dataset that is called as it is there."""
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(code).replace('"wines"', f'"{NAME}"')


def wines(rows: int = 240) -> str:
    draw = random.Random(0)
    kinds = {"merlot": (13.2, "red"), "pinot": (12.1, "red"), "riesling": (11.0, "white")}
    table = []
    for number in range(rows):
        grape = list(kinds)[number % 3]
        alcohol, colour = kinds[grape]
        table.append([f"{draw.gauss(alcohol, 0.2):.2f}", colour, grape])
    return csv_text(["alcohol", "colour", "grape"], table)


@pytest.fixture
def sageline(stack: LocalStack) -> Sageline:
    variables = stack.environment()
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    auth = SigV4(credentials, variables["AWS_DEFAULT_REGION"])
    return Sageline(variables["SAGELINE_API_URL"], auth=auth, retries=Retries(120), transport=httpx.HTTPTransport())


def test_the_example_of_the_page_trains_and_predicts(stack: LocalStack, sageline: Sageline, tmp_path: Path) -> None:
    (tmp_path / "wines.csv").write_text(wines())
    environment = {**os.environ, **stack.environment()}

    ended = subprocess.run(
        [sys.executable, "-c", example()], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["Succeeded None", "merlot"]
    with sageline:
        check_the_rest(sageline)


def check_the_rest(sageline: Sageline) -> None:
    """What an application asks of the endpoint that the example has made."""
    [endpoint] = [found for found in sageline.endpoints.list() if found["name"] == NAME]
    shown = sageline.endpoints.get(NAME)
    assert [column["name"] for column in shown["columns"] or []] == ["alcohol", "colour"]
    by_json = sageline.predict(NAME, ROWS, probabilities=True)
    by_csv = sageline.predict_body(NAME, "alcohol,colour\n13.2,red\n11.0,white\n", "text/csv", probabilities=True)
    assert by_csv == by_json
    told = sageline.predict_text(NAME, "alcohol,colour\n13.2,red\n11.0,white\n", "text/csv")
    assert [line.partition(",")[0] for line in told.text.splitlines()] == ["label", "merlot", "riesling"]
    assert told.variant == endpoint["variants"][0]["name"]
    assert sageline.endpoints.set_ttl(NAME, 2)["expires_at"] is not None
    with pytest.raises(Conflict, match="cannot go back"):
        sageline.endpoints.roll_back(NAME)

    key, found = uuid.uuid4().hex, next(sageline.runs.list(name=NAME))
    spec = {"name": NAME, "dataset": {"uri": found["dataset_uri"], "label": "grape"}, "deployment": None}
    again = [sageline.runs.start(spec, idempotency_key=key)["run_id"] for _ in range(2)]
    assert again[0] == again[1] != found["run_id"]
    assert sageline.runs.stop(again[0])["status"] == "Stopped"

    assert f"endpoint/{NAME}" in sageline.endpoints.delete(NAME)["deleted"]
    with pytest.raises(NotFound, match=NAME):
        sageline.predict(NAME, ROWS)


def test_an_application_with_tokens_is_told_which_scope_it_lacks(stack: LocalStack) -> None:
    given = [stack.token([READ], subject="app", minutes=5)]
    url = stack.environment()["SAGELINE_JWT_API_URL"]

    with Sageline(url, token=lambda: given[-1], retries=Retries(0), transport=httpx.HTTPTransport()) as sageline:
        assert isinstance(sageline.endpoints.list(), list)
        with pytest.raises(Forbidden) as lacks:
            sageline.endpoints.delete("no-such")
        assert lacks.value.scope == CHANGE

        given.append(stack.token([CHANGE], subject="app", minutes=5))
        assert sageline.endpoints.delete("no-such")["deleted"] == []

        given.append("no.such.token")
        with pytest.raises(Unauthorized, match="does not take this token"):
            sageline.endpoints.list()

        given.append(stack.token(["others/scope"], subject="app", minutes=5))
        with pytest.raises(Forbidden, match=CHANGE) as has_none:
            sageline.endpoints.delete("no-such")
        assert CHANGE in (has_none.value.scope or "").split()

"""Rows to predict in every type of body, signed and sent over HTTP, as API Gateway hands them on."""

from __future__ import annotations

import csv
import json

import httpx
import pytest
from botocore.credentials import Credentials

from sageline_cli.api_client import SigV4
from sageline_local.stack import LocalStack
from tests.workflow.test_runs import QUICK
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack

ROWS = [{"length": 5.1, "width": 1.5, "ground": "wet"}, {"length": None, "width": 0.2, "ground": "dry"}]
HEADER, CELLS = "length,width,ground\r\n", '5.1,1.5,"wet"\r\n,0.2,dry\r\n'
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def test_an_endpoint_takes_csv_and_json_lines_and_answers_as_it_is_asked_to(stack: LocalStack, workbench: Workbench) -> None:
    run = workbench.wait(workbench.submit("bodies", flowers(), QUICK).run_id)
    assert run["status"] == "Succeeded", run["error"]
    variables = stack.environment()
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    url = variables["SAGELINE_API_URL"].rstrip("/") + "/endpoints/bodies/predictions"

    def ask(body: str, content_type: str, accept: str = "*/*", **query: str) -> httpx.Response:
        headers = {"content-type": content_type, "accept": accept}
        auth = SigV4(credentials, variables["AWS_DEFAULT_REGION"])
        return httpx.post(url, content=body.encode(), params=query, headers=headers, auth=auth, timeout=30)

    expected = ask(json.dumps({"instances": ROWS, "probabilities": True}), "application/json").json()

    for body, content_type in ((HEADER + CELLS, "text/csv"), (CELLS, "text/csv; header=absent"), (LINES, "application/x-ndjson")):
        assert ask(body, content_type, probabilities="true").json() == expected, content_type
    answer = ask(LINES, "application/jsonlines", "text/csv", probabilities="true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["sageline-variant"] == expected["variant"]
    for row, prediction in zip(csv.DictReader(answer.text.splitlines()), expected["predictions"], strict=True):
        told = {f"probability_{label}": str(value) for label, value in prediction["probabilities"].items()}
        assert row == {"label": prediction["label"], "probability": str(prediction["probability"]), **told}
    refused = ask("<rows/>", "application/xml")
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "UnsupportedMediaType")
    assert ask(CELLS, "text/csv; header=absent", "image/png").status_code == 406
    workbench.connection.api.delete_endpoint("bodies")

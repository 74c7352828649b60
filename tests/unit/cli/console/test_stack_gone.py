"""The stack goes down while the console is open, and comes back."""

from __future__ import annotations

import httpx

from sageline_cli.connection import Connection
from sageline_cli.console.app import create_app
from sageline_cli.console.stack import StackAccess
from sageline_cli.errors import CommandFailed
from tests.unit.cli.console.asked import Page
from tests.unit.cli.console.conftest import ADDRESS, BUCKET_ORIGIN
from tests.unit.cli.fakes import FakeApi


def test_what_is_down_is_said_and_looked_for_anew(connection: Connection, api: FakeApi) -> None:
    made: list[bool] = []
    is_up = True

    def connect() -> Connection:
        made.append(is_up)
        if not is_up:
            raise CommandFailed("The stack is down: start it with `sageline local up`.", "StackNotUp")
        return connection

    def gone(request: httpx.Request) -> tuple[int, object]:
        raise httpx.ConnectError("refused")

    page = Page(create_app(StackAccess("local stack", connect), ADDRESS, BUCKET_ORIGIN), ADDRESS.url)
    api.answer("GET", "/pipelines", {"runs": [], "next_token": None})
    assert (page.get("").status_code, page.get("up").status_code) == (200, 204)
    assert made == [True]

    is_up = False
    api.routes["GET", "/pipelines"] = gone
    answers = [page.get(""), page.get(""), page.get("up"), page.get("", headers={"hx-request": "true"})]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert "cannot be reached" in answers[0].text
    assert "sageline local up" in answers[1].text
    assert all("data-waits" in answer.text for answer in answers)
    script = page.post("new/uploads", data={"file": "a.csv", "name": "a", "bytes": "1"}, headers={"accept": "application/json"})
    assert (script.status_code, script.json()["error"]["code"]) == (503, "StackNotUp")

    is_up = True
    api.answer("GET", "/pipelines", {"runs": [], "next_token": None})
    assert page.get("up").status_code == 204
    assert "No runs yet" in page.get("").text


def test_two_consoles_share_nothing_but_the_stack(connection: Connection, api: FakeApi) -> None:
    one, other = (
        Page(create_app(StackAccess("local stack", lambda: connection), ADDRESS, BUCKET_ORIGIN), ADDRESS.url) for _ in range(2)
    )
    asked = {"accept": "application/json"}
    begun = one.post("new/uploads", data={"file": "a.csv", "name": "a", "bytes": "3"}, headers=asked).json()
    upload = {"key": begun["key"], "upload_id": begun["upload_id"]}
    connection.s3.upload_part(Bucket=connection.bucket, Key=begun["key"], UploadId=begun["upload_id"], PartNumber=1, Body=b"a,b")

    done = other.post("new/uploads/complete", data={**upload, "bytes": "3"}, headers=asked)
    assert done.status_code == 200
    assert one.post("new/discard", data={"key": begun["key"]}).status_code == 204

    gone = other.post("new/uploads/complete", data={**upload, "bytes": "3"}, headers=asked)
    assert gone.status_code == 404
    assert "not there any more" in gone.json()["error"]["message"]

"""A fault of the console itself."""

from __future__ import annotations

import pytest

from tests.unit.cli.console.asked import Page
from tests.unit.cli.fakes import FakeApi

SECRET = "a detail of the inside"


@pytest.fixture(autouse=True)
def _fault(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("sageline_cli.console.pages.runs.live_run", break_down)
    monkeypatch.setattr("sageline_cli.console.pages.upload.whole_number", break_down)


def test_it_has_the_consoles_own_page_with_what_a_page_may_load_and_no_inside(page: Page) -> None:
    answer = page.get("runs/wine-20261120100000-abc123")

    assert answer.status_code == 500
    assert "That did not work" in answer.text
    assert "ZeroDivisionError" in answer.text
    assert '<nav aria-label="Console">' in answer.text
    assert (SECRET in answer.text, "Traceback" in answer.text) == (False, False)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_part_of_a_page_says_so_in_its_place(page: Page) -> None:
    answer = page.get("runs/wine-20261120100000-abc123/live", headers={"hx-request": "true"})

    assert (answer.status_code, "<html" in answer.text, "ZeroDivisionError" in answer.text) == (500, False, True)


def test_a_script_is_told_in_json(page: Page) -> None:
    answer = page.post("new/uploads", data={"file": "a.csv"}, headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "ZeroDivisionError")


def test_who_has_no_token_sees_no_fault(page: Page) -> None:
    assert page.get("http://127.0.0.1:8300/another-token/runs/wine-20261120100000-abc123").status_code == 403

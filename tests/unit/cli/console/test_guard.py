"""Who may use the console."""

from __future__ import annotations

import pytest

from tests.unit.cli.console.asked import Page
from tests.unit.cli.console.conftest import ADDRESS, BUCKET_ORIGIN
from tests.unit.cli.fakes import FakeApi


def test_the_address_that_was_printed_opens_a_page(page: Page) -> None:
    assert page.get("new").status_code == 200
    assert page.get("new", headers={"sec-fetch-site": "none"}).status_code == 200
    assert page.get("new", headers={"host": "localhost:8300"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/new", "/another-token/new", "/the-token2/new", "/static/console.css", "//the-token/new"])
def test_without_the_token_there_is_nothing(page: Page, path: str) -> None:
    answer = page.get(f"http://127.0.0.1:8300{path}")

    assert answer.status_code == 403
    assert "token" in answer.text
    assert ADDRESS.token not in answer.text


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("host", "rebound.example:8300"),
        ("host", "127.0.0.1:8301"),
        ("host", "127.0.0.1"),
        ("origin", "http://127.0.0.1:9000"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ],
)
def test_other_pages_are_refused_although_they_have_the_token(page: Page, api: FakeApi, header: str, value: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = page.request(method, "runs/wine-20261120100000-abc123/stop", headers={header: value})

        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert api.requests == []


def test_a_page_loads_nothing_from_outside_and_runs_nothing_that_is_written_into_it(page: Page) -> None:
    for path in ("new", "no-such-page"):
        headers = page.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["connect-src"] == f"'self' {BUCKET_ORIGIN}"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["new", "new/review?key=datasets/wine/console-20261120100000-abc123.csv"])
def test_no_page_has_what_its_policy_forbids(page: Page, path: str) -> None:
    html = page.get(path).text

    assert " style=" not in html
    assert " onclick" not in html
    assert "<script>" not in html

"""Odd requests over real HTTP, signed, their paths percent-encoded as they are sent; and what becomes of a URL that leaks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed
from sageline_local.stack import LocalStack
from tests.odd_requests import ODD_NAMES, SEED, OddRequest, complaint, odd_requests
from tests.workflow.workbench import Workbench

pytestmark = pytest.mark.stack

REQUESTS = 208
A_FILE, AS_LONG, LONGER = b"a,b\n1,2\n", b"a,b\n3,4\n", b"a,b\n1,2\n3,4\n"


class Client:
    """Sends requests to the stack's HTTP API as they are, signed."""

    def __init__(self, stack: LocalStack) -> None:
        variables = stack.environment()
        self._url = variables["SAGELINE_API_URL"].rstrip("/")
        self._credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
        self._region = variables["AWS_DEFAULT_REGION"]
        self._http = httpx.Client(timeout=30)

    def send(self, request: OddRequest) -> tuple[int, str]:
        url = httpx.URL(self._url)
        # The path is sent as it is: httpx would tidy it.
        url = url.copy_with(raw_path=url.raw_path.rstrip(b"/") + request.target.encode())
        body = request.body.encode(errors="surrogatepass") if isinstance(request.body, str) else request.body
        kind = "application/octet-stream" if isinstance(request.body, bytes) else "application/json"
        signed = AWSRequest(request.method, str(url), data=body, headers={"content-type": kind, **request.headers})
        SigV4Auth(self._credentials, "execute-api", self._region).add_auth(signed)
        answer = self._http.request(request.method, url, content=body, headers=dict(signed.headers))
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Client:
    return Client(stack)


def can_be_sent(request: OddRequest) -> bool:
    """Not every header can: HTTP itself refuses some."""
    return all(value.isascii() and value.isprintable() and value == value.strip() for value in request.headers.values())


def complaint_of(client: Client, request: OddRequest) -> str | None:
    status, text = client.send(request)
    # With such a name it is another path, which has no route, and whose signature may be another: answered before a function is.
    if status in (403, 404) and ("/" in f"{request.name}" or request.name in (".", "..")):
        return None
    found = complaint(status, text)
    return found and f"{request}\n  {found}"


def complaints(client: Client, requests: Iterable[OddRequest]) -> list[str]:
    return [found for request in requests if (found := complaint_of(client, request))]


@pytest.mark.full
def test_no_odd_request_is_answered_with_a_fault_of_ours(client: Client) -> None:
    assert complaints(client, filter(can_be_sent, odd_requests(SEED, REQUESTS))) == [], f"with seed {SEED}"


def test_no_odd_name_of_an_endpoint_to_delete_is_answered_with_a_fault_of_ours(client: Client) -> None:
    assert complaints(client, [OddRequest("DELETE /endpoints/{name}", name) for name in ODD_NAMES]) == []


def test_a_line_feed_at_the_end_of_a_name_makes_it_another_name(client: Client) -> None:
    assert client.send(OddRequest("DELETE /endpoints/{name}", "nobody-made-this"))[0] == 200
    assert client.send(OddRequest("DELETE /endpoints/{name}", "nobody-made-this\n"))[0] == 404


def ask_for_upload(workbench: Workbench, name: str, data: bytes) -> Json:
    body = {"name": name, "bytes": len(data), "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()}
    upload: Json = workbench.connection.api.create_upload(body)["upload"]
    return upload


def put(upload: Json, data: bytes, **changes: str | None) -> int:
    """The status; headers that are None are left out."""
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    sent = {name: value for name, value in (upload["headers"] | changed).items() if value is not None}
    return httpx.put(upload["url"], content=data, headers=sent, timeout=30).status_code


def test_a_url_takes_the_file_that_it_is_for_and_takes_it_once(workbench: Workbench) -> None:
    upload = ask_for_upload(workbench, "uploads", A_FILE)
    refusals = [
        put(upload, LONGER, content_length=str(len(LONGER))),
        put(upload, AS_LONG),
        put(upload, A_FILE, if_none_match=None),
        put(upload, AS_LONG, content_md5=None),
    ]
    assert refusals == [403, 400, 403, 403]
    assert [put(upload, A_FILE), put(upload, A_FILE), put(upload, A_FILE, if_none_match=None)] == [200, 412, 403]

    replacement = ask_for_upload(workbench, "uploads", AS_LONG)
    assert "if-match" in replacement["headers"]
    assert [put(replacement, AS_LONG), put(replacement, AS_LONG), put(upload, A_FILE)] == [200, 412, 412]
    stored = workbench.connection.s3.get_object(Bucket=workbench.connection.bucket, Key="datasets/uploads/data.csv")
    assert stored["Body"].read() == AS_LONG
    with pytest.raises(CommandFailed, match="this very file"):
        ask_for_upload(workbench, "uploads", AS_LONG)

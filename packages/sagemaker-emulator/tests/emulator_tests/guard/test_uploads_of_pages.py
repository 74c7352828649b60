"""A page of another origin on this machine uploads to S3 by a presigned URL, and does nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from emulator_tests.guard.signed import BUCKET, ENDPOINT, RULES, Change, client, judged, made, reason, with_headers
from emulator_tests.guard.test_asgi import Application, exchange
from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.refusals import Reason
from sagemaker_emulator.guard.request import Request

PAGE = "http://127.0.0.1:8300"


def url(operation: str = "upload_part", **config: str) -> str:
    params: dict[str, object] = {"Bucket": BUCKET, "Key": "datasets/wine/rows.csv"}
    if operation == "upload_part":
        params |= {"UploadId": "u", "PartNumber": 1}
    s3 = client("s3", signature_version=config.get("signature_version", "s3v4"))
    return str(s3.generate_presigned_url(operation, Params=params, ExpiresIn=60))


def put(origin: str = PAGE) -> Request:
    return made("PUT", url(), origin=origin)


def preflight(method: str = "PUT", origin: str = PAGE) -> Request:
    """What a browser asks before it sends a page's request."""
    return with_headers(made("OPTIONS", url(), origin=origin), access_control_request_method=method)


def test_a_part_and_the_question_before_it_pass() -> None:
    assert judged(put(), b"rows") is None
    assert judged(preflight()) is None
    assert judged(put("http://localhost:8300"), b"rows") is None
    assert judged(put("http://[::1]:8300"), b"rows") is None


def test_the_page_reads_whether_its_upload_has_come() -> None:
    for request in (put(), preflight()):
        answer = exchange(Guard(Application(), RULES), request, [b""])

        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*", "as the application says"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://evil.example:8300", "https://127.0.0.1:8300", "null", "", "http://127.0.0.1.evil.example"],
)
def test_a_page_of_another_machine_uploads_nothing_whatever_it_knows(origin: str) -> None:
    for request in (put(origin), preflight(origin=origin)):
        app = Application()

        answer = exchange(Guard(app, RULES), request, [b"rows"])

        assert (answer.status, app.asked) == (403, 0)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, query=request.query.replace("X-Amz-Signature=", "X-Amz-Signature=0", 1)),
        lambda request: replace(request, query=request.query.replace("partNumber=1", "partNumber=2")),
        lambda request: replace(request, path=request.path.replace("wine", "secrets")),
        lambda request: replace(request, query=f"{request.query}&acl="),
        lambda request: with_headers(request, x_amz_acl="public-read"),
        lambda request: with_headers(request, host="127.0.0.1:9999"),
    ],
)
def test_the_url_is_good_for_what_it_was_signed_for(change: Change) -> None:
    for request in (put(), preflight()):
        assert reason(change(request), b"") in (Reason.MISMATCH, Reason.MALFORMED, Reason.FOREIGN)


def test_the_url_expires() -> None:
    assert reason(put(), b"", now=datetime.now(UTC) + timedelta(minutes=2)) is Reason.EXPIRED


def test_nothing_but_a_presigned_put_passes() -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert reason(made(method, url(), origin=PAGE)) is Reason.FOREIGN
        assert reason(preflight(method)) is Reason.FOREIGN
    assert reason(made("OPTIONS", url(), origin=PAGE)) is Reason.FOREIGN
    assert reason(made("GET", url("get_object"), origin=PAGE)) is Reason.FOREIGN
    assert reason(made("PUT", url("put_object", signature_version="s3"), origin=PAGE)) is Reason.FOREIGN
    assert reason(made("PUT", f"{ENDPOINT}/{BUCKET}/k", origin=PAGE)) is Reason.FOREIGN
    assert reason(made("PUT", f"{ENDPOINT}/{BUCKET}/k?X-Amz-Signature={'0' * 64}", origin=PAGE)) is Reason.FOREIGN


def test_no_other_service_takes_a_pages_request() -> None:
    upload = put()

    assert reason(upload, rules=replace(RULES, is_s3=False)) is Reason.FOREIGN
    of_iam = replace(upload, query=upload.query.replace(quote("/s3/", safe=""), quote("/iam/", safe="")))
    assert reason(of_iam) is Reason.FOREIGN


def test_a_closed_path_stays_closed() -> None:
    closed = Rules(RULES.secret_of, is_closed=lambda request: True, is_s3=True)

    assert reason(put(), rules=closed) is Reason.FOREIGN

"""Uploads that are signed chunk by chunk: AWS's own examples, whole and changed.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, …/sigv4-streaming-trailers.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from emulator_tests.guard.signed import judged, made
from sagemaker_emulator.guard import decision
from sagemaker_emulator.guard.chunks import ChunkedBody
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.refusals import Reason
from sagemaker_emulator.guard.signatures import Scope, Signer

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SIGNER = Signer(Scope(KEY, "20130524T000000Z", "us-east-1", "s3"), SECRET)
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CHUNKS = (
    (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
TRAILER_CHUNKS = (
    (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
)
TRAILER = b"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + (
    b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
)


def written(chunks: tuple[tuple[int, str], ...], end: bytes = b"\r\n") -> bytes:
    parts = [f"{size:x};chunk-signature={signature}\r\n".encode() + b"a" * size + b"\r\n" for size, signature in chunks]
    return b"".join(parts)[:-2] + end


PLAIN, TRAILED = written(CHUNKS), written(TRAILER_CHUNKS, TRAILER)


def reason(body: bytes, *, trailer: bool = False, piece: int = 8192) -> Reason | None:
    check = ChunkedBody(SIGNER, TRAILER_SEED if trailer else SEED, trailer=trailer)
    for start in range(0, len(body), piece):
        refusal = check.feed(body[start : start + piece])
        if refusal is not None:
            return refusal.reason
    refusal = check.end()
    return None if refusal is None else refusal.reason


@pytest.mark.parametrize("piece", [1, 87, 8192, 10**6])
def test_awss_examples_pass_in_pieces_of_any_size(piece: int) -> None:
    assert reason(PLAIN, piece=piece) is None
    assert reason(TRAILED, trailer=True, piece=piece) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"aaaa", b"aaab", 1),
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(b"400;", b"3ff;").replace(b"a" * 1024 + b"\r\n", b"a" * 1023 + b"\r\n"),
        lambda body: body[body.index(b"400;") :],
        lambda body: body[: body.rindex(b"0;chunk")],
        lambda body: body + b"more",
        lambda body: body.replace(b";chunk-signature=", b";chunk-signature=0", 1),
        lambda body: b"a" * 1000,
        lambda body: b"",
        lambda body: body.replace(b"sOO8", b"sOO9") if b"sOO8" in body else body.replace(b"aaaa", b"b", 1),
    ],
)
@pytest.mark.parametrize(("body", "trailer"), [(PLAIN, False), (TRAILED, True)], ids=["plain", "trailer"])
def test_an_upload_that_was_changed_or_cut_off_is_refused(change: Callable[[bytes], bytes], body: bytes, trailer: bool) -> None:
    assert reason(change(body), trailer=trailer) is Reason.MISMATCH


def test_a_trailer_must_be_signed_where_one_is_announced() -> None:
    assert reason(written(TRAILER_CHUNKS), trailer=True) is Reason.MISMATCH
    assert reason(written(CHUNKS, TRAILER)) is Reason.MISMATCH


def test_the_request_of_awss_example_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = (
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
    )
    request = made(
        "PUT",
        "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
        **{
            "x-amz-date": "20130524T000000Z",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
            f"SignedHeaders={signed},Signature={SEED}",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "content-length": "66824",
        },
    )
    monkeypatch.setattr(decision, "foreign_host", lambda request: None)  # it is for s3.amazonaws.com
    rules = Rules(lambda key: SECRET)
    now = datetime(2013, 5, 24, tzinfo=UTC)

    assert judged(request, PLAIN, now, rules) is None
    refused = judged(request, PLAIN.replace(b"aaaa", b"aaab", 1), now, rules)
    assert refused is not None
    assert refused.reason is Reason.MISMATCH

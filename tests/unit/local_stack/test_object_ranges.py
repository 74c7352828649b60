"""Ranges of versions. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect

import pytest
from ministack.services import s3

from sageline_local.object_ranges import cut_out, install

HEADERS = {"Content-Length": "10", "ETag": '"e"', "x-amz-checksum-crc32": "abc="}
WHOLE = (200, HEADERS, b"0123456789")


def test_ministack_still_ignores_ranges_of_versions_in_the_way_that_this_makes_up_for() -> None:
    assert list(inspect.signature(s3._get_object).parameters) == ["bucket_name", "key", "headers", "query_params"]
    of_versions, _, _ = inspect.getsource(s3._get_object).partition("NoSuchVersion")
    assert "return 200, resp_headers, body" in of_versions
    assert "range" not in of_versions.lower()


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-20", b"89", "bytes 8-9/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_is_cut_out_of_the_whole(wanted: str, part: bytes, content_range: str) -> None:
    status, headers, body = cut_out(WHOLE, {"range": wanted})
    assert (status, body) == (206, part)
    assert headers == {"Content-Length": str(len(part)), "ETag": '"e"', "Content-Range": content_range}


@pytest.mark.parametrize("answer", [(206, {}, b"0123"), (404, {}, b"<Error/>"), (304, {}, b"")])
def test_other_answers_stay_as_they_are(answer: tuple[int, dict[str, str], bytes]) -> None:
    assert cut_out(answer, {"range": "bytes=0-1"}) == answer


def test_without_a_range_the_whole_is_answered() -> None:
    assert cut_out(WHOLE, {}) == WHOLE


def test_ministack_answers_with_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_get_object", lambda bucket, key, headers, query: WHOLE)
    install()
    assert s3._get_object("bucket", "key", {"range": "bytes=1-2"}, {"versionId": ["v"]})[2] == b"12"

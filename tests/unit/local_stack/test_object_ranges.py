"""Ranges of objects. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.services import s3

from sageline_local import object_ranges, version_memory
from sageline_local.object_ranges import cut_out

HEADERS = {"Content-Length": "10", "ETag": '"e"', "x-amz-checksum-crc32": "abc="}
WHOLE = (200, HEADERS, b"0123456789")
NAME = ("bucket", "key")
FIRST, SECOND = b"0123456789" * 1000, b"abcdefghij" * 1000


def test_ministack_still_ignores_ranges_of_versions_in_the_way_that_this_makes_up_for() -> None:
    assert list(inspect.signature(s3._get_object).parameters) == ["bucket_name", "key", "headers", "query_params"]
    of_versions, _, _ = inspect.getsource(s3._get_object).partition("NoSuchVersion")
    assert "return 200, resp_headers, body" in of_versions
    assert "range" not in of_versions.lower()


def test_ministack_still_keeps_versions_in_memory_and_reads_whole_files() -> None:
    assert '"data": data' in inspect.getsource(s3._version_entry_from_record)
    assert 'obj["body"] = None' in inspect.getsource(s3._persist_object)
    assert list(inspect.signature(s3._version_body).parameters) == ["bucket", "bucket_name", "key", "v"]
    assert list(inspect.signature(s3._read_body).parameters) == ["bucket_name", "key", "obj"]
    for read in (s3._version_body, s3._read_body):
        assert "f.read()" in inspect.getsource(read)


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
    status, headers, body = cut_out(WHOLE, {"range": wanted}, NAME)
    assert (status, body) == (206, part)
    assert headers == {"Content-Length": str(len(part)), "ETag": '"e"', "Content-Range": content_range}


@pytest.mark.parametrize("answer", [(206, {}, b"0123"), (404, {}, b"<Error/>"), (304, {}, b"")])
def test_other_answers_stay_as_they_are(answer: tuple[int, dict[str, str], bytes]) -> None:
    assert cut_out(answer, {"range": "bytes=0-1"}, NAME) == answer


def test_without_a_range_the_whole_is_answered() -> None:
    assert cut_out(WHOLE, {}, NAME) == WHOLE


def test_a_part_that_the_object_does_not_have_is_refused() -> None:
    status, headers, body = cut_out(WHOLE, {"range": "bytes=10-"}, NAME)
    assert (status, headers["Content-Range"]) == (416, "bytes */10")
    assert b"InvalidRange" in body


class TestOnDisk:
    """MiniStack's own S3 with its files in a folder, with two versions of an object."""

    @pytest.fixture(autouse=True)
    def versions(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        for name in ("_get_object", "_version_body", "_read_body", "_persist_object"):  # so that they are put back
            monkeypatch.setattr(s3, name, getattr(s3, name))
        monkeypatch.setattr(s3, "DATA_DIR", str(tmp_path))
        monkeypatch.setattr(s3, "S3_PERSIST", True)
        object_ranges.install()
        version_memory.install()
        s3._create_bucket("ranges", b"", {})
        s3._bucket_versioning["ranges"] = "Enabled"
        yield [s3._put_object("ranges", "key", body, {})[1]["x-amz-version-id"] for body in (FIRST, SECOND)]
        s3.reset()

    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many bytes each read of a file takes, once the objects are there."""
        sizes: list[int] = []
        read = object_ranges.BodyOnDisk.__getitem__

        def counted(body: object_ranges.BodyOnDisk, part: slice) -> bytes:
            sizes.append(len(found := read(body, part)))
            return found

        def refuse(path: object, *others: Any, **named: Any) -> Any:  # Any: as open has it
            assert not str(path).endswith("key"), "the whole file is read"
            return opened(path, *others, **named)  # type: ignore[call-overload]  # as open has it

        opened = builtins.open
        monkeypatch.setattr(object_ranges.BodyOnDisk, "__getitem__", counted)
        monkeypatch.setattr(builtins, "open", refuse)
        return sizes

    @pytest.mark.parametrize(("number", "part"), [(0, b"2345"), (1, b"cdef"), (None, b"cdef")])
    def test_only_the_range_is_read(self, versions: list[str], read: list[int], number: int | None, part: bytes) -> None:
        query = {} if number is None else {"versionId": [versions[number]]}

        status, headers, body = s3._get_object("ranges", "key", {"range": "bytes=5002-5005"}, query)

        assert (status, body, headers["Content-Range"]) == (206, part, "bytes 5002-5005/10000")
        assert read == [4]

    @pytest.mark.parametrize(("number", "whole"), [(0, FIRST), (1, SECOND), (None, SECOND)])
    def test_without_a_range_it_is_read_whole(self, versions: list[str], number: int | None, whole: bytes) -> None:
        query = {} if number is None else {"versionId": [versions[number]]}

        assert s3._get_object("ranges", "key", {}, query)[2] == whole

    def test_no_version_is_kept_in_memory(self) -> None:
        assert [version["data"] for version in s3._object_versions["ranges", "key"]] == [None, None]

    def test_a_version_becomes_the_object_again_when_the_newer_one_is_deleted(self, versions: list[str]) -> None:
        s3._delete_object("ranges", "key", {}, {"versionId": [versions[1]]})

        assert s3._get_object("ranges", "key", {}, {})[2] == FIRST

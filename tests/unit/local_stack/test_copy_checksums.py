"""Checksums of copies. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import base64
import hashlib
import inspect
from typing import Any

import pytest
from ministack.services import s3

from sageline_local.copy_checksums import note_checksum, understood

SHA256 = base64.b64encode(hashlib.sha256(b"part").digest()).decode()


def test_ministack_still_makes_no_checksums_of_copies_in_the_way_that_this_makes_up_for() -> None:
    copy_object, copy_part = inspect.getsource(s3._copy_object), inspect.getsource(s3._upload_part_copy)
    assert 'if headers.get("x-amz-sdk-checksum-algorithm") or any(' in copy_object
    assert '_multipart_uploads[upload_id]["parts"][part_number] = {' in copy_part
    assert "checksum" not in copy_part.lower()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amz-checksum-algorithm": "SHA256"}, "SHA256"),
        ({"x-amz-checksum-algorithm": "SHA256", "x-amz-sdk-checksum-algorithm": "CRC32"}, "CRC32"),
        ({}, None),
    ],
)
def test_a_copy_asks_for_its_checksum_as_a_put_does(headers: dict[str, str], expected: str | None) -> None:
    assert understood(headers).get("x-amz-sdk-checksum-algorithm") == expected


@pytest.mark.parametrize(("algorithm", "expected"), [("SHA256", {"SHA256": SHA256}), (None, None)])
def test_a_copied_part_has_the_checksum_of_its_upload(algorithm: str | None, expected: dict[str, str] | None) -> None:
    upload: dict[str, Any] = {"checksum_algorithm": algorithm, "parts": {1: {"body": b"part"}}}
    note_checksum(upload, 1)
    assert upload["parts"][1].get("checksums") == expected

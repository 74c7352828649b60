"""Writes with the account's own key. The first test guards the place where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect

import pytest
from ministack.services import s3

from sageline_local.default_key import KEY, install, with_default_key

ENCRYPTION, KEY_ID = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"


def test_ministack_still_refuses_a_write_that_names_no_key() -> None:
    assert list(inspect.signature(s3._resolve_sse_write_headers).parameters) == ["headers", "bucket_name"]
    kept, refused = s3._resolve_sse_write_headers({ENCRYPTION: "aws:kms"}, "bucket")
    assert kept is None
    assert refused[0] == 400


def test_a_write_that_names_no_key_gets_the_accounts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_resolve_sse_write_headers", s3._resolve_sse_write_headers)
    install()
    kept, refused = s3._resolve_sse_write_headers({ENCRYPTION: "aws:kms"}, "bucket")
    assert refused is None
    assert kept == {ENCRYPTION: "aws:kms", KEY_ID: KEY}


@pytest.mark.parametrize("headers", [{}, {ENCRYPTION: "AES256"}, {ENCRYPTION: "aws:kms", KEY_ID: "mine"}])
def test_other_writes_stay_as_they_are(headers: dict[str, str]) -> None:
    assert with_default_key(headers) == headers

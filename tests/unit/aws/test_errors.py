from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.aws.errors import is_busy, is_denied, is_existing, is_missing_object, is_not_found


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.mark.parametrize(
    ("found", "of"),
    [
        (is_not_found, error("ResourceNotFound", "Training job does not exist")),
        (is_not_found, error("ValidationException", "Requested resource not found.")),
        (is_not_found, error("ValidationException", 'Could not find endpoint "arn".')),
        (is_existing, error("ResourceInUse", "Training job names must be unique")),
        (is_existing, error("ValidationException", 'Cannot create already existing model "arn".')),
        (is_busy, error("ValidationException", 'Cannot update in-progress endpoint "arn".')),
        (is_missing_object, error("404")),
        (is_missing_object, error("NoSuchVersion")),
        (is_denied, error("403")),
        (is_denied, error("AccessDeniedException")),
    ],
)
def test_an_error_is_told_by_code_and_message_and_is_nothing_else(found: object, of: ClientError) -> None:
    kinds = (is_not_found, is_existing, is_busy, is_missing_object, is_denied)
    assert [kind for kind in kinds if kind(of)] == [found]


@pytest.mark.parametrize("code", ["ThrottlingException", "ValidationException", "ResourceLimitExceeded", "InternalFailure"])
def test_any_other_error_is_none_of_them(code: str) -> None:
    of = error(code, "1 validation error detected: Value at 'x' failed to satisfy constraint")
    assert not any(kind(of) for kind in (is_not_found, is_existing, is_busy, is_missing_object, is_denied))

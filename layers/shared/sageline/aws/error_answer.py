"""The document of an error that the HTTP API answers. Imports nothing heavy: it is on the prediction path."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from typing_extensions import TypedDict  # pydantic reads no other on Python 3.11

from sageline.json_objects import Keywords

Details: TypeAlias = dict[str, object]


class ErrorBody(TypedDict):
    """What went wrong: for a program the code and the details, for a person the message."""

    code: str
    message: Annotated[str, Keywords(maxLength=4_000)]
    details: Details


class ErrorAnswer(TypedDict):
    """The answer to a request that was not done."""

    error: ErrorBody

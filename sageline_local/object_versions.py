"""The version of the object in S3's events, which MiniStack 1.5.33 knows and leaves out for EventBridge.

A run's id follows from the version that was uploaded. Without it, two uploads of a file within a second would be one run.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

_version: ContextVar[str | None] = ContextVar("version of the object that an event is about", default=None)


def with_version(event: dict[str, Any], version: str | None) -> dict[str, Any]:  # Any: a JSON document
    """An event of S3 as S3 sends it, with ``version-id`` where the object has one; any other event as it is."""
    if version is None or event.get("Source") != "aws.s3":
        return event
    detail = json.loads(event["Detail"])
    return {**event, "Detail": json.dumps({**detail, "object": {**detail["object"], "version-id": version}})}


def install() -> None:
    """Have MiniStack name versions in S3's events."""
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*arguments: Any, **named: Any) -> None:  # Any: MiniStack's
        before = _version.set(named.get("version_id"))
        try:
            fire(*arguments, **named)
        finally:
            _version.reset(before)

    def dispatch_with_version(event: dict[str, Any], *view: Any) -> Any:  # Any: MiniStack's
        return dispatch(with_version(event, _version.get()), *view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version

"""Versions in S3's events. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from ministack.services import eventbridge, s3

from sageline_local.object_versions import install, with_version

EVENT: dict[str, Any] = {"Source": "aws.s3", "Detail": json.dumps({"object": {"key": "k", "size": 1}})}


def test_ministack_still_leaves_the_version_out_in_the_way_that_this_makes_up_for() -> None:
    fire = inspect.getsource(s3._fire_s3_event)
    assert "_eb._dispatch_event(eb_event)" in fire
    assert "version-id" not in fire
    assert '"version_id": version_id' in inspect.getsource(s3._fire_s3_event_async)


def test_the_version_joins_what_the_event_says_of_the_object() -> None:
    assert json.loads(with_version(EVENT, "v1")["Detail"]) == {"object": {"key": "k", "size": 1, "version-id": "v1"}}


@pytest.mark.parametrize(("event", "version"), [(EVENT, None), ({"Source": "aws.sagemaker", "Detail": "{}"}, "v1")])
def test_other_events_stay_as_they_are(event: dict[str, Any], version: str | None) -> None:
    assert with_version(event, version) == event


def test_each_event_has_the_version_of_its_own_object(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[Any] = []

    def fire(key: str, *, version_id: str | None = None) -> None:
        eventbridge._dispatch_event({"Source": "aws.s3", "Detail": json.dumps({"object": {"key": key}})})

    monkeypatch.setattr(s3, "_fire_s3_event", fire)
    monkeypatch.setattr(eventbridge, "_dispatch_event", delivered.append)
    install()

    s3._fire_s3_event("a", version_id="v1")
    s3._fire_s3_event("b", version_id="v2")
    s3._fire_s3_event("c")

    assert [json.loads(event["Detail"])["object"].get("version-id") for event in delivered] == ["v1", "v2", None]

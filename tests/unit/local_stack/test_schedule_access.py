"""Calls about schedules. The first test guards the place where this leans on MiniStack's inside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.core import iam_actions

from sageline_local.schedule_access import install

ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule"


def about(method: str, body: object = None, query: Any = None) -> str:
    document = json.dumps(body).encode() if body is not None else b""
    place = ("us-east-1", "000000000000")
    arn: str = iam_actions.extract_resource_arn("scheduler", method, "/schedules/wine", {}, document, query or {}, *place)
    return arn


def test_ministack_still_takes_every_schedule_to_be_in_the_default_group() -> None:
    assert about("POST", {"GroupName": "mine"}) == f"{ARN}/default/wine"


@pytest.mark.parametrize(
    ("method", "body", "query", "group"),
    [
        ("POST", {"GroupName": "mine"}, {}, "mine"),
        ("PUT", {"GroupName": "mine"}, {}, "mine"),
        ("DELETE", None, {"groupName": ["mine"]}, "mine"),
        ("GET", None, {"groupName": "mine"}, "mine"),
        ("POST", {}, {}, "default"),
        ("DELETE", None, {}, "default"),
    ],
)
def test_a_call_is_about_the_group_that_it_names(
    monkeypatch: pytest.MonkeyPatch, *, method: str, body: object, query: Any, group: str
) -> None:
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    install()

    assert about(method, body, query) == f"{ARN}/{group}/wine"

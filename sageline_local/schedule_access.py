"""Finds which schedule a call is about: MiniStack 1.5.33 takes every schedule to be in the group ``default``.

A function may touch the schedules of its stack's group only.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions


def install() -> None:
    """Have MiniStack authorise calls about schedules on the group that they name."""
    extract = iam_actions.extract_resource_arn

    # Any: MiniStack's service, method, path, headers, body, query, and location
    def extract_schedule_arn(service: str, *request: Any) -> str:
        arn: str = extract(service, *request)
        if service != "scheduler":
            return arn
        body, query = request[3], request[4]
        return arn.replace(":schedule/default/", f":schedule/{group_of(body, query)}/")

    iam_actions.extract_resource_arn = extract_schedule_arn


def group_of(body: bytes, query: Any) -> str:  # Any: a value, or a list of values, by name
    """The group that a request names, in its query string or in its body."""
    given = query.get("groupName")
    if given:
        return str(given[0] if isinstance(given, list) else given)
    try:
        return str(json.loads(body or b"{}").get("GroupName", "default"))
    except ValueError:
        return "default"

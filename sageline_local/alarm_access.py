"""Finds which alarm a CloudWatch call is about: MiniStack 1.5.33 does not where a call names several.

A function may touch the alarms of its stack only, by name (``cloudwatch:DeleteAlarms`` and the like on
``arn:aws:cloudwatch:…:alarm:<stack>-rollout-*``); MiniStack takes such a call to be about everything, and denies it. Looking at
alarms is about all of them in AWS (``alarm:*``), whichever are named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions


def install() -> None:
    """Have MiniStack authorise calls about alarms on the alarms that they name."""
    extract = iam_actions.extract_resource_arn

    def extract_alarm_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, *others: Any
    ) -> str:  # Any: MiniStack's
        name = alarm_name(headers, body) if service == "monitoring" else None
        if name is not None:
            region, account = others[-2:]
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"
        arn: str = extract(service, method, path, headers, body, *others)
        return arn

    iam_actions.extract_resource_arn = extract_alarm_arn


def alarm_name(headers: Mapping[str, str], body: bytes) -> str | None:
    """The alarm that a request is about; of several the first: those that are named together are of one endpoint."""
    if headers.get("x-amz-target", "").endswith(".DescribeAlarms"):
        return "*"
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return None  # another of CloudWatch's protocols
    name: str | None = next(iter(request.get("AlarmNames") or []), request.get("AlarmName"))
    return name

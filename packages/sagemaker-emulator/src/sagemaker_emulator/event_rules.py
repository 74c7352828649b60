"""Rules of EventBridge and their targets, for events that nobody but AWS may send.

PutEvents takes no events of ``aws.*`` sources, so the rules of the default bus are asked for, matched with TestEventPattern,
and their Lambda targets invoked asynchronously.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_emulator.store import Document

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

logger = logging.getLogger(__name__)

_ATTEMPTS = 5


class EventRules:
    """The rules of the default bus."""

    def __init__(self, events: EventBridgeClient, functions: LambdaClient) -> None:
        self._events = events
        self._functions = functions

    def deliver(self, event: Document) -> None:
        """Invoke every function that a rule wants told; raises botocore's errors."""
        body = json.dumps(event)
        for rule in self._matching_rules(body):
            for target in self._targets(rule):
                if ":lambda:" in target["Arn"] and ":function:" in target["Arn"]:
                    self._invoke(target, event)
                else:
                    logger.warning(
                        "rule %s has a target that is not a Lambda function, which is not served: %s", rule, target["Arn"]
                    )

    def _matching_rules(self, event: str) -> Iterator[str]:
        for page in self._events.get_paginator("list_rules").paginate(EventBusName="default"):
            for rule in page["Rules"]:
                pattern = rule.get("EventPattern")
                if pattern and rule.get("State") != "DISABLED" and self._matches(pattern, event):
                    yield rule["Name"]

    def _matches(self, pattern: str, event: str) -> bool:
        try:
            return self._events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]
        except ClientError as error:
            logger.warning("pattern %s could not be tested: %s", pattern, error)
            return False

    def _targets(self, rule: str) -> list[Document]:
        pages = self._events.get_paginator("list_targets_by_rule").paginate(Rule=rule, EventBusName="default")
        return [dict(target) for page in pages for target in page["Targets"]]

    def _invoke(self, target: Document, event: Document) -> None:
        payload = target.get("Input") or json.dumps(event)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=payload)
            except (BotoCoreError, ClientError, OSError):
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(0.2 * 2**attempt)
            else:
                return

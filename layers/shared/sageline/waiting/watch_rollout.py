"""Bake: watch the alarms of a new variant that has some of the traffic. An alarm ends its rollout; without one it goes on.

The state's timeout is the bake time. Until then an alarm wakes it, through a topic of the stack; like CheckTraining it stores its
token first and then looks at the alarms. After the last step the endpoint removes the old variants, and the end of that wakes it
too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sageline.aws.errors import is_transient
from sageline.deployment.alarms import FiringAlarm, RolloutAlarms
from sageline.deployment.rollout import rollout_alarm
from sageline.failures.advice import advice
from sageline.failures.failure import explain
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.runs.payloads import Shifted
from sageline.waiting.check_status import answer_if_done
from sageline.waiting.task_tokens import fail


def wait_for_alarm(run_id: str, shifted: Shifted, task_token: str, *, run: RunContext) -> str:
    """Store the token until an alarm fires, or until the endpoint has removed the old variants. Returns the outcome in words, for
    the log.

    A lasting error is an answer too: the state would wait for another one in vain. After a transient error, the next look is an
    alarm's, or that of ShiftTraffic when the bake time is over.
    """
    try:
        run.store.enter(run_id, "Bake")  # before the tokens are there: with one the run may be sent on
        run.store.put_token(_key(run_id), task_token, run_id)
        if shifted["is_last"]:
            run.store.put_token(shifted["arn"], task_token, run_id)
        if firing := RolloutAlarms(run).firing(run_id):
            return _end(run_id, task_token, firing, run)
        if shifted["is_last"]:
            return answer_if_done(run_id, shifted["arn"], task_token, run=run)
    except Exception as error:  # whatever it is, the state must hear of it, if it lasts
        if is_transient(error):
            return f"Looking at the alarms of variant {run_id} did not succeed, and is left to the next look: {error}"
        kind_of_error = type(error).__name__
        message = f"Looking at the alarms of variant {run_id} failed: {error}"
        fail(run.clients.stepfunctions, task_token, kind_of_error, explain(message, (), advice(kind_of_error, message)))
        return message
    return f"variant {run_id} has {shifted['share']:.0%} of the traffic of endpoint {shifted['endpoint']}"


def handle_alarms(event: Mapping[str, Any], *, run: RunContext) -> str:
    """End the rollouts whose alarms fire. Returns the outcome in words, for the log.

    Args:
        event: messages of CloudWatch as SNS gives them to a function (Any: its JSON).
    """
    return "; ".join(_handle_alarm(json.loads(record["Sns"]["Message"]), run) for record in event["Records"])


def _handle_alarm(alarm: Mapping[str, Any], run: RunContext) -> str:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html has the message's fields."""
    name = str(alarm["AlarmName"])
    variant = RolloutAlarms(run).variant_of(name)
    waiting = run.store.get_token(_key(variant)) if variant and alarm["NewStateValue"] == "ALARM" else None
    if waiting is None:
        return f"nobody bakes under alarm {name}"
    task_token, run_id = waiting
    reason = f"{alarm.get('AlarmDescription') or ''} {alarm.get('NewStateReason') or ''}".strip()
    return _end(run_id, task_token, [FiringAlarm(name, reason)], run)


def _end(run_id: str, task_token: str, firing: list[FiringAlarm], run: RunContext) -> str:
    error = rollout_alarm(run_id, firing)
    kind = type(error).__name__
    noted: Json = {"message": error.message, "job": firing[0].name, "failure_reason": firing[0].reason, "log_lines": []}
    run.store.note(run_id, failure=noted)
    fail(run.clients.stepfunctions, task_token, kind, explain(error.message, (), advice(kind, error.message)))
    run.store.delete_token(_key(run_id), task_token)
    return error.message


def _key(run_id: str) -> str:
    """The key of the token, instead of an ARN."""
    return f"bake/{run_id}"

"""CloudWatch's alarms, which MiniStack 1.5.33 evaluates over all points of a metric, whatever their dimensions.

A rollout watches one variant of one endpoint, so here an alarm looks at the points of its own dimensions, period by period, and
treats missing ones as it says. MiniStack also evaluates only when a metric is put; here time passes for alarms too.

How CloudWatch evaluates: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from sageline_local.environment import ACCOUNT, REGION

Alarm: TypeAlias = dict[str, Any]
"""As MiniStack keeps it, which is as DescribeAlarms shows it."""
AlarmState: TypeAlias = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

_EVERY_SECONDS = 2.0
_EVALUATING = threading.Lock()

logger = logging.getLogger("sageline.alarms")


def install() -> None:
    """Have MiniStack evaluate alarms by their dimensions, when a metric is put and every two seconds."""
    cloudwatch._evaluate_alarm = evaluate


def start() -> None:
    """Let time pass for alarms; ends with the process."""
    threading.Thread(target=_run, name="alarms", daemon=True).start()


def evaluate(alarm: Alarm) -> None:
    """Bring one alarm into the state that its metric's points call for, and tell whom it names. Metric maths is left out, as
    MiniStack leaves it out."""
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    with _EVALUATING:
        state, reason = judge(alarm, time.time())
        before = alarm["StateValue"]
        if state == before:
            return
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)


def judge(alarm: Mapping[str, Any], now: float) -> tuple[AlarmState, str]:
    """The state that an alarm should have, and why. Periods are counted back from now, so that an alarm fires at once."""
    values = _values(alarm, now)
    present = [value for value in values if value is not None]
    treat = alarm.get("TreatMissingData") or "missing"
    if not present and treat in ("missing", "ignore"):
        kept: AlarmState = alarm["StateValue"] if treat == "ignore" else "INSUFFICIENT_DATA"
        return kept, "Insufficient Data: no datapoints were received"
    breaching = sum(_breaches(alarm, value) for value in present)
    if treat == "breaching":
        breaching += len(values) - len(present)
    needed = alarm.get("DatapointsToAlarm") or len(values)
    # Of missing points that count for nothing, those that are there decide.
    if treat in ("missing", "ignore"):
        needed = min(needed, len(present))
    state: AlarmState = "ALARM" if breaching >= needed else "OK"
    said = ", ".join("none" if value is None else f"{value:g}" for value in values)
    return state, (
        f"Threshold Crossed: {breaching} of the last {len(values)} datapoints [{said}] breached the threshold "
        f"({alarm.get('ComparisonOperator')} {alarm.get('Threshold', 0):g})."
    )


def _values(alarm: Mapping[str, Any], now: float) -> list[float | None]:
    """The alarm's statistic in each of its periods, the newest first; None where there are no points."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    period = alarm.get("Period") or 60
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values: list[float | None] = []
    for number in range(alarm.get("EvaluationPeriods") or 1):
        begin, end = now - (number + 1) * period, now - number * period
        # What was put this moment may be stamped a moment ahead.
        within = [point for point in points if begin < point["Timestamp"] and (number == 0 or point["Timestamp"] <= end)]
        stats = cloudwatch._calc_stats(within)
        values.append(cloudwatch._stat_value(stats, statistic, within) if stats else None)
    return values


def _breaches(alarm: Mapping[str, Any], value: float) -> bool:
    threshold = float(alarm.get("Threshold") or 0)
    match alarm.get("ComparisonOperator"):
        case "GreaterThanThreshold":
            return value > threshold
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "LessThanThreshold":
            return value < threshold
        case "LessThanOrEqualToThreshold":
            return value <= threshold
    return False


def _run() -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        try:
            with request_scope(ACCOUNT, REGION):
                cloudwatch._evaluate_all_alarms()
        # An alarm was made or deleted while they were gone through: the next round gets them all.
        except RuntimeError as error:
            logger.debug("The alarms were not evaluated: %s", error)

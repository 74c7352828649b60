"""The report of a run: what its evaluation has found, as a page for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from sageline.jobs.logs import TRAINING_JOBS, log_lines
from sageline.report.curves import learning_curves
from sageline.report.data import Curve
from sageline.report.from_record import report_data
from sageline.report.page import render
from sageline.runs.documents import RunFiles
from sageline.runs.store import RunRecord
from sageline.runs.timings import state_times

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient

CurvesOf: TypeAlias = Callable[[str], Sequence[Curve]]
"""The learning curves of a training job, from its name."""

_LONGEST_REASON = 500  # characters, in the record


class Reported(TypedDict):
    """What a run's record says of its report: where it is, or why there is none."""

    report: str | None
    report_error: NotRequired[str]


def write_report(
    record: RunRecord, evaluation: bytes, *, now: datetime, files: RunFiles, curves: CurvesOf, warn: Callable[[str], None]
) -> Reported:
    """Write ``runs/<run_id>/evaluation/report.html``. Never raises: a model is judged with or without a page about it.

    Args:
        record: of the run, with the status that its evaluation leads to.
        evaluation: ``evaluation.json``.
        warn: is told of an error, while that is being handled.
    """
    try:
        return {"report": _write(record, evaluation, now, files, curves)}
    except Exception as error:  # whatever it is, the run goes on
        why = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        warn(f"The report of run {record.run_id} could not be written: {why}")
        return {"report": None, "report_error": why}


def _write(record: RunRecord, evaluation: bytes, now: datetime, files: RunFiles, curves: CurvesOf) -> str:
    layout = files.layout(record.run_id)
    job = (record.details.get("training") or {}).get("training_job_name")
    report = report_data(
        record,
        evaluation=json.loads(evaluation),
        spec=files.read_json(layout.spec_key),
        profile=files.read_json(layout.profile_key),
        trials=files.read_json(layout.trials_key),
        curves=curves(job) if job else (),
        states=state_times(record.states, now, "running"),
    )
    files.put(layout.report_key, render(report), "text/html; charset=utf-8")
    return layout.uri(layout.report_key)


def curves_of(job_name: str, *, sagemaker: SageMakerClient, logs: CloudWatchLogsClient) -> list[Curve]:
    """The curves in a training job's log. Never raises: a report is one with or without them.

    The job's description has the expressions of the metrics, those of SageMaker's own algorithms too.
    """
    try:
        job = sagemaker.describe_training_job(TrainingJobName=job_name)
    except (ClientError, BotoCoreError):
        return []
    found = job["AlgorithmSpecification"].get("MetricDefinitions", [])
    definitions = {definition["Name"]: definition["Regex"] for definition in found}
    return learning_curves(log_lines(TRAINING_JOBS, job_name, logs), definitions) if definitions else []

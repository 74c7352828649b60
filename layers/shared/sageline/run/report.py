"""The report of a run: what its evaluation has found, as a page for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from sageline.report.data import Curve, learning_curves
from sageline.report.of_run import report_data
from sageline.report.page import render
from sageline.run.files import RunFiles
from sageline.run.job_logs import TRAINING_JOBS, log_lines
from sageline.store import RunRecord

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient

CurvesOf: TypeAlias = Callable[[str], Sequence[Curve]]
"""The learning curves of a training job, from its name."""


def write_report(record: RunRecord, evaluation: bytes, *, files: RunFiles, curves: CurvesOf) -> None:
    """Write ``runs/<run_id>/evaluation/report.html``.

    Args:
        record: of the run, with the status that its evaluation leads to.
        evaluation: ``evaluation.json``.
    """
    layout = files.layout(record.run_id)
    job = (record.details.get("training") or {}).get("training_job_name")
    report = report_data(
        record,
        evaluation=json.loads(evaluation),
        spec=files.read_json(layout.spec_key),
        profile=files.read_json(layout.profile_key),
        trials=files.read_json(layout.trials_key),
        curves=curves(job) if job else (),
    )
    files.put(layout.report_key, render(report), "text/html; charset=utf-8")


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

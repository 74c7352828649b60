"""The report of a run: what its evaluation has found, as a page for people."""

from __future__ import annotations

import json
import logging
from typing import NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from sageline.jobs.logs import TRAINING_JOBS, log_lines
from sageline.report.curves import learning_curves
from sageline.report.data import Curve
from sageline.report.from_record import report_data
from sageline.report.page import render
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord
from sageline.runs.timings import state_times

_log = logging.getLogger(__name__)

_LONGEST_REASON = 500  # characters, in the record


class Reported(TypedDict):
    """What a run's record says of its report: where it is, or why there is none."""

    report: str | None
    report_error: NotRequired[str]


def write_report(record: RunRecord, evaluation: bytes, *, run: RunContext) -> Reported:
    """Write ``runs/<run_id>/evaluation/report.html``. Never raises: a model is judged with or without a page about it.

    Args:
        record: of the run, with the status that its evaluation leads to.
        evaluation: ``evaluation.json``.
    """
    try:
        return {"report": _write(record, evaluation, run)}
    except Exception as error:  # whatever it is, the run goes on
        why = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        _log.exception("The report of run %s could not be written: %s", record.run_id, why)
        return {"report": None, "report_error": why}


def _write(record: RunRecord, evaluation: bytes, run: RunContext) -> str:
    files, layout = run.files, run.files.layout(record.run_id)
    job = (record.details.get("training") or {}).get("training_job_name")
    report = report_data(
        record,
        evaluation=json.loads(evaluation),
        spec=files.read_json(layout.spec_key),
        profile=files.read_json(layout.profile_key),
        trials=files.read_json(layout.trials_key),
        curves=read_curves(job, run=run) if job else (),
        states=state_times(record.states, run.clock(), "running"),
    )
    files.put(layout.report_key, render(report), "text/html; charset=utf-8")
    return layout.uri(layout.report_key)


def read_curves(job_name: str, *, run: RunContext) -> list[Curve]:
    """The curves in a training job's log. Never raises: a report is one with or without them.

    The job's description has the expressions of the metrics, those of SageMaker's own algorithms too.
    """
    try:
        job = run.clients.sagemaker.describe_training_job(TrainingJobName=job_name)
    except (ClientError, BotoCoreError):
        return []
    found = job["AlgorithmSpecification"].get("MetricDefinitions", [])
    definitions = {definition["Name"]: definition["Regex"] for definition in found}
    return learning_curves(log_lines(TRAINING_JOBS, job_name, run.clients.logs), definitions) if definitions else []

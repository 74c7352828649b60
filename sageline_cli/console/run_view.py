"""What the page of a run shows, while it is under way and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

from sageline.json_objects import Document, Json
from sageline.names import RunLayout, split_s3_uri
from sageline.report.data import Curve, ReportData
from sageline.report.drawing.figures import as_number, measure, objects, part, texts
from sageline.report.drawing.tables import Section
from sageline.report.from_record import report_data
from sageline.report.sections.algorithms import algorithms_section
from sageline.report.sections.evaluation import display_name
from sageline.report.sections.run import costs_section, spec_section
from sageline.report.sections.training import learning_section, tuning_section
from sageline.runs.money import most, usd
from sageline.runs.store import RunRecord
from sageline.runs.timings import StateTime
from sageline_cli.candidates import TRAINING, CandidateProgress, Candidates
from sageline_cli.connection import Connection
from sageline_cli.console.job_log import JobLog, JobLogs, SeenLog
from sageline_cli.console.moments import GOES_ON
from sageline_cli.console.trials import TrialsSoFar, trials_so_far
from sageline_cli.errors import CommandFailed
from sageline_cli.render import refusal
from sageline_cli.resolved_spec import resolved_spec
from sageline_cli.states import DOES
from sageline_cli.timeline import ExecutionTimeline

_TRAINS = ("StartTraining", "CheckTraining")
_FIELDS = frozenset(field.name for field in fields(RunRecord))


@dataclass(frozen=True)
class Tile:
    """A number that a person looks for first, and what is to be known about it."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class LiveRun:
    """A run as it is at this moment.

    Attributes:
        candidates: those under way, of a run of several algorithms.
        logs: of the jobs that train at this moment: job to what its log has held.
        curves: a drawing for each of these jobs that has reported something.
        trials: of the tuning jobs that go on: run to what each has tried so far.
        refused: why a model was refused; empty unless it was.
        warnings: of the model, then of the data.
        tiles: how good the model is, and what it has cost.
    """

    run: Json
    states: Sequence[StateTime]
    candidates: Sequence[CandidateProgress]
    logs: Mapping[str, SeenLog]
    curves: Mapping[str, Section]
    trials: Mapping[str, TrialsSoFar]
    refused: str
    warnings: Sequence[str]
    tiles: Sequence[Tile]

    @property
    def goes_on(self) -> bool:
        return self.run["status"] in GOES_ON

    @property
    def state(self) -> str:
        """Where it is. A function notes its state when it begins to work, so the record may be one behind the execution."""
        return next((entered.state for entered in reversed(self.states) if entered.outcome == "running"), str(self.run["state"]))

    @property
    def doing(self) -> str:
        """The same, in a few words."""
        return DOES.get(self.state, self.state)

    @property
    def has_report(self) -> bool:
        return bool(part(part(self.run, "details"), "evaluation").get("report"))

    @property
    def status_text(self) -> str:
        """For whoever hears the page: what has changed."""
        return f"{self.run['status']}: {self.doing}" if self.goes_on else f"The run has ended: {self.run['status']}"


def live_run(connection: Connection, run_id: str, logs: JobLogs) -> LiveRun:
    """Look at a run, and at what it trains.

    Raises:
        CommandFailed: there is no such run.
    """
    run = connection.api.run(run_id)
    goes_on = run["status"] in GOES_ON
    under_way = Candidates(connection.api.run)(run) if goes_on and run["state"] == TRAINING else []
    watching = connection.watching
    seen = {
        # By the connection too: a stack that has come back may have other keys.
        job: logs.look(f"{job} {id(watching)}", partial(JobLog, job, watching.sagemaker, watching.logs))
        for job in (_jobs(run, under_way) if goes_on else [])
    }
    # What has a log is no tuning job.
    tuned = {job: trials_so_far(connection, job) for job, log in seen.items() if not log.lines}
    details = part(run, "details")
    return LiveRun(
        run=run,
        states=ExecutionTimeline(connection.stepfunctions)(run),
        candidates=under_way,
        logs={job: log for job, log in seen.items() if log.lines or log.problem},
        curves={job: drawn for job, log in seen.items() if (drawn := _curves(run, log.curves)) is not None},
        trials={job: trials for job, trials in tuned.items() if trials is not None},
        refused=refusal(run) if run["status"] == "Rejected" else "",
        warnings=[text for name in ("evaluation", "schema", "batch") for text in texts(part(details, name), "warnings")],
        tiles=[*_quality(part(details, "evaluation")), *_spent(part(details, "cost"), goes_on=goes_on)],
    )


def run_sections(connection: Connection, run: Json) -> list[Section]:
    """What is known of a run's choices, its algorithms, its training and its costs."""
    spec = resolved_spec(connection, run["run_id"])
    data = report_data(_record(run), evaluation=None, spec=spec, profile=None, trials=None)
    makers = (algorithms_section, learning_section, tuning_section, costs_section, spec_section)
    return [section for make in makers if (section := make(data)) is not None]


def report_of(connection: Connection, run_id: str) -> tuple[str, str]:
    """Bucket and key of a run's report.

    Raises:
        CommandFailed: the run has none, or there is no such run.
    """
    run = connection.api.run(run_id)
    evaluation = part(part(run, "details"), "evaluation")
    uri = evaluation.get("report")
    layout = RunLayout(connection.bucket, run_id)
    if isinstance(uri, str) and split_s3_uri(uri) == (connection.bucket, layout.report_key):
        return connection.bucket, layout.report_key
    why = f" Writing it failed: {evaluation['report_error']}." if evaluation.get("report_error") else ""
    raise CommandFailed(
        f"Run {run_id} has no report.{why} One is written when a model is judged; this run is {run['status'].lower()} in the "
        f"state {run['state']}.",
        "ReportNotFound",
    )


def _jobs(run: Json, under_way: Sequence[CandidateProgress]) -> list[str]:
    """Training jobs that may have something to tell: each is named as its run."""
    if run["state"] in _TRAINS:
        return [run["run_id"]]
    return [candidate.run_id for candidate in under_way if candidate.state in _TRAINS or candidate.outcome == "done"]


def _curves(run: Json, curves: Sequence[Curve]) -> Section | None:
    if not any(len(curve.values) > 1 for curve in curves):
        return None
    return learning_section(ReportData(run_id=run["run_id"], name=run["name"], outcome="Accepted", reason="", curves=curves))


def _record(run: Json) -> RunRecord:
    return RunRecord(**{name: value for name, value in run.items() if name in _FIELDS})


def _quality(evaluation: Document) -> list[Tile]:
    metrics, metric = part(evaluation, "metrics"), str(evaluation.get("metric", ""))
    value = as_number(metrics.get(metric))
    if value is None:
        return []
    baseline = as_number(part(evaluation, "baseline").get("value"))
    beside = f"always the same answer: {measure(baseline)}" if baseline is not None else ""
    rows = as_number(evaluation.get("rows"))
    return [Tile(display_name(metric), measure(value), beside)] + ([Tile("test rows", f"{rows:,.0f}")] if rows else [])


def _spent(cost: Document, *, goes_on: bool) -> list[Tile]:
    spent, bound = as_number(cost.get("actual_usd")), most(cost)
    jobs = objects(cost.get("jobs"))
    if not cost:
        return []
    amount = "not known" if spent is None and jobs else usd(spent or 0.0)
    return [Tile("cost so far" if goes_on else "cost", amount, f"at most {bound}" if bound else "no bound is known")]

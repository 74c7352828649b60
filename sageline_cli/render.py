"""API answers as tables and sentences for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sageline.evaluation.wording import plain
from sageline.json_objects import Json
from sageline.names import TRANSFORMS, TransformPurpose
from sageline.runs.money import usd
from sageline.runs.timings import StateTime
from sageline.spec.metrics import RANKING
from sageline_cli import costs
from sageline_cli.algorithm_lines import asked
from sageline_cli.breakable import BreakableText
from sageline_cli.candidates import CandidateProgress
from sageline_cli.leaderboard import algorithm_sections, chosen_line
from sageline_cli.schema_lines import reading_lines
from sageline_cli.states import DOES
from sageline_cli.warning_lines import warning_lines

_SHOWN_TRIALS = 20
_LONGEST_SETTING = 44  # characters of a setting's name that is kept on one line
_WIDEST_NAMES = 40  # characters of the names of tuned hyperparameters that get a column each

_MARKS = {"done": ("✓ ", "green"), "failed": ("✗ ", "red"), "running": ("… ", "cyan")}
_STATUS_STYLE = {
    "Succeeded": "green",
    "InService": "green",
    "Rejected": "magenta",
    "Failed": "red",
    "Stopped": "yellow",
    "Running": "cyan",
    "Unknown": "yellow",
}


def runs_table(runs: Sequence[Json], now: datetime) -> RenderableType:
    """One line per run, newest first."""
    if not runs:
        return "No runs yet. Start one with `sageline submit FILE.csv`."
    changes = [((run.get("details") or {}).get("change") or {}).get("kind", "") for run in runs]
    table = _table("run", "status", "state", "started", "took", "endpoint", *(["change"] if any(changes) else []))
    for run, change in zip(runs, changes, strict=True):
        table.add_row(
            run["run_id"],
            _status(run["status"]),
            run["state"],
            _ago(run["created_at"], now),
            _took(run, now),
            run.get("endpoint_name") or "",
            *([change] if any(changes) else []),
        )
    return table


def endpoints_table(endpoints: Sequence[Json], now: datetime) -> RenderableType:
    """One line per endpoint."""
    if not endpoints:
        return "No endpoints. A run that succeeds makes one: `sageline submit FILE.csv --wait`."
    table = _table("endpoint", "status", "variant", "traffic", "changed", "ends")
    for endpoint in endpoints:
        shares = _shares(endpoint["variants"])
        table.add_row(
            endpoint["name"],
            _status(endpoint["status"]),
            "\n".join(shares),
            "\n".join(shares.values()),
            _ago(endpoint.get("updated_at"), now),
            _ends(endpoint.get("expires_at"), now),
        )
    return table


def _ends(expires_at: str | None, now: datetime) -> str:
    """When an endpoint will be deleted."""
    if expires_at is None:
        return "never"
    seconds = (datetime.fromisoformat(expires_at) - now).total_seconds()
    return f"in {duration(seconds)}" if seconds > 0 else "now"


def _shares(variants: Sequence[Json]) -> dict[str, str]:
    """Variant to its share of the traffic: ``33.3 %``."""
    total = sum(variant["weight"] for variant in variants)
    return {variant["name"]: f"{100 * variant['weight'] / total if total else 0:.3g} %" for variant in variants}


def predictions_table(predictions: Sequence[Json], texts: Sequence[str] | None = None) -> RenderableType:
    """One line per row: its number, the value or the label with its probability, then the next labels if they were asked for."""
    if not predictions:
        return "No predictions."
    regression = "value" in predictions[0]
    choices = max(len(prediction.get("top") or ()) for prediction in predictions)
    table = _table("row", *(["predicted value"] if regression else ["label", "probability"]), *(["then"] if choices > 1 else []))
    for number, prediction in enumerate(predictions, start=1):
        if regression:
            table.add_row(str(number), str(prediction["value"]))
            continue
        then = ", ".join(f"{choice['label']} {_probability(choice)}".strip() for choice in prediction.get("top", [])[1:])
        cells = [str(number), escape(str(prediction["label"])), _probability(prediction)]
        table.add_row(*cells, *([escape(then)] if choices > 1 else []))
    return table


def _probability(choice: Json) -> str:
    """A model may say a label and nothing about how sure it is."""
    return "" if choice["probability"] is None else f"{choice['probability']:.3f}"


def run_detail(
    run: Json, spec: Json | None, states: Sequence[StateTime], now: datetime, under_way: Sequence[CandidateProgress] = ()
) -> RenderableType:
    """Everything that is known of a run: its record, its spec if there is one, its states, how its candidates stand that are
    under way."""
    details: Json = run.get("details") or {}
    warnings = warning_lines(run)
    parts: list[RenderableType] = [
        *warnings,
        *([""] if warnings else []),
        _facts(
            {
                "run": run["run_id"],
                "status": _status(run["status"]),
                "state": run["state"],
                "started": f"{run['created_at']} ({_ago(run['created_at'], now)})",
                "took": _took(run, now),
                "dataset": run.get("dataset_uri"),
                "endpoint": run.get("endpoint_name"),
                "change": _change(details),
                "algorithm": asked(details),
            }
        ),
    ]
    if states:
        parts += _section("What it did", Padding(Group(*map(state_line, states)), (0, 0, 0, 2)))
    if details.get("schema"):
        parts += _section("What it reads", Padding(Group(*reading_lines(details["schema"])), (0, 0, 0, 2)))
    if spec is not None:
        parts += _section("What it chose", _choices(_with_decided(spec, details)))
    findings = _findings(details)
    if any(findings.values()):
        parts += _section("What it found", _facts(findings))
    for title, content in algorithm_sections(run, under_way, DOES).items():
        parts += _section(title, content)
    if spending := costs.facts(run):
        parts += _section("What it costs", _facts(spending))
    if details.get("trials"):
        parts += _section("What it tried", trials_table(details["trials"], spec))
    if run["status"] == "Rejected":
        parts += _section("Why it was refused", Padding(Text(refusal(run)), (0, 0, 0, 2)))
    if run.get("error"):
        parts += _section("What is not known" if run["status"] == "Unknown" else "What went wrong", failure(run))
    return Group(*parts)


def trials_table(trials: Sequence[Json], spec: Json | None) -> RenderableType:
    """The trials of a tuning, best first; of many, the best ones."""
    objective: Json = ((spec or {}).get("tuning") or {}).get("objective") or {}
    names = sorted({name for trial in trials for name in trial["hyperparameters"]})
    apart = sum(map(len, names)) <= _WIDEST_NAMES
    columns = names if apart else ["hyperparameters"]
    table = _table("place", objective.get("metric", "objective"), *columns, "seconds", "training job", "status")
    for rank, trial in enumerate(trials[:_SHOWN_TRIALS], start=1):
        tried = {name: _short_number(trial["hyperparameters"].get(name, "")) for name in names}
        values = [BreakableText(value) for value in tried.values()] if apart else [BreakableText(_value(tried))]
        seconds = "" if trial["seconds"] is None else str(trial["seconds"])
        objective_value = _value(trial["objective"])
        status = Text.assemble(_status(trial["status"]), f"  {trial['reason']}" if trial.get("reason") else "")
        table.add_row(str(rank), objective_value, *values, seconds, BreakableText(trial["name"]), status)
    more = len(trials) - _SHOWN_TRIALS
    return table if more <= 0 else Group(table, Text(f"  and {more} more: runs/<run>/training/trials.json has them all", "dim"))


def _short_number(value: str) -> str:
    """Search algorithms choose numbers with sixteen digits; nobody reads so many."""
    try:
        return value if value.lstrip("-").isdigit() else f"{float(value):.4g}"
    except ValueError:
        return value


def state_line(state: StateTime) -> Text:
    """``✓ PrepareData      split and encode the rows        1.2 s``."""
    does, seconds = DOES.get(state.state, ""), f"{state.seconds:6.1f} s"
    return Text.assemble(_MARKS[state.outcome], f"{state.state:<24} ", (f"{does:<34}", "dim"), seconds)


def failure(run: Json) -> RenderableType:
    """Why a run failed: the state, the job, SageMaker's reason, the log's last lines, and what to try."""
    error: Json = run.get("error") or {}
    message, reason = str(error.get("message") or ""), str(error.get("failure_reason") or "")
    facts = _facts(
        {
            "state": error.get("state"),
            "error": error.get("error"),
            "message": message,
            "job": error.get("job"),
            "SageMaker says": "" if reason in message else reason,
        }
    )
    parts: list[RenderableType] = [facts]
    if error.get("log_lines"):
        parts += [Text("  last lines of the log:", style="dim"), *(Text(f"    {line}") for line in error["log_lines"])]
    if error.get("advice"):
        parts += [Padding(Text.assemble(("What to try: ", "bold"), str(error["advice"])), (1, 0, 0, 2))]
    return Group(*parts)


def outcome(run: Json, states: Sequence[StateTime]) -> RenderableType:
    """What is to be known of the model first, how a followed run ended, and what to do next; what there is to know of the data
    was said when the run began."""
    return Group(*warning_lines(run, of=("evaluation", "batch")), _ended(run, states))


def _ended(run: Json, states: Sequence[StateTime]) -> RenderableType:
    took = f"{sum(state.seconds for state in states):.0f} s"
    if run["status"] == "Succeeded":
        details: Json = run.get("details") or {}
        if details.get("change"):
            return Text(f"Succeeded in {took}. Endpoint {run['endpoint_name']} serves {_goal(details['change'])}.")
        return Text(f"Succeeded in {took}. {_trained(details)}{_next_step(run)}")
    if run["status"] == "Stopped":
        said = (run.get("error") or {}).get("message")
        return Text(f"Stopped after {took}.{f' {said}' if said else ''}{_untouched(run)}")
    if run["status"] == "Rejected":
        return Text(f"Rejected after {took}. {refusal(run)}\nNext: sageline report {run['run_id']}   (what the model got wrong)")
    if run["status"] == "Unknown":
        return Group(Text("Whether the run goes on cannot be told.", style="yellow"), failure(run))
    return Group(Text(f"Failed after {took}.", style="red"), failure(run))


def refusal(run: Json) -> str:
    """Why a model was refused, and what that means for the endpoint."""
    reason = ((run.get("details") or {}).get("evaluation") or {}).get("reason") or "The model is not what the spec asks for."
    return f"{reason} The model is removed, and nothing is deployed."


def _untouched(run: Json) -> str:
    """What a run that was stopped leaves of the endpoint that it was deploying to."""
    if not (run.get("details") or {}).get("deployment"):
        return ""
    return f" What it was deploying is taken back.\nNext: sageline endpoints   (what {run['endpoint_name']} serves)"


def _change(details: Json) -> str | None:
    """What a run does that trains nothing and changes what an endpoint serves."""
    change = details.get("change")
    return None if change is None else f"{change['kind']}, to serve {_goal(change)}"


def _goal(change: Json) -> str:
    shares = _shares(change["goal"]["variants"])
    return ", ".join(f"{variant} ({share})" if len(shares) > 1 else variant for variant, share in shares.items())


def _trained(details: Json) -> str:
    training: Json = details.get("training") or {}
    metrics, tuning = training.get("metrics"), training.get("tuning")
    who = f"The best of {tuning['jobs']} training jobs" if tuning else "Training"
    judged = _judged(details.get("evaluation") or {})
    decided = _decided((details.get("evaluation") or {}).get("model_decision"))
    ended = chosen_line(details) + (f"{who} ended with {_value(metrics)}.\n" if metrics else "")
    return ended + (f"On the test rows: {judged}.\n" if judged else "") + (f"It answers {decided}.\n" if decided else "")


def _file_to_predict(run: Json) -> str:
    schema: Json = (run.get("details") or {}).get("schema") or {}
    is_of_images = list((schema.get("features") or {}).values()) == ["image"]
    return "IMAGE.jpg" if is_of_images else "ROWS.csv   (the columns without the label)"


def _next_step(run: Json) -> str:
    show = f"sageline show {run['run_id']}   (what was chosen, and why)"
    output = ((run.get("details") or {}).get("batch") or {}).get("output")
    if output:
        return f"Predictions: {output}\nNext: {show}"
    endpoint = run.get("endpoint_name")
    if not endpoint:
        return f"The model is {run['run_id']}; it has no endpoint.\nNext: {show}"
    hourly = ((run.get("details") or {}).get("cost") or {}).get("endpoint_usd_per_hour")
    bills = (
        f"\n      sageline delete {endpoint}   (the endpoint bills {usd(hourly)} an hour as long as it serves)" if hourly else ""
    )
    report = f"sageline report {run['run_id']}   (how good it is, and where it errs)"
    predict = f"sageline predict {endpoint} --file {_file_to_predict(run)}"
    return f"Next: {predict}\n      {report}\n      {show}{bills}"


def _findings(details: Json) -> dict[str, RenderableType | None]:
    rows, training = details.get("rows") or {}, details.get("training") or {}
    job, seconds = (
        training.get("training_job_name") or (details.get("training_job") or {}).get("name"),
        training.get("training_seconds"),
    )
    return {
        "rows": ", ".join(f"{channel} {count:,}" for channel, count in rows.items()),
        "features": _value(details["feature_dim"]) if "feature_dim" in details else None,
        "classes": _value(details["num_class"]) if details.get("num_class") else None,
        "tuning job": _tuning(details),
        "training job": job,
        "trained for": f"{seconds} s, {training.get('billable_seconds')} s billed" if seconds is not None else None,
        "metrics": _value(training.get("metrics") or {}),
        "test rows": _judged(details.get("evaluation") or {}),
        "answers": _decided((details.get("evaluation") or {}).get("model_decision")),
        "report": _report(details.get("evaluation") or {}),
        "model": _model(details),
        "evaluation job": _transform(details, "evaluation"),
        "champion's evaluation job": _transform(details, "champion"),
        "transform job": _transform(details, "batch"),
        "predictions": (details.get("batch") or {}).get("output"),
    }


def _model(details: Json) -> str | None:
    """Where the artifact is that models are made of; of an earlier run, what its training job has left."""
    artifact = (details.get("model") or {}).get("artifact") or {}
    return artifact.get("uri") or (details.get("training") or {}).get("model_artifact_uri")


def _transform(details: Json, purpose: TransformPurpose) -> str | None:
    """The name of a transform job, and how long it took if it has ended."""
    transform = TRANSFORMS[purpose]
    job: Json = details.get(transform.result_key) or {}
    name, seconds = (details.get(transform.job_key) or {}).get("name"), job.get("transform_seconds")
    return name if seconds is None else f"{job['transform_job_name']}, {seconds} s"


def _report(evaluation: Json) -> str | None:
    error = evaluation.get("report_error")
    return f"none: writing it failed ({error})" if error else evaluation.get("report")


def _judged(evaluation: Json) -> str:
    """The metrics that the evaluation knows of the model, the one that it is judged by first."""
    metrics: Json = evaluation.get("metrics") or {}
    metric, positive = evaluation.get("metric"), evaluation.get("positive")
    ordered = sorted(metrics.items(), key=lambda found: found[0] != metric)
    known = {name: round(value, 4) if abs(value) < 10 else value for name, value in ordered if value is not None}
    if not known:
        return ""
    baseline: Json = evaluation.get("baseline") or {}
    beside = f"; always answering {baseline['answer']}: {plain(baseline['value'])}" if baseline.get("value") is not None else ""
    of_class = f" of {positive!r}" if positive is not None and metric in RANKING else ""
    return (
        f"{_value(known)}, of {evaluation['rows']:,} rows (judged by {metric}{of_class}{beside})"
        if beside
        else (f"{_value(known)}, of {evaluation['rows']:,} rows")
    )


def _decided(decision: Json | None) -> str | None:
    """How the model's probabilities become labels, where it was chosen."""
    if not decision:
        return None
    threshold, calibration = decision.get("threshold"), decision.get("calibration")
    said = [f"{threshold['label']!r} from a probability of {plain(threshold['at'])} on"] if threshold else []
    said += ["with offsets that lift rarer classes"] if decision.get("offsets") else []
    metric = f" (chosen for {decision['metric']} on the validation rows)" if decision.get("metric") else ""
    kind = [f"with calibrated probabilities ({calibration})"] if calibration else []
    return ", ".join([*(f"{words}{metric}" for words in said), *kind])


def _tuning(details: Json) -> str | None:
    name = (details.get("tuning_job") or {}).get("name")
    tuning = (details.get("training") or {}).get("tuning")
    if tuning is None:
        return name
    ends = ", ".join(f"{count} {end}" for end, count in tuning["counters"].items() if count)
    return f"{tuning['name']}: {tuning['jobs']} training jobs, {ends}"


def _with_decided(spec: Json, details: Json) -> Json:
    """A spec with what it gives reasons for and leaves out: the run's record has decided it."""
    workers = (details.get("preparation") or {}).get("workers")
    of_batch = ((details.get("batch") or {}).get("plan") or {}).get("workers")
    return spec | {
        "budget_minutes": details.get("auto", {}).get("budget_minutes"),
        "preparation": {"workers": workers, **_given(spec.get("preparation"))},
        "batch": {"workers": of_batch, **_given(spec.get("batch"))},
    }


def _given(options: Json | None) -> Json:
    return {name: value for name, value in (options or {}).items() if value is not None}


def _choices(spec: Json) -> RenderableType:
    settings: dict[tuple[str, str], list[str]] = {}
    for setting, reason in sorted(spec.get("reasons", {}).items()):
        found = _look_up(spec, setting)
        value, why = _chosen(reason) if found is None else (_value(found), reason)
        settings.setdefault((value, why), []).append(setting)
    rows = [(_some(names, 4), value, reason) for (value, reason), names in settings.items()]
    table = _table("setting", "value", "why")
    table.columns[0].no_wrap = max((len(name) for names, *_ in rows for name in names), default=0) <= _LONGEST_SETTING
    for names, value, reason in rows:
        table.add_row(BreakableText(",\n".join(names)), BreakableText(value), BreakableText(reason))
    return table


def _chosen(reason: str) -> tuple[str, str]:
    """What was chosen, and why, of a setting that stands in no spec: its reason begins with it, as in ``left out: an id``."""
    value, _, why = reason.partition(": ")
    return (value, why) if why and value.count(" ") < 2 and not value.startswith("for ") else ("", reason)


def _some(names: list[str], most: int) -> list[str]:
    """A wide table has hundreds of columns that are all the same."""
    return names if len(names) <= most else [*names[:2], f"... {len(names) - 3} more ...", names[-1]]


def _look_up(document: object, path: str) -> object:
    """The value at a dotted path; a key, such as a column's name, may hold dots itself."""
    if not isinstance(document, dict):
        return None
    if path in document:
        return document[path]
    key, _, rest = path.partition(".")
    return _look_up(document.get(key), rest)


def _facts(facts: Mapping[str, RenderableType | None]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(f"  {name}", BreakableText(value) if isinstance(value, str) else value)
    return table


def _section(title: str, content: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", style="bold"), content]


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column in ("row", "predicted value", "probability", "traffic", "took", "place", "seconds")
        table.add_column(column, justify="right" if right else "left", no_wrap=column in ("run", "endpoint"), overflow="fold")
    return table


def _status(status: str) -> Text:
    return Text(status, style=_STATUS_STYLE.get(status, ""))


def _value(value: object) -> str:
    match value:
        case dict():
            return ", ".join(_some([f"{key} {_value(item)}" for key, item in value.items()], 12))
        case list():
            return ", ".join(_value(item) for item in value)
        case float():
            return plain(value, 6)
        case None:
            return "-"
        case _:
            return str(value)


def _took(run: Json, now: datetime) -> str:
    end = now if run["status"] in ("Running", "Unknown") else _moment(run["updated_at"])
    return duration((end - _moment(run["created_at"])).total_seconds())


def _ago(moment: str | None, now: datetime) -> str:
    return f"{duration((now - _moment(moment)).total_seconds())} ago" if moment else ""


def duration(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2.5 h``, ``2 days``: as exact as a person wants it."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        hours = seconds / 3600
        return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f}".removesuffix(".0") + " h"
    return f"{seconds / 86400:.0f} days"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""What the run was asked for, how long it took and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sageline.json_objects import Document
from sageline.report.data import JobTime, ReportData
from sageline.report.drawing.figures import as_number, objects, seconds, share
from sageline.report.drawing.markup import Markup, element
from sageline.report.drawing.plot import note
from sageline.report.drawing.tables import Section, bar, facts, folded_table, more, section, table, unbroken
from sageline.runs.money import functions_usd, most, usd

_SHOWN_REASONS, _MOST_REASONS = 25, 500
_MARKS = {"done": "✓ done", "failed": "✗ failed", "running": "… under way"}


def spec_section(data: ReportData) -> Section | None:
    """What Sageline chose and why, then the whole spec."""
    if not data.spec:
        return None
    reasons = data.spec.get("reasons") or {}
    without = {key: value for key, value in data.spec.items() if key != "reasons"}
    rows = [(key, _value_at(without, key), str(reason)) for key, reason in list(reasons.items())[:_MOST_REASONS]]
    chosen = folded_table(
        "What was chosen, and why", "choices", ("key", "value", "why"), rows, _SHOWN_REASONS, total=len(reasons)
    )
    return section(
        "spec",
        "Spec",
        chosen if rows else element("p", "Everything was given; nothing had to be chosen."),
        more("The whole resolved spec", element("pre", json.dumps(without, indent=2, ensure_ascii=False), tabindex="0")),
    )


def timings_section(data: ReportData) -> Section | None:
    """How long the states took until the report was written, and the jobs that some of them waited for."""
    if not data.states:
        return None
    total = sum(state.seconds for state in data.states)
    rows = [(state.state, seconds(state.seconds), _share(state.seconds, total), _MARKS[state.outcome]) for state in data.states]
    failed = [index for index, state in enumerate(data.states) if state.outcome == "failed"]
    return section(
        "timings",
        "Timings",
        table(f"Time per state; {seconds(total)} in all", ("state", "took", "share", ""), rows, numeric=(1,), marked=failed),
        note("Until this report was written. A state that waits for a job also takes the time to get its instances.")
        if data.jobs
        else None,
        _job_times(data.jobs),
    )


def _share(part: float, total: float) -> Markup:
    of_all = part / total if total else 0.0
    return bar(of_all, share(of_all))


def _job_times(jobs: Sequence[JobTime]) -> Markup | None:
    rows = [(unbroken(job.job), job.purpose, seconds(job.seconds), seconds(job.billed)) for job in jobs]
    columns = ("job", "for", "ran", "billed per instance")
    return table("Time per job, as SageMaker has it", columns, rows, numeric=(2, 3)) if rows else None


def costs_section(data: ReportData) -> Section | None:
    """What the run may cost at most, and what its jobs have cost."""
    if not data.costs:
        return None
    spent = as_number(data.costs.get("actual_usd"))
    functions = functions_usd(data.costs)
    hourly, budget = as_number(data.costs.get("endpoint_usd_per_hour")), as_number((data.spec or {}).get("budget_usd"))
    return section(
        "costs",
        "Costs",
        facts(
            {
                "did cost": usd(spent) if spent is not None else None,
                **{f"of that, {what} in shards": f"about {usd(planned)}, as planned" for what, planned in functions.items()},
                "at most": most(data.costs) or "no bound",
                "budget": usd(budget) if budget is not None else None,
                "endpoint": f"{usd(hourly)} per hour" if hourly else None,
                "prices": ", ".join(str(data.costs[key]) for key in ("prices", "region") if data.costs.get(key)),
            }
        ),
        _jobs(objects(data.costs.get("jobs"))),
        _bound(objects(data.costs.get("parts"))),
        [note(str(text)) for text in data.costs.get("notes") or []],
    )


def _jobs(jobs: Sequence[Document]) -> Markup | None:
    rows = [
        (
            str(job.get("job", "")),
            str(job.get("use", "")),
            f"{job.get('instances', '')} {job.get('instance_type', '')}",
            seconds(as_number(job.get("seconds"))),
            _dollars(job),
        )
        for job in jobs
    ]
    columns = ("job", "for", "instances", "billed", "US dollars")
    return table("What its jobs did cost", columns, rows, numeric=(3, 4)) if rows else None


def _bound(parts: Sequence[Document]) -> Markup | None:
    rows = [
        (str(part.get("what", "")), str(part.get("text", "")).removeprefix(f"{part.get('what')}: "), _bounded(part))
        for part in parts
    ]
    return table("What it may cost at most", ("what", "how it is counted", "US dollars"), rows, numeric=(2,)) if rows else None


def _bounded(part: Document) -> str:
    """What costs nothing while it is idle costs something all the same when it is used."""
    return "by its use" if as_number(part.get("usd")) == 0 else _dollars(part)


def _dollars(item: Document) -> str:
    amount = as_number(item.get("usd"))
    return "not known" if amount is None else usd(amount)


def _value_at(document: Mapping[str, object], key: str) -> str:
    """The value of ``dataset.label``. A column's name may hold dots itself; what cannot be found is shown as nothing."""
    value: object = document
    rest = key
    while rest and isinstance(value, Mapping):
        name = rest if rest in value else rest.partition(".")[0]
        value, rest = value.get(name), rest[len(name) + 1 :]
    if value is None or rest or (isinstance(value, (Mapping, list)) and len(json.dumps(value)) > 80):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

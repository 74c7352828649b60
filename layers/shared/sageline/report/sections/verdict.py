"""The top of the page: how the run ended and why, and the metric that decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sageline.json_objects import Document
from sageline.report.data import ReportData, RunOutcome
from sageline.report.drawing.figures import as_number, count, measure, moment, number, signed
from sageline.report.drawing.markup import Child, Markup, element
from sageline.report.drawing.plot import figure, note, svg
from sageline.report.drawing.scale import Scale, round_bounds
from sageline.report.drawing.tables import Section, beside, facts, section, table, tiles, unbroken
from sageline.report.sections.evaluation import Evaluation, display_name, lower_is_better

_MARKS: dict[RunOutcome, str] = {
    "Accepted": "✓", "Deployed": "✓", "Succeeded": "✓", "Rejected": "✗", "Failed": "✗", "Stopped": "■",
}  # fmt: skip
_TESTS = {
    "mcnemar-exact": "McNemar's exact test",
    "mcnemar-normal": "McNemar's test",
    "jackknife-t": "a t-test by the jackknife",
}
_TILES = 5
_NO_SPREAD = 1e-9  # of a metric that is the same without any of the rows, but for rounding
_WIDTH, _ROW, _LABELS, _VALUES = 400.0, 26.0, 96.0, 66.0
_DOT = 6.0
_PLUS_MINUS = "±: two standard errors of the metric."


def verdict(data: ReportData) -> Markup:
    """The banner."""
    return element(
        "header",
        element("p", f"Run {data.run_id}", class_="run"),
        element("h1", element("span", _MARKS[data.outcome], aria_hidden="true"), f" {data.name}: {data.outcome.lower()}"),
        element("ul", [element("li", warning) for warning in data.warnings], class_="warnings") if data.warnings else None,
        element("p", data.reason, class_="reason"),
        facts(
            {
                "endpoint": data.endpoint_name,
                "algorithm": str((data.spec or {}).get("algorithm", {}).get("name") or ""),
                "started": moment(data.started_at),
            }
        ),
        class_=f"verdict {data.outcome.lower()}",
    )


def result_section(evaluation: Evaluation) -> Section:
    """The metrics: large, then against everything that they are measured by."""
    known = [name for name in evaluation.names if evaluation.metrics.get(name) is not None]
    return section(
        "result",
        "Result",
        element("p", f"On {count(evaluation.rows, 'row')} held out of training.") if evaluation.rows is not None else None,
        tiles((display_name(name), measure(evaluation.metrics[name]), _spread(evaluation, name)) for name in known[:_TILES]),
        _checks(evaluation.checks),
        beside(_all_metrics(evaluation), _gauge(evaluation)),
    )


def champion_section(evaluation: Evaluation) -> Section | None:
    """The model in service on the same rows."""
    if not evaluation.champion:
        return None
    names = [name for name in evaluation.names if evaluation.champion_metrics.get(name) is not None]
    return section(
        "champion",
        "Compared with the model in service",
        facts(
            {"model in service": str(evaluation.champion.get("variant") or ""), "compared by": display_name(evaluation.metric)}
        ),
        table(
            "Both models on the same rows, each with its own encoder",
            ("metric", "new model", "in service", "difference", ""),
            [_compared(evaluation, name) for name in names],
            numeric=(1, 2, 3),
        )
        if names
        else None,
        _tested(evaluation.comparison),
        element("p", f"They could not be compared: {problem}") if (problem := evaluation.champion.get("problem")) else None,
    )


@dataclass(frozen=True)
class _Level:
    """A row of the gauge."""

    label: str
    value: float
    kind: str
    error: float | None = None


def _gauge(evaluation: Evaluation) -> Markup | None:
    """The deciding metric on one scale with the baseline, what was asked for, and the model in service."""
    levels, name = _levels(evaluation), display_name(evaluation.metric)
    if len(levels) < 2:
        return None
    ends = [level.value + sign * 2 * (level.error or 0) for level in levels for sign in (-1, 1)]
    scale = Scale(*round_bounds(ends), _LABELS, _WIDTH - _VALUES)
    height = _ROW * len(levels) + 8
    drawn = svg(
        f"{name}: " + ", ".join(f"{level.label} {measure(level.value)}" for level in levels),
        _WIDTH,
        height,
        [_level(level, _ROW * index + _ROW / 2 + 4, scale) for index, level in enumerate(levels)],
    )
    better = "further left" if lower_is_better(evaluation.metric) else "further right"
    whisker = " Whiskers: two standard errors." if _spread_of(levels[0], scale) > _DOT else ""
    return figure(f"{name[:1].upper()}{name[1:]} in comparison", drawn, note(f"The {better}, the better.{whisker}"))


def _levels(evaluation: Evaluation) -> list[_Level]:
    metric = evaluation.metric
    found = [("this model", evaluation.metrics.get(metric), "own", evaluation.standard_errors.get(metric))]
    found.append(("in service", evaluation.champion_metrics.get(metric), "other", None))
    found += [
        (str(check.get("rule", "")).replace("_", " "), as_number(check.get("wanted")), "limit", None)
        for check in evaluation.checks
        if check.get("metric") == metric
    ]
    found.append(("baseline", evaluation.baseline_metrics.get(metric), "other", None))
    return [_Level(label, value, kind, error) for label, value, kind, error in found if value is not None]


def _level(level: _Level, y: float, scale: Scale) -> Markup:
    x = scale(level.value)
    if level.kind == "limit":
        mark = element("line", x1=x, x2=x, y1=y - 9, y2=y + 9, class_="limit")
    else:
        mark = element("circle", cx=x, cy=y, r=_DOT, class_="own" if level.kind == "own" else "other")
    spread = _spread_of(level, scale)
    whisker = element("line", x1=x - spread, x2=x + spread, y1=y, y2=y, class_="whisker")
    return element(
        "g",
        element("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="grid"),
        whisker if spread > _DOT else None,
        mark,
        element("text", level.label, x=_LABELS - 12, y=y + 4, class_="end strong" if level.kind == "own" else "end"),
        element("text", measure(level.value), x=_WIDTH, y=y + 4, class_="end strong" if level.kind == "own" else "end"),
        class_="axes",
    )


def _spread_of(level: _Level, scale: Scale) -> float:
    """Two standard errors in pixels."""
    return scale(2 * (level.error or 0)) - scale(0)


def _spread(evaluation: Evaluation, metric: str) -> str | None:
    error = evaluation.standard_errors.get(metric)
    return f"± {number(float(f'{2 * error:.2g}'))}" if error and error > _NO_SPREAD else None


def _checks(checks: Sequence[Document]) -> Markup | None:
    """What the spec asks for before a model may be deployed."""
    if not checks:
        return None
    rows = [
        (_asked(check), unbroken("✓ passed" if check.get("passed") else "✗ not passed"), str(check.get("reason", "")))
        for check in checks
    ]
    failed = [index for index, check in enumerate(checks) if not check.get("passed")]
    return table("The gate: what the spec asks for", ("asked for", "", "why"), rows, marked=failed)


def _asked(check: Document) -> str:
    metric, wanted = display_name(str(check.get("metric", ""))), as_number(check.get("wanted"))
    if check.get("rule") == "better_than_baseline":
        return f"better {metric} than the baseline"
    if check.get("rule") == "beat_champion":
        return f"better {metric} than the model in service"
    return f"{metric} {str(check.get('rule', '')).replace('_', ' ')} {number(wanted)}"


def _all_metrics(evaluation: Evaluation) -> Markup:
    """Every metric."""
    rows: list[tuple[Child, ...]] = [
        (
            display_name(name),
            measure(evaluation.metrics.get(name)),
            _spread(evaluation, name) or "",
            measure(evaluation.baseline_metrics.get(name)),
            "lower" if lower_is_better(name) else "higher",
        )
        for name in evaluation.names
    ]
    return element(
        "div",
        table("All metrics", ("metric", "value", "±", "baseline", "better is"), rows, numeric=(1, 2, 3)),
        _what_the_baseline_is(evaluation.baseline),
    )


def _what_the_baseline_is(baseline: Document) -> Markup | None:
    if "label" in baseline:
        answer = element("q", str(baseline["label"]))
        return note(
            _PLUS_MINUS, " Baseline: knows how frequent each class is and nothing else, so it always answers ", answer, "."
        )
    mean = as_number(baseline.get("value"))
    return None if mean is None else note(_PLUS_MINUS, f" Baseline: always answers the mean, {number(mean)}.")


def _compared(evaluation: Evaluation, name: str) -> tuple[Child, ...]:
    new, old = evaluation.metrics.get(name), evaluation.champion_metrics.get(name)
    if new is None or old is None:
        return display_name(name), measure(new), measure(old), measure(None), ""
    better = new < old if lower_is_better(name) else new > old
    return (
        display_name(name),
        measure(new),
        measure(old),
        signed(new - old),
        "equal" if new == old else "better" if better else "worse",
    )


def _tested(test: Document) -> Markup | None:
    """What the paired test says."""
    p_value = as_number(test.get("p_value"))
    if p_value is None:
        return None
    margin = as_number(test.get("margin"))
    rows = as_number(test.get("rows"))
    name = str(test.get("test", ""))
    name = _TESTS.get(name, name)
    said = (
        "The new model is better by more than chance" if test.get("better") else "The new model is not better by more than chance"
    )
    least = f" An improvement of at least {number(margin)} would count." if margin is not None else ""
    on_rows = f" on {count(int(rows), 'row')}" if rows else ""
    return element("p", element("strong", said), f" (p = {number(p_value)} by {name}{on_rows}).{least}")

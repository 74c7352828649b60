"""How the model came about: learning curves, and the trials of a tuning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from sageline.json_objects import Document
from sageline.report.data import Curve, ReportData
from sageline.report.drawing.figures import as_number, number, part, seconds
from sageline.report.drawing.markup import Child, Markup, element
from sageline.report.drawing.plot import SERIES, Line, figure, frame, legend, line_plot, note, points
from sageline.report.drawing.scale import round_bounds
from sageline.report.drawing.tables import Section, facts, figures, more, section, table, unbroken

_SHOWN_TRIALS = 20
_PLOTTED_HYPERPARAMETERS = 6
_LONGEST_LINE = 300  # points; longer curves are thinned, a plot is not wider in pixels


def learning_section(data: ReportData) -> Section | None:
    """Learning curves, or the last values where there are no curves; and what models are made of."""
    if not data.curves and not data.metrics and not data.artifact:
        return None
    drawn = {curve.metric: curve for curve in data.curves if len(curve.values) > 1}
    groups: dict[str, list[Curve]] = {}
    for metric, curve in drawn.items():
        groups.setdefault(metric.rpartition(":")[2], []).append(curve)
    plots = [_curve_plot(measure, group) for measure, curves in groups.items() for group in _in_fours(curves)]
    last = {curve.metric: curve.values[-1] for curve in data.curves if curve.values} | dict(data.metrics)
    rows = [(metric, number(value), _best(drawn.get(metric))) for metric, value in last.items()]
    columns = ("metric", "at the end", "lowest and highest") if drawn else ("metric", "at the end")
    return section(
        "training",
        "Training",
        facts({"training job": data.training_job, **_artifact(data.artifact or {})}),
        figures(*plots) if plots else None,
        table("What the training job reported", columns, [row[: len(columns)] for row in rows], numeric=(1, 2)) if rows else None,
    )


def tuning_section(data: ReportData) -> Section | None:
    """The trials, best first, and how the objective depends on what was tried."""
    if not data.trials:
        return None
    objective = part(part(data.spec or {}, "tuning"), "objective")
    name = str(objective.get("metric", "objective"))
    lower = objective.get("type") == "Minimize"
    scored = [trial for trial in data.trials if as_number(trial.get("objective")) is not None]
    columns, rows = _trial_rows(data.trials, name)
    numeric = (0, 1, len(columns) - 3)
    shown = rows[:_SHOWN_TRIALS]
    rest = rows[_SHOWN_TRIALS:]
    goal = f"{name}, the {'lower' if lower else 'higher'} the better" if objective else name
    return section(
        "tuning",
        "Tuning",
        element("p", f"{len(data.trials)} trials, compared by {goal}. The best one's model went on."),
        figures(_progress(scored, name, lower), *_by_hyperparameter(scored, name)) if len(scored) > 1 else None,
        table("Trials, best first", columns, shown, numeric=numeric, marked=(0,) if scored else ()),
        more(f"{len(rest)} more trials", table("The other trials", columns, rest, numeric=numeric)) if rest else None,
    )


def _in_fours(curves: Sequence[Curve]) -> list[Sequence[Curve]]:
    return [curves[start : start + SERIES] for start in range(0, len(curves), SERIES)]


def _curve_plot(measure: str, curves: Sequence[Curve]) -> Markup:
    lines = [_thinned(curve) for curve in curves]
    names = [line.name.rpartition(":")[0] or line.name for line in lines]
    title = (
        f"{measure} while training ({', '.join(names)})" if len(names) > 1 or names[0] != measure else f"{measure} while training"
    )
    return figure(f"Learning curve: {measure}", line_plot(title, lines, "reports of the job", measure), legend(names))


def _thinned(curve: Curve) -> Line:
    """Every nth value, and the last."""
    every = -(-len(curve.values) // _LONGEST_LINE)
    indexes = sorted({*range(0, len(curve.values), every), len(curve.values) - 1})
    return Line(curve.metric, [index + 1 for index in indexes], [curve.values[index] for index in indexes])


def _best(curve: Curve | None) -> str:
    return f"{number(min(curve.values))} … {number(max(curve.values))}" if curve else ""


def _trial_rows(trials: Sequence[Document], objective: str) -> tuple[list[str], list[list[Child]]]:
    names = sorted({name for trial in trials for name in part(trial, "hyperparameters")})
    # Markup, since a page that capitalises heads leaves such names as they are.
    columns = ["place", unbroken(objective), *map(unbroken, names), "took", "training job", "status"]
    rows: list[list[Child]] = [
        [
            rank,
            number(as_number(trial.get("objective"))),
            *(_short(part(trial, "hyperparameters").get(name, "")) for name in names),
            seconds(as_number(trial.get("seconds"))),
            unbroken(str(trial.get("name", ""))),
            _status(trial),
        ]
        for rank, trial in enumerate(trials, start=1)
    ]
    return columns, rows


def _status(trial: Document) -> str:
    reason = trial.get("reason")
    return f"{trial.get('status', '')}: {reason}" if reason else str(trial.get("status", ""))


def _short(value: object) -> str:
    """A search chooses numbers with sixteen digits; nobody reads so many."""
    try:
        return str(value) if str(value).lstrip("-").isdigit() else number(float(str(value)))
    except ValueError:
        return str(value)


def _progress(trials: Sequence[Document], objective: str, lower: bool) -> Markup:
    """Every trial in the order in which they were started, and the best until then."""
    ordered = sorted(trials, key=lambda trial: (_number_in_tuning(trial), str(trial.get("name", ""))))
    values = [float(trial["objective"]) for trial in ordered]
    so_far = list(accumulate(values, min if lower else max))
    xs = [float(index) for index in range(1, len(values) + 1)]
    plot = frame((1, len(values)), round_bounds(values), "trial", objective, whole=True)
    steps = "".join(
        f"{'H' if index else 'M'}{plot.x(x):.1f}{f'V{plot.y(y):.1f}' if index else f' {plot.y(y):.1f}'}"
        for index, (x, y) in enumerate(zip(xs, so_far, strict=True))
    )
    best = values.index(so_far[-1])
    drawn = plot.draw(
        f"{objective} of {len(values)} trials as they were started; the best is trial {best + 1} with {number(so_far[-1])}",
        element("g", element("path", d=steps), class_="line s0"),
        points(plot, xs, values),
        element("circle", cx=plot.x(xs[best]), cy=plot.y(values[best]), r=6.0, class_="mark"),
    )
    return figure("Trial by trial", drawn, note("Points: trials. Line: the best until then. Ring: the best."))


def _number_in_tuning(trial: Document) -> int:
    """SageMaker numbers a tuning's jobs: ``<tuning>-007-1a2b3c4d``."""
    found = re.search(r"-(\d{3,})-[0-9a-f]{8}$", str(trial.get("name", "")))
    return int(found[1]) if found else 0


def _by_hyperparameter(trials: Sequence[Document], objective: str) -> list[Markup]:
    """The objective against each hyperparameter whose values are numbers, and differ."""
    chosen: Mapping[str, list[tuple[float, float]]] = {}
    for name in sorted({name for trial in trials for name in part(trial, "hyperparameters")}):
        pairs = [(_float(part(trial, "hyperparameters").get(name)), float(trial["objective"])) for trial in trials]
        known = [(x, y) for x, y in pairs if x is not None]
        if len({x for x, _ in known}) > 2:
            chosen = {**chosen, name: known}
    return [_against(name, pairs, objective) for name, pairs in list(chosen.items())[:_PLOTTED_HYPERPARAMETERS]]


def _against(name: str, pairs: Sequence[tuple[float, float]], objective: str) -> Markup:
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    plot = frame(round_bounds(xs), round_bounds(ys), name, objective)
    best_x, best_y = pairs[0]
    drawn = plot.draw(
        f"{objective} of {len(pairs)} trials against {name}; the best has {name} = {number(best_x)}",
        points(plot, xs, ys),
        element("circle", cx=plot.x(best_x), cy=plot.y(best_y), r=6.0, class_="mark"),
    )
    return figure(f"{name}", drawn)


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _artifact(artifact: Document) -> dict[str, str | None]:
    """What models are made of, so that it can be told whether it still is the same."""
    shown = {"model": "uri", "its version": "version_id", "its SHA-256": "sha256", "copied from": "source_uri"}
    return {name: str(artifact[key]) for name, key in shown.items() if artifact.get(key)}

"""How far a regression is off, and where."""

from __future__ import annotations

from collections.abc import Sequence

from sageline.json_objects import Document
from sageline.report.drawing.figures import MINUS, as_number, count, number, part
from sageline.report.drawing.markup import Markup
from sageline.report.drawing.plot import figure, frame, histogram, note, points, reference
from sageline.report.drawing.scale import round_bounds
from sageline.report.drawing.tables import Section, figures, section, table
from sageline.report.sections.evaluation import Evaluation

_ERROR = f"answer {MINUS} value"


def residuals_section(evaluation: Evaluation) -> Section | None:
    residuals = evaluation.residuals
    pairs = [(float(expected), float(predicted)) for expected, predicted in residuals.get("points") or []]
    if not pairs:
        return None
    bars: Document = part(residuals, "histogram")
    quantiles = {name: as_number(value) for name, value in part(residuals, "quantiles").items()}
    return section(
        "residuals",
        "How far off it is",
        figures(
            _answers(pairs),
            _residuals(pairs),
            _histogram(bars.get("edges") or [], bars.get("rows") or [], bars.get("below") or 0, bars.get("above") or 0),
        ),
        table(
            "Residuals: the model's answer minus the value",
            ("share of the rows", *(f"{float(name):.0%}" for name in quantiles)),
            [("lie at or below", *map(number, quantiles.values()))],
            numeric=range(1, len(quantiles) + 1),
        )
        if quantiles
        else None,
    )


def _answers(pairs: Sequence[tuple[float, float]]) -> Markup:
    expected, predicted = [value for value, _ in pairs], [value for _, value in pairs]
    bounds = round_bounds([*expected, *predicted])
    plot = frame(bounds, bounds, "value", "answer")
    drawn = plot.draw(
        f"The model's answer against the value, for {len(pairs)} rows; on the dashed line they are equal",
        points(plot, expected, predicted),
        reference(plot, (bounds[0], bounds[0]), (bounds[1], bounds[1])),
    )
    return figure("Answers against values", drawn, note(f"{count(len(pairs), 'row')}. On the dashed line the answer is right."))


def _residuals(pairs: Sequence[tuple[float, float]]) -> Markup:
    predicted = [value for _, value in pairs]
    errors = [answer - value for value, answer in pairs]
    plot = frame(round_bounds(predicted), round_bounds(errors, zero=True), "answer", _ERROR)
    drawn = plot.draw(
        f"Residuals against the model's answer, for {len(pairs)} rows; at the dashed line the answer is right",
        points(plot, predicted, errors),
        reference(plot, (plot.x.low, 0), (plot.x.high, 0)),
    )
    return figure("Residuals against answers", drawn, note("A pattern here is something that the model has not learnt."))


def _histogram(edges: Sequence[float], rows: Sequence[int], below: int, above: int) -> Markup | None:
    if len(edges) != len(rows) + 1 or not rows:
        return None
    drawn = histogram("How many rows by how far the answer is off", edges, rows, _ERROR)
    outside = f"{count(below, 'row')} further left and {above:,} further right are not drawn." if below or above else None
    return figure("How residuals are spread", drawn, note(outside) if outside else None)

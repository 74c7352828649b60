"""How well a classifier's scores tell the rows of a class from the others, whatever score it answers the class from."""

from __future__ import annotations

from collections.abc import Sequence

from sageline.json_objects import Document
from sageline.report.drawing.figures import as_number, count, measure, share
from sageline.report.drawing.markup import Markup, element
from sageline.report.drawing.plot import Frame, curve, figure, frame, note, reference
from sageline.report.drawing.tables import Section, figures, section
from sageline.report.sections.evaluation import Evaluation

_ALL = (0.0, 1.0)


def ranking_section(evaluation: Evaluation) -> Section | None:
    """The ROC curve, and precision over recall; of more than two classes the means of each class's own curves."""
    roc, precision_recall = evaluation.roc, evaluation.precision_recall
    if not roc or not precision_recall:
        return None
    return section(
        "ranking",
        "How well it ranks",
        element("p", _whose(evaluation)),
        figures(_roc(evaluation, roc), _precision_recall(evaluation, precision_recall)),
    )


def _whose(evaluation: Evaluation) -> list[str | Markup]:
    of_rows = f" Of {count(evaluation.ranked_rows, 'row')}, a random choice." if evaluation.ranked_rows is not None else ""
    if evaluation.positive is None:
        return [f"Each class against all others, and the mean over the classes.{of_rows}"]
    return ["Rows that are ", element("q", evaluation.positive), f" against all others, by its score.{of_rows}"]


def _roc(evaluation: Evaluation, points: Sequence[tuple[float, float]]) -> Markup:
    area = measure(evaluation.metrics.get("roc_auc"))
    plot = frame(_ALL, _ALL, "share of the other rows that are taken for it", "share of the class's rows that are found")
    found, precision = _answered(evaluation)
    drawn = plot.draw(
        f"ROC curve: the share of the class's rows that are found over that of the others that are taken for it; area {area}",
        reference(plot, (0, 0), (1, 1)),
        curve(plot, points),
        _own(plot, _false_alarms(evaluation, precision), found),
    )
    return figure(
        f"ROC curve, area {area}", drawn, note("On the dashed line the scores say nothing.", _what_the_dot_is(found, precision))
    )


def _precision_recall(evaluation: Evaluation, points: Sequence[tuple[float, float]]) -> Markup:
    area, chance = measure(evaluation.metrics.get("average_precision")), evaluation.baseline_metrics.get("average_precision")
    plot = frame(_ALL, _ALL, "recall: share of the class's rows that are found", "precision: share of those found that are it")
    recall, precision = _answered(evaluation)
    drawn = plot.draw(
        f"Precision over recall; average precision {area}",
        reference(plot, (0, chance), (1, chance)) if chance is not None else None,
        curve(plot, points),
        _own(plot, recall, precision),
    )
    below = f"On the dashed line, at {share(chance)}, the scores say nothing." if chance is not None else ""
    return figure(f"Precision over recall, average {area}", drawn, note(below, _what_the_dot_is(recall, precision)))


def _own(plot: Frame, x: float | None, y: float | None) -> Markup | None:
    """Where the model's own answers are."""
    if x is None or y is None:
        return None
    return element("circle", element("title", f"{share(x)}, {share(y)}"), cx=plot.x(x), cy=plot.y(y), r=4.5, class_="own")


def _what_the_dot_is(recall: float | None, precision: float | None) -> str:
    if recall is None:
        return ""
    return " The dot: what the model answers." if precision is not None else " The model answers it for no row."


def _answered(evaluation: Evaluation) -> tuple[float | None, float | None]:
    """Recall and precision of the class that is looked for; no precision where it is never answered."""
    row = _positive_class(evaluation)
    if row is None:
        return None, None
    return as_number(row.get("recall")), as_number(row.get("precision")) if as_number(row.get("predicted")) else None


def _false_alarms(evaluation: Evaluation, precision: float | None) -> float | None:
    """The share of the other rows that the class is answered for."""
    row = _positive_class(evaluation)
    support, predicted = (as_number((row or {}).get(name)) for name in ("support", "predicted"))
    if precision is None or support is None or predicted is None or not evaluation.rows or evaluation.rows <= support:
        return None
    return predicted * (1 - precision) / (evaluation.rows - support)


def _positive_class(evaluation: Evaluation) -> Document | None:
    return next((row for row in evaluation.classes if row.get("label") == evaluation.positive), None)

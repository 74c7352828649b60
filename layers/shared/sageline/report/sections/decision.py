"""How probabilities become labels: what was chosen on the validation rows, and what it has brought on the test rows."""

from __future__ import annotations

from collections.abc import Sequence

from sageline.json_objects import Document
from sageline.report.drawing.figures import UNKNOWN, as_number, measure, number, objects, part, share, signed, texts
from sageline.report.drawing.markup import Markup, element
from sageline.report.drawing.plot import curve, figure, frame, legend, note, reference
from sageline.report.drawing.tables import Section, figures, section, table
from sageline.report.sections.evaluation import Evaluation, display_name

_CURVES = {"precision": "precision", "recall": "recall", "f1": "F1"}
_CALIBRATED = {
    "temperature": "The model's probabilities are calibrated by one temperature",
    "isotonic": "The model's probabilities are calibrated by a rising line",
}


def decision_section(evaluation: Evaluation) -> Section | None:
    """None for a model of which nothing could be chosen, and of runs from before there were decisions."""
    told = evaluation.decision
    if not told:
        return None
    before = part(told, "before")
    return section(
        "decision",
        "From probabilities to labels",
        element("p", _chosen(told)),
        [element("p", reason) for reason in texts(told, "skipped")],
        _measured(told),
        _on_test_rows(evaluation, part(before, "metrics")) if before else None,
        figures(_thresholds(told), _calibrations(objects(before.get("calibration")), evaluation.calibration)),
    )


def _chosen(told: Document) -> str:
    calibration, threshold, offsets = (part(told, name) for name in ("calibration", "threshold", "offsets"))
    said = []
    if calibration:
        kind = str(calibration.get("kind"))
        words = _CALIBRATED.get(kind, "The model's probabilities are calibrated")
        temperature = as_number(calibration.get("temperature"))
        said.append(words if temperature is None else f"{words}, {number(temperature)}")
    if threshold:
        at, label = number(as_number(threshold.get("at"))), str(threshold.get("label"))
        chosen_for = f", chosen for {display_name(str(told['metric']))}" if told.get("metric") else ""
        said.append(f"from a probability of {at} on the answer is {label!r}{chosen_for}")
    elif offsets:
        lifted = max(offsets, key=lambda label: as_number(offsets[label]) or 0.0)
        said.append(f"rarer classes are lifted, {lifted!r} most, chosen for {display_name(str(told.get('metric')))}")
    if not said:
        return "The model's probabilities are answered as they are, and the most probable label."
    words = "; ".join(said)
    return f"{words[0].upper()}{words[1:]}."


def _measured(told: Document) -> Markup | None:
    """What each choice was worth on validation rows that it was not made on."""
    tried = {"calibration": "calibration", "threshold": "offsets" if told.get("offsets") else "threshold"}
    rows = []
    for name, shown in tried.items():
        found = part(part(told, "measured"), name)
        if found:
            values = [as_number(found.get(key)) for key in ("before", "after", "improvement", "standard_error")]
            before, after, improvement, error = values
            kept = "used" if found.get("used") else "not used"
            spread = UNKNOWN if error is None else f"±{measure(error)}"
            metric = display_name(str(found.get("metric")))
            rows.append((shown, metric, measure(before), measure(after), signed(improvement), spread, kept))
    if not rows:
        return None
    return table(
        f"On {number(as_number(told.get('rows')))} validation rows, each answered by a choice made on the others",
        ("what was tried", "metric", "before", "after", "better by", "one standard error", ""),
        rows,
        numeric=(2, 3, 4, 5),
    )


def _on_test_rows(evaluation: Evaluation, before: Document) -> Markup:
    shown = [name for name in evaluation.names if as_number(before.get(name)) is not None]

    def row(name: str) -> tuple[str, str, str, str]:
        old, new = as_number(before.get(name)), evaluation.metrics.get(name)
        difference = None if old is None or new is None else new - old
        return display_name(name), measure(old), measure(new), signed(difference)

    return table(
        "On the test rows, before and after",
        ("metric", "before", "after", "difference"),
        list(map(row, shown)),
        numeric=(1, 2, 3),
    )


def _thresholds(told: Document) -> Markup | None:
    """Precision, recall and F1 of the positive class, over the threshold."""
    points = objects(told.get("curve"))
    if not points:
        return None
    positive = str(told.get("positive"))
    thresholds = [as_number(point.get("at")) or 0.0 for point in points]
    plot = frame((0, max([*thresholds, 1e-6])), (0, 1), "threshold", "share")
    drawn = [
        curve(plot, zip(thresholds, (as_number(point.get(key)) or 0.0 for point in points), strict=True), index)
        for index, key in enumerate(_CURVES)
    ]
    at = as_number(part(told, "threshold").get("at"))
    marked = reference(plot, (at, 0), (at, 1)) if at is not None and at <= max(thresholds) else None
    title = f"Precision, recall and F1 of {positive} by the threshold"
    below = note("Dashed: the threshold that was chosen.") if marked is not None else None
    return figure(title, plot.draw(title, drawn, marked), legend(list(_CURVES.values())), below)


def _calibrations(before: Sequence[Document], after: Sequence[Document]) -> Markup | None:
    """How often the model is right by how sure it is, before and after."""
    if not before or not after:
        return None
    plot = frame((0, 1), (0, 1), "how sure the model was", "how often it was right")
    drawn = []
    for index, bins in enumerate((before, after)):
        pairs = [(as_number(row.get("confidence")), as_number(row.get("accuracy"))) for row in bins]
        known = [(x, y) for x, y in pairs if x is not None and y is not None]
        drawn.append(curve(plot, known, index))
        titles = [element("title", f"sure {share(x)}, right {share(y)}") for x, y in known]
        drawn += [
            element("circle", title, cx=plot.x(x), cy=plot.y(y), r=3, class_=f"line s{index}")
            for title, (x, y) in zip(titles, known, strict=True)
        ]
    title = "Calibration on the test rows, before and after"
    return figure(title, plot.draw(title, reference(plot, (0, 0), (1, 1)), drawn), legend(["before", "after"]))

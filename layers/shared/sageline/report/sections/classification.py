"""What a classifier confuses, how good it is class by class, and whether its probabilities are to be believed."""

from __future__ import annotations

from collections.abc import Sequence

from sageline.json_objects import Document
from sageline.report.drawing.figures import UNKNOWN, as_number, number, share
from sageline.report.drawing.markup import Child, Markup, element
from sageline.report.drawing.plot import bars, curve, figure, frame, note, reference, svg
from sageline.report.drawing.scale import round_bounds
from sageline.report.drawing.tables import Section, bar, beside, figures, folded_table, more, scrolling, section, table
from sageline.report.sections.evaluation import Evaluation, display_name
from sageline.spec.metrics import RANKING

_READABLE = 25
"""Classes up to which a confusion matrix can be read as a table."""

_SHOWN_CLASSES, _MOST_CLASSES = 25, 500
_SHOWN_MISTAKES = 15
_SHADES = 6
_LONGEST_LABEL = 18  # characters, beside the matrix
_SMALL = 130.0


def confusion_section(evaluation: Evaluation) -> Section | None:
    """The matrix, or with many classes what is confused most."""
    confusion = evaluation.confusion
    labels = [str(label) for label in confusion.get("labels") or []]
    if not labels:
        return None
    counts: list[list[int]] | None = confusion.get("matrix")
    support = {str(row.get("label")): as_number(row.get("support")) or 0 for row in evaluation.classes}
    return section(
        "confusion",
        "What is confused",
        beside(
            _matrix(labels, counts) if counts and len(labels) <= _READABLE else None,
            _mistakes(confusion.get("mistakes") or [], support) if len(labels) > 2 else None,
            _overview(labels, counts) if counts and len(labels) > _READABLE else None,
        ),
    )


def classes_section(evaluation: Evaluation) -> Section | None:
    """Precision, recall, F1 and rows of each class, the weakest first; of more than two also how well each is ranked."""
    if not evaluation.classes:
        return None
    ordered = sorted(evaluation.classes, key=lambda row: (as_number(row.get("f1")) or 0.0, str(row.get("label"))))
    most = max((as_number(row.get("support")) or 0 for row in ordered), default=0)
    ranked = [name for name in RANKING if len(ordered) > 2 and any(as_number(row.get(name)) is not None for row in ordered)]
    rows = [_class(row, most, ranked) for row in ordered[:_MOST_CLASSES]]
    columns = ("class", "precision", "recall", "F1", *map(display_name, ranked), "rows")
    return section(
        "classes",
        "Class by class",
        folded_table("The weakest classes first", "classes", columns, rows, _SHOWN_CLASSES, total=len(ordered)),
        note(
            "Precision: of the rows given this label, the share that has it. Recall: of the rows that have it, the share given "
            "it. F1: their harmonic mean.",
            " ROC AUC and average precision: of the class's score, against all other rows." if ranked else "",
        ),
    )


def calibration_section(evaluation: Evaluation) -> Section | None:
    """How often the model is right, by how sure it is."""
    filled = [row for row in evaluation.calibration if as_number(row.get("rows"))]
    if not filled:
        return None
    return section(
        "calibration",
        "Calibration",
        figures(_reliability(filled), _confidence(evaluation.calibration)),
        more(
            "The numbers",
            table(
                "Confidence and accuracy",
                ("confidence", "rows", "mean confidence", "accuracy"),
                [
                    (
                        f"{share(as_number(row.get('from')))} to {share(as_number(row.get('to')))}",
                        number(as_number(row.get("rows"))),
                        share(as_number(row.get("confidence"))),
                        share(as_number(row.get("accuracy"))),
                    )
                    for row in filled
                ],
                numeric=(1, 2, 3),
            ),
        ),
    )


def _matrix(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Rows: what the label is. Columns: what the model answered. A cell is shaded by its share of its row."""
    crowded = len(labels) > 5
    head = element(
        "tr",
        element("td", "is ↓  answered →", class_="corner"),
        [element("th", element("span", _short(label)), scope="col", title=label) for label in labels],
    )
    body = [
        element(
            "tr",
            element("th", element("span", _short(label)), scope="row", title=label),
            [_cell(label, labels[index], value, sum(row), right=index == own) for index, value in enumerate(row)],
        )
        for own, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]
    caption = "Confusion matrix"
    return element(
        "div",
        *[
            scrolling(
                caption,
                element(
                    "table",
                    element("caption", caption),
                    element("thead", head),
                    element("tbody", body),
                    class_="matrix crowded" if crowded else "matrix",
                ),
            ),
            note("Rows: what the label is. Columns: what the model answered. Blue is right, orange wrong."),
        ],
    )


def _short(label: str) -> str:
    """Without its middle: labels that belong together often begin alike."""
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 9].rstrip()}…{label[-8:].lstrip()}"


def _cell(label: str, answered: str, value: int, support: int, *, right: bool) -> Markup:
    part_of_row = value / support if support else 0.0
    said = f"{label} answered as {answered}: {value:,} of {support:,} ({share(part_of_row)})"
    kind = ("right" if right else "wrong") if value else "zero"
    return element("td", f"{value:,}", class_=kind, style=f"--share:{part_of_row:.3f}" if value else None, title=said)


def _mistakes(mistakes: Sequence[Document], support: dict[str, float]) -> Markup:
    if not mistakes:
        return element("p", "No row was given a wrong label.")

    def row(mistake: Document) -> tuple[Child, ...]:
        expected, rows = str(mistake.get("expected", "")), as_number(mistake.get("rows")) or 0
        of_class = rows / support[expected] if support.get(expected) else None
        return expected, str(mistake.get("predicted", "")), number(rows), bar(of_class, share(of_class))

    columns = ("is", "answered as", "rows", "share of the class")
    rows = list(map(row, mistakes))
    return element(
        "div",
        folded_table("The most frequent mistakes", "mistakes", columns, rows, _SHOWN_MISTAKES, total=len(rows), numeric=(2,)),
    )


def _overview(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """The matrix as a picture: one path for each shade of right and of wrong answers."""
    paths: dict[str, list[str]] = {}
    for own, row in enumerate(counts):
        support = sum(row)
        for index, value in enumerate(row):
            if value:
                shade = min(int(value / support * _SHADES), _SHADES - 1)
                paths.setdefault(f"{'right' if own == index else 'wrong'} shade{shade}", []).append(f"M{index} {own}h1v1h-1z")
    size = len(labels)
    title = f"Confusion matrix of {size} classes as a picture; the mistakes are in the table of mistakes"
    drawn = svg(title, size, size, [element("path", d="".join(cells), class_=kind) for kind, cells in sorted(paths.items())])
    below = note(
        "Rows: what the label is. Columns: what the model answered. Both in the order of the labels. Blue: right, on the "
        "diagonal. Orange: wrong."
    )
    return element("div", figure(f"All {size} classes", drawn, below), class_="overview")


def _class(row: Document, most: float, ranked: Sequence[str]) -> list[Child]:
    support = as_number(row.get("support")) or 0
    measures = [as_number(row.get(name)) for name in ("precision", "recall", "f1", *ranked)]
    return [
        str(row.get("label", "")),
        *(bar(value, UNKNOWN if value is None else f"{value:.3f}") for value in measures),
        bar(support / most if most else 0.0, number(support)),
    ]


def _reliability(rows: Sequence[Document]) -> Markup:
    pairs = [(as_number(row.get("confidence")), as_number(row.get("accuracy"))) for row in rows]
    known = [(x, y) for x, y in pairs if x is not None and y is not None]
    plot = frame((0, 1), (0, 1), "how sure the model was", "how often it was right")
    drawn = plot.draw(
        "Calibration: how often the model was right, by how sure it was; the nearer to the diagonal, the better",
        reference(plot, (0, 0), (1, 1)),
        curve(plot, known),
        [
            element(
                "circle", element("title", f"sure {share(x)}, right {share(y)}"), cx=plot.x(x), cy=plot.y(y), r=4.5, class_="own"
            )
            for x, y in known
        ],
    )
    return figure("Right as often as sure?", drawn, note("Below the dashed line the model is surer than it should be."))


def _confidence(rows: Sequence[Document]) -> Markup:
    counts = [int(as_number(row.get("rows")) or 0) for row in rows]
    edges = [as_number(row.get("from")) or 0.0 for row in rows] + [1.0]
    plot = frame((0, 1), round_bounds(counts, zero=True), "how sure the model was", "rows")
    return figure("How sure it is", plot.draw("How many rows by how sure the model was", bars(plot, edges, counts)))

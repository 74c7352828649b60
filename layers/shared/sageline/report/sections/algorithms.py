"""How the algorithms of a run of ``auto`` compare."""

from __future__ import annotations

from sageline.json_objects import Document
from sageline.report.data import ReportData
from sageline.report.drawing.figures import as_number, measure, number, part, seconds
from sageline.report.drawing.markup import Child, Markup, element
from sageline.report.drawing.plot import note
from sageline.report.drawing.tables import Section, section, table, unbroken
from sageline.report.leaderboard import Leaderboard, hyperparameters
from sageline.runs.money import usd

_HOW = (
    "±: one standard error. Columns are those of an encoded row. Milliseconds a row are of the transform job that answered, "
    "the start of its instance included."
)


def algorithms_section(data: ReportData) -> Section | None:
    """The leaderboard, best first, what each was trained with, and why the others have no model."""
    board = data.leaderboard
    if board is None:
        return None
    return section(
        "algorithms",
        "Algorithms",
        _compared(board) if board.answered else None,
        _trained_with(board) if board.answered else None,
        _failed(board) if board.failed else None,
    )


def _compared(board: Leaderboard) -> list[Child]:
    rows: list[list[Child]] = [
        [
            rank,
            f"{candidate.get('algorithm', '')}{' (chosen)' if candidate.get('chosen') else ''}",
            _score(candidate),
            _columns(candidate),
            seconds(as_number(candidate.get("training_seconds"))),
            _dollars(as_number(candidate.get("usd"))),
            _megabytes(as_number(candidate.get("bytes"))),
            number(as_number(candidate.get("milliseconds_per_row"))),
        ]
        for rank, candidate in enumerate(board.answered, start=1)
    ]
    columns = ("rank", "algorithm", board.metric or "metric", "columns", "trained for", "US dollars", "MB", "milliseconds a row")
    chosen = [index for index, candidate in enumerate(board.answered) if candidate.get("chosen")]
    tried = max((as_number(candidate.get("rows")) or 0 for candidate in board.answered), default=0)
    return [
        element("p", f"The {number(tried)} validation rows chose among them; the test rows judge the chosen one only."),
        table("Algorithms, best first", columns, rows, numeric=(0, 2, 3, 4, 5, 6, 7), marked=chosen),
        note(_HOW),
    ]


def _trained_with(board: Leaderboard) -> Markup:
    by_itself = "what the algorithm takes by itself"
    rows = [(str(each.get("algorithm", "")), hyperparameters(each) or by_itself) for each in board.answered]
    return table("What they were trained with", ("algorithm", "hyperparameters"), rows)


def _failed(board: Leaderboard) -> Markup:
    rows: list[list[Child]] = [
        [str(each.get("algorithm", "")), str(each.get("problem", "")), unbroken(str(each.get("run_id", "")))]
        for each in board.failed
    ]
    return table("Those that have no model", ("algorithm", "why", "its run"), rows)


def _score(candidate: Document) -> str:
    value, error = as_number(candidate.get("value")), as_number(candidate.get("standard_error"))
    return measure(value) if error is None else f"{measure(value)} ± {measure(error)}"


def _columns(candidate: Document) -> str:
    encoder = part(candidate, "encoder")
    columns = as_number(encoder.get("columns"))
    return str(encoder.get("kind", "")) if not columns else number(columns)


def _dollars(amount: float | None) -> str:
    return number(None) if amount is None else usd(amount)


def _megabytes(size: float | None) -> str:
    return number(None) if size is None else f"{size / 1e6:.3g}"

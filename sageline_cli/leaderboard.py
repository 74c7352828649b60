"""How the algorithms of a run of ``auto`` came out, as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sageline.evaluation.wording import plain
from sageline.json_objects import Document, Json
from sageline.report.drawing.figures import measure
from sageline.report.leaderboard import hyperparameters, leaderboard
from sageline.runs.money import usd
from sageline_cli.breakable import BreakableText
from sageline_cli.candidates import CandidateProgress, progress_line

_MARK = "✓"
_HOW = (
    "Compared by the {rows} validation rows, ± one standard error{chosen}. columns: of an encoded row. ms a row: of the "
    "transform job that answered, the start of its instance included."
)


def algorithm_sections(run: Json, under_way: Sequence[CandidateProgress], does: Mapping[str, str]) -> dict[str, RenderableType]:
    """Title to what is to be said of the candidates of a run: how those stand that are under way, or how they compare.

    Args:
        does: what is done in a state, in a few words.
    """
    sections: dict[str, RenderableType] = {}
    if under_way:
        sections["How its algorithms stand"] = Group(*(progress_line(each, does) for each in under_way))
    if (board := leaderboard_table(run)) is not None:
        sections["How its algorithms compare"] = board
    return sections


def chosen_line(details: Document) -> str:
    """Which algorithm was chosen, and how the others compare, as a line; empty of a run of one algorithm."""
    board = leaderboard(details)
    if board is None or not board.answered:
        return ""
    best, *others = board.answered
    told = [f"{other['algorithm']} {_plain(other)}" for other in others]
    told += [f"{failed['algorithm']} has no model" for failed in board.failed]
    beside = f" ({', '.join(told)})" if told else ""
    return f"Chosen: {best['algorithm']}, {board.metric} {_plain(best)}{beside}, by {best.get('rows')} validation rows.\n"


def _plain(candidate: Document) -> str:
    value = candidate.get("value")
    return plain(float(value)) if isinstance(value, int | float) else "unknown"


def leaderboard_table(run: Json) -> RenderableType | None:
    """The candidates of a run, best first, then those that failed and why; None where there are none, or none has ended yet."""
    board = leaderboard(run.get("details") or {})
    if board is None:
        return None
    parts: list[RenderableType] = []
    if board.answered:
        parts += [_table(board.answered, board.metric), _how(board.answered)]
    parts += [_failed(candidate) for candidate in board.failed]
    settings = {str(candidate["algorithm"]): hyperparameters(candidate) for candidate in board.answered}
    if any(settings.values()):
        parts += [Text("\n  trained with", style="dim"), _settings(settings)]
    return Group(*parts)


def _table(candidates: Sequence[Document], metric: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in ("", "rank", "algorithm", metric or "metric", "columns", "trained", "cost", "MB", "ms a row"):
        table.add_column(column, justify="left" if column == "algorithm" else "right", overflow="fold")
    for rank, candidate in enumerate(candidates, start=1):
        chosen = bool(candidate.get("chosen"))
        table.add_row(
            Text(_MARK, "green") if chosen else "",
            str(rank),
            str(candidate["algorithm"]),
            score(candidate),
            _columns(candidate.get("encoder")),
            _measured(candidate.get("training_seconds"), "{:,.0f} s"),
            "" if candidate.get("usd") is None else usd(candidate["usd"]),
            "" if candidate.get("bytes") is None else plain(candidate["bytes"] / 1e6, 3),
            _measured(candidate.get("milliseconds_per_row"), "{:,.3g}"),
            style="bold" if chosen else "",
        )
    return table


def score(candidate: Document) -> str:
    """``0.9124 ± 0.0110``."""
    value, error = candidate.get("value"), candidate.get("standard_error")
    if value is None:
        return "not known"
    return measure(value) if error is None else f"{measure(value)} ± {measure(error)}"


def _columns(encoder: Document | None) -> str:
    if not encoder:
        return ""
    columns = encoder.get("columns")
    return str(encoder.get("kind", "")) if not columns else f"{columns:,}"


def _measured(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _how(candidates: Sequence[Document]) -> RenderableType:
    rows = max(candidate.get("rows") or 0 for candidate in candidates)
    chosen = f"; {_MARK}: the chosen one" if any(candidate.get("chosen") for candidate in candidates) else ""
    return Padding(Text(_HOW.format(rows=f"{rows:,}", chosen=chosen), "dim"), (0, 0, 0, 2))


def _failed(candidate: Document) -> RenderableType:
    said = Text.assemble(("✗ ", "red"), f"{candidate['algorithm']} has no model: {candidate['problem']}")
    shown = Text(f"  sageline show {candidate['run_id']}   (all that is known of it)", "dim")
    return Padding(Group(said, shown), (0, 0, 0, 2))


def _settings(settings: dict[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for algorithm, given in settings.items():
        table.add_row(f"  {algorithm}", BreakableText(given or "what the algorithm takes by itself"))
    return table

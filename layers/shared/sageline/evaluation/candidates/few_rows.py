"""Saying that few validation rows have chosen among the candidates of a run."""

from __future__ import annotations

from collections.abc import Sequence

from sageline.json_objects import Document

FEWEST_ROWS = 50
"""With fewer, an accuracy of 0.9 has a standard error of more than 0.04: algorithms that suit the data seldom differ by more."""


def few_rows_warnings(candidates: Sequence[Document]) -> list[str]:
    """A sentence with what to do, where few rows have chosen among several models.

    Args:
        candidates: ``details.candidates`` of a run whose candidates have ended; none of a run of one algorithm.
    """
    answered = [candidate for candidate in candidates if candidate.get("value") is not None]
    chosen = next((candidate for candidate in candidates if candidate.get("chosen")), None)
    if chosen is None or len(answered) < 2 or not is_few(chosen.get("rows")):
        return []
    rows = "1 validation row" if chosen["rows"] == 1 else f"{chosen['rows']} validation rows"
    return [
        f"{chosen['algorithm']} was chosen among {len(answered)} algorithms by {rows} only. It takes at least {FEWEST_ROWS} to "
        "tell models apart: on other rows another one may be better. Add rows, hold more of them out for validation "
        "(`split.validation`), or name an algorithm in `algorithm.name`."
    ]


def is_few(rows: int | None) -> bool:
    """Whether so many validation rows hardly tell models apart."""
    return rows is not None and rows < FEWEST_ROWS

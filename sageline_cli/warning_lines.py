"""The warnings about a run's model and data."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from sageline.json_objects import Json


def warning_lines(run: Json, of: Sequence[str] = ("evaluation", "schema", "batch")) -> list[Text]:
    """A paragraph for each warning, most important first: those of the evaluation, then those about the data, then
    those about the rows of a batch.

    Args:
        of: the parts of the run's details that have them.
    """
    details: Json = run.get("details") or {}
    return [warning(text) for part in of for text in (details.get(part) or {}).get("warnings") or []]


def warning(text: str) -> Text:
    """``Warning: ...``."""
    return Text.assemble(("Warning: ", "bold yellow"), text)

"""What is to be known of a run's model and data before the model is used."""

from __future__ import annotations

from collections.abc import Collection

from rich.text import Text

from cli.errors import Json


def warning_lines(run: Json, but: Collection[str] = ()) -> list[Text]:
    """A paragraph for each warning, most important first: those of the evaluation, then those about the data.

    Args:
        but: warnings that have been shown before.
    """
    details: Json = run.get("details") or {}
    warnings = [text for part in ("evaluation", "schema") for text in (details.get(part) or {}).get("warnings") or []]
    return [warning(text) for text in warnings if text not in but]


def warning(text: str) -> Text:
    """``Warning: ...``."""
    return Text.assemble(("Warning: ", "bold yellow"), text)

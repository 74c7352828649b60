"""The algorithms that a run of ``auto`` has trained, best first: from ``details.candidates`` of its record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sageline.json_objects import Document
from sageline.spec.metrics import METRICS


@dataclass(frozen=True)
class Leaderboard:
    """How the candidates of a run came out. The documents are those of the record (docs/api.md).

    Attributes:
        metric: by which they are compared; empty where none has answered.
        answered: those whose models have answered the validation rows, best first.
        failed: the others, each with its ``problem``.
    """

    metric: str
    answered: Sequence[Document]
    failed: Sequence[Document]


def leaderboard(details: Document) -> Leaderboard | None:
    """The leaderboard of a run's ``details``; None of a run of one algorithm, and of one whose candidates are under way."""
    listed = details.get("candidates")
    candidates = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    if not any("chosen" in candidate for candidate in candidates):
        return None
    answered = [candidate for candidate in candidates if not candidate.get("problem")]
    metric = next((str(candidate["metric"]) for candidate in answered if candidate.get("metric")), "")
    lower = metric in METRICS and METRICS[metric].better == "lower"
    answered.sort(key=lambda candidate: (not candidate.get("chosen"), _badness(candidate.get("value"), lower=lower)))
    return Leaderboard(metric, answered, [candidate for candidate in candidates if candidate.get("problem")])


def hyperparameters(candidate: Document) -> str:
    """``eta 0.1, max_depth 6``: those that a candidate's model was trained with; empty where none are known."""
    given = candidate.get("hyperparameters")
    known = given if isinstance(given, Mapping) else {}
    return ", ".join(f"{name} {_short(value)}" for name, value in sorted(known.items()))


def _badness(value: Any, *, lower: bool) -> float:  # Any: JSON
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return math.inf
    return float(value) if lower else -float(value)


def _short(value: object) -> str:
    """A search chooses numbers with sixteen digits; nobody reads so many."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.4g}"
    except ValueError:
        return text

"""What is to be known of a model before it is used: sentences for people, each with what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from sageline.evaluation.baseline import LEAST_ROWS, BaselineComparison
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from sageline.evaluation.wording import plain, quoted, some
from sageline.spec.metrics import METRICS, RANKING, ZERO_OR_ONE_PER_ROW, default_metric
from sageline.spec.model import SplitSpec

_SHOWN_LABELS = 5
_ROUNDING = 1e-12  # an error of so small a share of its metric is one of adding up
_MORE_TEST_ROWS = {"train": 0.6, "validation": 0.1, "test": 0.3}


def model_warnings(
    sums: Sums,
    metrics: Sequence[str],
    *,
    baseline: BaselineComparison | None,
    refused: bool,
    labels: Sequence[str],
    split: SplitSpec,
) -> list[str]:
    """The warnings about a model, most important first.

    Args:
        metrics: what the spec judges models by: its metric, then those that have limits.
        baseline: the model beside the baseline; None with fewer than :data:`LEAST_ROWS` rows.
        refused: whether a model that is not better than the baseline is refused, and its reason says so.
        labels: those that the model knows; empty for a regression.
        split: what the advice to test on more rows has to keep.
    """
    found = []
    if baseline is not None and not baseline.better and not refused:
        found.append(f"{baseline.words[0].upper()}{baseline.words[1:]}")
    few = [_few_rows(sums, metrics[0], split)] if sums.rows < LEAST_ROWS else []
    if isinstance(sums, ClassificationSums):
        missed = sums.never_answered(labels)
        positive = None if sums.positive is None else sums.classes[sums.positive]
        if positive is not None and missed.get(positive):
            found.append(_finds_none(positive, missed.pop(positive)))
        return [*found, *few, *_never_answered(missed, len(labels), split), *_ranked_few(sums, metrics)]
    return [*found, *few, *(_no_share(sums.zeros) if "mape" in metrics and sums.zeros else [])]


def _finds_none(positive: str, rows: int) -> str:
    return (
        f"The model never answers {quoted(positive)}, the label that is looked for ({_have_it(rows)}): its scores may rank rows, "
        "its answers find none. Add rows of that label."
    )


def _no_share(zeros: int) -> list[str]:
    have = "1 test row has" if zeros == 1 else f"{zeros:,} test rows have"
    return [f"mape is not known: {have} the value 0, of which no error is a share. Judge by mae or median_absolute_error."]


def _ranked_few(sums: ClassificationSums, metrics: Sequence[str]) -> list[str]:
    asked = [name for name in RANKING if name in metrics]
    if sums.ranked_rows is None or not asked:
        return []
    are = "is" if len(asked) == 1 else "are"
    return [f"{' and '.join(asked)} {are} of {sums.ranked_rows:,} of the {sums.rows:,} test rows, a random choice."]


def _few_rows(sums: Sums, metric: str, split: SplitSpec) -> str:
    task = "classification" if isinstance(sums, ClassificationSums) else "regression"
    name = metric if sums.value(metric) is not None else default_metric(task)
    rows = "1 test row" if sums.rows == 1 else f"{sums.rows} test rows"
    return (
        f"Judged by {rows} only{_how_far_off(sums, name)}. {_beside_baseline(sums, name)} Add rows, or hold {_hold_more(split)}."
    )


def _beside_baseline(sums: Sums, metric: str) -> str:
    """A sentence on what always the same answer reaches on these few rows."""
    value, baseline = sums.value(metric), sums.baseline_metrics()[metric]
    better = value is not None and (value > baseline if METRICS[metric].better == "higher" else value < baseline)
    if better or value == baseline == METRICS[metric].best:  # nothing is better than a baseline that is perfect on these rows
        return (
            f"Always answering {sums.baseline_answer} reaches {plain(baseline)}; whether the model is better takes {LEAST_ROWS} "
            "test rows to tell."
        )
    return f"That is no better than always answering {sums.baseline_answer}, which reaches {plain(baseline)}."


def _how_far_off(sums: Sums, metric: str) -> str:
    value, error = sums.value(metric), sums.standard_errors()[metric]
    if value is None:
        return ""
    known = f": {metric} is {plain(value)}"
    if metric in ZERO_OR_ONE_PER_ROW and not sums.is_weighted:
        low, high = _likely_shares(round(value * sums.rows), sums.rows)
        return f"{known}, and on other rows it may be anything from {low:.2f} to {high:.2f}"
    if not error or error < _ROUNDING * abs(value):
        return f"{known}, and how far that may be off cannot be told from so few"
    return f"{known}, and may be off by ±{plain(2 * error, 2)} (two standard errors)"


def _likely_shares(hits: int, rows: int) -> tuple[float, float]:
    """The interval of Agresti and Coull (The American Statistician 52, 1998), two standard errors each way. Where all rows are
    hits it still has a width; that of the share's own standard error has none."""
    centre = (hits + 2) / (rows + 4)
    half = 2 * math.sqrt(centre * (1 - centre) / (rows + 4))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _never_answered(rows: Mapping[str, int], labels: int, split: SplitSpec) -> list[str]:
    """Warnings about labels that are answered for no test row, and about those that no test row has."""
    there = [f"{quoted(label)} ({_have_it(count)})" for label, count in rows.items() if count]
    absent = [quoted(label) for label, count in rows.items() if not count]
    number = "" if len(there) < 2 else f"{len(there)} of {labels} labels: "
    found = []
    if there:
        found.append(
            f"The model never answers {number}{some(there, _SHOWN_LABELS)}. Add rows of such labels, or leave their rows out if "
            "nobody needs the answer."
        )
    if absent:
        found.append(
            f"Whether the model ever answers {some(absent, _SHOWN_LABELS)} is not known: no test row has it or was given it. "
            f"Add rows of such labels, or hold {_hold_more(split)}."
        )
    return found


def _hold_more(split: SplitSpec) -> str:
    """More of the rows, by the split that the spec asks for."""
    if split.by == "given":
        say = "put them into the test files" if split.column is None else f"say so in the column {quoted(split.column)}"
        return f"more of them out of training: {say}"
    kept = split.model_dump(include={"by", "column"}) if split.by != "hash" else {}
    return f"more of them out of training: {json.dumps({'split': {**kept, **_MORE_TEST_ROWS}}, ensure_ascii=False)}"


def _have_it(rows: int) -> str:
    return "1 test row has it" if rows == 1 else f"{rows:,} test rows have it"
